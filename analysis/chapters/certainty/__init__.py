"""What limits each headline number, word for word by declared thresholds; the words are in section.html."""

from functools import partial

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
        survival="survival" in results.kinds))


CHAPTER = Chapter("certainty", 15, (CERTAINTY,), finish=certainty_rows, section=_section)
