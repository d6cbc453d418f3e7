"""What a run hands on: its fits and tables, with the words and units in which readers see them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.cases.selection import horizon_of, subset_names
from analysis.cases.settings import ALL, Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import DEFAULT_DATA
from analysis.evidence.types import Endpoint
from analysis.inference.estimands import MAIN
from analysis.results.comparison import COMPARED, COMPARISON
from analysis.results.numbers import Scale, estimand_text, level_text, safe, scale_of
from analysis.results.records import Record
from analysis.results.table import COMPUTED, Layout, Row, Table
from analysis.results.writing import Labels, Writer
from analysis.system.failures import Failure

if TYPE_CHECKING:
    import pandas as pd

CONFLICT = "a prior fights the data"


@dataclass(frozen=True)
class Results:
    """The tables of a run.

    Parameters
    ----------
    base : Job
        The headline's settings; endpoint and subset are replaced.
    records : tuple of Record
        One per fit, in the order of the plan.
    stamp : str
        Empty, or QUICK where the chains are short.
    tables : mapping of str to Table
        By file name.
    values : mapping of str to values
        What chapters hand on beside their tables.
    failures : tuple of Failure
        Parts beside the fits that ended in an unexpected error.
    """

    evidence: Evidence
    base: Job
    records: tuple[Record, ...]
    stamp: str = ""
    tables: Mapping[str, Table] = field(default_factory=dict)
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    def rows(self, file: str) -> tuple[dict[str, Any], ...]:
        """Rows of a table; none where it was not made."""
        return self.tables[file].rows if file in self.tables else ()

    def computed(self, file: str) -> list[dict[str, Any]]:
        """Rows of a table that have a result."""
        return [row for row in self.rows(file) if row["status"] == COMPUTED]

    def frame(self, layout: Layout) -> "pd.DataFrame":
        """A table with typed columns; without rows where it was not made."""
        return self.tables.get(layout.file, layout.table(())).frame

    def compared(self, *, primary: bool = True, interval: bool = False) -> list[dict[str, Any]]:
        """Rows of comparison.csv with a posterior beside the published number.

        Parameters
        ----------
        primary : bool
            Whether first printings are wanted, or the other ones.
        interval : bool
            Whether those without a published interval are left out.
        """
        return [row for row in self.rows(COMPARISON.file)
                if row["status"] == COMPARED and row["model"] and row["primary"] == primary
                and not (interval and None in (row["published_lower"], row["published_upper"]))]

    def published(self) -> dict[str, dict[str, Any]]:
        """The compared number over all studies that is of the main estimand of an endpoint, no complement of it."""
        return {row["our_endpoint"]: row for row in reversed(self.compared()) if (row["subset"] or ALL) == ALL
                and row["estimand"] in MAIN.values() and row["transform"] != "complement"}

    def told(self, layout: Layout, rows: Iterable[Row], *names: str, by: str = "endpoint") -> str:
        """Cells of rows in words, such as "Complete remission 80 % [72, 86]; ..."; `by` names the row."""
        write = self.writer(layout)
        return "; ".join(" ".join((self.labels.endpoints[row[by]] if by == "endpoint" else str(row[by]),
                                   *(write(row, name) for name in names))) for row in rows)

    @property
    def failed(self) -> tuple[Record, ...]:
        """Fits that are no results."""
        return tuple(record for record in self.records if record.failed)

    def headline(self, endpoint: str, subset: str = ALL) -> Record | None:
        """The headline fit of an endpoint, None where the evidence has none."""
        records = [record for record in self.records if record.job.question.endpoint == endpoint]
        return next((record for record in records if record.job.question.subset == subset
                     and record.job.question.tiers == self.base.question.tiers
                     and record.job.question.early_landmarks and record.model == records[0].model), None)

    def subsets(self, endpoint: str) -> list[tuple[str, Record]]:
        """Subsets whose headline fit has studies, with that fit."""
        fits = ((subset, self.headline(endpoint, subset)) for subset in subset_names(self.evidence))
        return [(subset, record) for subset, record in fits if record and record.k_studies]

    @cached_property
    def fitted(self) -> tuple[Endpoint, ...]:
        """Endpoints with a headline fit that has studies, or failed, in the order of endpoints.csv."""
        return tuple(endpoint for endpoint in self.evidence.endpoints
                     if (record := self.headline(endpoint.endpoint)) and (record.studies or record.failed))

    @property
    def kinds(self) -> set[str]:
        """Of the fitted endpoints: rate, survival or both."""
        return {endpoint.kind for endpoint in self.fitted}

    @property
    def conflicts(self) -> list[str]:
        """Each prior-data conflict of a headline fit with the number that it concerns."""
        return [f"{self.fit_name(record)}: {text}" for endpoint in self.fitted
                for _, record in self.subsets(endpoint.endpoint) for text in record.conflicts]

    @cached_property
    def labels(self) -> Labels:
        """The words and units in which readers see the results."""
        evidence = self.evidence
        keys = [row.endpoint for row in (*evidence.endpoints, *evidence.reported)]
        endpoints = {rule.reported_endpoint: rule.label for rule in evidence.comparisons if rule.label}
        endpoints |= {endpoint.endpoint: endpoint.label for endpoint in evidence.endpoints}
        subsets = {reported.subset: reported.subset for reported in evidence.reported}
        subsets |= {name: name for name in subset_names(evidence)} | {ALL: "All studies"}
        subsets |= {rule.subset: rule.label for rule in reversed(evidence.subsets) if rule.label}
        subsets[""] = subsets[ALL]  # what published numbers over all studies have
        return Labels({key: endpoints.get(key) or key.replace("_", " ").capitalize() for key in keys}, subsets,
                      {study.study_id: study.label for study in evidence.studies},
                      {endpoint.endpoint: self._scale(endpoint.endpoint) for endpoint in evidence.endpoints},
                      level_text(self.base.level), self.stamp,
                      {(row.study_id, row.endpoint) for row in evidence.numbers})

    def _scale(self, endpoint: str) -> Scale:
        """The unit for the headline's estimate, or else the studies' counts."""
        record = self.headline(endpoint)
        estimates, studies = (record.estimates, record.studies) if record else ((), ())
        patients = sum(row["n"] for row in studies)
        crude = sum(row["raw"] * row["n"] for row in studies) / patients if patients else None
        return scale_of(next((row["median"] for row in estimates if row["scale"] == "probability"), crude),
                        self.horizon(self.evidence.endpoint(endpoint))
                        if self.evidence.counts_person_time(endpoint) else None)

    def options(self, parameters: Collection[str] | None = None) -> list[str]:
        """Words of a command line that ask for the same evidence, studies, level, horizon and priors.

        Parameters
        ----------
        parameters : collection of str or None
            Those whose priors the command takes; None for every prior of the run.
        """
        base, question = self.base, self.base.question
        words = ["--data", safe(self.evidence.directory)] if self.evidence.directory != DEFAULT_DATA else []
        words += ["--tiers", question.tiers] if question.tiers != Question.tiers else []
        words += ["--set", question.study_set] if question.study_set != Question.study_set else []
        words += [word for name in question.without for word in ("--without", name)]
        words += ["--retrospective"] if question.retrospective else []
        words += ["--level", f"{base.level:.15g}"] if base.level != Job.level else []
        words += ["--horizon", f"{question.horizon:.15g}"] if question.horizon else []
        return words + [word for name, prior in base.priors if parameters is None or name in parameters
                        for word in ("--prior", f"{name}={prior}")]

    def writer(self, layout: Layout, **how: Any) -> Writer:
        """What writes rows of a table for a page; `how` as `Writer` takes it."""
        return Writer(layout, self.labels, **how)

    def horizon(self, endpoint: Endpoint) -> float | None:
        """Months at which survival is read; None for a rate."""
        return horizon_of(endpoint, self.base.question) if endpoint.kind == "survival" else None

    def main_name(self, endpoint: Endpoint) -> str:
        """The headline estimand in words, such as "survival at 12 months"."""
        return estimand_text(self.horizon(endpoint), self.labels.scales[endpoint.endpoint])

    def variation(self, record: Record) -> str:
        """How a fit departs from the headline of its subset, in words."""
        question, base = record.job.question, self.base.question
        headline = self.headline(question.endpoint, question.subset)
        parts = []
        if headline and record.model != headline.model:
            parts.append(f"{record.model.replace('_', '-')} model")
        elif headline and headline.priors and record.priors:
            parts += [f"{name} ~ {prior}" for name, prior in record.priors.items() if headline.priors[name] != prior]
        if question.tiers != base.tiers:
            *tiers, last = question.tiers
            parts.append(f"tiers {', '.join(tiers)} and {last}" if tiers else f"tier {last}")
        if question.study_set != base.study_set:
            parts.append(f"set {question.study_set}")
        if question.early_landmarks != base.early_landmarks:
            parts.append("with early extrapolations" if question.early_landmarks else "without early extrapolations")
        return ", ".join(parts) or "headline"

    def fit_name(self, record: Record) -> str:
        """Endpoint, subset and what departs from the headline, in words."""
        question = record.job.question
        return ", ".join([self.labels.endpoints[question.endpoint], self.labels.subsets[question.subset],
                          self.variation(record)])
