"""A valid directory becomes frozen, typed tables; an invalid one becomes all of its problems at once."""

import copy
import dataclasses
import pickle
import time
from pathlib import Path

import pytest

from analysis.evidence.columns import TABLES
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError
from analysis.evidence.types import Survival

from .build import FULL, MINIMAL, with_cell, write_evidence, write_files

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture
def evidence(tmp_path):
    return load(write_files(tmp_path, FULL))


def test_the_full_set_is_typed(evidence):
    counts = {file: len(getattr(evidence, name))
              for file, name in zip(TABLES, ["studies", "endpoints", "responses", "survival", "patients", "reported",
                                             "totals", "scenarios", "sources", "facts", "audit", "subsets",
                                             "comparisons", "covariates", "gaps", "benchmarks", "about"], strict=True)}
    assert counts == {"patients.csv": 0} | {name: text.count("\n") - 1 for name, text in FULL.items()}
    assert evidence.notes == ()
    assert (evidence.told("population"), evidence.told("review", "no review")) == ("adults", "no review")
    study = evidence.study("hay_2019")
    assert (study.row, study.year, study.n_treated, study.in_review) == (3, 2019, 53, True)
    assert (study.columns["median_age"], study.columns["note"]) == ("39.5", "two strata, printed apart")
    assert evidence.study("gu_2020").in_review is False
    assert (evidence.endpoint("os").parent, evidence.endpoint("os").horizon_months) == ("pfs", 12.0)
    assert evidence.responses[0].fact_ids == ("F0123", "F0124")
    assert evidence.reported[1].primary is False
    age, treated = evidence.covariates
    assert (age.column, age.unit_size, age.transformation, age.highest) == ("median_age", 10.0, "identity", 120.0)
    assert (treated.unit_size, treated.transformation, treated.lowest) == (None, "log10", None)


def test_survival_rows_keep_what_is_absent_apart_from_what_is_given(evidence):
    median, landmark, open_above, exposure, bare = evidence.survival
    assert (median.estimate, median.ci_low, median.ci_high, median.ci_level) == (12.9, 8.7, 23.4, 0.95)
    assert (landmark.time_months, landmark.ci_level) == (12.0, 0.9)
    assert (open_above.ci_high, open_above.upper_not_reached) == (None, True)
    assert (exposure.statistic, exposure.estimate, exposure.events, exposure.person_months) == ("", None, 9, 180.5)
    assert (bare.ci_low, bare.ci_level, bare.upper_not_reached) == (None, None, False)


def test_facts_keep_number_and_text(evidence):
    percent, words, unreached = evidence.facts[1], evidence.facts[3], evidence.facts[4]
    assert (percent.value, percent.value_text, percent.derived) == (83.0, "83.0", True)
    assert (words.value, words.value_text) == (None, "two phases")
    assert (unreached.value, unreached.value_text, unreached.ci_low) == (None, "", 15.9)


def test_the_minimal_set_has_defaults(tmp_path):
    evidence = load(write_evidence(tmp_path))
    study, response = evidence.studies[0], evidence.responses[0]
    assert (study.n_treated, study.cohort, study.in_review, study.design) == (None, "", None, "")
    assert (response.tier, response.fact_ids, response.population) == ("", (), "")
    assert evidence.survival == evidence.reported == evidence.subsets == evidence.comparisons == ()


def test_a_portable_interval_has_level_95(tmp_path):
    text = "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\nalpha_2019,os,median,,9,6,12,10\n"
    endpoints = MINIMAL["endpoints.csv"] + "os,Overall survival,survival,benefit\n"
    evidence = load(write_evidence(tmp_path, survival=text, endpoints=endpoints, responses=None))
    assert evidence.survival[0].ci_level == 0.95
    assert [(note.file, note.row, note.column) for note in evidence.notes] == [("survival.csv", 1, "ci_level")]


def test_every_problem_is_reported_at_once(problems_of):
    found = problems_of(studies=with_cell(with_cell(FULL["studies.csv"], 2, "year", "MMXVIII"), 4, "in_review",
                                          "y"),
                        responses=with_cell(with_cell(FULL["responses.csv"], 2, "events", "54"), 4,
                                            "study_id", "nobody"),
                        survival=FULL["survival.csv"].replace(",", ";"), totals=b"\xff", audit="")
    assert [(p.file, p.row, p.column) for p in found] == [("studies.csv", 2, "year"), ("studies.csv", 4, "in_review"),
                                                          ("responses.csv", 2, "events"),
                                                          ("responses.csv", 4, "study_id"),
                                                          ("responses.csv", 4, "fact_ids"), ("survival.csv", 1, ""),
                                                          ("totals.csv", 1, ""), ("audit.csv", None, "")]


def test_one_row_can_have_several_problems(problems_of):
    text = with_cell(with_cell(FULL["survival.csv"], 3, "estimate", "38"), 3, "n", "-3")
    assert [(p.row, p.column) for p in problems_of(survival=with_cell(text, 3, "tier", "X"))] == [
        (3, "n"),
        (3, "tier"),
        (3, "estimate"),
        (3, "ci_high"),
    ]


def test_hundreds_of_problems_are_all_kept(tmp_path):
    rows = "".join(f"alpha_2019,cr,{i + 100},10\n" for i in range(1000))
    with pytest.raises(EvidenceError) as caught:
        load(write_evidence(tmp_path, responses="study_id,endpoint,events,n\n" + rows))
    assert sum("exceeds n" in p.rule for p in caught.value.problems) == 1000


