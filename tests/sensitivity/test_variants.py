"""Each dimension changes what it says and nothing else, checked against studies and priors made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.cases.alternatives import ALTERNATIVES
from analysis.cases.case import headline_case
from analysis.cases.hazards import as_studies, convert
from analysis.chapters.sensitivity.choices import both, possible_events
from analysis.chapters.sensitivity.rows import HEADLINE, LABELS, variants
from analysis.evidence.loading import load
from models import all_models
from tests.evidence.build import MINIMAL, write_files
from tests.sensitivity.cases import FILES, JOB, RESPONSES, evidence_of

HEADLINE_COUNTS = {"a": (15, 20), "b": (26, 30), "c": (18, 25)}


def of(folder, endpoint="cr", job=JOB, **tables):
    """Variants by dimension, in order, and the headline's case."""
    evidence = evidence_of(folder, **tables)
    case, found = headline_case(evidence, job, endpoint), {}
    for dimension, variant in variants(evidence, case):
        found.setdefault(dimension, []).append(variant)
    return found, case


def counts(variant):
    studies = variant.case.studies
    return {name: (int(y), int(n)) for name, y, n in
            zip(studies.study_ids, studies.events, studies.evaluable, strict=True)}


def by_label(found, dimension):
    return {variant.label: variant for variant in found.get(dimension, ())}


def test_priors_and_families_leave_the_studies_alone(tmp_path):
    for endpoint in ("cr", "pfs"):
        found, headline = of(tmp_path, endpoint)
        for dimension in ("prior", "family_prior"):
            for variant in found.get(dimension, ()):
                assert variant.case.studies is headline.studies, variant.label
                usual = all_models()[variant.case.model.name].priors
                assert [name for name in usual if variant.case.priors[name] != usual[name]], variant.label
        assert found["prior"]


def test_every_prior_of_the_table_is_tried_once_and_has_the_support_of_its_parameter(tmp_path):
    found, headline = of(tmp_path)
    table = ALTERNATIVES["beta_binomial"]
    tried = [tuple(variant.case.priors.values()) for variant in found["prior"]]
    location, heterogeneity = headline.priors.values()
    wanted = {(prior, heterogeneity) for prior in table["mu"].alone}
    wanted |= {(location, prior) for prior in table["rho"].alone}
    wanted |= {(mu, rho) for mu in table["mu"].corners for rho in table["rho"].corners}
    assert len(tried) == len(set(tried)) == len(wanted) - 1
    assert set(tried) == wanted - {(location, heterogeneity)}
    for name, table in ALTERNATIVES.items():
        model = all_models()[name]
        assert list(table) == list(model.priors)
        for parameter, alternatives in table.items():
            assert {prior.support for prior in alternatives.alone} == {model.supports[parameter]}
            assert set(alternatives.corners) <= set(alternatives.alone)


def test_priors_of_the_run_are_those_that_the_variants_depart_from(tmp_path):
    found, headline = of(tmp_path, job=replace(JOB, priors=(("rho", "Beta(2, 9)"), ("tau", "HalfNormal(0.7)"))))
    assert str(headline.priors["rho"]) == "Beta(2, 9)"
    assert str(by_label(found, "prior")["mu ~ Beta(0.5, 0.5)"].case.priors["rho"]) == "Beta(2, 9)"
    assert "rho ~ Beta(1, 4)" in by_label(found, "prior")
    assert str(found["family"][0].case.priors["tau"]) == "HalfNormal(0.7)"


def test_studies_that_censored_at_transplant_or_left_non_responders_out_are_left_out(tmp_path):
    """Their rows are gone and the others untouched; without the columns, or with too few studies left, no refit."""
    def handled(**cells):
        header, *rows = FILES["survival.csv"].splitlines()
        survival = [header + ",censored_at_hct,non_responders", *(f"{row},{cells[row[0]]}" for row in rows), ""]
        found, _ = of(tmp_path, "pfs", survival="\n".join(survival))
        return {label: one.case.studies.study_ids for label, one in by_label(found, "handling").items()}

    assert handled(a=",", b="true,", c="false,excluded", d=",event at 0") == {
        "without censoring at transplant": ("a", "c", "d"), "without studies of responders only": ("a", "b", "d")}
    assert handled(a="true,", b="true,", c="true,excluded", d=",") == {
        "without studies of responders only": ("a", "b", "d")}, "one study alone is no refit"
    assert not handled(a="false,", b=",", c=",", d=",event at 0")
    assert "handling" not in of(tmp_path, "pfs")[0]


