"""What reporting guidelines ask for, and where this run answers it; the items are in items.csv.

`where` says where an item is answered: in the `results`, in a file's column or key (`part`); on a `page`, below an
anchor; or in the `project`, in a file that has a text. What an item asks is in our own words. The letters of BARG's
steps 4 to 6 are those of its author's page (4D, 6D) and of analyses that are published by them; items of step 6 whose
letter stands in none of these carry their step alone.

References
----------
BARG: Kruschke JK. Nat Hum Behav 2021;5:1282, doi 10.1038/s41562-021-01177-7.
ROBUST: Sung L et al. J Clin Epidemiol 2005;58:261, doi 10.1016/j.jclinepi.2004.08.010.
PRISMA 2020: Page MJ et al. BMJ 2021;372:n71, doi 10.1136/bmj.n71.
"""

import csv
from pathlib import Path

from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, rendered, section, show, tag, text
from analysis.results.results import Results
from analysis.results.table import Column, Layout, Row, columns

ITEMS = Path(__file__).with_name("items.csv")
CHECKLIST = Layout("checklist.csv", "One item of a reporting guideline and where it is answered.", columns(
    Column("guideline", "BARG, ROBUST or PRISMA 2020", "text", "Guideline"),
    Column("item", "its number there, or its step", "text", "Item"),
    Column("asks", "what it asks to be reported, in our own words", "text", "Asks for"),
    Column("where", "results: a file of this run; page: one of the report; project: a file of the program", "text"),
    Column("file", "the file", "text"),
    Column("part", "its column or key, an anchor on the page, or a text in the file", "text", "Answered in"),
    "status", Column("reason", "why it is not answered", "text", "Note"), "stamp"))


def checklist_rows(results: Results) -> dict[str, list[Row]]:
    """Every item; not done where nothing answers it, or where this run has no such table or no cell of its column."""
    with ITEMS.open(encoding="utf-8", newline="") as file:
        return {CHECKLIST.file: [{**item, **_state(results, item)} for item in csv.DictReader(file)]}


def _state(results: Results, item: Row) -> dict[str, str]:
    if not item["where"]:
        return {"status": "not done", "reason": item["reason"]}
    if item["file"].endswith(".csv"):
        rows = results.rows(item["file"])
        if all(row[item["part"]] in (None, "") for row in rows):
            what = "leaves it empty" if rows else "calls for no such table"
            return {"status": "not done", "reason": f"This evidence {what}."}
    return {"status": "done", "reason": ""}


def _place(row: Row) -> Html:
    """The file and the part of it; a link from the page of the checklist where the file is one of the run."""
    if row["status"] != "done":
        return Html("")
    anchor, name = f"#{row['part']}" if row["where"] == "page" else "", f"{row['file']}: {row['part']}"
    return text(name) if row["where"] == "project" else tag("a", name, href=f"../{row['file']}{anchor}")


def _section(results: Results, page: Page) -> Html:
    rows = results.rows(CHECKLIST.file)
    table = show(results.writer(CHECKLIST), rows, "guideline item asks part reason", cells={"part": _place},
                 caption="Items that ask about the synthesis, in our own words, and where each is answered")
    return section("checklist", "Reporting guidelines, item by item", table and rendered(
        "chapters/checklist/section.html", table=table, done=sum(row["status"] == "done" for row in rows),
        items=len(rows)))


CHAPTER = Chapter("checklist", 95, (CHECKLIST,), finish=checklist_rows, section=_section)
