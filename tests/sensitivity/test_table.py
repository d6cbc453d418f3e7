"""The rows of sensitivity.csv: the headline is the plain exact fit, and a change of a conclusion is marked."""

import math
import pickle
from dataclasses import replace

import pytest

from analysis.cases.case import typed_studies
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.chapters.sensitivity import largest_moves
from analysis.chapters.sensitivity import rows as numbers
from analysis.chapters.sensitivity.rows import RULES, SENSITIVITY, compared, published, sensitivity_rows
from analysis.evidence.loading import load
from analysis.inference.density import density_of
from analysis.inference.estimands import Estimate
from analysis.inference.grid import QuadratureFailed, solve
from analysis.inference.pooled import pooled
from models import all_models
from models.priors import Prior
from models.studies import RateStudies
from tests.casing import rows_of
from tests.evidence.build import MINIMAL, write_files
from tests.sensitivity.cases import JOB, RESPONSES, evidence_of


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return evidence_of(tmp_path_factory.mktemp("evidence"))


@pytest.fixture(scope="module")
def rows(evidence):
    return {endpoint: rows_of(sensitivity_rows, SENSITIVITY, evidence, JOB, endpoint) for endpoint in ("cr", "pfs")}


def exact(model, studies, priors, estimand, horizon=12.0):
    grid = solve(density_of(all_models()[model], studies, priors))
    return next(one for one in pooled(grid, horizon=horizon) if one.quantity.estimand == estimand).estimate(0.95)


@pytest.mark.parametrize(("endpoint", "model", "main", "new", "spread"), [
    ("cr", "beta_binomial", "mean_rate", "new_study_rate", "rho"),
    ("pfs", "log_hazard", "survival", "new_study_survival", "tau")])
def test_the_headline_is_the_plain_exact_fit(evidence, rows, endpoint, model, main, new, spread):
    first = rows[endpoint][0]
    studies, _ = typed_studies(select(evidence, Question(endpoint)))
    priors = all_models()[model].priors
    wanted, further = (exact(model, studies, priors, name) for name in (main, new))
    assert (first["dimension"], first["change"], first["changes"]) == ("headline", 0.0, False)
    assert (first["median"], first["lower"], first["upper"]) == (wanted.median, wanted.lower, wanted.upper)
    assert (first["new_median"], first["new_lower"], first["new_upper"]) == (further.median, further.lower,
                                                                             further.upper)
    assert first["heterogeneity_median"] == exact(model, studies, priors, spread).median
    assert (first["k_studies"], first["n_patients"]) == (len(studies), studies.patients)


def test_a_variant_is_the_fit_of_its_own_studies_and_priors(rows):
    row = next(row for row in rows["cr"] if row["variant"] == "rho ~ Beta(1, 10)")
    studies = RateStudies("abc", [15, 26, 18], [20, 30, 25])
    wanted = exact("beta_binomial", studies, {"mu": Prior("Beta", (1.0, 1.0)), "rho": Prior("Beta", (1.0, 10.0))},
                   "mean_rate")
    # Variants are solved to 1e-6, a single posterior to 1e-8: limits may differ by 1e-4 standard deviations.
    assert (row["median"], row["lower"], row["upper"]) == pytest.approx(
        (wanted.median, wanted.lower, wanted.upper), abs=1e-4 * wanted.sd)
    assert row["change"] == pytest.approx(100.0 * (wanted.median - rows["cr"][0]["median"]), abs=1e-3)
    assert (row["priors"], row["studies"]) == ("mu ~ Beta(1, 1); rho ~ Beta(1, 10)", "")


def test_a_planted_study_that_changes_the_conclusion_is_marked(rows):
    planted = [row for row in rows["cr"] if "d" in row["studies"]]
    assert {row["dimension"] for row in planted} == {"tiers", "tier_row"}
    for row in planted:
        assert row["studies"] == "+d:2/40"
        # Two events of 40 beside 59 of 75 move the median by more than half the interval, and widen it over both.
        assert row["moves"] and row["changes"] and row["change"] < -10.0
    others = [row for row in rows["cr"] if row["dimension"] == "prior"]
    assert others and not any(row["moves"] or row["outside"] for row in others)


def test_marks_follow_from_the_numbers_of_the_row(rows):
    for own in rows.values():
        first, *others = own
        for row in others:
            inside = [one["lower"] <= float(first["published"]) <= one["upper"] for one in (first, row)]
            assert row["moves"] == (abs(row["change"]) > 50.0 * (first["upper"] - first["lower"]))
            assert row["outside"] == (row["median"] > first["upper"] or row["median"] < first["lower"]
                                      or first["median"] > row["upper"] or first["median"] < row["lower"])
            assert row["crosses"] == (inside[0] != inside[1])
            assert row["far"] == (abs(row["change"]) > 5.0)
            assert row["far_months"] == (None if row["change_months"] is None else abs(row["change_months"]) > 2.0)
            assert row["changes"] == any(row[name] for name in RULES)


def test_the_change_of_months_is_that_of_the_median_of_an_exponential_curve(rows):
    first, *others = ({**row, "months": 12.0 * math.log(2.0) / -math.log(row["median"])} for row in rows["pfs"])
    for row in others:
        assert row["change_months"] == pytest.approx(row["months"] - first["months"], abs=1e-4), row["variant"]
    assert {row["change_months"] for row in rows["cr"]} == {None}


