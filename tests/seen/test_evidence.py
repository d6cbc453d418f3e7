"""Where each number comes from: the ledger read by hand beside the decisions, in the file and on the page."""

import re

from tests.seen.checking import Table, chosen, single
from tests.seen.facts import STUDIES, table

FACTS = {row["fact_id"]: row for row in table("extraction.csv")}
SOURCES = {row["source_id"]: row for row in table("sources.csv")}
# 26 of 41 are 63.4 %: 70 % contradict, 63 % without a base agree, and 25 of 38 are other patients.
UNCITED = {"F901": ("otherwise", "70 % of 41"), "F902": ("something else", "25 of 38"), "F903": ("the same", "63 %"),
           "F904": ("", "18 to 40 months")}


def test_provenance(seen):
    rows = Table(seen, "provenance.csv")
    assert sorted(row["fact_id"] for row in rows.rows) == sorted(FACTS)
    for row in rows.rows:
        fact = FACTS[row["fact_id"]]
        rows.check(row, **{name: fact[name] for name in ("study_id", "endpoint", "fact_id", "population", "source_id",
                                                         "locator", "note")},
                   label=STUDIES[fact["study_id"]]["label"], citation=SOURCES[fact["source_id"]]["citation"],
                   doi=SOURCES[fact["source_id"]]["doi"])
        if row["fact_id"] in UNCITED:
            standing, says = UNCITED[row["fact_id"]]
            rows.check(row, standing=standing, says=says, table="", row="", statistic="", tier="")
        else:
            _cited(rows, row, fact)
    rows.complete()


def _cited(rows, row, fact):
    """The line of the decision that cites the fact, which states it."""
    rate = row["endpoint"] != "os"
    file = "responses.csv" if rate else "survival.csv"
    (at, line), = [(at, line) for at, line in enumerate(table(file), 2) if fact["fact_id"] in line["fact_ids"].split()]
    rows.check(row, table=file, row=at, tier=line["tier"], standing="the same",
               statistic=f"{line['events']}/{line['n']}" if rate else lambda text: _states(text, line),
               says=f"{line['events']} of {line['n']}" if rate or line["events"] else lambda text: _states(text, line)
               and f"of {line['n']}" in text)


def _states(text: str, line: dict[str, str]) -> bool:
    """The statistic with its time and limits; per cents of a landmark."""
    scale = 100 if line["statistic"] == "landmark" else 1
    wanted = [f"{scale * float(line[name]):g}" for name in ("estimate", "ci_low", "ci_high") if line[name]]
    wanted += [line[name] for name in ("time_months", "person_months") if line[name]]
    return set(wanted) <= set(re.findall(r"\d+(?:\.\d+)?", text))


def _block(seen, anchor: str) -> str:
    for path in sorted(seen.folder.rglob("*.html")):
        found = re.search(rf'<div id="{anchor}">.*?</div>', path.read_text("utf-8"), re.DOTALL)
        if found:
            return found[0]
    raise AssertionError(f"no page has {anchor}")


def test_every_decision_has_its_anchor_and_its_reason(seen):
    for file in ("responses.csv", "survival.csv"):
        for at, line in enumerate(table(file), 2):
            block = _block(seen, f"row-{line['study_id']}--{line['endpoint']}")
            assert line["decision"] in block and f"tier {line['tier']}" in block and f"{file} line {at}<" in block


def test_a_row_that_no_headline_uses_says_so(seen):
    for file in ("responses.csv", "survival.csv"):
        for at, line in enumerate(table(file), 2):
            (paragraph,) = [part for part in _block(seen, f"row-{line['study_id']}--{line['endpoint']}").split("<p>")
                            if f"{file} line {at}<" in part]
            unused = chosen(seen.tables["left_out.csv"], table=file, row=str(at))
            assert ("not in the headline" in paragraph) == bool(unused)


def test_what_contradicts_stands_open_at_its_row(seen):
    block = _block(seen, "row-birch_2016--cr")
    opened = block.partition("<details>")[0]
    assert "26/41" in opened and "70 % of 41" in opened and "Page 2" in opened and "25 of 38" not in opened
    assert single(seen.tables["provenance.csv"], standing="otherwise")["fact_id"] == "F901" in opened
