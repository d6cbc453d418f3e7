"""How probable it is that these results exceed what other treatments are known for; the words are in section.html."""

from collections.abc import Iterator
from functools import partial

from analysis.chapters.benchmarks.figure import draw_exceedance
from analysis.chapters.benchmarks.rows import BENCHMARKS, EXCEEDANCE, FALLING, benchmark_rows
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.drawing.html import Html, rendered, section, show
from analysis.inference.posterior import MEDIAN
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.writing import Writer


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in dict.fromkeys(row.endpoint for row in asked.evidence.benchmarks):
        yield Task("benchmarks", endpoint, benchmark_rows, (asked.base, endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    if results.rows(EXCEEDANCE.file):
        yield Picture("exceedance", draw_exceedance, {
            "curves": results.frame(EXCEEDANCE), "benchmarks": results.frame(BENCHMARKS), "labels": results.labels},
            "Probability that the pooled and the new-study value exceed each value, with benchmarks as lines. That the "
            "pooled one exceeds the benchmark, or its upper end: " + results.told(BENCHMARKS, [
                {**row, "name": f"{results.labels.endpoints[row['endpoint']]}, {row['benchmark']}"}
                for row in results.computed(BENCHMARKS.file)], "pooled", by="name") + ".")


def _section(results: Results, page: Page) -> Html:
    """Benchmarks come from other patients and other times: exceeding one is no comparison of treatments."""
    rows = results.rows(BENCHMARKS.file)
    if not rows:
        return Html("")
    write = results.writer(BENCHMARKS)
    return section("benchmarks", "Is it more than other treatments are known for?", rendered(
        "chapters/benchmarks/section.html", picture=page.picture("exceedance"), every=show(
            write, rows, "endpoint benchmark estimand low pooled new_study locator note reason",
            caption="Benchmarks, and the probability of exceeding each, or the upper end of its range",
            cells={"estimand": lambda row: row["estimand"].replace("_months", "") + (
                       f" at {row['time_months']:g} months" if row["time_months"] else ""),
                   "low": partial(_value, write)})))


def _brief(results: Results, page: Page) -> Html:
    """The probability of exceeding each benchmark."""
    rows, write = results.computed(BENCHMARKS.file), results.writer(BENCHMARKS)
    return rendered("chapters/benchmarks/brief.html", rows=rows, write=write, limit=partial(_limit, write),
                    quantity=_quantity, falling=any(row["model"] == FALLING for row in rows)) if rows else Html("")


def _quantity(row: Row) -> str:
    """What is compared beside the name of the endpoint, such as " at 12 months"."""
    months = f" at {row['time_months']:g} months" if row["time_months"] else ""
    return (", median" if row["estimand"] == MEDIAN else "") + months


def _limit(write: Writer, row: Row) -> str:
    """What the probability is of: more than a benchmark, or than all of its range; of events fewer."""
    way, end = ("below", "lower") if write.scale(row).months and row["estimand"] != MEDIAN else ("above", "upper")
    if row["high"] is None:
        return f"{way} {_value(write, row)}"
    return f"{way} {write({**row, 'low': row['high']}, 'low')}, the {end} end of {_value(write, row)}"


def _value(write: Writer, row: Row) -> str:
    """A benchmark, or both ends of its range."""
    ends = [row["low"], *([] if row["high"] is None else [row["high"]])]
    return " to ".join(write({**row, "low": end}, "low") for end in ends)


CHAPTER = Chapter("benchmarks", 64, (BENCHMARKS, EXCEEDANCE), _work, None, _figures, _section,
                  parts=("benchmarks", "figure exceedance"), brief=_brief)
