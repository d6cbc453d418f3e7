"""Rows of influence.csv: each study of an endpoint left out, the headline's change, and the study's surprise."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from analysis.cases.case import Case, case_of
from analysis.cases.settings import Job, derive_seed
from analysis.chapters.influence.surprise import NAMED_BELOW, chance_named, information, pareto_k, surprise
from analysis.evidence import Evidence
from analysis.inference.grid import QuadratureFailed
from analysis.inference.leave_one_out import LeftOut, leave_one_out, only
from analysis.inference.posterior import Posterior, Summary, main_estimand, posterior_of, spread_estimand, too_large
from analysis.results.tables import case_cells

FILE = "influence.csv"
COMPUTED, NOT_COMPUTED = "computed", "not computed"
PRIOR_ONLY = "without the only study the prior remains"
_ONE_LEFT = "without it one study remains: the heterogeneity is the prior's"


@dataclass(frozen=True)
class Influence:
    """One study left out of one endpoint.

    Parameters
    ----------
    n : int
        Patients of the study.
    full_median, full_lower, full_upper, full_sd : float or None
        Main estimand with all studies.
    median, lower, upper : float or None
        Without the study.
    shift : float or None
        Median without the study minus median with it, on the scale of the estimand (a probability).
    shift_sd : float or None
        The same in posterior standard deviations of the headline.
    heterogeneity : str
        rho or tau.
    full_heterogeneity, heterogeneity_median, heterogeneity_shift : float or None
        Its posterior median with all studies, without this one, and the second minus the first.
    elpd_loo, pit, two_sided : float or None
        The study under the prediction of the others: log density, mid-p and two-sided probability.
    surprise_bits : float or None
        -log2 of the two-sided probability.
    named : bool or None
        Whether the two-sided probability is below 0.05.
    chance_named : float or None
        Probability of that by chance.
    information_bits : float or None
        Kullback-Leibler divergence of the posterior with the study from the one without it.
    pareto_k : float or None
        Of importance sampling on the marginal likelihood; the refit stands whatever it is.
    """

    endpoint: str
    subset: str
    tiers: str
    study_set: str
    model: str
    study_id: str
    label: str
    k_studies: int
    n: int
    estimand: str
    time_months: float | None
    level: float
    interval: str
    status: str
    reason: str = ""
    full_median: float | None = None
    full_lower: float | None = None
    full_upper: float | None = None
    full_sd: float | None = None
    median: float | None = None
    lower: float | None = None
    upper: float | None = None
    shift: float | None = None
    shift_sd: float | None = None
    heterogeneity: str = ""
    full_heterogeneity: float | None = None
    heterogeneity_median: float | None = None
    heterogeneity_shift: float | None = None
    elpd_loo: float | None = None
    pit: float | None = None
    two_sided: float | None = None
    surprise_bits: float | None = None
    named: bool | None = None
    chance_named: float | None = None
    information_bits: float | None = None
    pareto_k: float | None = None


INFLUENCE_COLUMNS = tuple(field.name for field in fields(Influence))


def influence_rows(evidence: Evidence, job: Job) -> tuple[dict[str, Any], ...]:
    """One row per study of the job's question, in the order of the evidence; none where there is no study.

    Raises
    ------
    UsageError
        When endpoint, subset, model or prior do not exist or do not go together.
    """
    case = case_of(evidence, job)
    if not len(case.studies):
        return ()
    if too_large(case.studies):
        return _not_computed(evidence, case, too_large(case.studies))
    try:
        whole, left_out = posterior_of(case), leave_one_out(case)
    except QuadratureFailed as error:
        return _not_computed(evidence, case, str(error))
    return _rows(evidence, whole, left_out)


def _not_computed(evidence: Evidence, case: Case, reason: str) -> tuple[dict[str, Any], ...]:
    return tuple(_cells(Influence(**_shared(evidence, case, at), status=NOT_COMPUTED, reason=reason))
                 for at in range(len(case.studies)))


def _rows(evidence: Evidence, whole: Posterior, left_out: tuple[LeftOut, ...]) -> tuple[dict[str, Any], ...]:
    case, studies = whole.case, whole.case.studies
    full = _both(whole)
    seed = derive_seed(case.job.seed, case.question.endpoint, case.model.name, "pareto")
    bits = information(whole.grid, studies, np.array([left.log_predictive for left in left_out]))
    shapes = pareto_k(whole.grid, studies, seed=seed)
    found = []
    for left, learned, shape in zip(left_out, bits, shapes, strict=True):
        row = Influence(
            **_shared(evidence, case, left.index), status=COMPUTED, reason=_remark(len(studies)),
            **_change(full, _both(left.posterior)), heterogeneity=spread_estimand(case),
            elpd_loo=left.log_predictive, pit=left.pit, two_sided=left.tail, surprise_bits=surprise(left.tail),
            named=left.tail < NAMED_BELOW, chance_named=chance_named(left, only(studies, left.index)),
            information_bits=float(learned), pareto_k=float(shape) if np.isfinite(shape) else None)
        found.append(_cells(row))
    return tuple(found)


def _both(posterior: Posterior) -> tuple[Summary, Summary]:
    """The main estimand and the heterogeneity."""
    return tuple(posterior.summary(name(posterior.case)) for name in (main_estimand, spread_estimand))


def _change(full: tuple[Summary, Summary], without: tuple[Summary, Summary]) -> dict[str, Any]:
    main, spread = full
    shift = without[0].median - main.median
    return {"full_median": main.median, "full_lower": main.lower, "full_upper": main.upper, "full_sd": main.sd,
            "median": without[0].median, "lower": without[0].lower, "upper": without[0].upper, "shift": shift,
            "shift_sd": shift / main.sd, "full_heterogeneity": spread.median,
            "heterogeneity_median": without[1].median, "heterogeneity_shift": without[1].median - spread.median}


def _remark(k: int) -> str:
    return {1: PRIOR_ONLY, 2: _ONE_LEFT}.get(k, "")


def _shared(evidence: Evidence, case: Case, at: int) -> dict[str, Any]:
    study_id = case.studies.study_ids[at]
    return {**case_cells(case), "subset": case.question.subset, "study_id": study_id,
            "label": evidence.study(study_id).label, "k_studies": len(case.studies),
            "n": int(case.studies.sizes[at])}


def _cells(row: Influence) -> dict[str, Any]:
    return {name: getattr(row, name) for name in INFLUENCE_COLUMNS}
