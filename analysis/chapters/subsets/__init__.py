"""Each subset of the studies against its complement; the words are in section.html."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from analysis.chapters.chapter import Chapter, Page, each_endpoint
from analysis.chapters.subsets.rows import FEWEST, SUBSET_DIFFERENCES, subset_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.results.numbers import signed
from analysis.results.results import Results
from analysis.results.table import COMPUTED, Row
from analysis.results.writing import RATE, Writer


def _section(results: Results, page: Page) -> Html:
    write, rows = results.writer(SUBSET_DIFFERENCES), results.rows(SUBSET_DIFFERENCES.file)
    computed = results.computed(SUBSET_DIFFERENCES.file)
    every = show(write, rows, "endpoint subset rule subset_k subset_median rest_k rest_median difference positive note",
                 cells={"difference": lambda row: row["reason"] or _of_rates(write, row)},
                 caption="Each subset, its complement and their difference, from separate fits")
    return section("subset-differences", "Do the subsets differ?", rendered(
        "chapters/subsets/section.html", write=write, rows=rows, computed=computed, every=every, few=FEWEST,
        difference=partial(_difference, write), **_clear(computed),
        dominated=[row for row in computed if min(row["subset_k"], row["rest_k"]) < FEWEST],
        one_sided=[row for row in rows if row["status"] != COMPUTED]))


def _clear(computed: Sequence[Row]) -> dict[str, Any]:
    """Differences whose interval has no zero, and the one whose direction is least uncertain."""
    return {"apart": [row for row in computed if row["difference_lower"] * row["difference_upper"] > 0.0],
            "closest": max(computed, key=lambda row: abs(row["positive"] - 0.5), default=None)}


def _difference(write: Writer, row: Row) -> str:
    """In words, with its unit."""
    return _of_rates(write, row) or write(row, "difference")


def _of_rates(write: Writer, row: Row) -> str | None:
    """Of rates of events that of their medians, since the limits are those of a difference of survival."""
    scale, sides = write.scale(row), (row["subset_median"], row["rest_median"])
    return None if scale.months is None or None in sides else signed(sides[0] - sides[1], RATE, scale, like=sides)


def _brief(results: Results, page: Page) -> Html:
    """Whether any subset differs clearly from the other studies."""
    computed = results.computed(SUBSET_DIFFERENCES.file)
    write = results.writer(SUBSET_DIFFERENCES)
    return rendered("chapters/subsets/brief.html", computed=computed, write=write, **_clear(computed),
                    difference=partial(_difference, write)) if computed else Html("")


CHAPTER = Chapter("subsets", 80, (SUBSET_DIFFERENCES,), each_endpoint("subsets", subset_rows), section=_section,
                  parts=("subsets",), brief=_brief)
