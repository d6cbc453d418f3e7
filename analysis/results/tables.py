"""The tidy tables of a run: plain rows with one meaning per column, from fits and comparisons."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy import special

from analysis.cases.case import Case
from analysis.cases.hazards import Conversion
from analysis.cases.selection import Selection
from analysis.cases.settings import Question
from analysis.evidence.directory import Evidence
from analysis.evidence.types import HANDLING
from analysis.inference.conflict import Check
from analysis.inference.diagnostics import Agreement, Diagnostics
from analysis.inference.estimands import MAIN, OF_CURVES, Estimate, reached
from analysis.results.table import Column, Layout, Row, columns

_QUESTION = "endpoint model subset tiers study_set early_landmarks"
ESTIMATES = Layout("estimates.csv", "One estimate of one fit: pooled, or of one study.", columns(
    _QUESTION, "k_studies n_patients estimand study_id time_months scale unit mean sd",
    Column("median", "posterior median", "estimate unit"), "lower upper level interval mcse stamp"))
DIAGNOSTICS = Layout("diagnostics.csv", "One fit: its checks, and how it was sampled.", columns(
    _QUESTION, "k_studies n_patients status",
    Column("max_rhat", "largest rank-normalised R-hat of any quantity", ".4f", "R-hat"),
    Column("min_ess_bulk", "smallest effective sample size in the bulk", ",.0f", "Bulk ESS"),
    Column("min_ess_tail", "smallest effective sample size in the tails", ",.0f", "Tail ESS"),
    Column("divergences", "divergent transitions", "d", "Divergences"),
    Column("min_bfmi", "smallest Bayesian fraction of missing information of a chain", ".2f", "E-BFMI"),
    Column("max_mcse_mean", "largest Monte-Carlo error of a mean, in posterior standard deviations", ".3f",
           "MCSE mean / SD"),
    Column("max_mcse_limit", "largest Monte-Carlo error of an interval limit, in posterior standard deviations", ".3f",
           "MCSE limit / SD"),
    Column("max_mcse_limit_heterogeneity", "the same of quantities that tell how much studies differ", ".3f",
           "same, heterogeneity"),
    Column("max_engine_z", "largest difference between sampling and quadrature, in Monte-Carlo standard errors"),
    Column("quadrature_error", "estimated error of the quadrature, in posterior standard deviations"),
    Column("location_tail", "two-sided prior predictive probability of the crude pooled estimate"),
    Column("heterogeneity_tail", "two-sided prior predictive probability of the spread of the studies"),
    Column("prior_pull", "shift when a suspect prior is replaced, in posterior standard deviations"),
    Column("prior_conflict", "parameters whose prior is in conflict with the data", "text"),
    Column("chains", "chains of the sampler", "count", "Chains x draws"),
    Column("draws", "draws of each chain after adaptation", "count"),
    Column("target_accept", "acceptance probability that step sizes aim at"),
    Column("seed", "seed of the fit", "d", "Seed"),
    Column("failures", "checks that failed, in words", "text"), "stamp"))
STUDIES = Layout("studies.csv", "One study of one headline fit: what it reports by itself.", columns(
    "endpoint subset tiers study_id label", Column("year", "year of publication", "count"),
    Column("tier", "tier of the row of evidence", "text", "Tier"),
    Column("population", "the patients behind the count, or the definition of survival", "text"),
    Column("risk_of_bias", "overall judgement of the study by a source", "text", "Risk of bias"),
    Column("events", "patients with the event; empty for survival", "count"),
    Column("n", "patients of the study", "count", "n"),
    Column("statistic", "what the study reports, in words", "text", "Reported"),
    Column("raw", "reported rate, or survival at the horizon that follows from the report"),
    Column("raw_lower", "lower limit of its own interval"), Column("raw_upper", "upper limit of its own interval"),
    "level", Column("raw_interval", "how that interval is made", "text"),
    Column("early", "whether survival is extrapolated from before half the horizon", "flag")))
CONVERSIONS = Layout("survival_conversions.csv", "How one study's survival statistic became a log hazard.", columns(
    "endpoint study_id", Column("rows", "lines of survival.csv", "text"),
    Column("statistic", "what the study reports, in words", "text", "Printed"),
    Column("definition", "definition of the survival endpoint", "text", "Definition"),
    Column("tier", "tier of the row of evidence", "text", "Tier"),
    Column("censored_at_hct", "whether patients were censored at a transplant; empty: not known", "text",
           "Censored at transplant"),
    Column("non_responders", "event at 0 or excluded; empty: not known", "text", "Non-responders"),
    Column("patients", "patients at risk", "count", "n"),
    Column("effective", "patients without censoring whose binomial error would be the same; empty for counts", ".0f",
           "Effective n"),
    Column("log_hazard", "log of events per person-month; empty for counts", heading="Log hazard"),
    Column("se_lower", "standard error below the estimate", heading="SE below"),
    Column("se_upper", "standard error above the estimate", heading="SE above"),
    Column("events", "events; 0 where the study reports an estimate"),
    Column("person_months", "person-months; 0 where the study reports an estimate"),
    Column("landmark_months", "month at which events are counted; 0 where they are not"),
    Column("early", "whether it is extrapolated from before half the horizon", "flag"),
    Column("rule", "where the standard error comes from", "text", "Standard error from")))
AGREEMENT = Layout("agreement.csv", "One pooled number of one sampled fit from both engines.", columns(
    _QUESTION, "estimand time_months", Column("statistic", "mean, median, lower or upper", "text"),
    Column("sampled", "by sampling"), Column("exact", "by quadrature"),
    Column("mcse", "Monte-Carlo standard error of the sampled one"),
    Column("z", "difference in standard errors"), Column("agrees", "whether it is within the limit", "flag"), "stamp"))
LEFT_OUT = Layout("left_out.csv", "One row of the evidence that a headline fit does not use.", columns(
    "endpoint subset tiers study_id", Column("table", "file of the evidence", "text", "Where"),
    Column("row", "line of that file", "count"), Column("reason", "why it is not used", "text", "Why")))
LAYOUTS = (ESTIMATES, DIAGNOSTICS, AGREEMENT, STUDIES, CONVERSIONS, LEFT_OUT)


def question_cells(question: Question, model: str) -> dict[str, Any]:
    """The columns that say which fit a row belongs to."""
    cells = {**vars(question), "model": model}
    return {name: cells[name] for name in _QUESTION.split()}


def without_question(rows: Iterable[Row], *others: str) -> list[dict[str, Any]]:
    """Rows for JSON that names the question, and what is in `others`, once."""
    shared = (*_QUESTION.split(), *others)
    return [{name: value for name, value in row.items() if name not in shared} for row in rows]


def case_cells(case: Case, layout: Layout) -> dict[str, Any]:
    """What a row says about a case and its main estimand, as far as the table has columns for it."""
    return layout.pick({**vars(case.question), "model": case.model.name, "priors": priors_text(case.priors),
                        "k_studies": len(case.studies), "n_patients": case.studies.patients,
                        "estimand": MAIN[case.model.kind], "time_months": case.horizon, "level": case.level,
                        "interval": "credible"})


def priors_text(priors: Mapping[str, object]) -> str:
    """Such as "mu ~ Beta(1, 1); rho ~ Beta(1, 4)"."""
    return "; ".join(f"{name} ~ {prior}" for name, prior in priors.items())


def limit_cells(estimate: Estimate, prefix: str = "") -> dict[str, float]:
    """Median and limits of an estimate in columns whose names begin with `prefix`."""
    return {f"{prefix}{name}": getattr(estimate, name) for name in ("median", "lower", "upper")}


def estimate_rows(case: Case, estimates: Iterable[Estimate]) -> list[dict[str, Any]]:
    """Rows of estimates.csv."""
    shared = {**question_cells(case.question, case.model.name), "k_studies": len(case.studies),
              "n_patients": case.studies.patients}
    return [{**shared, **vars(estimate)} for estimate in estimates]


def told(evidence: Evidence, rows: Iterable[Row]) -> list[Row]:
    """The estimates that a reader is told: rates of events alone where the studies report events over person-time."""
    return [row for row in rows if not (row["unit"] in OF_CURVES and evidence.counts_person_time(row["endpoint"]))]


def diagnostic_row(diagnostics: Diagnostics) -> dict[str, Any]:
    """The diagnostics of a fit as cells; the caller adds the question."""
    values = {name: value for name, value in vars(diagnostics).items() if name != "remedy"}
    return {**values, "failures": "; ".join(diagnostics.failures),
            "status": "converged" if diagnostics.converged else "NOT CONVERGED"}


def prior_cells(checked: Check) -> dict[str, Any]:
    """The priors held against the data as cells of diagnostics.csv.

    `location_tail` and `heterogeneity_tail` are two-sided prior predictive probabilities, `prior_pull` the shift that
    a suspect's replacement makes, in posterior standard deviations, `prior_conflict` the parameters in conflict.
    """
    tails = {f"{name}_tail": expected.tail if expected else None for name, expected in (
        ("location", checked.location), ("heterogeneity", checked.heterogeneity))}
    return {**tails, "prior_pull": checked.pull, "prior_conflict": " ".join(checked.conflicting)}


def agreement_rows(case: Case, agreements: Iterable[Agreement]) -> list[dict[str, Any]]:
    """Rows of agreement.csv: each pooled number of a fit from both engines."""
    shared = case_cells(case, AGREEMENT)
    return [{**shared, **AGREEMENT.pick(vars(number)), "z": number.z, "agrees": number.agrees,
             **{name: reached(getattr(number, name)) for name in ("sampled", "exact")}} for number in agreements]


def study_rows(evidence: Evidence, case: Case) -> list[dict[str, Any]]:
    """What each study reports by itself, with its own interval: Clopper-Pearson for counts."""
    if case.model.kind == "rate":
        rows = [{"study_id": row.study_id, "tier": row.tier, "population": row.population, "events": row.events,
                 "n": row.n, "statistic": f"{row.events}/{row.n}", **exact_interval(row.events, row.n, case.level)}
                for row in case.selection.rows]
    else:
        rows = [_survival_row(conversion, case.level, case.selection.horizon) for conversion in case.conversions]
    shared = STUDIES.pick({**vars(case.question), "level": case.level})
    return [{**shared, **row, "label": study.label, "year": study.year, "risk_of_bias": study.risk_of_bias}
            for row in rows for study in (evidence.study(row["study_id"]),)]


def exact_interval(events: int, n: int, level: float) -> dict[str, Any]:
    """Observed rate with its Clopper-Pearson confidence interval."""
    rate, lower, upper = _clopper_pearson(events, n - events, level)
    return {"raw": rate, "raw_lower": lower, "raw_upper": upper, "raw_interval": "Clopper-Pearson confidence"}


def _clopper_pearson(events: float, others: float, level: float) -> tuple[float, float, float]:
    alpha = 1.0 - level
    return (events / (events + others), float(special.betaincinv(events, others + 1, alpha / 2)) if events else 0.0,
            float(special.betaincinv(events + 1, others, 1 - alpha / 2)) if others else 1.0)


def _survival_row(conversion: Conversion, level: float, horizon: float) -> dict[str, Any]:
    if conversion.landmark_months > 0:
        hazards, kind = _landmark_hazards(conversion, level), "exact binomial confidence"
    elif conversion.person_months > 0:
        d, months = conversion.events, conversion.person_months
        hazards = (d / months, special.gammaincinv(d, (1 - level) / 2) / months if d else 0.0,
                   special.gammaincinv(d + 1, (1 + level) / 2) / months)
        kind = "exact Poisson confidence"
    else:
        z = special.ndtri((1 + level) / 2)
        hazards = np.exp(np.minimum([conversion.log_hazard, conversion.log_hazard - z * conversion.se_lower,
                                     conversion.log_hazard + z * conversion.se_upper], 690.0))
        kind = "confidence, from the converted log hazard"
    raw, upper, lower = (float(np.exp(-horizon * hazard)) for hazard in hazards)
    return {"study_id": conversion.study_id, "tier": conversion.tier, "population": conversion.definition,
            "n": conversion.patients, "statistic": conversion.statistic, "raw": raw, "raw_lower": lower,
            "raw_upper": upper, "raw_interval": kind, "early": conversion.early}


def _landmark_hazards(conversion: Conversion, level: float) -> tuple[float, float, float]:
    """Hazard of the observed survival at a landmark with its limits, from the Clopper-Pearson ones of the events."""
    months = conversion.landmark_months
    with np.errstate(divide="ignore"):
        rates = np.array(_clopper_pearson(conversion.events, conversion.person_months / months, level))
        return tuple(-np.log1p(-rates) / months)


def conversion_rows(case: Case) -> list[dict[str, Any]]:
    """Rows of survival_conversions.csv."""
    handling = {row.row: row.handling for row in case.selection.rows} if case.conversions else {}
    return [{"endpoint": case.question.endpoint, **vars(conversion), "rows": " ".join(map(str, conversion.rows)),
             **{name: "; ".join(dict.fromkeys(filter(None, (handling[at][name] for at in conversion.rows))))
                for name in sorted(HANDLING)}} for conversion in case.conversions]


def left_out_rows(selection: Selection) -> list[dict[str, Any]]:
    """Rows of left_out.csv: each row of the evidence that a fit does not use, with the reason."""
    question = LEFT_OUT.pick(vars(selection.question))
    return [{**question, **vars(item)} for item in selection.left_out]