def test_rows_keep_the_order_of_their_files(tmp_path):
    studies = MINIMAL["studies.csv"].splitlines(keepends=True)
    evidence = load(write_evidence(tmp_path, studies=studies[0] + studies[2] + studies[1]))
    assert [(s.study_id, s.row) for s in evidence.studies] == [("beta_2021", 2), ("alpha_2019", 3)]


def test_nothing_can_be_changed(evidence):
    for value, name in ((evidence, "studies"), (evidence.studies[0], "year"), (evidence.survival[0], "n")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, None)
    with pytest.raises(TypeError):
        evidence.studies[0].columns["year"] = "1"
    with pytest.raises(AttributeError):
        evidence.studies[0].columns._cells = {}


def test_evidence_can_be_hashed_copied_and_sent_to_other_processes(evidence):
    assert pickle.loads(pickle.dumps(evidence)) == copy.deepcopy(evidence) == evidence
    assert hash(pickle.loads(pickle.dumps(evidence))) == hash(evidence)


def test_look_ups_refuse_unknown_names(evidence):
    for look_up in (evidence.study, evidence.endpoint):
        with pytest.raises(KeyError):
            look_up("nobody")


def test_the_digest_follows_content_only(tmp_path):
    first = load(write_files(tmp_path / "a", FULL)).sha256
    assert load(write_files(tmp_path / "b", dict(reversed(FULL.items())))).sha256 == first
    changed = FULL | {"audit.csv": FULL["audit.csv"].replace("Text", "Figure")}
    assert load(write_files(tmp_path / "a", changed)).sha256 != first
    write_files(tmp_path / "b", FULL | {"README.csv": "not a table of evidence"})
    assert load(tmp_path / "b").sha256 == first


def test_the_digest_of_one_file_is_that_of_its_bytes(tmp_path):
    names, digests = ("mine.csv", "MINE.CSV", "other.csv"), set()
    for name in names:
        (tmp_path / name).write_text("study,events,n\nA,3,9\nB,5,11\n")
        digests.add(load(tmp_path / name).sha256)
    (tmp_path / names[0]).write_text("study,events,n\nA,3,9\nB,5,12\n")
    assert len(digests) == 1 and load(tmp_path / names[0]).sha256 not in digests


def test_levels_are_those_of_the_command_line(tmp_path):
    from analysis.commands.arguments import parser
    from analysis.system.errors import UsageError

    text = "study,statistic,time_months,estimate,ci_low,ci_high,ci_level,n\nA,landmark,12,0.5,0.3,0.7,{},30\n"
    for level in ("0.999", "0.9991"):
        (tmp_path / "mine.csv").write_text(text.format(level))
        if level == "0.999":
            assert load(tmp_path / "mine.csv") and parser().parse_args(["fit", "os", "--level", level]).level == 0.999
        else:
            with pytest.raises(EvidenceError, match="0.9991"):
                load(tmp_path / "mine.csv")
            with pytest.raises(UsageError, match="0.9991"):
                parser().parse_args(["fit", "os", "--level", level])


@pytest.mark.parametrize("file", TABLES)
def test_each_field_is_a_column_with_a_meaning(file):
    """A field without a declaration would never be read."""
    fields = {field.name for field in dataclasses.fields(TABLES[file].row)}
    beside = {"row"} | {"studies.csv": {"columns"}, "extraction.csv": {"value_text"},
                        "survival.csv": {"patients"}}.get(file, set())
    assert fields == TABLES[file].columns.keys() | beside
    assert all(column.meaning for column in TABLES[file].columns.values())


def test_the_evidence_of_the_project_loads():
    evidence = load(DATA)
    assert len(evidence.studies) >= 16
    assert sum(study.n_treated for study in evidence.studies if study.in_review) == 489
    assert all(isinstance(row, Survival) for row in evidence.survival)
    assert {(note.file, note.column) for note in evidence.notes} <= {("responses.csv", "n"), ("studies.csv", "design")}


def test_ten_thousand_studies_load_in_seconds(tmp_path):
    # One second on an ordinary machine; the slack is for busy ones, a quadratic step would still show.
    count = 10_000
    studies = "".join(f"s{i},Study {i},2020\n" for i in range(count))
    responses = "".join(f"s{i},cr,{i % 50},50\n" for i in range(count))
    write_evidence(tmp_path, studies="study_id,label,year\n" + studies, responses="study_id,endpoint,events,n\n"
                   + responses)
    start = time.perf_counter()
    assert len(load(tmp_path).responses) == count
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("row", "column", "written", "read"),
    [
        (3, "ci_high", "1.03", 1.0),
        (3, "ci_high", "1.2", 1.0),
        (3, "ci_low", "-0.2", 0.0),
        (2, "ci_low", "-2", 0.0),
        (2, "ci_low", "0", 0.0),
        (3, "estimate", "1", 1.0),
        (3, "estimate", "0", 0.0),
        (5, "events", "21", 21),
    ],
)
def test_what_programs_print_beyond_a_border_is_read_as_the_border(tmp_path, row, column, written, read):
    text = FULL["survival.csv"]
    if column == "estimate":
        text = with_cell(with_cell(text, row, "ci_low", ""), row, "ci_high", "")
    found = load(write_files(tmp_path, FULL | {"survival.csv": with_cell(text, row, column, written)}))
    assert next(getattr(one, column) for one in found.survival if one.row == row) == read


def test_certain_survival_may_have_limits_at_itself(tmp_path):
    text = FULL["survival.csv"]
    for column in ("estimate", "ci_low", "ci_high"):
        text = with_cell(text, 3, column, "1")
    assert load(write_files(tmp_path, FULL | {"survival.csv": text})).survival[1].estimate == 1.0
