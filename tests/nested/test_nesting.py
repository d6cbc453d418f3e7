"""Which counts of two endpoints are fitted together, and the reason of each that is not."""

import pytest

from analysis import fit
from analysis.cases.nesting import nested_endpoints
from analysis.inference.nested import INNER, nested_posterior
from analysis.system.errors import UsageError

from .cases import COUNTS, ENDPOINTS, evidence_of, nesting_of

STATED = "all_treated,day 28,A,Lee"


def roles(nesting):
    return {row.study_id: (row.role, row.reason) for row in nesting.rows}


def counts(table):
    return dict(zip(table.study_ids, zip(table.events.tolist(), table.evaluable.tolist(), strict=True), strict=True))


def test_each_study_contributes_what_it_reports(tmp_path):
    nesting = nesting_of(evidence_of(tmp_path))
    assert roles(nesting) == {"both": ("both", ""), "zero": ("both", ""), "whole": ("outer only", "inner: no count"),
                              "part": ("inner only", "outer: no count")}
    studies = nesting.studies
    assert counts(studies.outer) == {"both": (7, 12), "zero": (0, 5), "whole": (9, 15)}
    assert counts(studies.inner) == {"both": (3, 7)} and counts(studies.inner_only) == {"part": (2, 9)}
    assert (len(nesting.counted), nesting.counted.patients) == (4, 41)


@pytest.mark.parametrize(("outer", "inner", "n", "reason"), [
    (STATED, STATED, 12, ""), ("all_treated,Day 28 ,A,lee", STATED, 12, ""), (",,A,", STATED, 12, ""),
    ("all_treated: infused,day 28,A,Lee", STATED, 12, ""),
    ("evaluable,day 28,A,Lee", STATED, 12, "the outer count is of evaluable, the inner one of all_treated"),
    (STATED, STATED, 11, "the outer count is of 12 patients, the inner one of 11"),
    ("all_treated,day 90,A,Lee", STATED, 12, "the outer count is assessed by day 90, the inner one assessed by day 28"),
    ("all_treated,day 28,A,CTCAE", STATED, 12, "the outer count is graded by CTCAE, the inner one graded by Lee")])
def test_the_parts_must_agree_where_both_state_something(tmp_path, outer, inner, n, reason):
    evidence = evidence_of(tmp_path, {"both": ((7, 12), (3, n))}, cells={
        ("both", "any"): outer, ("both", "severe"): inner})
    nesting = nesting_of(evidence)
    assert roles(nesting) == {"both": ("outer only" if reason else "both", reason)}
    # The outer count stays, and an inner one that is no part of it is no inner count alone, either.
    assert len(nesting.studies.outer) == 1 and len(nesting.studies.inner) == (not reason)
    assert not len(nesting.studies.inner_only)


def test_tiers_and_sets_and_studies_left_out_hold_for_both(tmp_path):
    evidence = evidence_of(tmp_path, cells={("both", "severe"): "all_treated,,C,"})
    assert roles(nesting_of(evidence))["both"] == ("outer only", "inner: tier C")
    assert roles(nesting_of(evidence, tiers="ABC"))["both"] == ("both", "")
    left = roles(nesting_of(evidence, without=("part",)))["part"]
    assert left == ("left out", "outer: no count; inner: left out by name (--without)")
    assert {role for role, _ in roles(nesting_of(evidence, study_set="extension")).values()} == {"left out"}


def test_patients_are_counted_once_across_the_parts(tmp_path):
    studies = "study_id,label,year,overlaps_with\nboth,Both,2020,\nzero,Zero,2020,\nwhole,Whole,2020,\n" \
        "part,Part,2020,whole\n"
    nesting = nesting_of(evidence_of(tmp_path, studies=studies))
    assert roles(nesting)["part"] == ("left out", "shares patients with whole")


def test_a_very_large_inner_count_alone_is_a_reason(tmp_path):
    evidence = evidence_of(tmp_path, {**COUNTS, "part": (None, (20, 2001))})
    assert roles(nesting_of(evidence))["part"] == ("left out", "inner: alone, and of more than 2,000 patients")


def test_endpoints_in_one_another_are_found(shipped, tmp_path):
    assert [(one.endpoint, one.parent) for one in nested_endpoints(shipped)] == [
        ("mrd_neg", "cr"), ("crs_grade3plus", "crs_any"), ("nt_grade3plus", "nt_any")]
    assert nested_endpoints(evidence_of(tmp_path, endpoints=ENDPOINTS.replace(",any,treated", ",,treated"))) == ()


def test_the_python_function_fits_it(tmp_path):
    evidence = evidence_of(tmp_path)
    fitted = fit(evidence, "severe", model="nested_beta_binomial", priors={"rho": "Beta(1, 10)"}, level=0.9)
    wanted = nested_posterior(nesting_of(evidence, priors=(("rho", "Beta(1, 10)"),), level=0.9)).estimates(INNER)[0]
    frame = fitted.frame()
    (found,) = frame[frame["quantity"] == INNER].itertuples()
    assert (found.median, found.lower, found.upper) == (wanted.median, wanted.lower, wanted.upper)
    assert repr(fitted).startswith("severe: nested_beta_binomial, subset all") and "inner given outer" in repr(fitted)


@pytest.mark.parametrize(("endpoint", "options", "message"), [
    ("any", {}, "any is no part of another endpoint; parent in endpoints.csv"),
    ("none", {}, "unknown endpoint 'none'"), ("severe", {"subset": "x"}, "unknown subset 'x'"),
    ("severe", {"priors": {"kappa": "Beta(1, 1)"}}, "beta_binomial has no parameter 'kappa'"),
    ("severe", {"without": ["both", "whole", "zero"]}, "no study counts for any")])
def test_what_cannot_be_asked_is_refused(tmp_path, endpoint, options, message):
    with pytest.raises(UsageError, match=message):
        fit(evidence_of(tmp_path), endpoint, model="nested_beta_binomial", **options)
