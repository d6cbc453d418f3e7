"""What limits each headline number, word for word by declared thresholds; the words are in section.html."""

from functools import partial

from analysis.cases.selection import FROM_REMISSION
from analysis.chapters.certainty.rows import CERTAINTY, THRESHOLDS, certainty_rows
from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, rendered, section, show
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.writing import Writer
from analysis.system.groups import grouped

_DIRECT = THRESHOLDS["indirectness"].words[0]
_NUMBERS = {"imprecision": "limits_ratio", "inconsistency": "spread", "indirectness": "indirect_n",
            "missing": "missing_k"}


def _cell(write: Writer, word: str, of: str, row: Row) -> str:
    """The word with the number that it is for."""
    return row[word] + (f" ({write(row, of)})" if row[of] is not None else "")


def _section(results: Results, page: Page) -> Html:
    """One line for each endpoint, and the thresholds."""
    write = results.writer(CERTAINTY)
    table = show(write, results.rows(CERTAINTY.file), "endpoint imprecision inconsistency indirectness missing",
                 caption="A summary of numbers by the thresholds below, not a GRADE rating",
                 cells={word: partial(_cell, write, word, of) for word, of in _NUMBERS.items()})
    return section("certainty", "Certainty of each number", table and rendered(
        "chapters/certainty/section.html", table=table, thresholds=THRESHOLDS.values(),
        survival=any(endpoint.kind == "survival" and not results.labels.scales[endpoint.endpoint].months
                     for endpoint in results.fitted),
        children=" who may be children or are" if any(study.cohort for study in results.evidence.studies) else "",
        remission=" or counted from remission"
        if any(row.definition in FROM_REMISSION for row in results.evidence.survival) else ""))


def _brief(results: Results, page: Page) -> Html:
    """The endpoints by how precise their numbers are, how well studies agree, and whom they are about."""
    rows, write = results.rows(CERTAINTY.file), results.writer(CERTAINTY)
    if not rows:
        return Html("")
    groups = grouped(sorted(rows, key=lambda row: THRESHOLDS["imprecision"].words.index(row["imprecision"])), _words)
    silent = [row for row in rows if row["missing"] in THRESHOLDS["missing"].words[1:]]
    return rendered(
        "chapters/certainty/brief.html", silent=silent, write=write, some=len(silent) < len(rows),
        published=bool(results.evidence.reported), indirect=any(map(_is_indirect, rows)), groups=[
            (words, [write(row, "endpoint") + (f" ({write(row, 'indirect_n')})" if _is_indirect(row) else "")
                     for row in group]) for words, group in groups.items()])


def _is_indirect(row: Row) -> bool:
    return row["indirectness"] != _DIRECT


def _words(row: Row) -> str:
    """How sure a number is in words: of whom it is about only where these are not the patients asked for."""
    spread = "agreement of studies not known" if row["spread"] is None else row["inconsistency"]
    return ", ".join([row["imprecision"], spread, *([row["indirectness"]] if _is_indirect(row) else [])])


CHAPTER = Chapter("certainty", 15, (CERTAINTY,), finish=certainty_rows, section=_section, brief=_brief)
