"""What a further study is expected to count; the words are in section.html."""

import shlex
from collections.abc import Sequence

from analysis.chapters.chapter import Chapter, Page, each_endpoint
from analysis.chapters.expected.rows import EXPECTED, EXPECTED_COUNTS, PATIENTS, expected_rows
from analysis.drawing.html import Html, rendered, section, show, table
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.numbers import chance
from analysis.results.results import Results
from analysis.results.table import Row
from models import all_models

_FEW = PATIENTS[0]
_TREATED = ("", "treated")
_TOLD = 0.01
"""Smallest chance that the page to read tells of a count."""


def _rows(results: Results) -> list[Row]:
    """Of the smallest study, each rate."""
    return [row for row in results.computed(EXPECTED.file) if row["n"] == _FEW]


def _leading(results: Results, rows: Sequence[Row]) -> Row:
    """The first rate of a benefit, else the first."""
    return next((row for row in rows if results.evidence.endpoint(row["endpoint"]).direction == "benefit"), rows[0])


def _subject(results: Results, row: Row) -> str:
    """An endpoint with whom it counts, where these are not all patients."""
    base = results.evidence.endpoint(row["endpoint"]).population
    return results.labels.endpoints[row["endpoint"]] + (
        "" if base in _TREATED else f", of {_FEW} {base.replace('_', ' ')}")


def _outlying(results: Results, row: Row) -> list[Row]:
    """The counts around the central half, as far as the first that surprises."""
    return [count for count in results.rows(EXPECTED_COUNTS.file) if count["endpoint"] == row["endpoint"]
            and row["unsurprising_low"] - 1 <= count["events"] <= row["unsurprising_high"] + 1
            and not row["likely_low"] <= count["events"] <= row["likely_high"] and count["two_sided"] >= _TOLD]


def _brief(results: Results, page: Page) -> Html:
    """The counts among so many patients that would surprise nobody, for each rate."""
    if not (rows := _rows(results)):
        return Html("")
    leading, write = _leading(results, rows), results.writer(EXPECTED)
    return rendered(
        "chapters/expected/brief.html", subject=_subject(results, leading), leading=leading, few=_FEW,
        below=NAMED_BELOW, outlying=_outlying(results, leading),
        table=show(write, rows, "endpoint unsurprising_low likely_low", heads={"endpoint": f"Of {_FEW} patients"},
                   caption=f"Events among {_FEW} patients of a further study",
                   cells={"endpoint": lambda row: _subject(results, row),
                          "unsurprising_low": lambda row: f"{row['unsurprising_low']} to {row['unsurprising_high']}",
                          "likely_low": lambda row: f"{row['likely_low']} to {row['likely_high']}"}))


def _section(results: Results, page: Page) -> Html:
    """How surprising each count of the smallest study would be, and how to ask about others."""
    if not (rows := _rows(results)):
        return Html("")
    chances = {(count["endpoint"], count["events"]): chance(count["two_sided"])
               for count in results.rows(EXPECTED_COUNTS.file)}
    leading = _leading(results, rows)
    command = ["recart", "predict", leading["endpoint"], *results.options(all_models()[leading["model"]].priors),
               "--events", f"{(leading['lower'] + leading['median']) // 2}", "--n", f"{_FEW}"]
    lines = [(f"{events}", *(chances[row["endpoint"], events] for row in rows)) for events in range(_FEW + 1)]
    return section("expected", "How surprising would the result of a further study be?", rendered(
        "chapters/expected/section.html", few=_FEW, below=NAMED_BELOW, command=shlex.join(command),
        table=table("Chance of a count at least as far out, either way, by the count of events",
                    (f"Of {_FEW} patients", *(_subject(results, row) for row in rows)), lines,
                    numeric=range(len(rows) + 1))))


CHAPTER = Chapter("expected", 42, (EXPECTED, EXPECTED_COUNTS),
                  each_endpoint("expected counts", expected_rows, kind="rate"), section=_section,
                  parts=("expected counts",), brief=_brief)
