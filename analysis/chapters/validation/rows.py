"""Rows of validation.csv and validation_scores.csv: what later studies report, predicted from the review's alone.

References
----------
Gneiting T, Raftery AE. J Am Stat Assoc 2007;102:359, doi 10.1198/016214506000001437 (the logarithmic score).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.cases.case import Case, headline_case
from analysis.cases.curves import APART, LANDMARK, MEDIAN
from analysis.cases.reports import report_of
from analysis.cases.selection import RETROSPECTIVE, answering, candidates, shared_patients
from analysis.cases.settings import Job, Question, derive_seed
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Response, Survival
from analysis.inference.posterior import NO_POSTERIOR, Posterior, posterior_of, too_large
from analysis.inference.prediction import CountLaw
from analysis.results.results import Results
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, Row, columns
from models import all_models
from models.studies import RateStudies

REVIEW, LATER = "review", "extension"
BESIDE = ("weibull", "exponential")
"""Models of survival that predict beside the headline."""

DRAWS = 20_000
_FEWEST = 3
"""Studies without which a standard error means nothing."""

VALIDATION = Layout("validation.csv", "One report of a later study, predicted from the review's.", columns(
    "endpoint model study_id label n", Column("tier", "tier of the row of evidence", "text"),
    Column("row", "line of responses.csv or survival.csv", "count"),
    "report", Column("months", "months at which survival is read; empty for a rate"),
    Column("patients", "patients of the predicted count: for survival fewer, for censoring", "count"),
    "observed", Column("median", "predictive median", "estimate", "Predicted{unit} [{level} prediction]"),
    "lower upper level interval pit two_sided named chance_named log_predictive",
    Column("counted", "whether it counts in the verdict", "flag"), "status",
    Column("reason", "why it is not predicted, or does not count", "text", "Note"), "stamp"))
SCORES = Layout("validation_scores.csv", "The later reports of an endpoint that count, by one model.", columns(
    Column("endpoint", "key of the endpoint; empty for all endpoints of survival", "label endpoints", "Endpoint"),
    "model", Column("k_studies", "later studies", "count", "Studies"),
    Column("predictions", "their reports", "count", "Reports"),
    Column("named", "reports with a two-sided predictive probability below 0.05", "count", "Surprising"),
    Column("chance_named", "how many would be by chance", "significant", "By chance"),
    Column("as_many", "probability of so many or more, reports of one study together; empty where there is none",
           "chance", "P(so many)"),
    Column("elpd", "sum of the log predictive probabilities", heading="Log predictive, sum"),
    Column("elpd_difference", "that minus the one of the headline model", "error difference_se",
           "Difference (SE)"),
    Column("difference_se", "its standard error, from differences of three studies or more"), "stamp"))


def later_reports(evidence: Evidence, question: Question) -> list[dict[str, Any]]:
    """Every count, landmark and median that later studies print about an endpoint, as cells of validation.csv.

    Survival is that of whole studies, not of their strata, at every data cut.

    Parameters
    ----------
    question : Question
        That of the review; reports of other tiers and designs do not count.
    """
    tiers = "".join(sorted({row.tier for row in (*evidence.responses, *evidence.survival)}))
    wide = replace(question, study_set=LATER, tiers=tiers, retrospective=True, early_landmarks=True)
    in_review = candidates(evidence, question).study_ids
    later = {study.study_id for study in evidence.studies if study.in_review is False}
    rate = evidence.endpoint(question.endpoint).kind == "rate"
    rows = [row for row in (candidates(evidence, wide).rows if rate else answering(evidence, wide))
            if row.study_id in later and (rate or (row.statistic in (LANDMARK, MEDIAN) and not row.stratum))]
    counted = dict.fromkeys((*in_review, *(row.study_id for row in rows if not _against(evidence, question, row))))
    shared = {other_id: f"shares patients with {evidence.study(study_id).label}"
              for study_id, other_id in shared_patients(evidence, counted)}
    reports = []
    for row in rows:
        reason = _against(evidence, question, row) or shared.get(row.study_id, "")
        reports.append({"study_id": row.study_id, "label": evidence.study(row.study_id).label, "n": row.n,
                        "tier": row.tier, "row": row.row, **vars(report_of(row)), "counted": not reason,
                        "reason": reason})
    return reports if rate else _once(rows, reports)


def _once(rows: Sequence[Survival], reports: Sequence[Row]) -> list[Row]:
    """The reports, of which those nearer than a month to another one of their study count once, landmarks first."""
    kept: list[Row] = []
    for row, report in sorted(zip(rows, reports, strict=True), key=lambda pair: pair[0].statistic == MEDIAN):
        near = next((other for other in kept if other["study_id"] == row.study_id
                     and abs(other["months"] - report["months"]) < APART), None)
        if report["counted"] and near:
            report |= {"counted": False, "reason": f"says the same as {near['report']}"}
        elif report["counted"]:
            kept.append(report)
    return list(reports)


def _against(evidence: Evidence, question: Question, row: Response | Survival) -> str:
    """Why a row would not count in the review either."""
    if row.tier and row.tier not in question.tiers:
        return f"tier {row.tier}"
    return RETROSPECTIVE if evidence.study(row.study_id).retrospective and not question.retrospective else ""


def validation_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """A row per later report and model, and the chance of as many surprises by each model."""
    review = replace(base, question=replace(base.question, study_set=REVIEW))
    case = headline_case(evidence, review, endpoint)
    reports = later_reports(evidence, case.question)
    sizes = [report["patients"] for report in reports]
    refused = too_large(RateStudies(range(len(sizes)), [0] * len(sizes), sizes))
    beside = [all_models()[name] for name in BESIDE if case.model.kind == "survival" and name != case.model.name]
    rows, scores = [], []
    for case_of_model in (case, *(case.but(model=model) for model in beside)):
        shared = {"endpoint": endpoint, "model": case_of_model.model.name}
        predicted, chance, reason = [], None, refused
        try:
            if not refused:
                predicted, chance = _predicted(case_of_model, reports)
        except NO_POSTERIOR as error:
            reason = str(error)
        predicted = predicted or [{"status": NOT_COMPUTED, "reason": reason}] * len(reports)
        rows += [{**shared, **report, **cells} for report, cells in zip(reports, predicted, strict=True)]
        scores.append({**shared, "as_many": chance})
    return {VALIDATION.file: rows, SCORES.file: scores}


def _predicted(case: Case, reports: Sequence[Row]) -> tuple[list[dict[str, Any]], float | None]:
    """Cells of each report, and the probability of as many surprises among those that count."""
    posterior = posterior_of(case)
    laws = [posterior.predict(report["patients"], report["months"]) for report in reports]
    rows = [{"status": COMPUTED, "level": case.level, "interval": "prediction",
             **vars(law.expectation(report["patients"] * report["observed"], case.level))}
            for report, law in zip(reports, laws, strict=True)]
    counted = [(report, law) for report, law in zip(reports, laws, strict=True) if report["counted"]]
    named = sum(row["named"] for row, report in zip(rows, reports, strict=True) if report["counted"])
    return rows, as_many(posterior, counted, named) if named else None


def as_many(posterior: Posterior, predicted: Sequence[tuple[Row, CountLaw]], named: int) -> float:
    """Probability of `named` or more surprising reports, where the later studies are like the review's.

    They share the hyperparameters, and reports of one study its effect; of survival also its patients.
    """
    case = posterior.case
    rng = np.random.default_rng(derive_seed(case.job.seed, case.question.endpoint, case.model.name, "later"))
    draws, total = posterior.draw(DRAWS, rng), np.zeros(DRAWS, dtype=int)
    for study_id in dict.fromkeys(report["study_id"] for report, _ in predicted):
        effects, share, survival = case.model.density.new_study(draws, rng), np.ones(DRAWS), np.ones(DRAWS)
        of_study = [pair for pair in predicted if pair[0]["study_id"] == study_id]
        for report, law in sorted(of_study, key=lambda pair: pair[0]["months"] or 0.0):
            months, n, before = report["months"], report["patients"], survival
            survival = np.clip(effects, 0.0, 1.0) if months is None else \
                case.model.density.curve.survival(draws, effects, months)
            # Of those who were left at the report before, rounded where it rests on another number of patients.
            left = np.divide(survival, before, out=np.zeros(DRAWS), where=before > 0.0)
            counts = rng.binomial(np.round(share * n).astype(int), np.minimum(left, 1.0))
            share, total = counts / n, total + law.named[counts]
    return float(np.mean(total >= named))


def score_rows(results: Results) -> Mapping[str, list[dict[str, Any]]]:
    """The scores of each endpoint, and of all endpoints of survival together, each against the headline model."""
    counted = [row for row in results.computed(VALIDATION.file) if row["counted"]]
    as_many = {(row["endpoint"], row["model"]): row["as_many"] for row in results.rows(SCORES.file)}
    headlines: dict[str, str] = {}
    for endpoint, model in as_many:
        headlines.setdefault(endpoint, model)
    groups = {endpoint: [endpoint] for endpoint in headlines}
    groups[""] = [endpoint for endpoint in groups if results.evidence.endpoint(endpoint).kind == "survival"]
    scores = []
    for name, endpoints in groups.items():
        by_model: dict[str, list[Row]] = {}
        for row in counted:
            if row["endpoint"] in endpoints:
                by_model.setdefault(row["model"], []).append(row)
        headline = by_model.get(headlines[endpoints[0]], []) if endpoints else []
        scores += [{"endpoint": name, "model": model, "as_many": as_many.get((name, model)), **_score(rows, headline)}
                   for model, rows in by_model.items()]
    return {SCORES.file: scores}


def _score(rows: Sequence[Row], headline: Sequence[Row]) -> dict[str, Any]:
    """Sums over the reports of one model; differences only where the headline model predicts the same ones."""
    score = {"k_studies": len({row["study_id"] for row in rows}), "predictions": len(rows),
             **{name: sum(row[name] for row in rows) for name in ("named", "chance_named")},
             "elpd": sum(row["log_predictive"] for row in rows)}
    reports, theirs = ([(row["endpoint"], row["row"]) for row in some] for some in (rows, headline))
    if rows is headline or reports != theirs:
        return score
    by_study: dict[str, float] = {}
    for row, other in zip(rows, headline, strict=True):
        by_study[row["study_id"]] = by_study.get(row["study_id"], 0.0) + row["log_predictive"] - other["log_predictive"]
    apart = np.array(list(by_study.values()))
    error = math.sqrt(len(apart)) * float(apart.std(ddof=1)) if len(apart) >= _FEWEST else None
    return {**score, "elpd_difference": float(apart.sum()), "difference_se": error}
