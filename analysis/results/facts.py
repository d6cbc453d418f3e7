"""Looks values up in the results and words them: every number of the report comes through here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from analysis.cases.selection import horizon_of, subset_names
from analysis.cases.settings import ALL
from analysis.evidence.types import Endpoint, Reported
from analysis.inference import estimands
from analysis.inference.agreement import LIMIT
from analysis.results.comparison import COMPARED, Comparison
from analysis.results.numbers import (
    PERCENT,
    Scale,
    level_text,
    number,
    printed_with_interval,
    signed,
    unit_text,
    with_interval,
)
from analysis.results.records import Record
from analysis.results.results import Results

Row = Mapping[str, Any]

ENGINE_LIMIT = LIMIT
MAIN, NEW = estimands.MAIN, estimands.NEW
STUDY = {"rate": "study_rate", "survival": "study_survival"}


def estimate(record: Record | None, estimand: str, time: float | None = None) -> Row | None:
    """The pooled row of an estimand, None where the fit has none."""
    return next((row for row in (record.estimates if record else ()) if row["estimand"] == estimand
                 and row["study_id"] is None and time in (None, row["time_months"])), None)


def spread_name(record: Record | None) -> str:
    """Such as rho or tau: what a fit says about how much studies differ; empty where it says nothing."""
    return next((name for name in estimands.SPREADS if estimate(record, name)), "")


def cell(record: Record, estimand: str, scale: Scale = PERCENT, *, unit: bool = False) -> str:
    """An estimand for a column of fits: why it is not there, where it is not."""
    return worded(estimate(record, estimand), scale, unit=unit) or ("not given" if record.estimates else record.status)


def worded(row: Row | None, scale: Scale = PERCENT, *, unit: bool = True) -> str:
    """Such as "80 % [72, 86]"; empty without a row."""
    if row is None:
        return ""
    value = with_interval(row, row["unit"], scale)
    return with_unit(value, row["unit"], scale) if unit else value


def printed(reported: Reported, scale: Scale = PERCENT) -> str:
    """A published number with its unit, and with its interval where there is one."""
    text = printed_with_interval(reported.estimate, reported.ci_low, reported.ci_high, reported.units, scale)
    return with_unit(text, reported.units, scale)


def with_unit(text: str, unit: str, scale: Scale = PERCENT) -> str:
    """The text of an estimate, or of one with limits, with its unit behind the estimate."""
    middle, bracket, limits = text.partition(" [")
    return f"{middle} {unit_text(unit, scale)}".rstrip() + bracket + limits


@dataclass(frozen=True)
class Rates:
    """How the rates of a table are written: in one unit, which its heads name, or each with that of its endpoint."""

    results: Results
    shared: Scale | None

    def head(self, name: str, kind: str = "") -> str:
        """Such as "Pooled, % [95 % credible]"."""
        unit = self.shared.of_a_rate if self.shared else ""
        return f"{name}{unit} [{kind}]" if kind else f"{name}{unit}"

    def head_of_change(self, name: str, kind: str = "") -> str:
        """Such as "Change, points"."""
        unit = f", {self.shared.points}" if self.shared else ""
        return f"{name}{unit} [{kind}]" if kind else f"{name}{unit}"

    def cell(self, endpoint: str, row: Row, *, at: str = "median") -> str:
        """An estimate with its limits."""
        scale = self.results.scale(endpoint)
        text = with_interval(row, "proportion", scale, at=at)
        return text if self.shared else with_unit(text, "proportion", scale)

    def one(self, endpoint: str, value: float | None) -> str:
        """A rate without limits."""
        scale = self.results.scale(endpoint)
        text = number(value, "proportion", scale)
        return text if self.shared or value is None else with_unit(text, "proportion", scale)

    def change(self, endpoint: str, value: float | None, like: Sequence[float] = ()) -> str:
        """A difference of rates, with the decimals of an estimate and its limits."""
        scale = self.results.scale(endpoint)
        text = signed(value, "proportion", scale, like=like)
        return text if self.shared or value is None else f"{text} {scale.points}"


def rates(results: Results, endpoints: Iterable[str]) -> Rates:
    """How the rates of these endpoints are written in one table."""
    scales = {results.scale(endpoint) for endpoint in endpoints}
    return Rates(results, scales.pop() if len(scales) == 1 else None if scales else PERCENT)


def limits(row: Row, prefix: str = "") -> tuple[float, float, float]:
    """Median and limits of a row."""
    return row[f"{prefix}median"], row[f"{prefix}lower"], row[f"{prefix}upper"]


def pooled_text(results: Results, endpoint: str) -> str:
    """The headline's median as it stands before its interval everywhere else, with its unit."""
    row = estimate(results.headline(endpoint), MAIN[results.evidence.endpoint(endpoint).kind])
    return worded(row, results.scale(endpoint)).partition(" [")[0]


def kind_of(row: Row) -> str:
    """Such as "95 % credible"."""
    return f"{level_text(row['level'])} {row['interval']}"


CONFLICT = "a prior fights the data"


def conflicting(results: Results, endpoint: str, subset: str = ALL) -> bool:
    """Whether a prior of a headline fit is in conflict with its data."""
    found = results.headline(endpoint, subset)
    return bool(found and found.conflicts)


def conflicts(results: Results) -> list[str]:
    """Each prior-data conflict of a headline fit with the number that it concerns."""
    return [f"{fit_name(results, record)}: {text}" for endpoint in fitted_endpoints(results)
            for _, record in subsets(results, endpoint.endpoint) for text in record.conflicts]


