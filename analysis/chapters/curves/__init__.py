"""Whether survival holds under a hazard that falls; the words are in section.html."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from analysis.cases.settings import ALL
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.curves.figure import draw_curves
from analysis.chapters.curves.rows import (
    ASSUMED,
    BANDS,
    CURVES,
    ERRORS,
    MODELS,
    MONTHS,
    PLATEAU,
    POINTS,
    SHAPE,
    curve_rows,
)
from analysis.drawing.html import Html, rendered, section, show
from analysis.results.comparison import compared_questions
from analysis.results.numbers import limits_of, percent, signed
from analysis.results.results import Results
from analysis.results.simulated import END_TO_END, SHOWN, by_world, judged, record, simulated_rows
from analysis.results.table import NOT_COMPUTED, Row

_HEADS = {ASSUMED: "Constant hazard, medians converted", ERRORS: "Constant hazard, points of curves",
          SHAPE: "Falling hazard", PLATEAU: "Plateau"}


def _work(asked: Asked) -> Iterator[Task]:
    questions = compared_questions(asked.evidence)
    curved = [endpoint.endpoint for endpoint in asked.evidence.endpoints if endpoint.kind == "survival"
              and not asked.evidence.counts_person_time(endpoint.endpoint)]
    for endpoint in curved:
        for subset in dict.fromkeys((ALL, *(subset for name, subset in questions if name == endpoint))):
            yield Task("shape of survival", endpoint, curve_rows, (asked.base, endpoint, subset))
    if curved:
        yield Task("simulated survival", "", simulated_rows, ())


def _figures(results: Results) -> Iterator[Picture]:
    bands, points, write = results.frame(BANDS), results.frame(POINTS), results.writer(CURVES)
    for endpoint in bands["endpoint"].unique():
        read = [f"{write(row, 'median')} at {row['time_months']:g} months" for row in results.computed(CURVES.file)
                if (row["endpoint"], row["subset"], row["model"], row["estimand"]) == (
                    endpoint, ALL, SHAPE, "survival")]
        yield Picture("curves", draw_curves, {"bands": bands[bands["endpoint"] == endpoint], "labels": results.labels,
                                              "points": points[points["endpoint"] == endpoint]},
                      f"{results.labels.endpoints[endpoint]}: posterior survival curves with their bands, of all "
                      f"studies together and of each study, with the points that are printed. Survival of a typical "
                      f"study: {'; '.join(read)}.", endpoint)


def _section(results: Results, page: Page) -> Html:
    """Survival under each way of reading it, the two steps between them, and how sure the shape is."""
    write, rows = results.writer(CURVES), results.rows(CURVES.file)
    answers = [_answer(rows, endpoint) for endpoint in dict.fromkeys(
        row["endpoint"] for row in rows if row["subset"] == ALL and row["estimand"] == "shape")]
    return section("curves", "What if the hazard falls?", rendered(
        "chapters/curves/section.html", write=write, answers=answers, change=partial(_change, results), months=MONTHS,
        every=_every(results, rows), simulated=_simulated(results), signed=signed,
        pictures=[page.picture("curves", answer["endpoint"]) for answer in answers],
        failed=[row for row in rows if row["status"] == NOT_COMPUTED]))


def _answer(rows: Sequence[Row], endpoint: str) -> dict[str, Any]:
    """The rows of one endpoint that its sentences are about."""
    estimates = {(row["model"], row["estimand"], row["time_months"]): row for row in rows
                 if (row["endpoint"], row["subset"]) == (endpoint, ALL)}
    return {"endpoint": endpoint, "shape": estimates[SHAPE, "shape", None],
            "fit": estimates.get((SHAPE, "survival", MONTHS[0])), "plateau": estimates.get((PLATEAU, "cured", None)),
            "steps": [{model: estimates.get((model, "survival", months)) for model in MODELS} for months in MONTHS]}


def _change(results: Results, before: Row, after: Row) -> str:
    """The difference between two rows, in points."""
    scale = results.labels.scales[after["endpoint"]]
    text = signed(after["median"] - before["median"], "proportion", scale, like=limits_of(after, "median"))
    return f"{text} {scale.points}"


def _every(results: Results, rows: Sequence[Row]) -> Html:
    """Every estimand with a column for each model."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        if row["estimand"]:
            key = tuple(row[name] for name in ("endpoint", "subset", "estimand", "time_months"))
            line = lines.setdefault(key, {**row, "of": {}})
            line["of"][row["model"]] = row
    write = results.writer(CURVES)

    def cell(model: str) -> Callable[[Row], str]:
        return lambda line: write(line["of"].get(model), "median")

    # Studies whose median was not reached enter curves alone.
    studies = {"k_studies": lambda line: " or ".join(dict.fromkeys(
        write(row, "k_studies") for row in line["of"].values()))}
    return show(write, list(lines.values()), " ".join(["endpoint", "subset", "k_studies", "estimand", *MODELS]),
                heads=_HEADS, cells=studies | {model: cell(model) for model in MODELS},
                caption=f"Survival by four models of its curve; posterior medians [{results.labels.level} credible]")


def _simulated(results: Results) -> dict[str, Any]:
    """The pinned simulation: what the default rests on, and a table of worlds with a column for each way of reading."""
    rows, write = results.rows(END_TO_END.file), results.writer(END_TO_END)
    if not rows:
        return {}

    def cell(way: tuple[str, float | None]) -> Callable[[Row], str]:
        return lambda line: "".join(f"{100.0 * row['estimate']:.1f} % ({percent(row['coverage'])} %)"
                                    for row in (line["of"].get(way),) if row)

    ways = {method.replace(" ", "_"): (_HEADS.get(method, method.capitalize()), cell((method, factor)))
            for method, factor in SHOWN}
    table = show(write, by_world(rows), " ".join(["endpoint", "law", "truth", *ways, "sets"]),
                 heads={name: head for name, (head, _) in ways.items()},
                 cells={name: of for name, (_, of) in ways.items()},
                 caption="Survival at 12 months of simulated patients: mean of the estimates (how often 95 % intervals "
                         "hold the truth)")
    return {"of": judged(rows), "record": record(), "table": table}


CHAPTER = Chapter("curves", 22, (CURVES, POINTS, BANDS, END_TO_END), _work, figures=_figures, section=_section,
                  parts=("shape of survival", "simulated survival", "figures"))
