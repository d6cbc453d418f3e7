"""Beta-binomial against logit-normal: predictive accuracy under any priors, posterior weights under matched ones.

A posterior weight compares priors as much as likelihoods, so it is given only where the two models say the same
before the data: the logit of the pooled rate is Normal(0, 2) in both, and the heterogeneity has the same prior median
standard deviation of study rates at a mean of 0.8 (about 0.10, `prior_spread`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special, stats

from analysis.cases.case import Case, case_of, own_priors
from analysis.cases.settings import Job
from analysis.evidence import Evidence
from analysis.inference.density import prior_median
from analysis.inference.leave_one_out import LeftOut, leave_one_out
from analysis.inference.posterior import posterior_of
from analysis.results.columns import columns
from analysis.results.table import Column, Layout
from models import all_models, models_of
from models.model import NeedsDensity
from models.priors import Prior

DEFAULT, MATCHED = "default", "matched"
_NODES, _WEIGHTS = (0.5 * (x + shift) for x, shift in zip(np.polynomial.legendre.leggauss(400), (1.0, 0.0),
                                                          strict=True))
MATCHED_PRIORS: Mapping[str, Mapping[str, Prior]] = {
    "beta_binomial": {"mu": Prior("LogitNormal", (0.0, 2.0)), "rho": Prior("Beta", (1.0, 10.0))},
    "logit_normal": {"m": Prior("Normal", (0.0, 2.0)), "tau": Prior("HalfNormal", (1.0,))},
}


@dataclass(frozen=True)
class Judged:
    """One model of one endpoint under one set of priors.

    Parameters
    ----------
    priors : mapping of str to Prior
    which : {"default", "matched"}
    log_evidence : float
    weight : float or None
        Posterior probability of the model among those compared, equal before; only under matched priors.
    elpd, elpd_se : float
        Sum over studies of the log predictive density given the others, and its standard error.
    left_out : tuple of LeftOut
    """

    model: str
    which: str
    priors: Mapping[str, Prior]
    log_evidence: float
    weight: float | None
    elpd: float
    elpd_se: float
    left_out: tuple[LeftOut, ...]


def judge(case: Case) -> tuple[Judged, ...]:
    """All models of the case's kind with a density under the run's priors, and rate models under matched ones as well.

    Raises
    ------
    QuadratureFailed
        When the sums of one posterior do not settle.
    """
    rivals = [case.but(model=model, priors=own_priors(model, case.job)) for model in models_of(case.model.kind)
              if model.marginal]
    if case.model.kind != "rate":
        return tuple(_judged(rival, DEFAULT) for rival in rivals[:1])
    default = [_judged(rival, DEFAULT) for rival in rivals]
    matched = [_judged(rival.but(priors=MATCHED_PRIORS[rival.model.name]), MATCHED) for rival in rivals
               if rival.model.name in MATCHED_PRIORS]
    chances = special.softmax([one.log_evidence for one in matched])
    return (*default, *(replace(one, weight=float(chance)) for one, chance in zip(matched, chances, strict=True)))


def _judged(case: Case, which: str) -> Judged:
    left_out = leave_one_out(case)
    each = np.array([left.log_predictive for left in left_out])
    error = float(np.std(each, ddof=1) * np.sqrt(len(each))) if len(each) > 1 else np.nan
    return Judged(case.model.name, which, case.priors, posterior_of(case).log_evidence, None, float(each.sum()), error,
                  left_out)


def elpd_difference(first: Judged, second: Judged) -> tuple[float, float]:
    """Elpd of the first minus that of the second, with the standard error of the paired difference."""
    each = np.array([one.log_predictive - other.log_predictive
                     for one, other in zip(first.left_out, second.left_out, strict=True)])
    return float(each.sum()), float(np.std(each, ddof=1) * np.sqrt(len(each))) if len(each) > 1 else np.nan


def prior_spread(name: str, heterogeneity: Prior, *, mean: float = 0.8) -> float:
    """Prior median of the standard deviation of study rates at a given mean rate.

    Parameters
    ----------
    name : str
        Of a rate model.
    heterogeneity : Prior
        Of its second hyperparameter, whose median stands for it: the standard deviation rises with it.
    """
    model = all_models()[name]
    first, second = model.priors
    location = np.linspace(-8.0, 8.0, 1601)
    if model.supports[first] == "unit":
        location = special.expit(location)
    draws = {first: location, second: np.full(location.shape, prior_median(heterogeneity))}
    population = model.marginal.population(draws)
    if "rho" in population:
        return float(np.sqrt(mean * (1.0 - mean) * np.interp(mean, population["mean_rate"], population["rho"])))
    middle = np.interp(mean, population["mean_rate"], location)
    below = model.marginal.new_study_cdf({first: np.full(1, middle), second: draws[second][:1]}, _NODES)
    # E (p - c)^2 is the integral of 2 |p - c| times the probability to lie further out on that side.
    return float(np.sqrt(_WEIGHTS @ (2.0 * np.abs(_NODES - mean) * np.where(_NODES < mean, below, 1.0 - below))))


def uniformity(left_out: Sequence[LeftOut]) -> float:
    """P-value of a Kolmogorov-Smirnov test that the leave-one-out PITs are uniform; NaN below three studies."""
    if len(left_out) < 3:
        return np.nan
    return float(stats.kstest([one.pit for one in left_out], "uniform").pvalue)


MODEL_COMPARISON = Layout("model_comparison.csv", "One model of one endpoint under one set of priors.", columns(
    "endpoint subset tiers study_set", Column("which_priors", "default, or matched between the models", "text"),
    "model", Column("priors", "the priors", "text"),
    Column("prior_spread", "prior median of the standard deviation of study rates at a mean rate of 0.8"),
    Column("log_evidence", "log of the marginal likelihood"),
    Column("weight", "posterior probability of the model, equal before; under matched priors only"),
    Column("elpd_loo", "sum over studies of the log predictive density given the others"),
    Column("elpd_loo_se", "its standard error"),
    Column("elpd_difference", "difference from the first model with these priors"),
    Column("elpd_difference_se", "standard error of the paired difference"),
    Column("pit_uniform_p", "p-value of a test that the leave-one-out mid-p values are uniform"), "reason stamp"))
LEAVE_ONE_OUT = Layout("leave_one_out.csv", "One study predicted from the others by one model.", columns(
    "endpoint subset tiers study_set", Column("which_priors", "default, or matched between the models", "text"),
    "model study_id label", Column("elpd_loo", "log predictive density of the study given the others"),
    Column("pit", "predictive probability of less than it reports, plus half that of just that (mid-p)"),
    Column("two_sided", "two-sided predictive probability"), "stamp"))


def comparison_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of both tables for one endpoint under the priors of a run.

    Raises
    ------
    QuadratureFailed
        When the sums of one posterior do not settle.
    """
    question = replace(base.question, endpoint=endpoint)
    case = case_of(evidence, replace(base, question=question), shared_priors=True)
    shared = {name: getattr(question, name) for name in ("endpoint", "subset", "tiers", "study_set")}
    models, left_out, judged = [], [], judge(case)
    for one in judged:
        first = next(other for other in judged if other.which == one.which)
        gap, error = elpd_difference(one, first) if one is not first else (None, None)
        spread = one.priors[list(one.priors)[1]]
        models.append({**shared, "which_priors": one.which, "model": one.model,
                       "priors": "; ".join(f"{name} ~ {prior}" for name, prior in one.priors.items()),
                       "prior_spread": prior_spread(one.model, spread) if case.horizon is None else None,
                       "log_evidence": one.log_evidence, "weight": one.weight, "elpd_loo": one.elpd,
                       "elpd_loo_se": one.elpd_se, "elpd_difference": gap, "elpd_difference_se": error,
                       "pit_uniform_p": uniformity(one.left_out)})
        left_out += [{**shared, "which_priors": one.which, "model": one.model,
                      "study_id": case.studies.study_ids[left.index],
                      "label": evidence.study(case.studies.study_ids[left.index]).label,
                      "elpd_loo": left.log_predictive, "pit": left.pit, "two_sided": left.tail}
                     for left in one.left_out]
    models += [{**shared, "model": model.name, "reason": str(NeedsDensity(model.name))}
               for model in models_of(case.model.kind) if model.marginal is None]
    return {MODEL_COMPARISON.file: models, LEAVE_ONE_OUT.file: left_out}
