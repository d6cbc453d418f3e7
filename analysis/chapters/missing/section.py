"""The section on studies whose numbers are not in the evidence: published totals, and bounds."""

from collections.abc import Mapping
from typing import Any

from analysis.drawing.html import Html, folded, paragraphs, section, table
from analysis.results import facts
from analysis.results.numbers import chance, counted, interval_text, joint, level_text, number, studies_and_patients
from analysis.results.results import Results

Row = Mapping[str, Any]
_BOUNDS = {"headline": "headline", "published": "published", "extreme_low": "missing studies: no event",
           "extreme_high": "missing studies: every patient", "each_low": "each missing study at its lower limit",
           "each_high": "each missing study at its upper limit", "joint_low": "their sum at its lower limit",
           "joint_high": "their sum at its upper limit", "total_even": "the total spread evenly",
           "total_in_largest": "the total in the largest studies",
           "total_in_smallest": "the total in the smallest studies"}


def missing_section(results: Results, picture: Html) -> Html:
    """How far the answer depends on studies without a number; a sensitivity analysis, not the headline."""
    totals, bounds = results.rows("published_totals.csv"), results.rows("missing_bounds.csv")
    if not totals and not bounds:
        return Html("")
    return section("missing", "What the missing studies could change",
                   paragraphs([*_readings(results, totals), *_scenarios(results, totals)]), picture,
                   folded("Published totals, every reading", _totals(results, totals)),
                   folded("Bounds", _bounds(results, bounds)))


def _readings(results: Results, rows: tuple[Row, ...]) -> list[str]:
    """A sentence or two for each reading in which every study is accounted for."""
    notes = []
    for row in rows:
        if row["median"] is None or row["absent"] or row["base_gap"]:
            continue
        label = facts.endpoint_label(results, row["endpoint"])
        missing = counted(row["missing_k"], "study", "studies")
        notes.append(
            f"{label}: the published total {row['total_events']}/{row['total_n']} leaves {row['missing_events']} of "
            f"{row['missing_n']} for the {missing} without a number. From the others {_expected(row)} are "
            f"expected; a total as far out as this one has the two-sided predictive probability "
            f"{chance(row['two_sided'])}. With the total the mean rate is {_worded(results, row)}, without it "
            f"{_worded(results, row, 'known_')}. It assumes that the counts here are the ones "
            f"behind the total.")
    return notes


def _scenarios(results: Results, rows: tuple[Row, ...]) -> list[str]:
    """One sentence for each endpoint whose total can only be read with assumptions about which study is absent."""
    notes = []
    for endpoint in dict.fromkeys(row["endpoint"] for row in rows if row["absent"] and row["median"] is not None):
        own = [row for row in rows if row["endpoint"] == endpoint and row["absent"] and row["median"] is not None]
        scale = results.scale(endpoint)
        medians = [row["median"] for row in own]
        low, high = (number(choose(medians), "proportion", scale) for choose in (min, max))
        tail = [row["two_sided"] for row in own]
        notes.append(
            f"{facts.endpoint_label(results, endpoint)}: which study is absent from the published total "
            f"{own[0]['total_events']}/{own[0]['total_n']} is not printed, and no choice adds up exactly. Over "
            f"{counted(len(own), 'reading')} that nearly do, the mean rate with the total is {low} to {high} "
            f"{scale.unit}, and the two-sided predictive probability of the total {chance(min(tail))} to "
            f"{chance(max(tail))}.")
    return notes


def _expected(row: Row) -> str:
    """Expected events with the limits of their prediction: whole, unless they are few."""
    values = (row["expected_events"], row["events_lower"], row["events_upper"])
    return "{} [{}, {}]".format(*joint(values, "events", least=0))


def _worded(results: Results, row: Row, prefix: str = "") -> str:
    return facts.with_unit(interval_text(*facts.limits(row, prefix), "proportion", results.scale(row["endpoint"])),
                           "proportion", results.scale(row["endpoint"]))


def _totals(results: Results, rows: tuple[Row, ...]) -> Html:
    level, rates = level_text(results.base.level), facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Reading", "Absent", "Missing events / patients", f"Expected [{level} prediction]",
             "P(this total)", "mid-p", rates.head("Without the total", f"{level} credible"),
             rates.head("With it", f"{level} credible"), "Note")
    cells = []
    for row in rows:
        known = row["median"] is not None
        expected = _expected(row) if row["expected_events"] is not None else ""
        without = dict(zip(("median", "lower", "upper"), facts.limits(row, "known_"), strict=True))
        cells.append((facts.endpoint_label(results, row["endpoint"]),
                      f"{row['scenario']} {row['total_events']}/{row['total_n']}", _absent(results, row),
                      "" if row["missing_n"] is None else f"{row['missing_events']}/{row['missing_n']}", expected,
                      chance(row["probability"]), chance(row["mid_p"]),
                      rates.cell(row["endpoint"], without) if known else "",
                      rates.cell(row["endpoint"], row) if known else row["status"],
                      "; ".join(filter(None, [row["reason"], row["note"]]))))
    return table("Predictive probability of each published total, and the mean rate that uses it", heads, cells, left=3)


def _absent(results: Results, row: Row) -> str:
    return ", ".join(facts.study_label(results, name) for name in row["absent"].split())


def _bounds(results: Results, rows: tuple[Row, ...]) -> Html:
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "If", "Studies / patients", "Missing studies / patients", "Missing events",
             rates.head("Mean rate"), "Interval", "Note")
    cells = []
    for row in rows:
        level = level_text(row["level"]) if row["level"] else ""
        value = row["status"] if row["median"] is None else rates.one(row["endpoint"], row["median"]) \
            if row["lower"] is None else rates.cell(row["endpoint"], row)
        scenario = f" ({row['scenario'].replace('_', ' ')})" if row["scenario"] else ""
        cells.append((facts.endpoint_label(results, row["endpoint"]),
                      f"{_BOUNDS.get(row['bound'], row['bound'])}{scenario}",
                      studies_and_patients(row["known_k"], row["known_n"]),
                      studies_and_patients(row["missing_k"], row["missing_n"]),
                      "" if row["missing_events"] is None else f"{row['missing_events']}", value,
                      f"{level} {row['interval'] or ''}".strip(),
                      "; ".join(filter(None, [row["reason"], row["note"]]))))
    return table("The mean rate under what the studies without a number can have shown", heads, cells, left=2)
