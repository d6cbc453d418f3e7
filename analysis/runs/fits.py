"""Makes fits: each becomes the rows that it adds to every table, and a posterior on disk."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.cases.case import Case, NoStudies, case_of, model_for
from analysis.cases.selection import SharedPatients, candidates
from analysis.cases.settings import ALL, Job
from analysis.evidence.directory import Evidence
from analysis.inference.fitting import Fit, interval_probability, run
from analysis.inference.nuts import SamplingFailed
from analysis.inference.posterior import QuadratureFailed
from analysis.results import tables
from analysis.results.comparison import COMPARED, COMPARISON, answerable_intervals
from analysis.results.records import FAILED, Record
from analysis.results.results import Results
from analysis.system.failures import Failure, attempt
from models.model import NeedsDensity

if TYPE_CHECKING:
    import xarray as xr

_NOT_CONVERGED = "NOT CONVERGED"


def records(evidence: Evidence, jobs: tuple[Job, ...], folder: Path | None, *, cores: int = 1) -> tuple[Record, ...]:
    """Make one fit for jobs that use the same rows, save its posterior under `folder` (None: nowhere) for each.

    Returns
    -------
    tuple of Record
        One per job, in their order; they differ in their labels and in what they are compared with.
    """
    try:
        fit = run(case_of(evidence, jobs[0]), cores=cores)
    except (NoStudies, SharedPatients, NeedsDensity, SamplingFailed, QuadratureFailed) as reason:
        status = {NoStudies: "no studies", SharedPatients: "not pooled", NeedsDensity: "no density"}.get(
            type(reason), _NOT_CONVERGED)
        return tuple(_empty(evidence, job, status, str(reason)) for job in jobs)
    labelled = (replace(fit, case=replace(fit.case, job=job, selection=case_of(evidence, job).selection))
                for job in jobs)
    return tuple(_of_fit(evidence, fit, _saved(fit, evidence, folder) if folder else "") for fit in labelled)


def _saved(fit: Fit, evidence: Evidence, folder: Path) -> str:
    from analysis.results.netcdf import save

    return save(fit, evidence, folder).name


class Posteriors(Mapping[str, "xr.DataTree"]):
    """By "endpoint/subset", such as "cr/all", the posterior behind the published numbers compared with it, for ArviZ.

    Records have no draws: a question is fitted again, with the settings and the seed of its record, when it is first
    asked for. By quadrature that takes as long as the draws alone, by chains as long as at first.
    """

    def __init__(self, results: Results) -> None:
        compared = ((row["our_endpoint"], row["subset"] or ALL) for row in results.rows(COMPARISON.file)
                    if row["status"] == COMPARED and row["model"])
        self._evidence, self._trees = results.evidence, {}
        self._jobs = {"/".join(names): results.headline(*names).job for names in compared}

    def __getitem__(self, name: str) -> "xr.DataTree":
        from analysis.results.netcdf import tree

        if name not in self._trees:
            self._trees[name] = tree(run(case_of(self._evidence, self._jobs[name])), self._evidence)
        return self._trees[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def __repr__(self) -> str:
        return f"Posteriors({', '.join(self._jobs)})"


def attempted(evidence: Evidence, jobs: tuple[Job, ...], folder: Path | None) -> tuple[Record, ...]:
    """As `records`; where an unexpected error ends the fit, records that say so."""
    tried = attempt("fit", jobs[0].question.endpoint, records, evidence, jobs, folder)
    return tuple(_empty(evidence, job, FAILED, tried.reason) for job in jobs) if isinstance(tried, Failure) else tried


def _of_fit(evidence: Evidence, fit: Fit, path: str) -> Record:
    case, job, sampler = fit.case, fit.case.job, fit.sampler
    k, n, priors = _fitted(case)
    diagnostics = {
        **tables.question_cells(job.question, case.model.name), **tables.diagnostic_row(fit.diagnostics),
        **tables.prior_cells(fit.prior_check), "k_studies": k, "n_patients": n, "chains": sampler.chains,
        "draws": sampler.draws, "target_accept": sampler.target_accept, "seed": fit.seed}
    chances = {identity: interval_probability(fit, estimand, months, low, high) for identity, estimand, months, low,
               high in answerable_intervals(evidence, job.question)} if fit.estimates else {}
    return Record(
        job, case.model.name, diagnostics["status"], k, n, priors,
        fit.warnings, tuple(tables.estimate_rows(case, fit.printed)), diagnostics,
        tuple(tables.study_rows(evidence, case)), tuple(tables.conversion_rows(case)),
        tuple(tables.left_out_rows(case.selection)), chances, tuple(tables.agreement_rows(case, fit.agreement)),
        fit.log_evidence, path, fit.prior_check.warnings)


def _empty(evidence: Evidence, job: Job, status: str, reason: str) -> Record:
    """The record of a job that has no result; where a case could be made, with its studies and priors."""
    case = case_of(evidence, job) if status == _NOT_CONVERGED else None
    selection = case.selection if case else candidates(evidence, job.question)
    model = model_for(selection.endpoint.kind, job.model).name
    diagnostics = {**tables.question_cells(job.question, model), "status": status, "failures": reason}
    return Record(job, model, status, *(_fitted(case) if case else ()), warnings=selection.warnings,
                  diagnostics=diagnostics, left_out=tuple(tables.left_out_rows(selection)))


def _fitted(case: Case) -> tuple[int, int, dict[str, str]]:
    """Numbers of studies and patients, and the priors in words."""
    return len(case.studies), case.studies.patients, {name: str(prior) for name, prior in case.priors.items()}
