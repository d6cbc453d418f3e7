"""The section of one endpoint: figure, estimands by subset, every other fit beside them, and the data used."""

import re

from analysis.drawing.html import Html, folded, join, paragraphs, rendered, table, tag
from analysis.evidence.types import Endpoint
from analysis.inference.estimands import LABELS
from analysis.results import facts
from analysis.results.numbers import Scale, level_text, number, studies_and_patients, unit_text, with_interval
from analysis.results.records import Record
from analysis.results.results import Results

_FEW = {1: " (not pooled)", 2: " (prior-dominated)"}


def endpoint_section(results: Results, endpoint: Endpoint, picture: Html, dependence: Html | str = "") -> Html:
    """Everything about one endpoint; `dependence` is what its result hangs on."""
    record = results.headline(endpoint.endpoint)
    warning = tag("p", f"{record.status}: {record.diagnostics.get('failures', '')}", class_="failed") \
        if record.failed else Html("")
    notes = [_named(results, endpoint, note) for note in record.warnings if note not in record.conflicts]
    conflicts = (tag("p", f"{text}.", class_="failed") for text in record.conflicts)
    parts = [tag("h3", endpoint.label), warning, *conflicts, picture,
             tag("div", tag("p", "Notes on the rows used:"), paragraphs(notes), class_="notes") if notes else "",
             _estimands(results, endpoint), _fits(results, endpoint), dependence,
             folded("Studies: reported and shrunken", _studies(record, endpoint, results.scale(endpoint.endpoint))),
             folded("From the printed survival statistic to a log hazard", _conversions(results, record))]
    return tag("section", join(parts, "\n"), id=f"endpoint-{endpoint.endpoint}", class_="endpoint")


def _named(results: Results, endpoint: Endpoint, note: str) -> str:
    """A note of the selection with labels for the keys of study and endpoint."""
    study_id, colon, rest = note.partition(": ")
    try:
        named = f"{facts.study_label(results, study_id)}: {rest}" if colon else note
    except KeyError:
        named = note
    # Only where a note names its endpoint: the key may be a word of the sentence.
    key = rf"(?P<before>^|: |^the base of |: the base of ){re.escape(endpoint.endpoint)}(?= (?:is|mixes) )"
    return re.sub(key, lambda found: found["before"] + endpoint.label, named, count=1)


def _estimands(results: Results, endpoint: Endpoint) -> Html:
    """Rows: estimands; columns: subsets, all with the headline model and tiers."""
    subsets = facts.subsets(results, endpoint.endpoint)
    names = dict.fromkeys((row["estimand"], row["time_months"], row["unit"], facts.kind_of(row))
                          for _, record in subsets for row in record.estimates if row["study_id"] is None)
    scale = results.scale(endpoint.endpoint)
    heads = ["Estimand", "Interval", "Unit", *(
        join([facts.subset_label(results, subset), tag("small", studies_and_patients(
            record.k_studies, record.n_patients) + _FEW.get(record.k_studies, ""))]) for subset, record in subsets)]
    rows = []
    for estimand, time, unit, kind in names:
        months = f", {time:g} months" if time else ""
        cells = [facts.worded(facts.estimate(record, estimand, time), scale, unit=False) or record.status
                 for _, record in subsets]
        rows.append((f"{LABELS.get(estimand, estimand)}{months}", kind, unit_text(unit, scale), *cells))
    return table(f"{endpoint.label}: posterior medians [intervals] by subset; below each subset, studies / patients",
                 heads, rows, left=3)


def _fits(results: Results, endpoint: Endpoint) -> Html:
    """Rows: all fits of the endpoint, the headline and what departs from it."""
    level, spread = level_text(results.base.level), facts.spread_name(results.headline(endpoint.endpoint))
    found = [record for record in results.records if record.job.question.endpoint == endpoint.endpoint]
    rates = facts.rates(results, [endpoint.endpoint])
    heads = ("Subset", "Fit", "Studies / patients", rates.head(facts.main_name(results, endpoint).capitalize(),
             f"{level} credible"), rates.head("New study", f"{level} prediction"),
             f"{spread or 'Heterogeneity'} [{level} credible]")
    rows = [(facts.subset_label(results, record.job.question.subset), facts.variation(results, record),
             studies_and_patients(record.k_studies, record.n_patients) + _FEW.get(record.k_studies, ""),
             *(facts.cell(record, estimand, rates.shared) for estimand in (
                 facts.MAIN[endpoint.kind], facts.NEW[endpoint.kind], spread))) for record in found]
    return table(f"{endpoint.label}: the headline and the fits beside it", heads, rows, left=2,
                 marked=["failed" if record.failed else "headline" if facts.variation(results, record) == "headline"
                         else None for record in found])


def _studies(record: Record, endpoint: Endpoint, scale: Scale) -> Html:
    shrunken = {row["study_id"]: row for row in record.estimates
                if row["estimand"] == facts.STUDY[endpoint.kind]}
    level = level_text(record.job.level)
    rows = []
    for row in record.studies:
        own = shrunken.get(row["study_id"])
        rows.append((row["label"], row["tier"], row["population"], row["statistic"], f"{row['n']:,}",
                     with_interval(row, "proportion", scale, at="raw"),
                     facts.worded(own, scale, unit=False) or record.status))
    raw = record.studies[0]["raw_interval"] if record.studies else ""
    base = "Base" if endpoint.kind == "rate" else "Definition"
    heads = ("Study", "Tier", base, "Reported", "n", f"Raw [{level} {raw}]", f"Shrunken [{level} credible]")
    return table(f"{endpoint.label}: each study{scale.of_a_rate}", heads, rows, left=4)


def _conversions(results: Results, record: Record) -> Html:
    rows = [(facts.study_label(results, row["study_id"]), row["definition"], row["tier"], row["statistic"],
             row["rule"], f"{row['patients']:,}", *_hazard_cells(row)) for row in record.conversions]
    heads = ("Study", "Definition", "Tier", "Printed", "Standard error from", "n", "Log hazard", "SE below",
             "SE above")
    made = table("Log hazard per person-month of each study, with its standard error", heads, rows, left=5)
    return join([made, rendered("chapters/endpoints/conversions.html")]) if rows else made


def _hazard_cells(row: facts.Row) -> tuple[str, str, str]:
    if row["landmark_months"]:
        patients = row["events"] + row["person_months"] / row["landmark_months"]
        return f"{row['events']:.3g} events / {patients:.3g} patients by {row['landmark_months']:g} months", "", ""
    if row["person_months"]:
        return f"{row['events']:.10g} events / {row['person_months']:.10g} person-months", "", ""
    return tuple(number(row[name], "") for name in ("log_hazard", "se_lower", "se_upper"))
