"""Which rows are used: tiers, sets, subsets, bases, and one curve per study."""

import pytest

from analysis.cases.selection import NOT_REACHED, UnknownName, of_curves, select, subset_names
from analysis.cases.settings import Question
from analysis.evidence.loading import load
from tests.evidence.build import write_evidence

STUDIES = [("a", "A 2020", 2020, "true", "prospective", "CD19", "adult"),
           ("b", "B 2020", 2020, "true", "retrospective", "CD19", "adult"),
           ("c", "C 2020", 2020, "false", "prospective", "CD22", "adult"),
           ("d", "D 2020", 2020, "true", "prospective", "CD22", "combined")]
HEADER = "study_id,label,year,in_review,design,antigen_target,cohort\n"
SURVIVAL_HEADER = ("study_id,endpoint,population,stratum,cut,statistic,time_months,estimate,ci_low,ci_high,n,tier\n")


def evidence(tmp_path, *, responses: str = "", survival: str = ""):
    (tmp_path / "studies.csv").write_text(HEADER + "".join(",".join(map(str, row)) + "\n" for row in STUDIES))
    (tmp_path / "endpoints.csv").write_text("endpoint,label,kind,direction,population\ncr,CR,rate,benefit,treated\n"
                                            "os,OS,survival,benefit,treated\n")
    (tmp_path / "subsets.csv").write_text("subset,label,column,value\ncd19_only,CD19,antigen_target,CD19\n"
                                          "cd22_adults,x,antigen_target,CD22\ncd22_adults,x,cohort,adult\n")
    if responses:
        (tmp_path / "responses.csv").write_text("study_id,endpoint,events,n,population,tier\n" + responses)
    if survival:
        (tmp_path / "survival.csv").write_text(SURVIVAL_HEADER + survival)
    return load(tmp_path)


def used(found) -> list[tuple[str, int]]:
    return [(row.study_id, row.row) for row in found.rows]


def test_default_takes_tiers_a_and_b_of_prospective_review_studies(tmp_path):
    made = evidence(tmp_path, responses="a,cr,1,5,all_treated,A\nb,cr,1,5,all_treated,A\nc,cr,1,5,all_treated,B\n"
                                        "d,cr,1,5,all_treated,C\n")
    assert used(select(made, Question("cr"))) == [("a", 2)]
    assert {item.study_id: item.reason for item in select(made, Question("cr")).left_out} == {
        "b": "the study is retrospective", "c": "not in the review set", "d": "tier C"}
    assert used(select(made, Question("cr", tiers="ABC"))) == [("a", 2), ("d", 5)]
    assert used(select(made, Question("cr", study_set="extension"))) == [("c", 4)]
    assert used(select(made, Question("cr", study_set="all"))) == [("a", 2), ("c", 4)]


def test_best_tier_stands_for_a_study_with_two_rows(tmp_path):
    made = evidence(tmp_path, responses="a,cr,1,5,evaluable,C\na,cr,2,6,all_treated,B\n")
    found = select(made, Question("cr", tiers="ABC"))
    assert used(found) == [("a", 3)]
    assert [item.row for item in found.left_out] == [2]


def test_all_rules_of_a_subset_must_hold(tmp_path):
    made = evidence(tmp_path, responses="a,cr,1,5,,A\nc,cr,1,5,,A\nd,cr,1,5,,A\n")
    assert used(select(made, Question("cr", "cd22_adults", study_set="all"))) == [("c", 3)]
    assert subset_names(made) == ("all", "cd19_only", "cd22_adults")


def test_responders_never_enter_a_rate_over_the_treated(tmp_path):
    made = evidence(tmp_path, responses="a,cr,4,5,responders: those tested,A\nd,cr,1,5,evaluable,A\n")
    found = select(made, Question("cr"))
    assert used(found) == [("d", 3)]
    assert "responders" in found.left_out[0].reason
    assert any("evaluable" in warning for warning in found.warnings)


def test_evidence_without_tiers_sets_or_subsets_counts_every_row(tmp_path):
    write_evidence(tmp_path)
    made = load(tmp_path)
    for endpoint in made.endpoints:
        rows = [row for row in (*made.responses, *made.survival) if row.endpoint == endpoint.endpoint]
        assert len(select(made, Question(endpoint.endpoint, tiers="A", study_set="extension")).rows) == len(rows)


