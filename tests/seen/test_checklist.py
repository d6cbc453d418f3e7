"""Every item of the checklist: the file, column, key, anchor or text that is said to answer it is there."""

import json
from pathlib import Path

import pytest

from analysis.chapters.checklist import ITEMS
from tests.report.reading import csv_rows
from tests.seen.checking import Table

ROOT = Path(__file__).resolve().parents[2]
GUIDELINES = {"BARG": ["Preamble A", "Preamble B", *(f"1{letter}" for letter in "ABCDE"),
                       *(f"2{letter}" for letter in "ABCD"), "3A", "3B", "3C", *(f"4{letter}" for letter in "ABCDE"),
                       *(f"5{letter}" for letter in "ABCDE"), "6", "6D", "6G"],
              "ROBUST": [str(at) for at in range(1, 8)],
              "PRISMA 2020": [*(f"13{letter}" for letter in "abcdef"), "14", "15",
                              *(f"20{letter}" for letter in "abcd"), "21", "22"]}


def answered(seen, where: str, file: str, part: str) -> bool:
    if where == "project":
        return part in (ROOT / file).read_text(encoding="utf-8")
    if where == "page":
        return f'id="{part}"' in (seen.folder / file).read_text(encoding="utf-8")
    if file.endswith(".csv"):
        return part in seen.columns[file]
    return bool(json.loads((seen.folder / file).read_text(encoding="utf-8"))[part])


def test_checklist(seen):
    rows = Table(seen, "checklist.csv")
    items = csv_rows(ITEMS)
    assert {name: list(dict.fromkeys(row["item"] for row in items if row["guideline"] == name))
            for name in dict.fromkeys(row["guideline"] for row in items)} == GUIDELINES
    assert len(rows.rows) == len(items)
    for row, item in zip(rows.rows, items, strict=True):
        missing = item["file"].endswith(".csv") and item["where"] == "results" and not any(
            cells[item["part"]] for cells in seen.tables.get(item["file"], ()))
        done = bool(item["where"]) and not missing
        rows.check(row, **{name: item[name] for name in ("guideline", "asks", "where", "file", "part")})
        rows.check(row, item=item["item"], status="done" if done else "not done",
                   reason=(lambda text, done=done: (text is None) == done))
        assert not done or answered(seen, row["where"], row["file"], row["part"]), row
    # No source judges the risk of bias of a study.
    assert [row["part"] for row in rows.rows if row["status"] == "not done" and row["where"]] == ["risk_of_bias"]
    rows.complete(stamp=None)


@pytest.mark.parametrize(("where", "file", "part"), [
    ("project", "README.md", "Why not"), ("page", "report.html", "nowhere"), ("results", "estimates.csv", "colour"),
    ("project", "models/beta_binomial.py", "def nothing")])
def test_what_does_not_answer_is_found(seen, where, file, part):
    assert not answered(seen, where, file, part)
