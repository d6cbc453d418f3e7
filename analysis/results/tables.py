"""The tidy tables of a run: plain rows with one meaning per column, from fits and comparisons."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import special

from analysis.cases.case import Case
from analysis.cases.hazards import Conversion
from analysis.cases.selection import Selection
from analysis.cases.settings import Question
from analysis.evidence.types import Evidence
from analysis.inference.agreement import Agreement
from analysis.inference.conflict import Check
from analysis.inference.diagnostics import Diagnostics
from analysis.inference.estimands import MAIN, Estimate
from analysis.results.columns import columns
from analysis.results.comparison import BESIDE_TIERS, Comparison, Pooled
from analysis.results.table import Column, Layout, Row

_QUESTION = "endpoint model subset tiers study_set early_landmarks"
_POSTERIOR = "mean median lower upper level interval"
ESTIMATES = Layout("estimates.csv", "One estimate of one fit: pooled, or of one study.", columns(
    _QUESTION, "k_studies n_patients estimand study_id time_months scale unit mean sd median lower upper level "
    "interval mcse stamp"))
DIAGNOSTICS = Layout("diagnostics.csv", "One fit: its checks, and how it was sampled.", columns(
    _QUESTION, "k_studies n_patients status",
    Column("max_rhat", "largest rank-normalised R-hat of any quantity"),
    Column("min_ess_bulk", "smallest effective sample size in the bulk"),
    Column("min_ess_tail", "smallest effective sample size in the tails"),
    Column("divergences", "divergent transitions", "count"),
    Column("min_bfmi", "smallest Bayesian fraction of missing information of a chain"),
    Column("max_mcse_mean", "largest Monte-Carlo error of a mean, in posterior standard deviations"),
    Column("max_mcse_limit", "largest Monte-Carlo error of an interval limit, in posterior standard deviations"),
    Column("max_mcse_limit_heterogeneity", "the same of quantities that tell how much studies differ"),
    Column("max_engine_z", "largest difference between sampling and quadrature, in Monte-Carlo standard errors"),
    Column("quadrature_error", "estimated error of the quadrature, in posterior standard deviations"),
    Column("location_tail", "two-sided prior predictive probability of the crude pooled estimate"),
    Column("heterogeneity_tail", "two-sided prior predictive probability of the spread of the studies"),
    Column("prior_pull", "shift when a suspect prior is replaced, in posterior standard deviations"),
    Column("prior_conflict", "parameters whose prior is in conflict with the data", "text"),
    Column("chains", "chains of the sampler", "count"),
    Column("draws", "draws of each chain after adaptation", "count"),
    Column("target_accept", "acceptance probability that step sizes aim at"),
    Column("seed", "seed of the fit", "count"),
    Column("failures", "checks that failed, in words", "text"), "stamp"))
STUDIES = Layout("studies.csv", "One study of one headline fit: what it reports by itself.", columns(
    "endpoint subset tiers study_id label", Column("year", "year of publication", "count"),
    Column("tier", "tier of the row of evidence", "text"),
    Column("population", "the patients behind the count, or the definition of survival", "text"),
    Column("events", "patients with the event; empty for survival", "count"), "n",
    Column("statistic", "what the study reports, in words", "text"),
    Column("raw", "reported rate, or survival at the horizon that follows from the report"),
    Column("raw_lower", "lower limit of its own interval"), Column("raw_upper", "upper limit of its own interval"),
    "level", Column("raw_interval", "how that interval is made", "text"),
    Column("early", "whether survival is extrapolated from before half the horizon", "flag")))
CONVERSIONS = Layout("survival_conversions.csv", "How one study's survival statistic became a log hazard.", columns(
    "endpoint study_id", Column("rows", "lines of survival.csv", "text"),
    Column("statistic", "what the study reports, in words", "text"),
    Column("definition", "definition of the survival endpoint", "text"),
    Column("tier", "tier of the row of evidence", "text"), Column("patients", "patients at risk", "count"),
    Column("log_hazard", "log of events per person-month; empty for counts"),
    Column("se_lower", "standard error below the estimate"), Column("se_upper", "standard error above the estimate"),
    Column("events", "events; 0 where the study reports an estimate"),
    Column("person_months", "person-months; 0 where the study reports an estimate"),
    Column("landmark_months", "month at which events are counted; 0 where they are not"),
    Column("early", "whether it is extrapolated from before half the horizon", "flag"),
    Column("rule", "where the standard error comes from", "text")))
AGREEMENT = Layout("agreement.csv", "One pooled number of one sampled fit from both engines.", columns(
    _QUESTION, "estimand time_months", Column("statistic", "mean, median, lower or upper", "text"),
    Column("sampled", "by sampling"), Column("exact", "by quadrature"),
    Column("mcse", "Monte-Carlo standard error of the sampled one"),
    Column("z", "difference in standard errors"), Column("agrees", "whether it is within the limit", "flag"), "stamp"))
LEFT_OUT = Layout("left_out.csv", "One row of the evidence that a headline fit does not use.", columns(
    "endpoint subset tiers study_id", Column("table", "file of the evidence", "text"),
    Column("row", "line of that file", "count"), Column("reason", "why it is not used", "text")))
_PUBLISHED = (
    Column("reported_id", "key of the published number in reported.csv", "text"),
    Column("endpoint", "endpoint as it was published", "text"), *columns("subset"),
    Column("statistic", "published statistic", "text"),
    Column("primary", "whether it is the first printing of the number", "flag"), *columns("status reason"),
    Column("published", "published estimate"), Column("published_lower", "lower limit of its interval"),
    Column("published_upper", "upper limit of its interval"), Column("published_level", "probability of its interval"),
    Column("published_interval", "kind of its interval", "text"),
    Column("published_k", "published number of studies", "count"),
    Column("published_n", "published number of patients", "count"),
    Column("published_events", "published number of events", "count"),
    Column("published_note", "note of reported.csv", "text"), Column("units", "unit of the published number", "text"))
COMPARISON = Layout("comparison.csv", "One published number beside the same estimand of the reanalysis.", (
    *_PUBLISHED, *columns("estimand"), Column("our_endpoint", "key of the endpoint that is compared", "text"),
    Column("transform", "complement where one minus our estimate is compared", "text"),
    *columns("model tiers k_studies n_patients"), Column("events", "events of a crude proportion", "count"),
    *columns("time_months", _POSTERIOR), Column("difference", "posterior median minus published estimate"),
    Column("width_ratio", "width of our interval over that of the published one"),
    Column("overlap", "share of the published interval that ours covers"),
    Column("probability_of_published_interval", "posterior probability of the published interval"),
    *(Column(f"tiers_{tiers.lower()}_{name}", f"{meaning}, from tiers {tiers}", kind) for tiers in BESIDE_TIERS
      for name, meaning, kind in (("k_studies", "studies", "count"), ("n_patients", "patients", "count"),
                                  ("median", "posterior median", "number"), ("lower", "lower limit", "number"),
                                  ("upper", "upper limit", "number"))), *columns("stamp")))
LAYOUTS = (COMPARISON, ESTIMATES, DIAGNOSTICS, AGREEMENT, STUDIES, CONVERSIONS, LEFT_OUT)


def question_cells(question: Question, model: str) -> dict[str, Any]:
    """The columns that say which fit a row belongs to."""
    return {"endpoint": question.endpoint, "model": model, "subset": question.subset, "tiers": question.tiers,
            "study_set": question.study_set, "early_landmarks": question.early_landmarks}


def case_cells(case: Case) -> dict[str, Any]:
    """What every row about the main estimand of a case shares."""
    question = case.question
    return {"endpoint": question.endpoint, "tiers": question.tiers, "study_set": question.study_set,
            "model": case.model.name, "estimand": MAIN[case.model.kind], "time_months": case.horizon,
            "level": case.level, "interval": "credible"}


def estimate_row(question: Question, model: str, estimate: Estimate, *, k: int, n: int) -> dict[str, Any]:
    """One row of estimates.csv."""
    values = {name: getattr(estimate, name) for name in estimate.__dataclass_fields__}
    return {**question_cells(question, model), "k_studies": k, "n_patients": n, **values}


def diagnostic_row(diagnostics: Diagnostics) -> dict[str, Any]:
    """The diagnostics of a fit as cells; the caller adds the question."""
    values = {name: getattr(diagnostics, name) for name in diagnostics.__dataclass_fields__ if name != "remedy"}
    return {**values, "failures": "; ".join(diagnostics.failures),
            "status": "converged" if diagnostics.converged else "NOT CONVERGED"}


def prior_cells(checked: Check) -> dict[str, Any]:
    """The priors held against the data as cells of diagnostics.csv.

    `location_tail` and `heterogeneity_tail` are two-sided prior predictive probabilities, `prior_pull` the shift that
    a suspect's replacement makes, in posterior standard deviations, `prior_conflict` the parameters in conflict.
    """
    tails = (one.tail if one else None for one in (checked.location, checked.heterogeneity))
    return {**dict(zip(("location_tail", "heterogeneity_tail"), tails, strict=True)), "prior_pull": checked.pull,
            "prior_conflict": " ".join(checked.conflicting)}


def agreement_rows(question: Question, model: str, found: Sequence[Agreement]) -> list[dict[str, Any]]:
    """Rows of agreement.csv: each pooled number of a fit from both engines."""
    names = ("estimand", "time_months", "statistic", "sampled", "exact", "mcse", "z", "agrees")
    return [{**question_cells(question, model), **{name: getattr(row, name) for name in names}} for row in found]


def study_rows(evidence: Evidence, selection: Selection, conversions: Sequence[Conversion], *,
               level: float) -> list[dict[str, Any]]:
    """What each study reports by itself, with its own interval: Clopper-Pearson for counts."""
    if selection.endpoint.kind == "rate":
        rows = [{"study_id": row.study_id, "tier": row.tier, "population": row.population, "events": row.events,
                 "n": row.n, "statistic": f"{row.events}/{row.n}", **exact_interval(row.events, row.n, level)}
                for row in selection.rows]
    else:
        rows = [_survival_row(conversion, level, selection.horizon) for conversion in conversions]
    shared = {"endpoint": selection.endpoint.endpoint, "subset": selection.question.subset,
              "tiers": selection.question.tiers, "level": level}
    return [{**shared, **row, "label": evidence.study(row["study_id"]).label,
             "year": evidence.study(row["study_id"]).year} for row in rows]


def exact_interval(events: int, n: int, level: float) -> dict[str, Any]:
    """Observed rate with its Clopper-Pearson confidence interval."""
    alpha = 1.0 - level
    lower = float(special.betaincinv(events, n - events + 1, alpha / 2)) if events else 0.0
    upper = float(special.betaincinv(events + 1, n - events, 1 - alpha / 2)) if events < n else 1.0
    return {"raw": events / n, "raw_lower": lower, "raw_upper": upper, "raw_interval": "Clopper-Pearson confidence"}


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
    months, d = conversion.landmark_months, conversion.events
    rest, alpha = conversion.person_months / months, 1.0 - level
    rates = (d / (d + rest), special.betaincinv(d, rest + 1, alpha / 2) if d else 0.0,
             special.betaincinv(d + 1, rest, 1 - alpha / 2) if rest else 1.0)
    with np.errstate(divide="ignore"):
        return tuple(-np.log1p(-np.array(rates)) / months)


def conversion_rows(endpoint: str, conversions: Sequence[Conversion]) -> list[dict[str, Any]]:
    """Rows of survival_conversions.csv."""
    return [{"endpoint": endpoint, **{name: getattr(conversion, name) for name in conversion.__dataclass_fields__},
             "rows": " ".join(map(str, conversion.rows))} for conversion in conversions]


def left_out_rows(selection: Selection) -> list[dict[str, Any]]:
    """Rows of left_out.csv: each row of the evidence that a fit does not use, with the reason."""
    question = selection.question
    return [{"endpoint": question.endpoint, "subset": question.subset, "tiers": question.tiers,
             **{name: getattr(item, name) for name in item.__dataclass_fields__}} for item in selection.left_out]


def left_out_cells(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows of left_out.csv for JSON that names the question once."""
    return [{name: row[name] for name in ("study_id", "table", "row", "reason")} for row in rows]