@pytest.mark.parametrize(("rows", "expected"), [
    ("a,os,,,,landmark,6,0.8,,,20,A\na,os,,,,landmark,14,0.5,,,20,A\na,os,,,,median,,15,,,20,A\n", 3),
    ("a,os,,,,landmark,4,0.8,,,20,A\na,os,,,,median,,15,,,20,A\n", 3),
    ("a,os,,,,landmark,4,0.8,,,20,A\na,os,,,,landmark,36,0.3,,,20,A\n", 2),
    ("a,os,,,later,landmark,12,0.4,,,20,A\na,os,,,primary,median,,15,,,20,A\n", 3),
], ids=["landmark nearest 12 months", "median before an early landmark", "nearest landmark of the rest",
        "primary data cut before a better statistic of a later one"])
def test_one_statistic_of_one_cut_stands_for_a_curve(tmp_path, rows, expected):
    assert used(select(evidence(tmp_path, survival=rows), Question("os"))) == [("a", expected)]


def test_strata_stand_for_a_study_only_together(tmp_path):
    rows = "a,os,mrd_neg_cr,good,,median,,20,,,45,A\na,os,other,poor,,median,,5,,,8,{tier}\n"
    assert used(select(evidence(tmp_path, survival=rows.format(tier="B")), Question("os"))) == [("a", 2), ("a", 3)]
    torn = select(evidence(tmp_path, survival=rows.format(tier="C")), Question("os"))
    assert not torn.rows
    assert {item.reason for item in torn.left_out} == {"tier C", "another stratum of this study is left out"}


@pytest.mark.parametrize("doubtful", ["a,os,,,,landmark,24,0.3,,,53,C\n", "a,os,,good,,landmark,24,0.3,,,45,C\n",
                                      "a,os,,poor,later,landmark,24,0.1,,,8,C\n"],
                         ids=["of the whole", "a second one of a stratum", "of another data cut"])
def test_strata_outlive_a_doubtful_row_that_takes_none_of_them_away(tmp_path, doubtful):
    rows = "a,os,,good,,median,,20,,,45,A\na,os,,poor,,median,,5,,,8,A\n"
    assert used(select(evidence(tmp_path, survival=rows + doubtful), Question("os"))) == [("a", 2), ("a", 3)]


def test_a_later_cut_stands_for_a_study_whose_first_one_says_only_that_the_median_was_not_reached(tmp_path):
    header = SURVIVAL_HEADER.replace("tier", "tier,upper_not_reached")
    evidence(tmp_path, survival="a,os,,,,median,,15,,,20,A\n")
    (tmp_path / "survival.csv").write_text(header + "a,os,,,primary,median,20,,,,50,A,true\n"
                                                    "a,os,,,later,landmark,24,0.7,,,50,A,false\n")
    made = load(tmp_path)
    assert used(select(made, Question("os"))) == [("a", 3)]
    assert [(item.row, item.reason) for item in of_curves(select(made, Question("os"))).left_out] == [(2, NOT_REACHED)]


def test_a_row_of_the_same_cut_is_not_said_to_be_of_another_one(tmp_path):
    rows = "a,os,,,,landmark,12,0.8,,,53,A\na,os,,good,,median,,20,,,45,A\na,os,,poor,,median,,5,,,8,A\n"
    found = of_curves(select(evidence(tmp_path, survival=rows), Question("os")))
    assert {item.reason for item in found.left_out} == {"the whole of this study stands for it"}


def test_early_landmarks_can_be_left_out_and_are_flagged(tmp_path):
    made = evidence(tmp_path, survival="a,os,,,,landmark,4,0.8,,,20,A\nd,os,,,,median,,15,,,20,A\n")
    assert any("extrapolated from 4 months" in warning for warning in select(made, Question("os")).warnings)
    assert used(select(made, Question("os", early_landmarks=False))) == [("d", 3)]


@pytest.mark.parametrize(("count", "expected"), [(1, "nothing is pooled"), (2, "prior-dominated"), (3, None)])
def test_few_studies_are_said_to_be_few(tmp_path, count, expected):
    rows = "".join(f"{study},cr,1,5,,A\n" for study in ("a", "c", "d")[:count])
    warnings = select(evidence(tmp_path, responses=rows), Question("cr", study_set="all")).warnings
    assert any(expected in warning for warning in warnings) if expected else not warnings


@pytest.mark.parametrize("question", [Question("nothing"), Question("cr", "nobody")])
def test_unknown_names_are_answered_with_the_known_ones(tmp_path, question):
    with pytest.raises(UnknownName, match="defined are"):
        select(evidence(tmp_path, responses="a,cr,1,5,,A\n"), question)


