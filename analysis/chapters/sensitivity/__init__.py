"""What each conclusion hangs on among the choices that were made; the words are in section.html."""

from collections.abc import Iterable, Iterator, Sequence

from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.sensitivity.figure import draw_sensitivity
from analysis.chapters.sensitivity.power import ALPHAS, BOTH, LIKELIHOOD, POWER_SCALING, power_rows
from analysis.chapters.sensitivity.table import LABELS, RULES, SENSITIVITY, compared, rules_of, sensitivity_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.results.numbers import estimand_text, number
from analysis.results.results import Results
from analysis.results.table import COMPUTED, Row

_SCALED = {LIKELIHOOD: "likelihood", BOTH: "both priors"}


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        arguments = (asked.base, endpoint.endpoint)
        yield Task("sensitivity", endpoint.endpoint, sensitivity_rows, arguments)
        yield Task("power scaling", endpoint.endpoint, power_rows, arguments)


def _figures(results: Results) -> Iterator[Picture]:
    labels = results.labels
    for endpoint in results.evidence.endpoints:
        if rows := compared(results.rows(SENSITIVITY.file), endpoint.endpoint):
            frame, changing = results.tables[SENSITIVITY.file].frame, sum(bool(row["changes"]) for row in rows)
            yield Picture("sensitivity", draw_sensitivity, {
                "frame": frame[frame["endpoint"] == endpoint.endpoint], "labels": labels},
                f"{endpoint.label}: {results.writer(SENSITIVITY)(rows[0])} in the headline, beside every refit with "
                f"one or two choices changed; {changing} of {len(rows) - 1} change a conclusion.", endpoint.endpoint)


def _block(results: Results, endpoint: str, page: Page) -> Html:
    """What moves one endpoint: a sentence, the figure, and every variant in a folded table; nothing without rows."""
    rows = compared(results.rows(SENSITIVITY.file), endpoint)
    if not rows:
        return Html("")
    variants, scale = _computed(rows[1:]), results.labels.scales[endpoint]
    powers = [row for row in results.computed(POWER_SCALING.file) if row["endpoint"] == endpoint]
    moments = "" if scale.months else "mean sd"  # those of survival are not those of a rate of events
    powers = show(results.writer(POWER_SCALING), powers, f"scaled prior {moments} shift flat",
                  cells={"scaled": lambda row: _SCALED.get(row["scaled"], f"prior of {row['scaled']}")},
                  caption=f"The posterior mean when a density is raised to a power ({' and '.join(map(str, ALPHAS))})")
    return rendered(
        "chapters/sensitivity/block.html", rows=rows, variants=variants, scale=scale, largest=largest_moves(variants),
        changing=[row for row in variants if row["changes"]], fired=_fired, labels=LABELS, every=_every(results, rows),
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
    known = {endpoint.endpoint: rows for endpoint in results.evidence.endpoints
             if (rows := compared(results.rows(SENSITIVITY.file), endpoint.endpoint))}
    variants = {endpoint: _computed(rows[1:]) for endpoint, rows in known.items()}
    moved = {endpoint: largest_moves(rows)[0] for endpoint, rows in variants.items()}
    changes = {endpoint: f"{sum(bool(row['changes']) for row in rows)} of {len(rows)}"
               for endpoint, rows in variants.items()}
    shift = results.writer(POWER_SCALING)
    shifts = {row["endpoint"]: shift(row, "shift") for row in results.computed(POWER_SCALING.file)
              if row["scaled"] == BOTH}
    table = show(
        results.writer(SENSITIVITY), [rows[0] for rows in known.values()],
        "endpoint dimension variant change changes median shift",
        heads={"dimension": "Moved most by", "changes": "Conclusions that change", "median": "Headline{unit}",
               "shift": "Prior scaled, SD per doubling"}, caption="The choice that moves each endpoint most",
        cells={"dimension": lambda row: LABELS[moved[row["endpoint"]]["dimension"]],
               "variant": lambda row: moved[row["endpoint"]], "change": lambda row: moved[row["endpoint"]],
               "changes": lambda row: changes[row["endpoint"]], "shift": lambda row: shifts.get(row["endpoint"], "")})
    return section("sensitivity", "What each conclusion hangs on", rendered(
        "chapters/sensitivity/section.html", known=known, table=table,
        changing=[rows for rows in known.values() if any(row["changes"] for row in rows)],
        rules=rules_of(results.frame(SENSITIVITY))))


def _fired(row: Row) -> str:
    """The rules by which a conclusion changes."""
    return ", ".join(words for mark, words in RULES.items() if row[mark])


def largest_moves(variants: Iterable[Row]) -> list[Row]:
    """The variant that moves the median most, one for each dimension, the largest move first."""
    largest: dict[str, Row] = {}
    for row in sorted(variants, key=lambda row: -abs(row["change"])):
        largest.setdefault(row["dimension"], row)
    return list(largest.values())


def _computed(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["status"] == COMPUTED]


def _brief(results: Results, page: Page) -> Html:
    """For which endpoints some refit changes a conclusion, with the largest such change."""
    known = {endpoint.endpoint: rows for endpoint in results.evidence.endpoints
             if (rows := compared(results.rows(SENSITIVITY.file), endpoint.endpoint))}
    variants = {endpoint: _computed(rows[1:]) for endpoint, rows in known.items()}
    changing = [largest_moves(fired)[0] for rows in variants.values() if (fired := [row for row in rows
                                                                                    if row["changes"]])]
    return rendered("chapters/sensitivity/brief.html", known=known, changing=changing, labels=LABELS,
                    write=results.writer(SENSITIVITY), refits=sum(map(len, variants.values()))) if known else Html("")


CHAPTER = Chapter("sensitivity", 60, (SENSITIVITY, POWER_SCALING), _work, None, _figures, _section, _block,
                  ("sensitivity", "power scaling"), brief=_brief)