def test_tiers_sets_and_single_rows_change_the_studies_only(tmp_path):
    found, headline = of(tmp_path)
    assert counts(found[HEADLINE][0]) == HEADLINE_COUNTS
    assert {label: list(counts(one)) for label, one in by_label(found, "tiers").items()} == {
        "tier A": ["a", "b"], "tiers A, B, C": ["a", "b", "c", "d"]}
    (added,) = found["tier_row"]
    assert (added.label, added.case.question.tiers) == ("with D 2018 (2/40)", "ABC")
    assert counts(added) == {**HEADLINE_COUNTS, "d": (2, 40)}
    (every,) = found["study_set"]
    assert counts(every) == {**HEADLINE_COUNTS, "later": (30, 40)} and every.case.question.study_set == "all"
    for dimension in ("tiers", "tier_row", "study_set", "timing", "denominator", "enrolled"):
        assert all(variant.case.priors == headline.priors for variant in found[dimension])


def test_a_lower_tier_of_a_study_with_a_row_takes_that_rows_place(tmp_path):
    both = "study_id,endpoint,events,n,population,tier\na,cr,15,20,all_treated,A\nb,cr,26,30,all_treated,A\n" \
        "c,cr,18,25,all_treated,B\nc,cr,9,25,evaluable,C\n"
    found, _ = of(tmp_path, responses=both)
    assert counts(by_label(found, "tier_row")["instead: C 2017 (9/25)"]) == {**HEADLINE_COUNTS, "c": (9, 25)}


def test_timings_and_known_gradings_are_left_out_in_turn(tmp_path):
    found, _ = of(tmp_path)
    assert {label: list(counts(one)) for label, one in by_label(found, "timing").items()} == {
        "without: day 28": ["c"], "without: best response": ["a", "b"]}
    assert "grading" not in found
    toxicity, _ = of(tmp_path, "crs")
    assert {label: list(counts(one)) for label, one in by_label(toxicity, "grading").items()} == {
        "without: Penn": ["b", "c"], "without: Lee 2014": ["a", "c"]}
    one_scale, _ = of(tmp_path, "crs", responses=RESPONSES.replace("Lee 2014", "Penn"))
    assert "grading" not in one_scale


def test_other_denominators_hold_what_the_printed_count_allows(tmp_path):
    found, _ = of(tmp_path)
    assert [counts(variant)["c"] for variant in found["denominator"]] == [(13, 20), (14, 20), (18, 20)]
    assert all({**counts(variant), "c": (18, 25)} == HEADLINE_COUNTS for variant in found["denominator"])


@pytest.mark.parametrize(("given", "wanted"), [
    ((27, 38, 27), (16, 19, 27)), ((2, 10, 5), (0, 1, 2)), ((10, 10, 4), (4, 4, 4)), ((0, 10, 4), (0, 0, 0)),
    ((5, 10, 14), (5, 7, 9)), ((10, 10, 12), (10, 12, 12)),
])
def test_possible_events_are_the_limits_of_every_way_to_drop_or_add_patients(given, wanted):
    events, n, other = given
    assert possible_events(events, n, other) == wanted
    if other <= n:
        dropped = n - other
        ways = [events - hit for hit in range(dropped + 1) if hit <= events and dropped - hit <= n - events]
        assert (min(ways), max(ways)) == (wanted[0], wanted[2])


def test_the_enrolled_are_the_base_of_a_benefit_only(tmp_path):
    found, _ = of(tmp_path)
    (variant,) = found["enrolled"]
    assert counts(variant) == {**HEADLINE_COUNTS, "a": (15, 25)}
    assert variant.label == "enrolled, known for 2 of 3 studies"
    assert "enrolled" not in of(tmp_path, "crs")[0] and "enrolled" not in of(tmp_path, "pfs")[0]


def test_curves_change_by_definition_statistic_early_landmark_and_factor(tmp_path):
    found, headline = of(tmp_path, "pfs")
    kept = {label: list(one.case.studies.study_ids) for label, one in by_label(found, "definition").items()}
    # Without RFS is EFS only, which is listed once.
    assert kept == {"without EFS": ["c", "d"], "without RFS": ["a", "b"]}
    (median,) = found["statistic"]
    rows = [next(row for row in evidence_of(tmp_path).survival if row.study_id == "a" and row.statistic == "median"),
            *(row for row in headline.selection.rows if row.study_id != "a")]
    assert_same(median.case.studies, as_studies(convert(rows, horizon=12.0)))
    (late,) = found["early"]
    assert list(late.case.studies.study_ids) == ["a", "b", "d"]
    assert [variant.factor for variant in found["factor"]] == [1.0, 2.0]
    for variant in found["factor"]:
        wanted = convert(headline.selection.rows, horizon=12.0, factor=variant.factor)
        assert_same(variant.case.studies, as_studies(wanted))


