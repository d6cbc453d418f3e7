"""Where each difference from a published estimate comes from: one block of lines per published estimate."""

from typing import Any

from matplotlib.figure import Figure

from analysis.cases.settings import ALL
from analysis.chapters.differences.rows import ERRORS, TOTAL
from analysis.drawing import style
from analysis.drawing.axis import by_scale
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, Reference, draw_intervals
from analysis.drawing.page import left_out
from analysis.results.numbers import PERCENT, PROBABILITY_UNITS, Scale, counted, interval_text, number, signed
from analysis.results.table import Frame, grouped_rows
from analysis.results.writing import Labels

MAX_BLOCKS = 40
_LOOKS = {"published": Look(style.PUBLISHED, "D"), "data": Look(style.INK, "s"), "method": Look(style.FAINT, "^"),
          "prior": Look(style.SHRUNKEN, "o"), "error rule": Look(style.SHRUNKEN, "<"),
          "shape": Look(style.SHRUNKEN, ">"),
          "missing studies": Look(style.PREDICTION, "v")}
_NOTE = ("Each change is against the line above it{but}. Data: missing studies and other counts. Prior: with averaging "
         "over the heterogeneity, which maximum likelihood fixes.{curves}")
_BUT = ", that of missing studies against the posterior without a total"
_CURVES = " Error rule and shape: survival from points of curves, with a constant and with a falling hazard."
Steps = list[Any]
"""Of one published estimate."""


def blocks_of(steps: Frame) -> list[Steps]:
    """The steps in per cents, of each published estimate together; the first MAX_BLOCKS are drawn."""
    return grouped_rows(steps[steps["unit"].isin(PROBABILITY_UNITS)], "reported_id")


def draw_decomposition(steps: Frame, *, labels: Labels) -> Figure:
    """Published estimate, the paper's kind of method here, maximum likelihood, posterior.

    Parameters
    ----------
    steps : DataFrame
        As decomposition.csv; those in per cents are drawn.
    """
    blocks = blocks_of(steps)
    groups = by_scale(blocks[:MAX_BLOCKS], lambda block: labels.scales[block[0].endpoint])
    unit, points = (PERCENT.of_a_rate, f",\n{PERCENT.points}") if list(groups) == [PERCENT] else ("", "")
    return draw_intervals(
        [Plot(tuple(_block(block, scale, labels) for block in group), scale,
              scale.axis("Rate, or survival at the horizon")) for scale, group in groups.items()],
        title="Where each difference from the paper comes from", stamp=labels.stamp,
        notes=[_note(blocks[:MAX_BLOCKS]), *left_out(len(blocks) - MAX_BLOCKS)],
        heads=("", f"Estimate{unit}\n[interval],\nstudies", f"Change{points},\ndue to"))


def _note(blocks: list[Steps]) -> str:
    """What each change is, of the steps that there are."""
    drawn = {step.step for block in blocks for step in block}
    return _NOTE.format(but=_BUT if TOTAL in drawn else "", curves=_CURVES if ERRORS in drawn else "")


def _block(steps: Steps, scale: Scale, labels: Labels) -> Block:
    first = steps[0]
    subset = f", {labels.subsets[first.subset]}" if first.subset != ALL else ""
    return Block(tuple(_line(step, scale) for step in steps), labels.endpoints[first.endpoint] + subset,
                 references=(Reference(first.estimate, style.PUBLISHED),))


def _line(step: Any, scale: Scale) -> Line:
    values = (step.estimate, step.lower, step.upper)
    text = interval_text(*values, step.unit, scale) if step.lower is not None else \
        number(step.estimate, step.unit, scale)
    studies = f"\n{counted(step.k_studies, 'study', 'studies')}" if step.k_studies else ""
    like = [value for value in values if value is not None]
    end = f"{signed(step.change, step.unit, scale, like=like)}\n{step.step}" if step.change is not None else ""
    return Line(step.label, (Interval(*values, _LOOKS[step.step], text + studies, end),))
