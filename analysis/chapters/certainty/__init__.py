"""What limits each headline number, word for word by declared thresholds; the words are in section.html."""

from functools import partial

from analysis.cases.selection import FROM_REMISSION
from analysis.chapters.certainty.rows import CERTAINTY, THRESHOLDS, certainty_rows
from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, rendered, section, show
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.writing import Writer

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
    """The endpoints by how precise their numbers are and how well studies agree."""
    rows, write = results.rows(CERTAINTY.file), results.writer(CERTAINTY)
    groups: dict[str, list[str]] = {}
    for row in rows:
        spread = row["inconsistency"] if row["inconsistency"] != "not known" else "agreement of studies not known"
        groups.setdefault(f"{row['imprecision']}, {spread}", []).append(write(row, "endpoint"))
    silent = sum(row["missing"] in THRESHOLDS["missing"].words[1:] for row in rows)
    precise_first = sorted(groups.items(), key=lambda group: group[0].startswith("im"))
    return rendered("chapters/certainty/brief.html", groups=precise_first, silent=silent) if rows else Html("")


CHAPTER = Chapter("certainty", 15, (CERTAINTY,), finish=certainty_rows, section=_section, brief=_brief)