def test_two_doubts_at_once_leave_out_the_rows_of_both(tmp_path):
    endpoints = FILES["endpoints.csv"] + "os,Overall survival,survival,benefit,treated,12\n"
    survival = FILES["survival.csv"] + "".join(f"{row}\n" for row in (
        "b,os,OS,landmark,12,0.6,0.4,0.7,30,A", "a,os,OS,landmark,12,0.4,0.25,0.6,20,A", "d,os,OS,landmark,12,1,,,40,A",
        "c,os,OS,landmark,4,0.8,,,25,A", "later,os,OS,landmark,12,0.3,,,40,A", "d,pfs,RFS,landmark,24,1,,,40,C"))
    studies = FILES["studies.csv"].replace("40,false", "40,true")
    found, headline = of(tmp_path, "os", endpoints=endpoints, survival=survival, studies=studies)
    assert list(headline.studies.study_ids) == ["b", "a", "d", "c", "later"]
    kept = {name: [(one.label, list(one.case.studies.study_ids)) for one in found[name]] for name in (
        "early", "repeated", "joint")}
    early, twice = "no landmark before 6 months", "without what A 2015 prints for two endpoints"
    assert kept == {"early": [(early, ["b", "a", "d", "later"])], "repeated": [(twice, ["b", "d", "c", "later"])],
                    "joint": [(f"{early} and {twice}", ["b", "d", "later"])]}
    # The median of A 2015 takes the place of its landmark; without RFS no early landmark is left, so that is no pair.
    found, _ = of(tmp_path, "pfs", endpoints=endpoints, survival=survival, studies=studies)
    assert {label: list(one.case.studies.study_ids) for label, one in by_label(found, "joint").items()} == {
        f"without RFS and {twice}": ["a", "b"], f"{early} and {twice}": ["a", "b", "d"]}
    assert by_label(found, "joint")[f"without RFS and {twice}"].case.selection.rows[0].statistic == "median"


def test_choices_that_change_one_study_differently_are_not_made_together(tmp_path):
    found, case = of(tmp_path)
    (denominator, *_), timing = found["denominator"], by_label(found, "timing")
    assert both(case, denominator, timing["without: best response"]) is None
    assert both(case, timing["without: day 28"], timing["without: best response"]) is None, "no study remains"
    together = both(case, by_label(found, "tiers")["tiers A, B, C"], by_label(found, "study_set")[
        "review and extension studies"])
    assert counts(together) == {**HEADLINE_COUNTS, "d": (2, 40), "later": (30, 40)}


def test_a_median_that_was_not_reached_stands_for_no_study(tmp_path):
    lines = FILES["survival.csv"].replace("median,,11,6,40,", "median,24,,,,").splitlines()
    flags = ["upper_not_reached", *("true" if "median,24" in line else "" for line in lines[1:])]
    survival = "".join(f"{line},{flag}\n" for line, flag in zip(lines, flags, strict=True))
    found, headline = of(tmp_path, "pfs", survival=survival)
    assert evidence_of(tmp_path, survival=survival).survival[1].median_not_reached
    assert all("a" in variant.case.studies.study_ids for variant in found.get("statistic", ()))
    assert list(headline.studies.study_ids) == ["a", "b", "c", "d"]


def test_the_plain_normal_has_the_mean_of_both_errors(tmp_path):
    survival = FILES["survival.csv"].replace("a,pfs,EFS,landmark,12,0.4,0.25,0.6,20,A\n", "")
    found, headline = of(tmp_path, "pfs", survival=survival)
    (plain,) = found["family"]
    old, new = headline.studies, plain.case.studies
    assert np.any(old.se_lower != old.se_upper)
    np.testing.assert_allclose(new.se_lower, 0.5 * (old.se_lower + old.se_upper))
    np.testing.assert_array_equal(new.se_lower, new.se_upper)
    np.testing.assert_array_equal(new.log_hazard, old.log_hazard)


def assert_same(found, wanted):
    for name in wanted.__dataclass_fields__:
        np.testing.assert_array_equal(np.asarray(getattr(found, name)), np.asarray(getattr(wanted, name)))


def test_no_variant_equals_the_headline_and_every_dimension_has_words(tmp_path):
    for endpoint in ("cr", "crs", "pfs"):
        found, headline = of(tmp_path, endpoint)
        assert [one.content == (*headline.key, "") for group in found.values() for one in group].count(True) == 1
        assert [variant.case for variant in found[HEADLINE]] == [headline]
        assert set(found) <= set(LABELS)


def test_a_minimal_directory_has_priors_and_families_only(tmp_path):
    evidence = load(write_files(tmp_path, MINIMAL))
    dimensions = {dimension for dimension, _ in variants(evidence, headline_case(evidence, JOB, "cr"))}
    assert dimensions == {HEADLINE, "prior", "family", "family_prior"}
