"""Curves over time at the ends of the scale, and sentences that need more than one model."""

import numpy as np
import pytest

from analysis.cases.case import headline_case
from analysis.cases.settings import Job, Question
from analysis.chapters.chapter import Page as Around
from analysis.chapters.curves import CHAPTER
from analysis.chapters.curves.rows import BANDS, CURVES, curve_rows
from analysis.inference.posterior import posterior_of
from tests.figures.reading import shown
from tests.predictions.cases import evidence_of
from tests.report.reading import Page
from tests.reporting import results_of, with_tables

BASE = Job(Question("os"), model="weibull")
AROUND = Around({}, None, None)
DRAWS = 100_000


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """One study of which nobody is left after a year."""
    return evidence_of(tmp_path_factory.mktemp("lost"), {}, survival="a,os,landmark,12,0,,,,20,,,A\n")


def test_survival_in_a_new_study_has_limits_however_near_to_nothing(lost):
    """Against draws: four standard errors of a share of 0.025 or 0.5 are below 0.0064; figures are drawn of it."""
    tables = curve_rows(lost, BASE, "os", "all")
    rows = [row for row in tables[BANDS.file] if row["curve"] == "new study"]
    assert rows[-1]["lower"] < 1e-15 and np.isfinite([row["lower"] for row in rows]).all()
    posterior, rng = posterior_of(headline_case(lost, BASE, "os")), np.random.default_rng(1)
    density, draws = posterior.case.model.density, posterior.draw(DRAWS, rng)
    effects = density.new_study(draws, rng)
    for row in rows[1:]:
        drawn = density.curve.survival(draws, effects, row["months"])
        for name, share in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
            assert np.mean(drawn < row[name]) == pytest.approx(share, abs=0.0064)
    (picture,) = CHAPTER.figures(with_tables(results_of(lost), tables))
    picture.draw(**picture.content)


@pytest.mark.parametrize(("months", "told"), [(36, False), (60, True)])
def test_a_point_beyond_the_axis_is_said_to_stand_at_its_edge(tmp_path, months, told):
    evidence = evidence_of(tmp_path, {}, survival=f"a,os,landmark,{months},0.3,,,,20,,,A\n")
    (picture,) = CHAPTER.figures(with_tables(results_of(evidence), curve_rows(evidence, BASE, "os", "all")))
    words = " ".join(shown(picture.draw(**picture.content)).split())
    assert ("Points later than 36 months stand at the right edge." in words) == told


def test_without_one_of_the_models_its_steps_are_not_told(lost):
    tables = curve_rows(lost, BASE, "os", "all")
    failed = {"endpoint": "os", "subset": "all", "model": "exponential", "status": "not computed", "reason": "no sum"}
    rows = [*(row for row in tables[CURVES.file] if row["model"] != "exponential"), failed]
    whole, part = (Page(CHAPTER.section(with_tables(results_of(lost), {CURVES.file: given}), AROUND)).text
                   for given in (tables[CURVES.file], rows))
    assert "where the hazard may fall. Counting patients" in whole and "Counting patients" not in part
    assert "the hazard falls with probability" in part and "exponential: no sum" in part


def test_studies_that_enter_curves_alone_are_counted_beside_the_others(lost):
    """Such as those whose median was not reached."""
    rows = [row if row["model"] == "log_hazard" else {**row, "k_studies": 4, "n_patients": 80}
            for row in curve_rows(lost, BASE, "os", "all")[CURVES.file]]
    (table,) = Page(CHAPTER.section(with_tables(results_of(lost), {CURVES.file: rows}), AROUND)).tables.values()
    studies = {row[table[0].index("Estimand")]: row[table[0].index("Studies / patients")] for row in table[1:]}
    assert studies["survival at 12 months"] == "1 / 20 or 4 / 80" and studies["shape"] == "4 / 80"
