"""The values of what is said on choices; the words are in block.html, for one endpoint, and section.html, for all."""

from collections.abc import Iterable

from analysis.chapters.sensitivity.power import ALPHAS, BOTH, LIKELIHOOD, POWER_SCALING
from analysis.chapters.sensitivity.table import COMPUTED, HEADLINE, LABELS, SENSITIVITY, compared
from analysis.drawing.html import Html, rendered, section
from analysis.results import facts
from analysis.results.numbers import (
    MINUS,
    Scale,
    decimals_for,
    fixed,
    level_text,
    number,
    significant,
    studies_and_patients,
    with_interval,
)
from analysis.results.results import Results
from analysis.results.table import Row

_MARKS = {"moves": "moves by more than half the headline's interval", "outside": "a median leaves the interval",
          "crosses": "the published estimate passes in or out"}
_SCALED = {LIKELIHOOD: "likelihood", BOTH: "both priors"}


def sensitivity_block(results: Results, endpoint: str, picture: Html | str = "") -> Html:
    """What moves one endpoint: a sentence, the figure, and every variant in a folded table; nothing without rows.

    Parameters
    ----------
    endpoint : str
        Key of the endpoint.
    picture : Html
        The figure, from `html.image`.
    """
    rows = compared(results.rows(SENSITIVITY.file), endpoint)
    if not rows:
        return Html("")
    scale, variants = results.scale(endpoint), _computed(rows[1:])
    powers = [row for row in _computed(results.rows(POWER_SCALING.file)) if row["endpoint"] == endpoint]
    return rendered(
        "chapters/sensitivity/block.html", rates=facts.rates(results, [endpoint]), scale=scale, headline=rows[0],
        level=level_text(rows[0]["level"]), rows=rows, variants=variants, largest=largest_moves(variants),
        failed=len(rows) - 1 - len(variants), changing=[row for row in variants if row["changes"]], labels=LABELS,
        points=lambda row: _points(row, scale), cells=[_cells(row, rows[0], scale) for row in rows],
        marked=["outside" if row["changes"] else None for row in rows], alphas=ALPHAS, picture=picture,
        powers=[(_SCALED.get(row["scaled"], f"prior of {row['scaled']}"), row["prior"],
                 number(row["mean"], "proportion", scale), significant(scale.factor * row["sd"]),
                 _with_sign(row["shift"], 2), "flat: scaling cannot see it" if row["flat"] else "") for row in powers])


def sensitivity_section(results: Results) -> Html:
    """One line for each endpoint: which kind of choice moves it most, and in how many variants a conclusion changes."""
    known = {endpoint.endpoint: rows for endpoint in results.evidence.endpoints
             if (rows := compared(results.rows(SENSITIVITY.file), endpoint.endpoint))}
    shifts = {row["endpoint"]: _with_sign(row["shift"], 2) for row in _computed(results.rows(POWER_SCALING.file))
              if row["scaled"] == BOTH}
    rates, cells = facts.rates(results, known), []
    for endpoint, rows in known.items():
        variants, scale = _computed(rows[1:]), results.scale(endpoint)
        largest = largest_moves(variants)[0]
        cells.append((facts.endpoint_label(results, endpoint), LABELS[largest["dimension"]], largest["variant"],
                      _points(largest, scale) + ("" if rates.shared else f" {scale.points}"),
                      f"{sum(bool(row['changes']) for row in variants)} of {len(variants)}",
                      rates.cell(endpoint, rows[0]), shifts.get(endpoint, "")))
    return section("sensitivity", "What each conclusion hangs on", rendered(
        "chapters/sensitivity/section.html", known=known, rates=rates, cells=cells,
        changing=[rows for rows in known.values() if any(row["changes"] for row in rows)],
        published=any(row["published"] for row in results.rows(SENSITIVITY.file))))


def largest_moves(variants: Iterable[Row]) -> list[Row]:
    """The variant that moves the median most, one for each dimension, the largest move first."""
    largest: dict[str, Row] = {}
    for row in sorted(variants, key=lambda row: -abs(row["change"])):
        largest.setdefault(row["dimension"], row)
    return list(largest.values())


def _computed(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["status"] == COMPUTED]


def _points(row: Row, scale: Scale) -> str:
    """The change of a row, with one decimal more than its estimate where it would otherwise have one digit."""
    change = scale.factor * row["change"] / 100.0
    decimals = decimals_for(scale.factor * value for value in facts.limits(row))
    return _with_sign(change, decimals + (abs(change) < 9.5 * 10.0**-decimals))


def _with_sign(value: float, decimals: int) -> str:
    text = fixed(abs(value), decimals)
    return text if not text.strip("0.") else f"{'+' if value > 0 else MINUS}{text}"


def _cells(row: Row, headline: Row, scale: Scale) -> tuple[object, ...]:
    is_headline = row["dimension"] == HEADLINE
    named = (LABELS[row["dimension"]], "" if is_headline else row["variant"],
             studies_and_patients(row["k_studies"], row["n_patients"]))
    if row["status"] != COMPUTED:
        return (*named, row["status"], "", "", "", row["reason"], row["priors"])
    new = dict(zip(("median", "lower", "upper"), facts.limits(row, "new_"), strict=True))
    spread = "" if row["heterogeneity"] == headline["heterogeneity"] else f"{row['heterogeneity']} "
    return (*named, with_interval(row, "proportion", scale), with_interval(new, "proportion", scale),
            spread + number(row["heterogeneity_median"], "1"), "" if is_headline else _points(row, scale),
            row["reason"] or "; ".join(words for mark, words in _MARKS.items() if row[mark]), row["priors"])
