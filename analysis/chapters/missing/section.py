"""The values of the section on missing studies; its words are in section.html."""

from collections.abc import Sequence
from itertools import groupby

from analysis.chapters.missing.rows import MISSING_BOUNDS, PUBLISHED_TOTALS
from analysis.drawing.html import Html, rendered, section
from analysis.results import facts
from analysis.results.numbers import chance, interval_text, joint, level_text, out_of, studies_and_patients
from analysis.results.results import Results
from analysis.results.table import Row

_BOUNDS = {"headline": "headline", "published": "published", "extreme_low": "missing studies: no event",
           "extreme_high": "missing studies: every patient", "each_low": "each missing study at its lower limit",
           "each_high": "each missing study at its upper limit", "joint_low": "their sum at its lower limit",
           "joint_high": "their sum at its upper limit", "total_even": "the total spread evenly",
           "total_in_largest": "the total in the largest studies",
           "total_in_smallest": "the total in the smallest studies"}


def missing_section(results: Results, picture: Html) -> Html:
    """How far the answer depends on studies without a number; a sensitivity analysis, not the headline."""
    totals, bounds = results.rows(PUBLISHED_TOTALS.file), results.rows(MISSING_BOUNDS.file)
    if not totals and not bounds:
        return Html("")
    computed = [row for row in totals if row["median"] is not None]

    def rate(row: Row, prefix: str = "") -> str:
        scale = results.scale(row["endpoint"])
        return facts.with_unit(interval_text(*facts.limits(row, prefix), "proportion", scale), "proportion", scale)

    return section("missing", "What the missing studies could change", rendered(
        "chapters/missing/section.html", say=facts.Words(results), picture=picture, rate=rate, expected=_expected,
        whole=[row for row in computed if not row["absent"] and not row["base_gap"]],
        guessed=[list(rows) for _, rows in groupby((row for row in computed if row["absent"]),
                                                   key=lambda row: row["endpoint"])],
        scale=results.scale, totals=_totals(results, totals), bounds=_bounds(results, bounds)))


def _expected(row: Row) -> str:
    """Expected events with the limits of their prediction: whole, unless they are few."""
    values = (row["expected_events"], row["events_lower"], row["events_upper"])
    return "" if None in values else "{} [{}, {}]".format(*joint(values, "events", least=0))


def _totals(results: Results, rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    level, rates = level_text(results.base.level), facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Reading", "Absent", "Missing events / patients", f"Expected [{level} prediction]",
             "P(this total)", "mid-p", rates.head("Without the total", f"{level} credible"),
             rates.head("With it", f"{level} credible"), "Note")
    cells = []
    for row in rows:
        without = dict(zip(("median", "lower", "upper"), facts.limits(row, "known_"), strict=True))
        cells.append((facts.endpoint_label(results, row["endpoint"]),
                      f"{row['scenario']} {out_of(row['total_events'], row['total_n'])}",
                      ", ".join(facts.study_label(results, study_id) for study_id in row["absent"].split()),
                      "" if row["missing_n"] is None else f"{row['missing_events']}/{row['missing_n']}",
                      _expected(row), chance(row["probability"]), chance(row["mid_p"]),
                      "" if row["median"] is None else rates.cell(row["endpoint"], without),
                      row["status"] if row["median"] is None else rates.cell(row["endpoint"], row),
                      "; ".join(filter(None, [row["reason"], row["note"]]))))
    return heads, cells


def _bounds(results: Results, rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "If", "Studies / patients", "Missing studies / patients", "Missing events",
             rates.head("Mean rate"), "Interval", "Note")

    def rate(row: Row) -> str:
        if row["median"] is None:
            return row["status"]
        return rates.one(row["endpoint"], row["median"]) if row["lower"] is None else rates.cell(row["endpoint"], row)

    cells = [(facts.endpoint_label(results, row["endpoint"]), _BOUNDS[row["bound"]]
              + (f" ({row['scenario'].replace('_', ' ')})" if row["scenario"] else ""),
              studies_and_patients(row["known_k"], row["known_n"]),
              studies_and_patients(row["missing_k"], row["missing_n"]),
              "" if row["missing_events"] is None else f"{row['missing_events']}", rate(row),
              f"{level_text(row['level'])} {row['interval'] or ''}".strip(),
              "; ".join(filter(None, [row["reason"], row["note"]]))) for row in rows]
    return heads, cells
