"""What each conclusion hangs on among the choices that were made; the words are in section.html."""

from collections.abc import Iterable, Iterator, Sequence

from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.sensitivity.figure import draw_sensitivity
from analysis.chapters.sensitivity.rows import (
    ALPHAS,
    LABELS,
    POWER_SCALING,
    RULES,
    SENSITIVITY,
    compared,
    power_rows,
    rules_of,
    sensitivity_rows,
)
from analysis.drawing.html import Html, rendered, section, show
from analysis.inference.power_scaling import BOTH, LIKELIHOOD
from analysis.results.numbers import estimand_text, number
from analysis.results.results import Results
from analysis.results.table import COMPUTED, Row

_SCALED = {LIKELIHOOD: "likelihood", BOTH: "both priors"}


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        arguments = (asked.base, endpoint.endpoint)
        yield Task("sensitivity", endpoint.endpoint, sensitivity_rows, arguments)
        yield Task("power scaling", endpoint.endpoint, power_rows, arguments)


def _by_endpoint(results: Results) -> dict[str, list[Row]]:
    """Rows of each endpoint with something to compare, the headline first."""
    return {endpoint.endpoint: rows for endpoint in results.evidence.endpoints
            if (rows := compared(results.rows(SENSITIVITY.file), endpoint.endpoint))}


def _figures(results: Results) -> Iterator[Picture]:
    frame = results.frame(SENSITIVITY)
    for endpoint, rows in _by_endpoint(results).items():
        yield Picture("sensitivity", draw_sensitivity, {
            "frame": frame[frame["endpoint"] == endpoint], "labels": results.labels},
            f"{results.labels.endpoints[endpoint]}: {results.writer(SENSITIVITY)(rows[0])} in the headline, beside "
            f"every refit with one or two choices changed; {len(_changing(rows))} of {len(rows) - 1} change a "
            "conclusion.", endpoint)


def _block(results: Results, endpoint: str, page: Page) -> Html:
    """What moves one endpoint: a sentence, the figure, and every variant in a folded table; nothing without rows."""
    rows = compared(results.rows(SENSITIVITY.file), endpoint)
    if not rows:
        return Html("")
    variants, scale = _variants(rows), results.labels.scales[endpoint]
    powers = [row for row in results.computed(POWER_SCALING.file) if row["endpoint"] == endpoint]
    moments = "" if scale.months else "mean sd"  # those of survival are not those of a rate of events
    powers = show(results.writer(POWER_SCALING), powers, f"scaled prior {moments} shift flat",
                  cells={"scaled": lambda row: _SCALED.get(row["scaled"], f"prior of {row['scaled']}")},
                  caption=f"The posterior mean when a density is raised to a power ({' and '.join(map(str, ALPHAS))})")
    return rendered(
        "chapters/sensitivity/block.html", rows=rows, variants=variants, scale=scale, largest=largest_moves(variants),
        changing=_changing(variants), fired=_fired, labels=LABELS, every=_every(results, rows),
        picture=page.picture("sensitivity", endpoint), write=results.writer(SENSITIVITY, shared=scale), powers=powers)


def _every(results: Results, rows: Sequence[Row]) -> Html:
    headline = rows[0]
    scale = results.labels.scales[headline["endpoint"]]
    main = estimand_text(headline["time_months"], scale).partition(" at ")[0].capitalize()

    def heterogeneity(row: Row) -> str | None:
        named = row["heterogeneity"] not in (None, headline["heterogeneity"])
        return f"{row['heterogeneity']} {number(row['heterogeneity_median'], '')}" if named else None

    return show(
        results.writer(SENSITIVITY, missing=""), rows, "dimension variant k_studies median new_median "
        "heterogeneity_median change change_months reason", caption="Each refit with one choice changed, or two",
        heads={"median": main + "{unit} [{level} credible]", "heterogeneity_median": headline["heterogeneity"]},
        cells={"dimension": lambda row: LABELS[row["dimension"]], "heterogeneity_median": heterogeneity,
               "variant": lambda row: "" if row is headline else None,
               "median": lambda row: None if row["status"] == COMPUTED else row["status"],
               **dict.fromkeys(("change", "change_months"), lambda row: "" if row is headline else None),
               "reason": lambda row: row["reason"] or _fired(row)},
        marked=lambda row: "outside" if row["changes"] else None)


def _section(results: Results, page: Page) -> Html:
    """One line for each endpoint: which kind of choice moves it most, and in how many variants a conclusion changes."""
    refits = _by_endpoint(results)
    variants = {endpoint: _variants(rows) for endpoint, rows in refits.items()}
    moved = {endpoint: largest_moves(rows)[0] for endpoint, rows in variants.items()}
    changes = {endpoint: f"{len(_changing(rows))} of {len(rows)}" for endpoint, rows in variants.items()}
    shift = results.writer(POWER_SCALING)
    shifts = {row["endpoint"]: shift(row, "shift") for row in results.computed(POWER_SCALING.file)
              if row["scaled"] == BOTH}
    table = show(
        results.writer(SENSITIVITY), [rows[0] for rows in refits.values()],
        "endpoint dimension variant change changes median shift",
        heads={"dimension": "Moved most by", "changes": "Conclusions that change", "median": "Headline{unit}",
               "shift": "Prior scaled, SD per doubling"}, caption="The choice that moves each endpoint most",
        cells={"dimension": lambda row: LABELS[moved[row["endpoint"]]["dimension"]],
               "variant": lambda row: moved[row["endpoint"]], "change": lambda row: moved[row["endpoint"]],
               "changes": lambda row: changes[row["endpoint"]], "shift": lambda row: shifts.get(row["endpoint"], "")})
    return section("sensitivity", "What each conclusion hangs on", rendered(
        "chapters/sensitivity/section.html", endpoints=len(refits), table=table,
        changing=sum(bool(_changing(rows)) for rows in refits.values()), rules=rules_of(results.frame(SENSITIVITY))))


def _fired(row: Row) -> str:
    """The rules by which a conclusion changes."""
    return ", ".join(words for mark, words in RULES.items() if row[mark])


def largest_moves(variants: Iterable[Row]) -> list[Row]:
    """The variant that moves the median most, one for each dimension, the largest move first."""
    largest: dict[str, Row] = {}
    for row in sorted(variants, key=lambda row: -abs(row["change"])):
        largest.setdefault(row["dimension"], row)
    return list(largest.values())


def _variants(rows: Sequence[Row]) -> list[Row]:
    """The refits that gave a result, without the headline, which comes first."""
    return [row for row in rows[1:] if row["status"] == COMPUTED]


def _changing(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["changes"]]


def _brief(results: Results, page: Page) -> Html:
    """For which endpoints some refit changes a conclusion, with the largest such change."""
    variants = [_variants(rows) for rows in _by_endpoint(results).values()]
    changing = [largest_moves(fired)[0] for rows in variants if (fired := _changing(rows))]
    return rendered("chapters/sensitivity/brief.html", endpoints=len(variants), changing=changing, labels=LABELS,
                    write=results.writer(SENSITIVITY), refits=sum(map(len, variants))) if variants else Html("")


CHAPTER = Chapter("sensitivity", 60, (SENSITIVITY, POWER_SCALING), _work, figures=_figures, section=_section,
                  block=_block, parts=("sensitivity", "power scaling"), brief=_brief)
