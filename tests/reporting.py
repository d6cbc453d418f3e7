"""Results of a run that never sampled: small, made directly, for tests of the figures and the report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from analysis.cases.case import Case, case_of
from analysis.cases.settings import Job, Question
from analysis.chapters.chapter import Picture, all_chapters
from analysis.drawing.html import Html
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.inference.estimands import Estimate
from analysis.results.records import Record
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.tables import conversion_rows, estimate_rows, left_out_rows, question_cells, study_rows
from analysis.runs.figures import draw_all
from analysis.runs.page import render
from analysis.runs.pipeline import tables_of_fits
from analysis.runs.workers import Nobody

PROJECT_DATA = Path(__file__).parents[1] / "data"
LEVEL = 0.95
_MODELS = {"rate": ("beta_binomial", "logit_normal"), "survival": ("log_hazard",)}
_PRIORS = {"beta_binomial": {"mu": "Beta(1, 1)", "rho": "Beta(1, 4)"},
           "logit_normal": {"m": "Normal(0, 2)", "tau": "HalfNormal(1)"},
           "log_hazard": {"eta": "Normal(-2.85142, 2.5)", "tau": "HalfNormal(0.5)"}}


def results_of(evidence: Evidence, *, failing: Sequence[tuple[str, str]] = (), stamp: str = "",
               tiers: Sequence[str] = ("AB",), horizon: float | None = None) -> Results:
    """Results with a fit for every endpoint, subset, model and choice of tiers.

    Parameters
    ----------
    failing : sequence of (endpoint, subset)
        Whose fits did not converge.
    horizon : float or None
        Months at which all survival is read; None for those of each endpoint.
    """
    base = Job(Question(evidence.endpoints[0].endpoint, tiers="AB", horizon=horizon))
    subsets = dict.fromkeys(("all", *(rule.subset for rule in evidence.subsets)))
    records = [_record(evidence, model, Question(endpoint.endpoint, subset, letters, horizon=horizon), failing)
               for endpoint in evidence.endpoints for subset in subsets for letters in tiers
               for model in _MODELS[endpoint.kind]]
    records = [found for found in records if found.k_studies]
    results = Results(evidence, base, tuple(records), stamp)
    return replace(results, tables=tables_of_fits(results))


def with_tables(results: Results, tables: Mapping[str, Iterable[Row]]) -> Results:
    """The results with these rows of the chapters' tables, by file name."""
    layouts = {layout.file: layout for chapter in all_chapters() for layout in chapter.layouts}
    return replace(results, tables={**results.tables, **{file: layouts[file].table(rows)
                                                         for file, rows in tables.items()}})


def pages_of(results: Results, pictures: Mapping[str, Html] = MappingProxyType({})) -> dict[str, str]:
    """Each page of the results as text, by its name."""
    return {name: text for name, text in render(results, all_chapters(), pictures)[0].items()
            if name.endswith(".html")}


def page_of(results: Results, pictures: Mapping[str, Html] = MappingProxyType({})) -> str:
    """All pages of the results as one text."""
    return "".join(pages_of(results, pictures).values())


def pictures_of(results: Results) -> list[Picture]:
    """Every figure that the report of the results draws."""
    return [picture for chapter in all_chapters() if chapter.figures for picture in chapter.figures(results)]


def drawn(results: Results, folder: Path) -> tuple[dict[str, Html], list[Path]]:
    """The figures of the results as the page shows them, by name, and their files."""
    return draw_all(results, all_chapters(), folder, executor=Nobody())[1:]


def project_results(**options: Any) -> Results:
    """Results over the evidence of this project."""
    return results_of(load(PROJECT_DATA), **options)


def _record(evidence: Evidence, model: str, question: Question, failing: Sequence[tuple[str, str]]) -> Record:
    case = case_of(evidence, Job(question, model))
    studies = tuple(study_rows(evidence, case))
    failed = (question.endpoint, question.subset) in failing
    estimates = () if failed or not studies else tuple(_estimates(case, studies))
    status = "NOT CONVERGED" if failed else "converged"
    diagnostics = {**question_cells(question, model), "status": status, "max_rhat": 1.0004, "min_ess_bulk": 9000.0,
                   "min_ess_tail": 8000.0, "divergences": 3 if failed else 0, "min_bfmi": 0.9,
                   "max_mcse_mean": 0.01, "max_mcse_limit": 0.04, "max_mcse_limit_heterogeneity": 0.05,
                   "failures": "divergences 3 above 0" if failed else "", "chains": 4, "draws": 5000, "seed": 11}
    return Record(Job(question, model), model, status, len(studies), sum(row["n"] for row in studies), _PRIORS[model],
                  case.selection.warnings, tuple(estimate_rows(case, estimates)), diagnostics, studies,
                  tuple(conversion_rows(case)), tuple(left_out_rows(case.selection)),
                  {row.reported_id: 0.875 for row in evidence.reported})


def _estimates(case: Case, studies: Sequence[dict[str, Any]]) -> list[Estimate]:
    """Plausible summaries, each different from every other, so that a mix-up shows."""
    middle = sum(row["raw"] * row["n"] for row in studies) / sum(row["n"] for row in studies)
    middle = min(max(middle, 0.1), 0.85) + (0.02 if case.model.name == "logit_normal" else 0.0)
    probability = Estimate("", None, None, "probability", "proportion", middle, 0.03, middle, middle - 0.08,
                           middle + 0.07, LEVEL, "credible", 0.0003)
    new = replace(probability, lower=0.5 * middle, upper=0.5 + 0.5 * middle, interval="prediction")
    spread = replace(probability, scale="correlation", unit="1", mean=0.11, median=0.1, lower=0.01, upper=0.3)
    own = [replace(probability, study_id=row["study_id"], median=0.5 * (row["raw"] + middle),
                   lower=0.4 * (row["raw"] + middle), upper=0.5 + 0.25 * (row["raw"] + middle)) for row in studies]
    if case.model.kind == "rate":
        return [replace(probability, estimand="mean_rate"),
                replace(probability, estimand="median_rate", median=middle + 0.01),
                replace(new, estimand="new_study_rate"), replace(spread, estimand="rho"),
                replace(spread, estimand="tau", median=0.4), *(replace(row, estimand="study_rate") for row in own)]
    time = case.horizon
    months = replace(probability, scale="time", unit="months", median=9.3, lower=6.1, upper=13.7)
    return [replace(probability, estimand="survival", time_months=time),
            replace(probability, estimand="mean_survival", time_months=time, median=middle + 0.01),
            replace(new, estimand="new_study_survival", time_months=time),
            replace(months, estimand="median_months"), replace(months, estimand="rmst", time_months=24.0),
            replace(spread, estimand="tau", median=0.25),
            *(replace(row, estimand="study_survival", time_months=time) for row in own)]
