"""Simulated nested counts: binomial moments, inner within outer, and what a design holds of the evidence."""

import json

import numpy as np
import pytest

from analysis.cases.nesting import nest
from analysis.cases.settings import Job, Question
from analysis.simulation.nested import QUANTITIES, blank_studies, design_of_patients, nested_pits, simulated
from analysis.simulation.studies import Design, design_from
from analysis.system.files import as_json
from models.nested_beta_binomial import PRIORS

SIZE = 4000
NAMES = [f"s{at}" for at in range(SIZE)]
TRUTH = {"mu_outer": 0.7, "rho_outer": 0.1, "mu_inner": 0.4, "rho_inner": 0.2}


def test_counts_have_the_moments_of_nested_beta_binomials():
    """Five standard errors of 4,000 studies; a beta-binomial share has variance mu (1 - mu) (1 + (n - 1) rho) / n."""
    patients = dict.fromkeys(NAMES, 30)
    design = design_of_patients({"outer": patients, "inner": patients, "inner_only": patients})
    counts = simulated(design, TRUTH, np.random.default_rng(1))
    share = counts.outer.events / 30
    variance = 0.7 * 0.3 * (1 + 29 * 0.1) / 30
    assert share.mean() == pytest.approx(0.7, abs=5 * np.sqrt(variance / SIZE))
    assert share.var() == pytest.approx(variance, rel=0.12)
    whole = dict(zip(counts.outer.study_ids, counts.outer.events, strict=True))
    assert all(whole[name] == base for name, base in zip(counts.inner.study_ids, counts.inner.evaluable, strict=True))
    assert (counts.inner.events <= counts.inner.evaluable).all() and counts.inner.evaluable.min() > 0
    for rate, mean in ((counts.inner.events / counts.inner.evaluable, 0.4), (counts.inner_only.events / 30, 0.28)):
        assert rate.mean() == pytest.approx(mean, abs=5 * rate.std() / np.sqrt(SIZE))


def test_studies_without_an_outer_event_say_nothing_of_the_inner_one():
    patients = dict.fromkeys(NAMES[:50], 3)
    design = design_of_patients({"outer": patients, "inner": patients, "inner_only": {}})
    counts = simulated(design, {**TRUTH, "mu_outer": 0.2}, np.random.default_rng(2))
    assert 0 < len(counts.inner) == np.sum(counts.outer.events > 0) < 50


def test_design_holds_who_reports_what_and_survives_json(shipped):
    nesting = nest(shipped, Job(Question("")), "crs_grade3plus")
    blank = blank_studies(nesting)
    roles = {row.study_id: row.role for row in nesting.rows if row.role != "left out"}
    assert {**dict.fromkeys(blank.outer.study_ids, "outer only"), **dict.fromkeys(blank.inner.study_ids, "both"),
            **dict.fromkeys(blank.inner_only.study_ids, "inner only")} == roles
    assert not any(table.events.any() for table in vars(blank).values())
    design = Design("nested", "crs_grade3plus", None, blank)
    again = design_from(json.loads(as_json(design.plain())), endpoint="crs_grade3plus")
    assert again.plain() == design.plain()


def test_pits_follow_from_the_seed():
    patients = dict(zip(NAMES[:4], (12, 20, 35, 50), strict=True))
    design = design_of_patients({"outer": patients, "inner": patients, "inner_only": {"alone": 20}})
    first, again = (nested_pits(design, PRIORS, np.random.default_rng(3)) for _ in range(2))
    assert first == again and tuple(first) == QUANTITIES and all(0.0 < value < 1.0 for value in first.values())
