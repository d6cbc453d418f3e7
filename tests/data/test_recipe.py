"""The recipe of README.md: a study that is added by it passes the loader and every check, and is analysed."""

from pathlib import Path

import pytest

from analysis.__main__ import main as recart
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError

from . import readme
from .checks import PLANTED, listed
from .checksums import differences, main
from .tables import Data

STUDY = "made_up_2026"
SOURCE = {"source_id": "made_up_2026_jo", "citation": "Made-Up et al. J Nowhere 2026;1:1 (abstract)",
          "doi": "10.1000/made.up", "url": "https://doi.org/10.1000/made.up", "kind": "primary_abstract"}
FACTS = [
    {"endpoint": "n_treated", "quantity": "count", "value": "40"},
    {"endpoint": "age", "quantity": "median_years", "value": "37", "denominator": "40"},
    {"endpoint": "cr", "quantity": "percent", "value": "82.5", "denominator": "40"},
    {
        "endpoint": "cr", "quantity": "events", "value": "33", "denominator": "40", "derived": "true",
        "note": "Only k of 40 printing as 82.5 % is 33."},
    {
        "endpoint": "os", "quantity": "probability_percent", "value": "61", "denominator": "40", "ci_low": "44",
        "ci_high": "75", "time_months": "12"},
]
STUDIES = {"study_id": STUDY, "label": "Made-Up 2026", "year": "2026", "n_treated": "40", "median_age": "37",
           "cohort": "adult", "antigen_target": "CD19", "second_antigen_share": "0", "in_review": "false",
           "design": "prospective"}
COUNT = {"study_id": STUDY, "endpoint": "cr", "events": "33", "n": "40", "population": "all_treated",
         "timing": "day 28", "tier": "B", "decision": "82.5 % of 40 is printed in the primary abstract; only 33 fits."}
CURVE = {
    "study_id": STUDY, "endpoint": "os", "definition": "OS", "population": "all_treated", "cut": "primary",
    "statistic": "landmark", "time_months": "12", "estimate": "0.61", "ci_low": "0.44", "ci_high": "0.75",
    "ci_level": "0.95", "upper_not_reached": "false", "n": "40", "tier": "A",
    "decision": "Printed with interval in the primary abstract."}


def _with_tables(data: Data) -> Data:
    """Steps 1 to 4: a source, facts with the next free ids, a study, and its decisions."""
    first = len(data["extraction"]) + 1
    ids = [f"F{first + place:04d}" for place in range(len(FACTS))]
    common = {"study_id": STUDY, "population": "all_treated", "source_id": SOURCE["source_id"],
              "locator": "Abstract, Results", "derived": "false", "confidence": "high"}
    facts = [{"fact_id": fact_id, **common, **fact} for fact_id, fact in zip(ids, FACTS, strict=True)]
    return (
        data.with_rows("sources.csv", SOURCE)
        .with_rows("extraction.csv", *facts)
        .with_rows("studies.csv", {**STUDIES, "source": f"{ids[0]} {ids[1]}"})
        .with_rows("responses.csv", {**COUNT, "fact_ids": f"{ids[3]} {ids[2]}"})
        .with_rows("survival.csv", {**CURVE, "fact_ids": ids[4]})
    )


def _problems(data: Data) -> list[str]:
    return [problem for check in PLANTED for problem in check(data)]


def test_adding_rows_adds_one_study_to_the_selection(data: Data, tmp_path: Path) -> None:
    before = load(data.write(tmp_path / "before"))
    after = load(_with_tables(data).write(tmp_path / "after"))
    for endpoint in ("cr", "os"):
        question = Question(endpoint, subset="adult_only", study_set="all")
        added = set(select(after, question).study_ids) - set(select(before, question).study_ids)
        assert added == {STUDY}
        assert len(select(after, question).rows) == len(select(before, question).rows) + 1
    assert select(after, Question("cr")).study_ids == select(before, Question("cr")).study_ids
    assert not [note for note in after.notes if note not in before.notes]


def test_a_study_added_by_the_recipe_passes_every_check(data: Data, tmp_path: Path) -> None:
    folder = _with_tables(data).write(tmp_path / "data")
    assert recart(["check", "--data", str(folder)]) == 0
    assert differences(folder)
    assert main(["--data", str(folder), "--write"]) == 0
    assert not differences(folder)
    problems = _problems(Data.read(folder))
    assert not problems, listed(problems)
    assert "| Made-Up 2026 (40) | 33/40 **B** | *not found* |" in (folder / "gaps.md").read_text()


def test_the_checks_ask_for_the_overviews(data: Data) -> None:
    problems = "\n".join(_problems(_with_tables(data)))
    assert "coverage table" in problems
    assert "gaps.md is not what the tables give" in problems


# A step left out, and who says so.
@pytest.mark.parametrize("table", ["sources.csv", "extraction.csv", "studies.csv"])
def test_a_forgotten_table_is_refused_by_the_loader(data: Data, tmp_path: Path, table: str) -> None:
    copy = _with_tables(data)
    folder = Data({**copy.files, table: data.files[table]}).write(tmp_path / "data")
    with pytest.raises(EvidenceError):
        load(folder)


def test_the_recipe_names_every_table_that_a_study_touches(data: Data) -> None:
    recipe = readme.section(data.text("README.md"), "## How to add a study")
    copy = _with_tables(data)
    touched = {name for name in data.files if data.files[name] != copy.files[name]}
    for name in touched:
        assert f"`{name}`" in recipe
    assert "README.md" in {line[66:] for line in data.text("SHA256SUMS").splitlines()}


def test_the_shipped_tables_load_without_a_new_note(data_folder: Path) -> None:
    notes = load(data_folder).notes
    assert [(note.file, note.column) for note in notes] == [("studies.csv", "design"), ("responses.csv", "n")]
