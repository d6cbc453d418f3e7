"""Where a difference from a published estimate comes from; the words are in section.html."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from analysis.chapters.chapter import Chapter, Page, Picture
from analysis.chapters.differences.figure import MAX_BLOCKS, blocks_of, draw_decomposition
from analysis.chapters.differences.rows import (
    DATA,
    DECOMPOSITION,
    ERRORS,
    METHOD,
    PRIOR,
    SHAPE,
    decomposition_rows,
)
from analysis.drawing.html import Html, join, rendered, section, show, tag
from analysis.results.numbers import PROBABILITY_UNITS, RATIO, counted, joint, printed_with_interval, signed
from analysis.results.results import Results
from analysis.results.table import Frame, Row

_LARGE = 0.05
"""Change of a probability from which on it is told what of it is conversion."""

_CAUSES = {DATA: "the evidence", PRIOR: "the prior", ERRORS: "how printed survival is read",
           SHAPE: "a hazard that may fall", METHOD: "the method"}
"""What each step is due to, for readers."""


def _figures(results: Results) -> Iterator[Picture]:
    steps = results.frame(DECOMPOSITION)
    if blocks := blocks_of(steps)[:MAX_BLOCKS]:
        yield Picture("decomposition", draw_decomposition, {"steps": steps, "labels": results.labels},
                      f"Steps from published estimate to posterior for {counted(len(blocks), 'published estimate')}: "
                      f"published, the paper's kind of method on this evidence, maximum likelihood, posterior.")


def _section(results: Results, page: Page) -> Html:
    """Published estimate, the paper's kind of method on this evidence, maximum likelihood, posterior."""
    rows = results.rows(DECOMPOSITION.file)
    if not rows:
        return Html("")
    of_rates = [row for row in results.rows("frequentist.csv") if row["scale"] == "probability"]
    return section("differences", "Where each difference comes from", rendered(
        "chapters/differences/section.html", results=results, picture=page.picture("decomposition"), **_told(results),
        printed=lambda shape: printed_with_interval(*(shape[f"published{end}"] for end in ("", "_lower", "_upper")),
                                                    "proportion"),
        span=lambda shape, name: " to ".join(joint((shape[f"{name}_low"], shape[f"{name}_high"]), RATIO)),
        steps=_steps(results, rows),
        methods=[_methods(results, list(alike)) for _, alike in groupby(of_rates, lambda row: (row["endpoint"],
                                                                                               row["subset"]))]))


def _told(results: Results) -> dict[str, Any]:
    """What the words speak of: sizes of the steps, survival read in another way, and what could not be reproduced."""
    steps = results.frame(DECOMPOSITION)
    rows = steps[steps["unit"].isin(PROBABILITY_UNITS) & steps["step"].isin(list(_CAUSES))]
    by_step = rows.set_index(["reported_id", "endpoint", "subset", "step"])["change"].unstack(sort=False)
    # A row for each published estimate in per cents that has the first three steps.
    changes = by_step.reindex(columns=list(_CAUSES)).dropna(subset=[DATA, METHOD, PRIOR])
    causes = changes.abs().idxmax(axis=1).value_counts() if len(changes) else {}
    return {"published": len(changes), "returned": _returned(changes),
            "largest": sorted(((_CAUSES[step], causes[step]) for step in _CAUSES if step in causes),
                              key=lambda cause: -cause[1]),
            "reach": {step: _reach(changes[step].dropna()) for step in _CAUSES if changes[step].notna().any()},
            "outside": [row for row in results.rows("interval_shapes.csv")
                        if row["finding"].startswith("we could not")]}


def _reach(changes: Frame) -> str:
    """Such as "−11 to +4", in points."""
    return " to ".join(dict.fromkeys(signed(value, "proportion") for value in (changes.min(), changes.max())))


def _returned(changes: Frame) -> list[dict[str, Any]]:
    """Published survival whose step from the evidence is taken back in part where its points are read as points."""
    returned = []
    for (_, endpoint, subset), change in changes.iterrows():
        if abs(change[DATA]) >= _LARGE and change[ERRORS] * change[DATA] < 0.0:
            points = {step: signed(change[step], "proportion") for step in (DATA, ERRORS, SHAPE)
                      if math.isfinite(change[step])}
            returned.append({"endpoint": endpoint, "subset": subset, "points": points,
                             "share": min(-change[ERRORS] / change[DATA], 1.0)})
    return returned


def _steps(results: Results, rows: Sequence[Row]) -> Html:
    def subject(row: Row) -> Html:
        small = f"{results.labels.subsets[row['subset']]}, {row['estimand'].replace('_', ' ')}"
        return join([results.labels.endpoints[row["endpoint"]], tag("small", small)])

    return show(results.writer(DECOMPOSITION), rows,
                "endpoint label estimate interval k_studies change step reported_id",
                heads={"label": "What"}, caption="Steps from the published estimate to the posterior",
                cells={"endpoint": subject, "step": lambda row: "" if row["change"] is None else None})


def _methods(results: Results, rows: Sequence[Row]) -> Html:
    """The methods of one question."""
    first, layout = rows[0], results.tables["frequentist.csv"].layout
    return show(results.writer(layout), rows, "label estimand estimate heterogeneity_name note",
                heads={"label": "Method"},
                cells={"label": lambda row: row["label"] + (" (the paper's kind)" if row["of_the_paper"] else "")},
                caption=f"{results.labels.endpoints[first['endpoint']]}, {results.labels.subsets[first['subset']]}: "
                        f"{counted(first['k_studies'], 'study')}")


def _brief(results: Results, page: Page) -> Html:
    """Which step of the way from the published estimate to ours is the largest, and what could not be reproduced."""
    rows = results.rows(DECOMPOSITION.file)
    return rendered("chapters/differences/brief.html", results=results, **_told(results)) if rows else Html("")


CHAPTER = Chapter("differences", 40, (DECOMPOSITION,), None,
                  lambda results: {DECOMPOSITION.file: decomposition_rows(results)}, _figures, _section,
                  parts=("other methods", "interval shape", "figure decomposition"), brief=_brief)
