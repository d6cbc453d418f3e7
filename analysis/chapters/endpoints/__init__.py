"""Each endpoint: its studies, estimates, other fits, and what its result hangs on."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from analysis.cases.settings import ALL
from analysis.chapters.chapter import Chapter, Page, Picture
from analysis.chapters.endpoints.figure import draw_forest
from analysis.drawing.html import TIER, Html, folded, join, rendered, show, table, tag
from analysis.drawing.tables import FITS, fit_row
from analysis.evidence.types import HANDLING, Endpoint
from analysis.inference.estimands import LABELS, MAIN, NEW, OF_A_STUDY, OF_CURVES
from analysis.results.comparison import COMPARISON, published_months, rule_for
from analysis.results.numbers import counted, studies_and_patients, unit_text
from analysis.results.records import Record
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.tables import CONVERSIONS, ESTIMATES, STUDIES
from analysis.results.writing import RATE

_PICTURES = ("forest", "sensitivity", "bubble")
_FEW = {1: " (not pooled)", 2: " (prior-dominated)"}


def _figures(results: Results) -> Iterator[Picture]:
    for endpoint in results.fitted:
        record = results.headline(endpoint.endpoint)
        if record.studies:
            yield Picture("forest", draw_forest, forest_of(results, endpoint, record), _alt(results, endpoint, record),
                          endpoint.endpoint)


def forest_of(results: Results, endpoint: Endpoint, record: Record) -> dict[str, Any]:
    """The arguments of `draw_forest`."""
    question = record.job.question
    tiers = f"tiers {', '.join(question.tiers)}" if any(row["tier"] for row in record.studies) else ""
    detail = ", ".join(filter(None, (counted(record.k_studies, "study"), counted(record.n_patients, "patient"), tiers,
                                     record.model.replace("_", "-") + " model")))
    return {"studies": record.studies, "estimates": record.estimates,
            "published": _published(results, endpoint, question.subset), "label": endpoint.label, "detail": detail,
            "status": record.status, "stamp": results.stamp, "scale": results.labels.scales[endpoint.endpoint],
            "horizon": results.horizon(endpoint)}


def _published(results: Results, endpoint: Endpoint, subset: str) -> list[Row]:
    """Rows of first printings about a question; of survival, those at the months at which it is read here."""
    evidence, horizon = results.evidence, results.horizon(endpoint)
    ids = {reported.reported_id for reported in evidence.reported if (rule := rule_for(evidence, reported))
           and rule.endpoint == endpoint.endpoint
           and horizon in (None, published_months(evidence, reported, rule))}
    return [row for row in results.rows(COMPARISON.file)
            if row["reported_id"] in ids and row["primary"] and (row["subset"] or ALL) == subset]


def _alt(results: Results, endpoint: Endpoint, record: Record) -> str:
    parts = [f"Forest plot of {endpoint.label}: {counted(record.k_studies, 'study')}, "
             f"{counted(record.n_patients, 'patient')}"]
    write = results.writer(ESTIMATES)
    for name, estimand in ((results.main_name(endpoint), MAIN), ("a new study", NEW)):
        row = record.estimate(estimand[endpoint.kind])
        parts.append(f"{name} {write(row)}, {write(row, 'level')} interval" if row else record.status)
    return "; ".join(dict.fromkeys(parts)) + "."


def _pages(results: Results, page: Page) -> Iterator[tuple[str, Html]]:
    """A page for each endpoint."""
    for endpoint in results.fitted:
        key = endpoint.endpoint
        yield f"endpoint-{key}", page.part(endpoint.label, (f"endpoint {key}", *(
            f"figure {kind}.{key}" for kind in _PICTURES)), partial(_endpoint, results, endpoint, page))


def _endpoint(results: Results, endpoint: Endpoint, page: Page) -> Html:
    """Everything about one endpoint, and what other chapters say about it."""
    record = results.headline(endpoint.endpoint)
    warning = tag("p", f"{record.status}: {record.diagnostics.get('failures', '')}", class_="failed") \
        if record.failed else Html("")
    notes = [tag("li", _named(results, endpoint, note)) for note in record.warnings if note not in record.conflicts]
    conflicts = (tag("p", f"{text}.", class_="failed") for text in record.conflicts)
    parts = [tag("h2", endpoint.label), warning, *conflicts, _reading(results, record),
             page.picture("forest", endpoint.endpoint),
             tag("div", tag("p", "Notes on the rows used:"), tag("ul", *notes), class_="notes") if notes else "",
             _estimands(results, endpoint), _fits(results, endpoint),
             folded("What this result hangs on", page.blocks(endpoint.endpoint)),
             folded("Studies: reported and shrunken", _studies(results, record, endpoint)),
             folded("From the printed survival statistic to a log hazard", _conversions(results, record))
             if not results.labels.scales[endpoint.endpoint].months else ""]
    return tag("section", join(parts, "\n"), id=f"endpoint-{endpoint.endpoint}", class_="endpoint")


def _reading(results: Results, record: Record) -> Html:
    """Of survival with two readings, which of them stands on the card and which on this page."""
    write, main = results.writer(ESTIMATES), record.estimate("survival")
    falling = next((row for row in results.rows("answer.csv") if main and row["hazard"] == "falling"
                    and all(row[name] == main[name] for name in ("endpoint", "estimand", "time_months"))), None)
    return rendered("chapters/endpoints/reading.html", preferred=write(falling), constant=write(main),
                    months=main["time_months"]) if falling else Html("")


def _named(results: Results, endpoint: Endpoint, note: str) -> str:
    """A note of the selection with labels for the keys of study and endpoint."""
    study_id, colon, rest = note.partition(": ")
    named = f"{results.labels.studies.get(study_id, study_id)}{colon}{rest}"
    # Only where a note names its endpoint: the key may be a word of the sentence.
    key = rf"(?P<before>^|: |^the base of |: the base of ){re.escape(endpoint.endpoint)}(?= (?:is|mixes) )"
    return re.sub(key, lambda match: match["before"] + endpoint.label, named, count=1)


def _counts(record: Record) -> str:
    return studies_and_patients(record.k_studies, record.n_patients) + _FEW.get(record.k_studies, "")


def _estimands(results: Results, endpoint: Endpoint) -> Html:
    """Rows: estimands; columns: subsets, all with the headline model and tiers."""
    subsets, write = results.subsets(endpoint.endpoint), results.writer(ESTIMATES)
    scale = results.labels.scales[endpoint.endpoint]
    names = dict.fromkeys((row["estimand"], row["time_months"], row["unit"], write(row, "level"))
                          for _, record in subsets for row in record.estimates if row["study_id"] is None
                          and not (scale.months and row["unit"] in OF_CURVES))
    heads = ["Estimand", "Interval", "Unit", *(
        join([results.labels.subsets[subset], tag("small", _counts(record))]) for subset, record in subsets)]
    rows = []
    for estimand, months, unit, kind in names:
        estimates = [(record, record.estimate(estimand, months)) for _, record in subsets]
        label = LABELS.get(estimand, estimand) + (f", {months:g} months" if months else "")
        label = label.replace("Hazard", "Event rate").replace("hazard", "event rate") if scale.months else label
        rows.append((label, kind, unit_text(unit, scale),
                     *(write.interval(row, "median", unit) if row else record.status for record, row in estimates)))
    return table(f"{endpoint.label}: posterior medians [intervals] by subset; below each subset, studies / patients",
                 heads, rows, numeric=range(3, len(heads)))


def _fits(results: Results, endpoint: Endpoint) -> Html:
    """Rows: all fits of the endpoint, the headline and what departs from it."""
    spread = results.headline(endpoint.endpoint).heterogeneity
    rows = [fit_row(results, record, spread) for record in results.records
            if record.job.question.endpoint == endpoint.endpoint]
    return show(results.writer(FITS), rows, "subset fit k_studies main_median new_median spread_median",
                caption=f"{endpoint.label}: the headline and the fits beside it",
                heads={"main_median": results.main_name(endpoint).capitalize() + "{unit} [{level} credible]",
                       "spread_median": f"{spread or 'Heterogeneity'} [{{level}} credible]"},
                cells={"k_studies": lambda row: _counts(row["record"])},
                marked=lambda row: "failed" if row["record"].failed else
                "headline" if row["fit"] == "headline" else None)


def _studies(results: Results, record: Record, endpoint: Endpoint) -> Html:
    write = results.writer(STUDIES)
    kinds = " or ".join(dict.fromkeys(row["raw_interval"] for row in record.studies))
    shrunken = {row["study_id"]: write.interval(row, "median", RATE) for row in record.estimates
                if row["estimand"] in OF_A_STUDY}
    return show(results.writer(STUDIES), record.studies, "label tier risk_of_bias population statistic n raw shrunken",
                caption=f"{endpoint.label}: each study{results.labels.scales[endpoint.endpoint].of_a_rate}",
                heads={"tier": TIER, "population": "Base" if endpoint.kind == "rate" else "Definition",
                       "raw": f"Raw [{{level}} {kinds}]",
                       "shrunken": "Shrunken [{level} credible]"},
                cells={"raw": lambda row: write.interval(row, "raw", RATE),
                       "shrunken": lambda row: shrunken.get(row["study_id"], record.status)})


def _conversions(results: Results, record: Record) -> Html:
    hazards = show(results.writer(CONVERSIONS, missing=""), record.conversions, "study_id definition tier "
                   "censored_at_hct non_responders statistic rule patients effective log_hazard se_lower se_upper",
                   heads={"tier": TIER}, cells={"log_hazard": _counted},
                   caption="Log hazard per person-month of each study, with its standard error")
    counts = {name: sum(bool(row[name]) for row in record.conversions) for name in sorted(HANDLING)}
    return join([hazards, rendered(
        "chapters/endpoints/conversions.html", total=len(record.conversions), **counts)]) if hazards else hazards


def _counted(row: Row) -> str | None:
    """What stands for a log hazard where events were counted."""
    if row["landmark_months"]:
        counts = row["events"], row["events"] + row["person_months"] / row["landmark_months"]
        events, patients = (f"{count:,.0f}" if count >= 999.5 else f"{count:.3g}" for count in counts)
        return f"{events} events / {patients} patients by {row['landmark_months']:g} months"
    months = row["person_months"]
    return f"{row['events']:,.10g} events / {months:,.10g} person-months" if months else None


CHAPTER = Chapter("endpoints", 120, figures=_figures, pages=_pages, parts=("figures",))
