"""Do the subsets differ? Each against its complement."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.drawing.html import Html, folded, paragraphs, section, table
from analysis.results import facts
from analysis.results.numbers import (
    chance,
    counted,
    level_text,
    number,
    signed,
)
from analysis.results.results import Results

Row = Mapping[str, Any]
_FEW = 3


def subsets_section(results: Results) -> Html:
    """Each subset against its complement."""
    rows = results.rows("subset_differences.csv")
    computed = [row for row in rows if row["status"] == "computed"]
    return section("subset-differences", "Do the subsets differ?",
                   paragraphs([*_differing(results, computed), *_dominated(computed), *_one_sided(rows)]),
                   folded("Every subset against its complement", _subset_table(results, rows)))


def _label(results: Results, row: Row) -> str:
    return facts.endpoint_label(results, row["endpoint"])


def _worded(rates: facts.Rates, row: Row, name: str) -> str:
    if row[f"{name}median"] is None:
        return number(None, "")
    return rates.cell(row["endpoint"], dict(zip(("median", "lower", "upper"), facts.limits(row, name), strict=True)))


def _points(results: Results, row: Row, *, unit: bool = True) -> str:
    """A difference with its limits, all with the same decimals."""
    scale = results.scale(row["endpoint"])
    known = [row[name] for name in ("difference", "difference_lower", "difference_upper")]
    text = "{} [{}, {}]".format(*(signed(value, "proportion", scale, like=known) for value in known))
    return f"{text} {scale.points}" if unit else text


def _differing(results: Results, rows: Sequence[Row]) -> list[str]:
    """The differences whose interval excludes none, and how many there are in all."""
    if not rows:
        return []
    apart = [row for row in rows if row["difference_lower"] * row["difference_upper"] > 0.0]
    notes = [f"{_label(results, row)}, {facts.subset_label(results, row['subset'])}: {_points(results, row)} against "
             f"the other studies ({row['subset_k']} against {row['rest_k']}); the probability that it is larger there "
             f"is {chance(row['positive'])}." for row in apart]
    level = level_text(rows[0]["level"])
    notes.append(f"Of {counted(len(rows), 'difference')} between a subset and its complement, {len(apart)} "
                 f"{'has' if len(apart) == 1 else 'have'} a {level} credible interval without zero. They are "
                 f"differences between studies, not effects of what defines the subset.")
    closest = max(rows, key=lambda row: abs(row["positive"] - 0.5))
    if closest not in apart:
        notes.append(f"The clearest is {_label(results, closest)}, {facts.subset_label(results, closest['subset'])}: "
                     f"{_points(results, closest)}, with probability {chance(closest['positive'])} of being "
                     f"positive{'; ' + closest['note'] if closest['note'] else ''}.")
    return notes


def _dominated(rows: Sequence[Row]) -> list[str]:
    few = [row for row in rows if min(row["subset_k"], row["rest_k"]) < _FEW]
    return [f"In {len(few)} of them one side has fewer than {_FEW} studies: its heterogeneity, and with it much of the "
            f"width, is the prior's."] if few else []


def _one_sided(rows: Sequence[Row]) -> list[str]:
    missing = [row for row in rows if row["status"] != "computed"]
    return [f"{counted(len(missing), 'further comparison')} cannot be made; the table says why."] if missing else []


def _subset_table(results: Results, rows: Sequence[Row]) -> Html:
    level, rates = level_text(results.base.level), facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Subset", "Rule", "Studies / patients in it", rates.head("In it", f"{level} credible"),
             "Studies / patients outside", rates.head("Outside", f"{level} credible"),
             rates.head_of_change("Difference", f"{level} credible"),
             "P(difference > 0)", "Note")
    cells = [(_label(results, row), facts.subset_label(results, row["subset"]), row["rule"],
              f"{row['subset_k']} / {row['subset_n']:,}", _worded(rates, row, "subset_"),
              f"{row['rest_k']} / {row['rest_n']:,}", _worded(rates, row, "rest_"),
              _points(results, row, unit=not rates.shared) if row["status"] == "computed" else row["reason"],
              chance(row["positive"]),
              row["note"]) for row in rows]
    return table("Each subset, its complement and their difference, from separate fits", heads, cells, left=3)
