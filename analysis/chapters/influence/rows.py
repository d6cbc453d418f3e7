"""Rows of influence.csv: each study of an endpoint left out, the headline's change, and the study's surprise.

Counts are discrete, so that a study of few patients is named by chance less often than one in twenty: `chance_named`
is the predictive probability, under the others, of a report that would be named.

References
----------
Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J. J Mach Learn Res 2024;25(72) (Pareto k).
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import Job, derive_seed
from analysis.evidence.directory import Evidence
from analysis.inference.leave_one_out import chance_named, information, leave_one_out, pareto_k
from analysis.inference.posterior import NO_POSTERIOR, main_estimand, posterior_of, spread_estimand, too_large
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from analysis.results.tables import case_cells, limit_cells

LEAST_TAIL = 1e-6
"""Smallest two-sided probability that is told apart: predictions skip grid points of less weight."""

PRIOR_ONLY = "without the only study the prior remains"
_REMARKS = {1: PRIOR_ONLY, 2: "without it one study remains: the heterogeneity is the prior's"}

INFLUENCE = Layout("influence.csv", "One study left out of the headline of one endpoint.", columns(
    "endpoint subset tiers study_set model study_id label k_studies n estimand time_months level interval status",
    "reason",
    Column("full_median", "posterior median of the main estimand with all studies", "estimate"),
    Column("full_lower", "lower limit with all studies"), Column("full_upper", "upper limit with all studies"),
    Column("full_sd", "posterior standard deviation with all studies"),
    Column("median", "posterior median without the study", "estimate", "Estimate{unit} [{level} credible]"),
    Column("lower", "lower limit without the study"), Column("upper", "upper limit without the study"),
    Column("shift", "median without the study minus median with it, on the scale of the estimand (a probability)",
           "change", "Shift{points}"),
    Column("shift_sd", "the same in posterior standard deviations with all studies", "turned", "Shift, SD"),
    Column("heterogeneity", "estimand that tells how much studies differ: rho or tau", "text", "Heterogeneity"),
    Column("full_heterogeneity", "its posterior median with all studies"),
    Column("heterogeneity_median", "its posterior median without the study"),
    Column("heterogeneity_shift", "the second minus the first"),
    Column("elpd_loo", "log predictive density of the study given the others"),
    Column("pit", "predictive probability of less than the study reports, plus half that of just that (mid-p)",
           "chance", "Predictive mid-p"),
    Column("two_sided", "two-sided predictive probability of something at least as extreme", "chance", "Two-sided"),
    Column("surprise_bits", "minus the binary logarithm of the two-sided probability", ".1f", "Surprise, bits"),
    Column("named", "whether the two-sided probability is below 0.05", "flag"),
    Column("chance_named", "probability of that by chance"),
    Column("information_bits", "Kullback-Leibler divergence of the posterior with the study from the one without",
           heading="Learned, bits"),
    Column("pareto_k", "shape of importance sampling on the marginal likelihood; the refit stands whatever it is",
           heading="Pareto k"),
    "stamp"))


def influence_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """One row per study of the endpoint's headline, in the order of the evidence; none where there is no study."""
    case = headline_case(evidence, base, endpoint)
    studies = case.studies
    refused = too_large(studies)
    try:
        predictions = list(_predictions(case)) if len(studies) and not refused else []
    except NO_POSTERIOR as error:
        predictions, refused = [], str(error)
    predictions = predictions or [{"status": NOT_COMPUTED, "reason": refused}] * len(studies)
    return {INFLUENCE.file: [
        {**case_cells(case, INFLUENCE), "study_id": study_id, "label": evidence.study(study_id).label, "n": int(size),
         **prediction}
        for study_id, size, prediction in zip(studies.study_ids, studies.sizes, predictions, strict=True)]}


def _predictions(case: Case) -> Iterator[dict[str, Any]]:
    """Each study predicted from the others, and the headline's estimates without it beside those with it."""
    studies, whole, left_out = case.studies, posterior_of(case), leave_one_out(case)
    names = main_estimand(case), spread_estimand(case)
    main, spread = (whole.summary(name) for name in names)
    with_it = {"status": COMPUTED, "reason": _REMARKS.get(len(studies), ""), **limit_cells(main, "full_"),
               "full_sd": main.sd, "heterogeneity": names[1], "full_heterogeneity": spread.median}
    bits = information(whole, np.array([left.log_predictive for left in left_out]))
    seed = derive_seed(case.job.seed, case.question.endpoint, case.model.name, "pareto")
    for left, learned, shape in zip(left_out, bits, pareto_k(whole, seed=seed), strict=True):
        others, others_spread = (left.posterior.summary(name) for name in names)
        shift = others.median - main.median
        yield {**with_it, **limit_cells(others), "shift": shift, "shift_sd": shift / main.sd,
               "heterogeneity_median": others_spread.median,
               "heterogeneity_shift": others_spread.median - spread.median, "elpd_loo": left.log_predictive,
               "pit": left.pit, "two_sided": left.tail, "surprise_bits": surprise(left.tail),
               "named": left.tail < NAMED_BELOW,
               "chance_named": chance_named(left.posterior, studies.take([left.index])),
               "information_bits": float(learned), "pareto_k": float(shape) if np.isfinite(shape) else None}


def surprise(two_sided: float) -> float:
    """Surprise in bits, -log2 of the two-sided predictive probability; 20 bits where it is one in a million or less."""
    return -math.log2(max(two_sided, LEAST_TAIL)) + 0.0
