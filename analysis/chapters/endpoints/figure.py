"""Forest plot of one endpoint: what each study reports, what it is shrunken to, and the pooled results below."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.intervals import DIAMOND, Block, Interval, Line, Look, Plot, Reference, draw_intervals
from analysis.inference.estimands import OF_A_STUDY
from analysis.results.numbers import PERCENT, Scale, counted, level_text, out_of, printed_with_interval, with_interval
from analysis.results.table import Row

MAX_STUDIES = 40
"""More than these are not drawn: a longer picture can neither be printed nor opened everywhere."""
LARGEST_SQUARE = 180.0
"""Area of the largest study's square, in square points."""

_ESTIMANDS = {False: (("mean_rate", "Mean rate"), ("new_study_rate", "Rate of a new study")),
              True: (("survival", "Survival, typical study"), ("new_study_survival", "Survival in a new study"))}
_OURS = ("median", "lower", "upper", "level", "k_studies", "n_patients")
_THEIRS = ("", "_lower", "_upper", "_level", "_k", "_n")
_UNIT = "proportion"
_SHRUNKEN = Look(style.SHRUNKEN, size=7.0, width=2.6)
_POOLED = {"credible": Look(style.SHRUNKEN, DIAMOND, bold=True),
           "prediction": Look(style.PREDICTION, dashed=True, bold=True, width=2.6),
           "confidence": Look(style.PUBLISHED, "D", bold=True, width=2.6)}


def draw_forest(studies: Sequence[Row], *, estimates: Sequence[Row], published: Sequence[Row] = (), label: str,
                detail: str = "", horizon: float | None = None, status: str = "converged", stamp: str = "",
                scale: Scale = PERCENT) -> Figure:
    """Forest plot of one endpoint in one subset.

    Parameters
    ----------
    studies : sequence of rows
        As in studies.csv, of this endpoint.
    estimates : sequence of rows
        As in estimates.csv, of the headline fit; empty where it did not converge.
    published : sequence of rows
        As in comparison.csv, of this endpoint and subset; the first with the headline estimand is shown.
    label, detail : str
        Title, and what the fit is.
    horizon : float or None
        Months at which survival is read, None for rates.
    status : str
        Of the fit; anything but "converged" is stamped.
    stamp : str
        Empty, or QUICK.
    scale : Scale
        The unit in which the endpoint's rates are read.
    """
    estimates, alarm = (estimates, "") if status == "converged" else ((), status)
    largest = sorted(studies, key=lambda row: -row["n"])[:MAX_STUDIES]
    shrunken = {row["study_id"]: row for row in estimates if row["estimand"] in OF_A_STUDY}
    lines = [_study(row, shrunken.get(row["study_id"]), at, largest[0]["n"], scale) for at, row in enumerate(
        sorted(largest, key=lambda row: (-row["raw"], str(row["label"]))))]
    pooled = _pooled(estimates, published, horizon is not None, scale)
    references = [Reference(line.intervals[0].middle, style.SHRUNKEN) for line in pooled
                  if line.intervals[0].look.marker == DIAMOND]
    hidden = len(studies) - len(lines)
    more = f"; {counted(hidden, 'smaller study', 'smaller studies')} not drawn, the tables hold all" if hidden else ""
    what = "Rate" if horizon is None else f"Survival at {horizon:g} months"
    return draw_intervals(
        [Plot((Block(tuple(lines), references=tuple(references)), Block(tuple(pooled), far=True)), scale,
              scale.axis(what))],
        title=label, heads=_heads(detail, studies, shrunken, horizon, scale), legend=_legend(studies, shrunken),
        notes=[f"area of a square: patients{more}"], stamp=" · ".join(filter(None, (alarm, stamp))))


def _study(row: Row, shrunken: Row | None, at: int, largest: int, scale: Scale) -> Line:
    look = Look(style.RAW, "s", (LARGEST_SQUARE * row["n"] / largest) ** 0.5, 1.3,
                fill=style.TIER_FILLS.get(row["tier"], style.RAW))
    counts = out_of(row["events"], row["n"]) if row.get("events") is not None else \
        row["statistic"] if scale.months else f"{row['n']:,} · {row['statistic']}"
    intervals = [Interval(row["raw"], row["raw_lower"], row["raw_upper"], look,
                          with_interval(row, _UNIT, scale, at="raw"), gid=f"square-{at}")]
    if shrunken:
        intervals.append(Interval(shrunken["median"], shrunken["lower"], shrunken["upper"], _SHRUNKEN,
                                  with_interval(shrunken, _UNIT, scale)))
    return Line(row["label"], tuple(intervals), (f"{row['tier']} · {counts}" if row["tier"] else counts,))


def _pooled(estimates: Sequence[Row], published: Sequence[Row], survival: bool, scale: Scale) -> list[Line]:
    """What there is to show below the studies: up to three lines."""
    pooled = {row["estimand"]: row for row in reversed(estimates) if not row["study_id"]}
    lines = [_pooled_line(label.replace("Survival", "Event rate") if scale.months else label, row["interval"],
                          [row[name] for name in _OURS], with_interval(row, _UNIT, scale))
             for estimand, label in _ESTIMANDS[survival] if (row := pooled.get(estimand))]
    row = next((row for row in published if row["estimand"] == _ESTIMANDS[survival][0][0]
                and row["transform"] != "complement"), None)
    if row:
        cells = [row[f"published{name}"] for name in _THEIRS]
        lines.append(_pooled_line("Published", "confidence", cells,
                                  printed_with_interval(*cells[:3], "probability", scale)))
    return lines


def _pooled_line(label: str, kind: str, cells: Sequence[Any], text: str) -> Line:
    """A line of estimate, limits, level, studies and patients; a new study has those of the line above it."""
    *values, level, k, n = cells
    interval = f"{level_text(level)} {kind} interval".strip() if values[1] is not None else "no interval published"
    base = ", ".join(counted(count, noun) for count, noun in ((k, "study"), (n, "patient")) if count)
    return Line(label, (Interval(*values, _POOLED[kind], text),), (interval, "" if kind == "prediction" else base))


def _heads(detail: str, studies: Sequence[Row], shrunken: dict[str, Row], horizon: float | None,
           scale: Scale) -> tuple[str, str, str]:
    unit = scale.of_a_rate if scale == PERCENT else ""  # a longer one has room below the axis only
    tier = "tier · " if any(row["tier"] for row in studies) else ""
    counts = "events / n" if horizon is None else "reported" if scale.months else "n · reported"
    kinds = [f"Raw{unit} [{level_text(next((row['level'] for row in studies), None))} confidence]",
             *(f"Shrunken{unit} [{level_text(row['level'])} credible]" for row in list(shrunken.values())[:1])]
    return f"{detail}\n\nStudy: {tier}{counts}", "", "\n".join(["", *kinds])


def _legend(studies: Sequence[Row], shrunken: dict[str, Row]) -> list[tuple[Look, str]]:
    tiers = sorted({row["tier"] for row in studies} & set(style.TIER_FILLS)) or [""]
    marks = [(Look(style.RAW, "s", 9.0, 1.3, fill=style.TIER_FILLS.get(tier, style.RAW)),
              f"raw, tier {tier}" if tier else "raw") for tier in tiers]
    return [*marks, *([(_SHRUNKEN, "shrunken (posterior median)")] if shrunken else [])]