@pytest.mark.parametrize(("shift", "months", "printed", "fired"), [
    (0.051, 1.9, (), {"far"}), (-0.051, -2.1, (), {"far", "far_months"}), (0.049, 2.1, (), {"far_months"}),
    (0.049, 1.9, (), set()), (0.049, 1.9, (0.31,), {"crosses"}), (0.21, 1.9, (0.6,), {"far", "moves", "outside"})])
def test_a_wide_interval_does_not_hide_a_move(shift, months, printed, fired):
    wide = Estimate("survival", None, 12.0, "probability", "proportion", 0.5, 0.1, 0.5, 0.3, 0.7, 0.95, "credible", 0.0)
    time = replace(wide, estimand="median_months", unit="months", median=14.0, lower=9.0, upper=20.0)
    moved = replace(wide, median=0.5 + shift, lower=0.3 + shift, upper=0.7 + shift)
    marks = numbers._marks([moved, replace(time, median=14.0 + months)], [wide, time], printed)
    assert {name for name in RULES if marks[name]} == fired and marks["changes"] == bool(fired)
    assert (marks["crosses"] is None) == (not printed)
    assert numbers._marks([moved], [wide], printed)["far_months"] is None


def only(monkeypatch, *dimensions):
    """Of all choices these are varied."""
    monkeypatch.setattr(numbers, "DIMENSIONS", [one for one in numbers.DIMENSIONS if one.name in dimensions])


def test_a_published_estimate_at_the_edge_of_the_interval_crosses_it(tmp_path, rows, monkeypatch):
    only(monkeypatch, "prior")
    first = rows["cr"][0]
    narrower = next(row for row in rows["cr"] if row["variant"] == "rho ~ Beta(1, 10)")
    edge = 0.5 * (first["lower"] + narrower["lower"])
    reported = "reported_id,endpoint,subset,statistic,estimate,units\n" \
               f"R1,cr,all,mean_probability,{edge!r},probability\n"
    found = rows_of(sensitivity_rows, SENSITIVITY, evidence_of(tmp_path, reported=reported), JOB, "cr")
    row = next(row for row in found if row["variant"] == "rho ~ Beta(1, 10)")
    assert row["crosses"] and row["changes"] and not row["moves"]


def test_published_survival_counts_at_its_own_time_only(evidence):
    assert published(evidence, "pfs", "survival", 12.0) == (0.45,)
    assert published(evidence, "pfs", "survival", 24.0) == ()
    assert published(evidence, "crs", "mean_rate", 12.0) == ()


def test_a_fit_that_does_not_settle_is_a_row_without_numbers(evidence, monkeypatch):
    real = numbers.posterior_of

    def fails(case):
        if case.model.name == "logit_normal" and case.priors == case.model.priors:
            raise QuadratureFailed("did not settle")
        return real(case)

    only(monkeypatch, "family", "family_prior")
    monkeypatch.setattr(numbers, "posterior_of", fails)
    found = rows_of(sensitivity_rows, SENSITIVITY, evidence, JOB, "crs")
    row = next(row for row in found if row["dimension"] == "family")
    assert (row["status"], row["reason"], row["median"]) == ("not computed", "did not settle", None)
    assert [row for row in compared(found, "crs") if row["status"] != "computed"] == [row]


def test_rows_have_the_columns_and_cross_processes(evidence, rows):
    assert all(set(row) == set(SENSITIVITY.names) for own in rows.values() for row in own)
    assert pickle.loads(pickle.dumps(rows)) == rows
    pickle.dumps((sensitivity_rows, (evidence, JOB, "cr")))


def test_a_directory_without_tiers_published_numbers_and_scenarios_works(tmp_path):
    found = rows_of(sensitivity_rows, SENSITIVITY, load(write_files(tmp_path, MINIMAL)), JOB)
    assert len(found) > 10 and {row["published"] for row in found} == {""}
    assert not any(row["crosses"] for row in found)


def test_an_endpoint_without_a_study_has_no_row(tmp_path):
    nobody = RESPONSES.replace(",A,", ",C,").replace(",B,", ",C,")
    evidence = evidence_of(tmp_path, responses=nobody)
    assert rows_of(sensitivity_rows, SENSITIVITY, evidence, replace(JOB, question=Question("cr", tiers="A"))) == ()


def test_the_largest_move_of_each_dimension_is_found(rows):
    largest = largest_moves(rows["cr"][1:])
    sizes = [abs(row["change"]) for row in largest]
    assert sizes == sorted(sizes, reverse=True)
    assert {row["dimension"]: abs(row["change"]) for row in largest} == {
        row["dimension"]: max(abs(other["change"]) for other in rows["cr"] if other["dimension"] == row["dimension"])
        for row in rows["cr"][1:]}


def test_only_a_computed_headline_with_a_computed_variant_is_compared(rows):
    headline, *others = rows["cr"]
    failed = [row | {"status": "not computed"} for row in others]
    assert compared(rows["cr"] + rows["pfs"], "cr") == list(rows["cr"])
    assert compared([headline, *failed], "cr") == compared([headline | {"status": "not computed"}, *others], "cr") == []
    assert compared(rows["cr"][:1], "cr") == compared(rows["cr"], "pfs") == []
