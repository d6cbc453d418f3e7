"""The section on whether small studies tell another story than large ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.drawing.html import Html, folded, paragraphs, section, table
from analysis.results import facts
from analysis.results.numbers import (
    RATIO,
    chance,
    counted,
    interval_text,
    number,
    signed,
    significant,
)
from analysis.results.results import Results

Row = Mapping[str, Any]
_EXTREME = 1000.0
_SEPARATED = (" A ratio that extreme means that the sizes nearly separate the studies with and without events, and "
              "then neither p-value can be relied on.")


def small_studies_section(results: Results, picture: Html) -> Html:
    """Whether small studies tell another story than large ones."""
    rows = results.rows("small_studies.csv")
    found = [row for row in rows if row["part"] == "regression"]
    computed = [row for row in found if row["status"] == "computed"]
    drawn = any(row["part"] == "limit" for row in rows)
    return section("small-studies", "Do small studies tell another story?",
                   paragraphs([*_slopes(results, computed), *_refused_slopes(results, found), *_caveats(computed)]),
                   picture if drawn else "",
                   folded("Regressions on the size of the studies", _slope_table(results, found)),
                   folded("Every study against its prediction", _prediction_table(results, rows)))


def _label(results: Results, row: Row) -> str:
    return facts.endpoint_label(results, row["endpoint"])


def _with_sign(value: float | None) -> str:
    return number(None, "") if value is None else signed(value, "")


def _is_extreme(ratio: float) -> bool:
    return ratio >= _EXTREME or ratio <= 1.0 / _EXTREME


def _ratio(row: Row) -> str:
    return interval_text(row["ratio"], row["ratio_lower"], row["ratio_upper"], RATIO)


def _slopes(results: Results, rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    small = [row for row in rows if row["slope_two_sided"] < 0.05]
    notes = [f"{_label(results, row)}: the {'hazard' if row['time_months'] else 'odds'} of a study of 10 patients over "
             f"that of one of 40 is {_ratio(row)}, "
             f"p = {chance(row['slope_two_sided'])} by the normal and "
             f"{chance(row['slope_two_sided_t'])} by the t distribution, from {row['k_studies']} studies."
             f"{_SEPARATED if _is_extreme(row['ratio']) else ''}" for row in small]
    return [*notes, f"Of {counted(len(rows), 'regression')} of {_outcome(rows)} on 1/√n, "
                    f"{len(small)} {'has' if len(small) == 1 else 'have'} a slope with p below 0.05; without any "
                    f"small-study effect {significant(0.05 * len(rows))} would."]


def _outcome(rows: Sequence[Row]) -> str:
    """What is regressed on size, by the kinds of the endpoints."""
    survival = {row["time_months"] is not None for row in rows}
    return " or ".join(words for kind, words in ((False, "the logit mean rate"), (True, "the log hazard"))
                       if kind in survival)


def _refused_slopes(results: Results, rows: Sequence[Row]) -> list[str]:
    refused = [f"{_label(results, row)} ({row['reason']})" for row in rows if row["status"] != "computed"]
    return [f"No regression: {'; '.join(refused)}."] if refused else []


def _caveats(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    power = [row["detectable_ratio"] for row in rows]
    low, high = (significant(limit(power)) for limit in (min, max))
    found = f"a ratio of {low}" if low == high else f"ratios of {low} (in the best case) to {high}"
    return [f"That says little: only {found} would be found four times in five.",
            "A small-study effect is not publication bias: small studies differ from large ones in more than their "
            "size. Nor does its absence speak against unpublished studies.",
            "Egger's test stands in the table for comparison only. It regresses a proportion on a standard error that "
            "is made of the proportion, and near 0 and 100 % it rejects honest data far too often."]


def _slope_table(results: Results, rows: Sequence[Row]) -> Html:
    heads = ("Endpoint", "Studies", "Slope per 1/√n", "SE", "p, normal", "p, t", "Ratio, 10 against 40 patients",
             "Ratio found 4 times in 5", "p, Egger (not level)", "Note")
    cells = []
    for row in rows:
        if row["status"] != "computed":
            cells.append((_label(results, row), row["k_studies"], *[number(None, "")] * 7, row["reason"]))
            continue
        cells.append((_label(results, row), row["k_studies"], number(row["slope"], ""), number(row["slope_se"], ""),
                      chance(row["slope_two_sided"]), chance(row["slope_two_sided_t"]),
                      _ratio(row), significant(row["detectable_ratio"]), chance(row["egger_two_sided"]), ""))
    outcome = _outcome(rows).replace("the ", "")
    return table(f"{outcome[:1].upper()}{outcome[1:]} on 1/√n, with confidence limits", heads, cells)


def _prediction_table(results: Results, rows: Sequence[Row]) -> Html:
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Study", "Patients", rates.head("Observed"), "Predictive mid-p", "z")
    cells = [(_label(results, row), row["label"], f"{row['n']:,}", rates.one(row["endpoint"], row["observed"]),
              chance(row["pit"]), _with_sign(row["z"])) for row in rows if row["part"] == "study"]
    survival = any(row["time_months"] is not None for row in rows)
    return table("Each study under the prediction of the others"
                 + ("; for survival the mid-p is that of the hazard" if survival else ""), heads, cells, left=2)
