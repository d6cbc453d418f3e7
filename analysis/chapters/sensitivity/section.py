"""What each conclusion hangs on: a sentence and a folded table for an endpoint, and all endpoints in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.chapters.sensitivity import power
from analysis.chapters.sensitivity.names import COMPUTED, HEADLINE, LABELS
from analysis.chapters.sensitivity.power import POWER_SCALING
from analysis.chapters.sensitivity.summary import Summed, summed
from analysis.chapters.sensitivity.table import SENSITIVITY
from analysis.drawing.html import Html, folded, join, paragraphs, section, table, tag
from analysis.results import facts
from analysis.results.numbers import (
    MINUS,
    PERCENT,
    Scale,
    counted,
    decimals_for,
    fixed,
    level_text,
    number,
    significant,
    studies_and_patients,
    with_interval,
)
from analysis.results.results import Results

Row = Mapping[str, Any]

_NAMED = 3
_MARKS = (("moves", "moves by more than half the headline's interval"), ("outside", "a median leaves the interval"),
          ("crosses", "the published estimate passes in or out"))


def sensitivity_block(results: Results, endpoint: str, picture: Html | str = "") -> Html:
    """What moves one endpoint: a sentence, the figure, and every variant in a folded table; nothing without rows.

    Parameters
    ----------
    endpoint : str
        Key of the endpoint.
    picture : Html
        The figure, from `html.image`.
    """
    found = summed(results.rows(SENSITIVITY.file), endpoint)
    if found is None:
        return Html("")
    rows = [row for row in results.rows(SENSITIVITY.file) if row["endpoint"] == endpoint]
    powers = [row for row in results.rows(POWER_SCALING.file) if row["endpoint"] == endpoint]
    return join([tag("p", sentence(found, results.scale(endpoint))), picture,
                 folded(f"Every variant in numbers ({found.variants + found.failed})", _table(results, rows)),
                 folded("Power-scaling of prior and likelihood", _powers(results, powers))], "\n")


def sensitivity_section(results: Results) -> Html:
    """One line for each endpoint: which kind of choice moves it most, and in how many variants a conclusion changes."""
    found = {endpoint.endpoint: summed(results.rows(SENSITIVITY.file), endpoint.endpoint)
             for endpoint in results.evidence.endpoints}
    known = {name: one for name, one in found.items() if one is not None}
    if not known:
        return Html("")
    changing = sum(bool(one.changing) for one in known.values())
    published = any(row["published"] for row in results.rows(SENSITIVITY.file))
    passes = ", or the published estimate passes in or out of the interval" if published else ""
    note = (f"Refits with one choice changed. A conclusion changes in at least one of them for {changing} of "
            f"{counted(len(known), 'endpoint')}. It changes where the median moves by more than half the headline's "
            f"interval, or one of the two medians leaves the other interval{passes}.")
    return section("sensitivity", "What each conclusion hangs on", paragraphs([note]), _overall(results, known))


def sentence(found: Summed, scale: Scale = PERCENT) -> str:
    """The largest moves by dimension, and in which variants a conclusion changes."""
    moves = ", ".join(f"{_dimension(row).lower()} {_points(row, scale)} ({row['variant']})"
                      for row in found.largest[:_NAMED])
    text = (f"Over {counted(found.variants, 'refit')} with one choice changed, the largest moves of the median, "
            f"{'in points' if scale == PERCENT else scale.unit}, are: {moves}.")
    if found.failed:
        text += f" {counted(found.failed, 'refit')} did not settle."
    if not found.changing:
        return f"{text} In none of them does a conclusion change."
    named = "; ".join(f"{row['variant']} ({_points(row, scale)})" for row in found.changing[:_NAMED])
    more = len(found.changing) - _NAMED
    return (f"{text} A conclusion changes in {len(found.changing)} of {found.variants}: {named}"
            f"{f'; and {more} more' if more > 0 else ''}.")


def _dimension(row: Row) -> str:
    return LABELS.get(row["dimension"], row["dimension"].replace("_", " "))


def _points(row: Row, scale: Scale) -> str:
    """The change of a row, with one decimal more than its estimate where it would otherwise have one digit."""
    change = scale.factor * row["change"] / 100.0
    decimals = decimals_for(scale.factor * value for value in facts.limits(row))
    text = fixed(abs(change), decimals + (abs(change) < 9.5 * 10.0**-decimals))
    return text if not text.strip("0.") else f"{'+' if change > 0 else MINUS}{text}"


def _table(results: Results, rows: Sequence[Row]) -> Html:
    level = level_text(rows[0]["level"])
    survival, spread = rows[0]["time_months"] is not None, rows[0]["heterogeneity"] or "Heterogeneity"
    rates, scale = facts.rates(results, [rows[0]["endpoint"]]), results.scale(rows[0]["endpoint"])
    heads = ("Choice", "Variant", "Studies / patients", rates.head("Survival" if survival else "Mean rate",
             f"{level} credible"), rates.head("New study", f"{level} prediction"), spread,
             rates.head_of_change("Change"), "Conclusion", "Priors")
    cells = []
    for row in rows:
        known = row["status"] == COMPUTED
        new = {name: row[f"new_{name}"] for name in ("median", "lower", "upper")}
        cells.append((_dimension(row), "" if row["dimension"] == HEADLINE else row["variant"],
                      studies_and_patients(row["k_studies"], row["n_patients"]),
                      with_interval(row, "proportion", scale) if known else row["status"],
                      with_interval(new, "proportion", scale) if known else "",
                      ("" if row["heterogeneity"] in (spread, None) else f"{row['heterogeneity']} ") +
                      number(row["heterogeneity_median"], "1") if known else "",
                      "" if row["change"] is None or row["dimension"] == HEADLINE else _points(row, scale),
                      _conclusion(row), row["priors"]))
    return table("Each refit with one choice changed", heads, cells, left=2,
                 marked=["outside" if row["changes"] else None for row in rows])


def _conclusion(row: Row) -> str:
    return row["reason"] or "; ".join(words for name, words in _MARKS if row[name])


def _powers(results: Results, rows: Sequence[Row]) -> Html:
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Scaled", "Density", rates.head("Mean"), rates.head_of_change("Posterior SD"),
             "Shift of the mean, SD per doubling", "Note")
    names = {power.LIKELIHOOD: "likelihood", power.BOTH: "both priors"}
    cells = [(names.get(row["scaled"], f"prior of {row['scaled']}"), row["prior"],
              rates.one(row["endpoint"], row["mean"]), significant(rates.shared.factor * row["sd"]),
              _shift(row["shift"]), "flat: scaling cannot see it" if row["flat"] else "")
             for row in rows if row["status"] == COMPUTED]
    return table(f"The posterior mean when a density is raised to a power ({power.ALPHAS[0]:g} and "
                 f"{power.ALPHAS[1]:g})", heads, cells, left=2)


def _shift(shift: float) -> str:
    text = fixed(abs(shift), 2)
    return text if not text.strip("0.") else f"{'+' if shift > 0 else MINUS}{text}"


def _overall(results: Results, found: Mapping[str, Summed]) -> Html:
    shifts = {row["endpoint"]: row["shift"] for row in results.rows(POWER_SCALING.file)
              if row["scaled"] == power.BOTH and row["status"] == COMPUTED}
    rates = facts.rates(results, found)
    heads = ("Endpoint", "Moved most by", "Variant", rates.head_of_change("Change"), "Conclusions that change",
             rates.head("Headline"), "Prior scaled, SD per doubling")
    cells = [(facts.endpoint_label(results, name), _dimension(one.largest[0]), one.largest[0]["variant"],
              _points(one.largest[0], results.scale(name)) + ("" if rates.shared else f" {results.scale(name).points}"),
              f"{len(one.changing)} of {one.variants}",
              rates.cell(name, one.headline), _shift(shifts[name]) if name in shifts else "")
             for name, one in found.items()]
    return table("The choice that moves each endpoint most", heads, cells, left=3)