def comparison_row(comparison: Comparison) -> dict[str, Any]:
    """One row of comparison.csv."""
    reported = comparison.reported
    row = {"reported_id": reported.reported_id, "endpoint": reported.endpoint, "subset": reported.subset,
           "statistic": reported.statistic, "primary": reported.primary, "status": comparison.status,
           "reason": comparison.reason, "published": reported.estimate, "published_lower": reported.ci_low,
           "published_upper": reported.ci_high, "published_level": reported.level,
           "published_interval": "confidence" if reported.ci_low is not None else "",
           "published_k": reported.k_studies, "published_n": reported.n_patients,
           "published_events": reported.events, "published_note": reported.note, "units": reported.units,
           "estimand": comparison.estimand,
           "our_endpoint": comparison.endpoint, "transform": comparison.transform,
           "difference": comparison.difference, "width_ratio": comparison.width_ratio,
           "overlap": comparison.overlap, "probability_of_published_interval": comparison.probability}
    if comparison.crude:
        k, events, n = comparison.crude
        row |= {"k_studies": k, "n_patients": n, "events": events, "median": events / n, "mean": events / n}
    if comparison.pooled:
        row |= _pooled_cells(comparison.pooled)
    for tiers, pooled in (comparison.beside or {}).items():
        cells = _pooled_cells(pooled)
        row |= {f"tiers_{tiers.lower()}_{name}": cells.get(name)
                for name in ("k_studies", "n_patients", "median", "lower", "upper")}
    return row


def _pooled_cells(pooled: Pooled) -> dict[str, Any]:
    estimate = pooled.estimate
    cells = {"model": pooled.model, "tiers": pooled.tiers, "k_studies": pooled.k_studies,
             "n_patients": pooled.n_patients}
    names = ("time_months", "mean", "median", "lower", "upper", "level", "interval")
    return {**cells, **({name: getattr(estimate, name) for name in names} if estimate else {})}
