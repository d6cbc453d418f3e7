"""The unit in which a column is written decides nothing: slopes, imputed cells and steps."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.cases.covariates import _centre_and_sd, column_of, unit_of
from analysis.cases.settings import IMPORTANCE, REGRESSION, Job, Question
from analysis.chapters.regression.running import Regressed, regress
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from tests.evidence.build import write_evidence

from .cases import covariate

INCOMES = (21_000.0, 35_000.0, 41_000.0, None, 52_000.0, None, 60_500.0, 90_000.0)
_COUNTS = ((12, 20), (15, 30), (9, 18), (20, 50), (14, 40), (8, 25), (5, 20), (22, 70))
_KNOWN = np.array([income for income in INCOMES if income])
RATE = Job(Question("rate"), engine=IMPORTANCE, sampler=REGRESSION)


def evidence_of(folder, cells, *, covariates="covariate,label,column,unit,unit_size\na,Income,a,,1\n",
                counts=_COUNTS) -> Evidence:
    studies = "".join(f"s{at},Study {at},{2000 + at},{'' if cell is None else cell}\n" for at, cell in enumerate(cells))
    responses = "".join(f"s{at},rate,{y},{n}\n" for at, (y, n) in enumerate(counts))
    return load(write_evidence(folder, studies=f"study_id,label,year,a\n{studies}", covariates=covariates,
                               endpoints="endpoint,label,kind,direction\nrate,Rate,rate,neutral\n",
                               responses=f"study_id,endpoint,events,n\n{responses}"))


def regressed(folder, factor=1.0, plus=0.0, *, engine=IMPORTANCE) -> Regressed:
    cells = [None if cell is None else repr(cell * factor + plus) for cell in INCOMES]
    return regress(evidence_of(folder, cells), replace(RATE, engine=engine))


@pytest.fixture(scope="module")
def dollars(tmp_path_factory) -> Regressed:
    return regressed(tmp_path_factory.mktemp("dollars"))


@pytest.mark.parametrize(("factor", "plus"), [(0.05, 0.0), (1e-6, 0.0), (1e6, 0.0), (1.0, 1e7), (1.0 / 3.0, 0.0)])
def test_another_unit_gives_the_same_slopes_and_the_same_cells_in_it(dollars, tmp_path, factor, plus):
    """x -> factor x + plus: slopes per factor, cells moved alike, and nothing else, to the digits of a computer."""
    found = regressed(tmp_path, factor, plus)
    for row, other in zip(dollars.slopes, found.slopes, strict=True):
        for name in ("beta_median", "beta_lower", "beta_upper", "beta_sd", "crude_beta"):
            assert other[name] / other["unit_size"] * factor == pytest.approx(row[name] / row["unit_size"], rel=1e-6)
        for name in ("sd_ratio", "prior_sd_per_sd", "probability_above_one", "heterogeneity_with", "prior_tail",
                     "seed"):
            assert other[name] == pytest.approx(row[name], rel=1e-6)
    for row, other in zip(dollars.imputed, found.imputed, strict=True):
        for name in ("median", "lower", "upper"):
            assert (other[name] - plus) / factor == pytest.approx(row[name], rel=1e-5)
    for row, other in zip(dollars.predictions, found.predictions, strict=True):
        assert (other["value"] - plus) / factor == pytest.approx(row["value"], rel=1e-6)
        assert other["median"] == pytest.approx(row["median"], rel=1e-6)


def as_a_column(found: Regressed) -> None:
    """Imputed near the column's mean of 49,917 with its SD of 23,922, moved by the outcome, and wider for an SD and a
    mean that six cells leave open: by sqrt(1 + 1/6) and the t distribution of 5 degrees of freedom, 2.57 for 1.96.
    """
    assert not found.failed
    mean, sd = _KNOWN.mean(), _KNOWN.std(ddof=1)
    for row in found.imputed:
        assert abs(row["median"] - mean) < 0.5 * sd
        assert 0.8 < (row["upper"] - row["lower"]) / (2.0 * 1.96 * sd) < 2.57 / 1.96 * np.sqrt(1.0 + 1.0 / 6.0)


def test_cells_in_dollars_are_imputed_as_the_column_is_spread(dollars):
    as_a_column(dollars)
    assert {row["engine"] for row in dollars.slopes} == {IMPORTANCE}
    assert {(row["unit"], row["unit_size"]) for row in dollars.slopes} == {("20,000", 20_000.0)}


def test_a_stated_step_keeps_its_prior_in_any_unit_of_the_column(tmp_path):
    """Age in years with a step of 10 and in months with one of 120."""
    head = "covariate,label,column,unit,unit_size\na,Age,a,10 years,"
    ages = [30, 35, 41, None, 50, 55, 60, 65]
    years, months = (
        regress(evidence_of(tmp_path / size, [age and times * age for age in ages], covariates=f"{head}{size}\n"), RATE)
        for times, size in ((1, "10"), (12, "120")))
    for row, other in zip(years.slopes, months.slopes, strict=True):
        assert (row["unit"], row["prior_size"], other["prior_size"]) == ("10 years", 10.0, 120.0)
        assert other["ratio_median"] == pytest.approx(row["ratio_median"], rel=1e-6)


def test_a_step_far_from_the_spread_is_warned_of(tmp_path):
    cells = [30, 35, 41, 45, 50, 55, 60, 65]
    text = "covariate,label,column,unit,unit_size\na,Age,a,years,{}\n"
    for size, word in (("0.01", "small"), ("1000", "large")):
        found = regress(evidence_of(tmp_path / word, cells, covariates=text.format(size)), RATE)
        (warning,) = (text for text in found.warnings if "standard deviations of the column" in text)
        assert f"so {word} that the prior" in warning and "unit_size near 12" in warning and not found.failed


@pytest.mark.parametrize(("cells", "given", "size", "prior", "words"), [
    # Nothing stated: 1, 2 or 5 times a power of ten nearest to the SD, whose logarithm decides.
    (_KNOWN, {}, 20_000.0, 23_922.0, "20,000"),
    (0.05 * _KNOWN, {}, 1_000.0, 1_196.0, "1,000"),
    (1e-6 * _KNOWN, {"unit_size": 1.0}, 0.02, 0.02392, "0.02"),
    ([30, 40, 50], {}, 10.0, 10.0, "10"),
    # A unit without a size is what the column is measured in.
    ([30, 40, 50], {"unit": "years"}, 10.0, 10.0, "10 (years)"),
    # Two values: from one to the other.
    ([0, 1, 1, 0], {}, 1.0, 1.0, "1"),
    ([0, 1, 1, 0], {"unit": "all instead of none"}, 1.0, 1.0, "all instead of none"),
    ([0, 50, 50], {}, 50.0, 50.0, "50"),
    # Stated.
    ([30, 40, 50], {"unit": "10 years", "unit_size": 10.0}, 10.0, 10.0, "10 years"),
    ([30, 40, 50], {"unit": "year", "unit_size": 1.0}, 1.0, 1.0, "year"),
    ([30, 40, 50], {"unit_size": 5.0}, 5.0, 5.0, "5"),
    # Logarithms: of a factor.
    ([3.0, 4.0, 5.0], {"transformation": "log10"}, 1.0, 1.0, "10-fold"),
    ([3.0, 3.3, 3.6], {"transformation": "log10"}, np.log10(2.0), 0.3, "2-fold"),
    ([3.0, 4.0, 5.0], {"transformation": "log10", "unit": "tenfold"}, 1.0, 1.0, "tenfold"),
])
def test_the_step_of_a_slope(cells, given, size, prior, words):
    seen = np.array(cells, dtype=float)
    unit, unit_size, prior_size = unit_of(covariate(**{"unit_size": None, **given}), seen, float(seen.std(ddof=1)))
    assert (unit, unit_size, prior_size) == (words, pytest.approx(size), pytest.approx(prior, rel=1e-3))


def test_the_largest_and_smallest_numbers_are_standardised(tmp_path):
    """What `check` accepts, side by side, and numbers whose squares a computer does not hold."""
    cells = ["1e15", "-1e15", "3e14", "-5e14", "1e-30", "0", "2e14", "1e14"]
    evidence = evidence_of(tmp_path, cells)
    column = column_of(evidence, evidence.covariates[0], [f"s{at}" for at in range(8)])
    assert column.values.mean() == pytest.approx(0.0, abs=1e-9) and column.values.std(ddof=1) == pytest.approx(1.0)
    assert not regress(evidence, RATE).failed
    for size in (1e200, 1e-200):
        assert _centre_and_sd(size * np.array([1.0, 2.0, 3.0])) == pytest.approx((2.0 * size, size))


def test_codes_for_missing_values_are_warned_of(tmp_path):
    """999 and -99 in the place of ages of 40 and 55: no slope is seen, and both cells are named. With the ages it is
    0.73 [0.54, 0.96], as was computed when the case was written down; with empty cells in between and less certain.
    """
    ten = "covariate,label,column,unit,unit_size\na,Age,a,10 years,10\n"

    def ratio(name, second, fifth):
        ages = [30, 35, second, 45, 50, fifth, 60, 65]
        found = regress(evidence_of(tmp_path / name, ages, covariates=ten), RATE)
        return found, [found.slopes[0][f"ratio_{at}"] for at in ("median", "lower", "upper")]

    found, flat = ratio("codes", 999, -99)
    assert [warning.partition(" looks")[0] for warning in found.warnings] == [
        "studies.csv row 4 (s2): a = 999", "studies.csv row 7 (s5): a = -99"]
    assert all("Leave the cell empty" in warning for warning in found.warnings) and flat[0] > 0.99
    known, ages = ratio("ages", 40, 55)
    assert not known.warnings and ages == pytest.approx([0.73, 0.54, 0.96], abs=0.015)
    empty, gaps = ratio("empty", None, None)
    assert not empty.warnings and empty.slopes[0]["n_missing"] == 2 and abs(gaps[0] - ages[0]) < 0.06


def test_a_covariate_that_nobody_reports_is_refused_in_true_words(tmp_path):
    found = regress(evidence_of(tmp_path, [None] * 8), RATE)
    assert [row["refused"] for row in found.slopes] == [
        "too few studies with the covariate: 0, at least 3 are needed",
        "too few studies with both: 0, at least 4 are needed"]
