"""What each conclusion hangs on: a sentence and a folded table for an endpoint, and all endpoints in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.pipeline import Results
from analysis.report import facts
from analysis.report.html import Html, folded, join, paragraphs, section, table, tag
from analysis.sensitivity import power
from analysis.sensitivity.names import COMPUTED, HEADLINE, LABELS
from analysis.sensitivity.summary import Summed, summed
from analysis.sensitivity.table import FILE
from analysis.wording import MINUS, counted, level_text, number, signed, studies_and_patients, with_interval

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
    found = summed(results.side_rows(FILE), endpoint)
    if found is None:
        return Html("")
    rows = [row for row in results.side_rows(FILE) if row["endpoint"] == endpoint]
    powers = [row for row in results.side_rows(power.FILE) if row["endpoint"] == endpoint]
    return join([tag("p", sentence(found)), picture,
                 folded(f"Every variant in numbers ({found.variants + found.failed})", _table(rows)),
                 folded("Power-scaling of prior and likelihood", _powers(powers))], "\n")


def sensitivity_section(results: Results) -> Html:
    """One line for each endpoint: which kind of choice moves it most, and in how many variants a conclusion changes."""
    found = {endpoint.endpoint: summed(results.side_rows(FILE), endpoint.endpoint)
             for endpoint in results.evidence.endpoints}
    known = {name: one for name, one in found.items() if one is not None}
    if not known:
        return Html("")
    changing = sum(bool(one.changing) for one in known.values())
    note = (f"Each line is a refit with one choice changed. A conclusion changes in at least one of them for "
            f"{changing} of {counted(len(known), 'endpoint')}: the median moves by more than half the headline's "
            f"interval, one of the two medians leaves the other interval, or the published estimate passes in or out "
            f"of the interval.")
    return section("sensitivity", "What each conclusion hangs on", paragraphs([note]), _overall(results, known))


def sentence(found: Summed) -> str:
    """The largest moves by dimension, and in which variants a conclusion changes."""
    moves = ", ".join(f"{_dimension(row).lower()} {_points(row['change'])} ({row['variant']})"
                      for row in found.largest[:_NAMED])
    text = (f"Over {counted(found.variants, 'refit')} with one choice changed, the largest moves of the median, in "
            f"points, are: {moves}.")
    if found.failed:
        text += f" {counted(found.failed, 'refit')} did not settle."
    if not found.changing:
        return f"{text} In none of them does a conclusion change."
    named = "; ".join(f"{row['variant']} ({_points(row['change'])})" for row in found.changing[:_NAMED])
    more = len(found.changing) - _NAMED
    return (f"{text} A conclusion changes in {len(found.changing)} of {found.variants}: {named}"
            f"{f'; and {more} more' if more > 0 else ''}.")


def _dimension(row: Row) -> str:
    return LABELS.get(row["dimension"], row["dimension"].replace("_", " "))


def _points(change: float) -> str:
    """Points with one decimal where they would otherwise round to 0 or 1."""
    return signed(change / 100.0, "proportion") if abs(change) >= 9.5 else \
        f"{'+' if change >= 0 else MINUS}{abs(change):.1f}"


def _table(rows: Sequence[Row]) -> Html:
    level = level_text(rows[0]["level"])
    survival, spread = rows[0]["time_months"] is not None, rows[0]["heterogeneity"] or "Heterogeneity"
    heads = ("Choice", "Variant", "Studies / patients", f"{'Survival' if survival else 'Mean rate'}, % [{level} "
             f"credible]", f"New study, % [{level} prediction]", spread, "Change, points",
             "Conclusion", "Priors")
    cells = []
    for row in rows:
        known = row["status"] == COMPUTED
        new = {name: row[f"new_{name}"] for name in ("median", "lower", "upper")}
        cells.append((_dimension(row), "" if row["dimension"] == HEADLINE else row["variant"],
                      studies_and_patients(row["k_studies"], row["n_patients"]),
                      with_interval(row, "proportion") if known else row["status"],
                      with_interval(new, "proportion") if known else "",
                      ("" if row["heterogeneity"] in (spread, None) else f"{row['heterogeneity']} ") +
                      number(row["heterogeneity_median"], "1") if known else "",
                      "" if row["change"] is None or row["dimension"] == HEADLINE else _points(row["change"]),
                      _conclusion(row), row["priors"]))
    return table("Each refit with one choice changed", heads, cells, left=2,
                 marked=["outside" if row["changes"] else None for row in rows])


def _conclusion(row: Row) -> str:
    return row["reason"] or "; ".join(words for name, words in _MARKS if row[name])


def _powers(rows: Sequence[Row]) -> Html:
    heads = ("Scaled", "Density", "Mean, %", "Posterior SD, points", "Shift of the mean, SD per doubling", "Note")
    names = {power.LIKELIHOOD: "likelihood", power.BOTH: "both priors"}
    cells = [(names.get(row["scaled"], f"prior of {row['scaled']}"), row["prior"], number(row["mean"], "proportion"),
              f"{100.0 * row['sd']:.1f}", _shift(row["shift"]), "flat: scaling cannot see it" if row["flat"] else "")
             for row in rows if row["status"] == COMPUTED]
    return table(f"The posterior mean when a density is raised to a power ({power.ALPHAS[0]:g} and "
                 f"{power.ALPHAS[1]:g})", heads, cells, left=2)


def _shift(shift: float) -> str:
    return f"{'+' if shift >= 0 else MINUS}{abs(shift):.2f}"


def _overall(results: Results, found: Mapping[str, Summed]) -> Html:
    shifts = {row["endpoint"]: row["shift"] for row in results.side_rows(power.FILE)
              if row["scaled"] == power.BOTH and row["status"] == COMPUTED}
    heads = ("Endpoint", "Moved most by", "Variant", "Change, points", "Conclusions that change", "Headline, %",
             "Prior scaled, SD per doubling")
    cells = [(facts.endpoint_label(results, name), _dimension(one.largest[0]), one.largest[0]["variant"],
              _points(one.largest[0]["change"]), f"{len(one.changing)} of {one.variants}",
              with_interval(one.headline, "proportion"), _shift(shifts[name]) if name in shifts else "")
             for name, one in found.items()]
    return table("The choice that moves each endpoint most", heads, cells, left=3)