def fitted_endpoints(results: Results) -> list[Endpoint]:
    """Endpoints with a headline fit that has studies, or failed, in the order of endpoints.csv."""
    return [endpoint for endpoint in results.evidence.endpoints
            if (found := results.headline(endpoint.endpoint)) and (found.studies or found.failed)]


def kinds(results: Results) -> set[str]:
    """Of the endpoints with a headline fit: rate, survival or both."""
    return {endpoint.kind for endpoint in fitted_endpoints(results)}


def horizon(results: Results, endpoint: Endpoint) -> float | None:
    """Months at which survival is read; None for a rate."""
    return horizon_of(endpoint, results.base.question) if endpoint.kind == "survival" else None


def main_name(results: Results, endpoint: Endpoint) -> str:
    """The headline estimand in words, such as "survival at 12 months"."""
    months = horizon(results, endpoint)
    return "mean rate" if months is None else f"survival at {months:g} months"


def endpoint_label(results: Results, name: str) -> str:
    """The label of an endpoint; a key that endpoints.csv does not know, in words."""
    labels = {rule.reported_endpoint: rule.label for rule in results.evidence.comparisons if rule.label}
    labels |= {endpoint.endpoint: endpoint.label for endpoint in results.evidence.endpoints}
    return labels.get(name) or name.replace("_", " ").capitalize()


def subset_label(results: Results, name: str) -> str:
    """The label of a subset."""
    labels = {rule.subset: rule.label for rule in reversed(results.evidence.subsets)}
    return labels.get(name) or {ALL: "All studies"}.get(name, name)


def subsets(results: Results, endpoint: str) -> list[tuple[str, Record]]:
    """Subsets whose headline fit has studies."""
    found = ((subset, results.headline(endpoint, subset)) for subset in subset_names(results.evidence))
    return [(subset, record) for subset, record in found if record and record.k_studies]


def pooled_comparisons(results: Results, *, primary: bool) -> list[Comparison]:
    """Published numbers with a posterior beside them; first printings or the other ones."""
    return [found for found in results.comparisons if found.status == COMPARED and found.pooled
            and found.reported.primary == primary]


def with_published_interval(found: Sequence[Comparison]) -> list[Comparison]:
    """Those whose published number has an interval."""
    return [item for item in found if item.reported.ci_low is not None and item.reported.ci_high is not None]


def agrees(found: Comparison) -> bool:
    """Whether the published estimate lies in the credible interval."""
    return found.pooled.estimate.lower <= found.reported.estimate <= found.pooled.estimate.upper


def study_label(results: Results, study_id: str) -> str:
    """The label of a study."""
    return results.evidence.study(study_id).label


def tiers_text(tiers: str) -> str:
    """Such as "tiers A and B"."""
    letters = list(tiers)
    return f"tier {letters[0]}" if len(letters) == 1 else f"tiers {', '.join(letters[:-1])} and {letters[-1]}"


def variation(results: Results, record: Record) -> str:
    """How a fit departs from the headline of its subset, in words."""
    question, base = record.job.question, results.base.question
    headline = results.headline(question.endpoint, question.subset)
    parts = []
    if headline and record.model != headline.model:
        parts.append(f"{record.model.replace('_', '-')} model")
    elif headline and headline.priors and record.priors:
        parts += [f"{name} ~ {prior}" for name, prior in record.priors.items() if headline.priors[name] != prior]
    if question.tiers != base.tiers:
        parts.append(tiers_text(question.tiers))
    if question.study_set != base.study_set:
        parts.append(f"set {question.study_set}")
    if question.early_landmarks != base.early_landmarks:
        parts.append("with early extrapolations" if question.early_landmarks else "without early extrapolations")
    return ", ".join(parts) or "headline"


def fit_name(results: Results, record: Record) -> str:
    """Endpoint, subset and what departs from the headline, in words."""
    question = record.job.question
    return ", ".join([endpoint_label(results, question.endpoint), subset_label(results, question.subset),
                      variation(results, record)])


@dataclass(frozen=True)
class Labels:
    """What a figure needs beside its table: plain values, since another process may draw.

    Parameters
    ----------
    endpoints : mapping of str to str
        Labels of endpoints, and of what was published, by their keys.
    subsets : mapping of str to str
        Labels of subsets by their keys, which may be those of endpoints as well.
    scales : mapping of str to Scale
        Units in which the rates of endpoints are read.
    stamp : str
        Empty, or QUICK.
    """

    endpoints: Mapping[str, str]
    subsets: Mapping[str, str]
    scales: Mapping[str, Scale]
    stamp: str = ""


def labels(results: Results) -> Labels:
    """The labels of everything that a figure may show."""
    evidence = results.evidence
    keys = [row.endpoint for row in (*evidence.endpoints, *evidence.reported)]
    return Labels({key: endpoint_label(results, key) for key in dict.fromkeys(keys)},
                  {rule.subset: rule.label or rule.subset for rule in evidence.subsets},
                  {endpoint.endpoint: results.scale(endpoint.endpoint) for endpoint in evidence.endpoints},
                  results.stamp)


@dataclass(frozen=True)
class Words:
    """The functions of this module with the results filled in, for templates: `say.endpoint_label(key)`."""

    results: Results

    def __getattr__(self, name: str) -> Any:
        return partial(globals()[name], self.results)
