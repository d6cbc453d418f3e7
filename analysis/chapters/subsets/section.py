"""The values of the section on subsets; its words are in section.html."""

from collections.abc import Sequence

from analysis.chapters.subsets.rows import COMPUTED, FEWEST, SUBSET_DIFFERENCES
from analysis.drawing.html import Html, rendered, section
from analysis.results import facts
from analysis.results.numbers import chance, level_text, number, signed
from analysis.results.results import Results
from analysis.results.table import Row


def subsets_section(results: Results) -> Html:
    """Each subset against its complement."""
    rows = results.rows(SUBSET_DIFFERENCES.file)
    computed = [row for row in rows if row["status"] == COMPUTED]
    heads, cells = _table(results, rows)
    return section("subset-differences", "Do the subsets differ?", rendered(
        "chapters/subsets/section.html", say=facts.Words(results), notes=bool(rows), computed=computed,
        apart=[row for row in computed if row["difference_lower"] * row["difference_upper"] > 0.0],
        closest=max(computed, key=lambda row: abs(row["positive"] - 0.5), default=None),
        dominated=[row for row in computed if min(row["subset_k"], row["rest_k"]) < FEWEST],
        one_sided=[row for row in rows if row["status"] != COMPUTED], few=FEWEST,
        points=lambda row: _points(results, row), level=level_text(results.base.level), heads=heads, cells=cells))


def _points(results: Results, row: Row, *, unit: bool = True) -> str:
    """A difference with its limits, all with the same decimals."""
    scale = results.scale(row["endpoint"])
    known = [row[name] for name in ("difference", "difference_lower", "difference_upper")]
    text = "{} [{}, {}]".format(*(signed(value, "proportion", scale, like=known) for value in known))
    return f"{text} {scale.points}" if unit else text


def _table(results: Results, rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    level, rates = level_text(results.base.level), facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Subset", "Rule", "Studies / patients in it", rates.head("In it", f"{level} credible"),
             "Studies / patients outside", rates.head("Outside", f"{level} credible"),
             rates.head_of_change("Difference", f"{level} credible"), "P(difference > 0)", "Note")

    def side(row: Row, name: str) -> tuple[str, str]:
        limits = dict(zip(("median", "lower", "upper"), facts.limits(row, f"{name}_"), strict=True))
        value = number(None, "") if limits["median"] is None else rates.cell(row["endpoint"], limits)
        return f"{row[f'{name}_k']} / {row[f'{name}_n']:,}", value

    cells = [(facts.endpoint_label(results, row["endpoint"]), facts.subset_label(results, row["subset"]), row["rule"],
              *side(row, "subset"), *side(row, "rest"),
              _points(results, row, unit=not rates.shared) if row["status"] == COMPUTED else row["reason"],
              chance(row["positive"]), row["note"]) for row in rows]
    return heads, cells