def test_every_row_of_the_shipped_evidence_is_used_or_has_a_reason(shipped):
    for endpoint in shipped.endpoints:
        found = select(shipped, Question(endpoint.endpoint, tiers="AB"))
        rows = [row for row in (*shipped.responses, *shipped.survival) if row.endpoint == endpoint.endpoint]
        assert sorted([row.row for row in found.rows] + [item.row for item in found.left_out]) == sorted(
            row.row for row in rows)
        assert all(item.reason for item in found.left_out)


@pytest.mark.parametrize("design", ["retrospective", "Retrospective", "RETROSPECTIVE "])
def test_a_retrospective_study_is_left_out_aloud_and_kept_on_request(tmp_path, design):
    """The case `retro`: c alone, 9 of 12; with --retrospective 20 of 32 in three studies."""
    write_evidence(tmp_path, studies=f"study_id,label,year,design\na,A,2000,retrospective\nb,B,2001,{design}\n"
                   "c,C,2002,prospective\n", endpoints="endpoint,label,kind,direction\nrate,Rate,rate,neutral\n",
                   responses="study_id,endpoint,events,n\na,rate,5,10\nb,rate,6,10\nc,rate,9,12\n")
    made = load(tmp_path)
    found = select(made, Question("rate"))
    assert used(found) == [("c", 4)]
    assert [(item.study_id, item.table, item.row, item.reason) for item in found.left_out] == [
        (name, "responses.csv", row, "the study is retrospective") for name, row in (("a", 2), ("b", 3))]
    assert "left out as retrospective: a, b (--retrospective keeps them)" in found.warnings
    kept = select(made, Question("rate", retrospective=True))
    assert [(row.events, row.n) for row in kept.rows] == [(5, 10), (6, 10), (9, 12)] and not kept.left_out


def test_words_that_decide_are_matched_whatever_their_case(tmp_path):
    """Tier b counts, the base of responders does not, the primary cut goes before a later one: in capitals as well."""
    tables = {"endpoints": "endpoint,label,kind,direction,population\ncr,CR,{rate},{benefit},{treated}\n"
                           "os,OS,{survival},{benefit},{treated}\n",
              "responses": "study_id,endpoint,events,n,population,tier\nalpha_2019,cr,1,5,all_treated,{b}\n"
                           "beta_2021,cr,1,5,{responders}: as printed,{a}\n",
              "survival": SURVIVAL_HEADER + "alpha_2019,os,,,{later},{median},,9,5,15,20,{a}\n"
                                            "alpha_2019,os,,,{primary},{median},,8,5,15,20,{a}\n"}
    words = "rate survival benefit treated responders later median primary a b".split()
    for change in (str.lower, str.title, str.upper):
        written = {name: text.format(**{word: change(word) for word in words}) for name, text in tables.items()}
        made = load(write_evidence(tmp_path, **written))
        assert [used(select(made, Question(name))) for name in ("cr", "os")] == [
            [("alpha_2019", 2)], [("alpha_2019", 3)]]


TWO_LANDMARKS = ("a,os,,,,landmark,12,0.8,,,60,A\na,os,,,,landmark,24,0.7,,,60,A\n"
                 "d,os,,,,landmark,8,0.8,,,60,A\nd,os,,,,median,,40,,,60,A\n")


def test_the_horizon_asked_for_goes_before_that_of_the_endpoint_and_chooses_the_rows(tmp_path):
    """At 24 months the landmark at 24 and, since 8 months lie before half of it, the median; at 12 those nearest 12."""
    made = evidence(tmp_path, survival=TWO_LANDMARKS)
    usual, later = select(made, Question("os")), select(made, Question("os", horizon=24.0))
    assert (usual.horizon, used(usual)) == (12.0, [("a", 2), ("d", 4)])
    assert (later.horizon, used(later)) == (24.0, [("a", 3), ("d", 5)])
    assert {item.reason for item in later.left_out} == {"another row stands for this study at 24 months"}


def test_early_is_before_half_the_horizon(tmp_path):
    made = evidence(tmp_path, survival="a,os,,,,landmark,8,0.8,,,20,A\nd,os,,,,landmark,4,0.9,,,20,A\n")

    def early(horizon):
        return [one[0] for one in select(made, Question("os", horizon=horizon)).warnings if "extrapolated" in one]

    assert (early(6.0), early(12.0), early(24.0)) == ([], ["d"], ["a", "d"])
