"""Beta-binomial against logit-normal: predictive accuracy under any priors, posterior weights under matched ones.

A posterior weight compares priors as much as likelihoods, so it is given only where the two models say the same
before the data: the logit of the pooled rate is Normal(0, 2) in both, and the heterogeneity has the same prior median
standard deviation of study rates at a mean of 0.8 (about 0.10, `prior_spread`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from analysis.cases.case import Case, headline_case, own_priors
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.density import prior_median
from analysis.inference.leave_one_out import LeftOut, leave_one_out
from analysis.inference.posterior import posterior_of
from analysis.results.table import Column, Layout, columns
from analysis.results.tables import case_cells
from models import all_models, models_of
from models.integrals import unit_rule
from models.model import NeedsDensity
from models.priors import Prior

DEFAULT, MATCHED = "default", "matched"
_NODES, _WEIGHTS = unit_rule(400)
_MEAN = 0.8  # a rate at which the spreads of two families are compared
MATCHED_PRIORS: Mapping[str, Mapping[str, Prior]] = {
    "beta_binomial": {"mu": Prior("LogitNormal", (0.0, 2.0)), "rho": Prior("Beta", (1.0, 10.0))},
    "logit_normal": {"m": Prior("Normal", (0.0, 2.0)), "tau": Prior("HalfNormal", (1.0,))},
}


_WHICH_PRIORS = Column("which_priors", "default, or matched between the models", "text", "Priors")
MODEL_COMPARISON = Layout("model_comparison.csv", "One model of one endpoint under one set of priors.", columns(
    "endpoint subset tiers study_set", _WHICH_PRIORS, "model", Column("priors", "the priors", "text"),
    Column("prior_spread", "prior median of the standard deviation of study rates at a mean rate of 0.8",
           heading="Prior SD of rates at 80 %, points"),
    Column("log_evidence", "log of the marginal likelihood"),
    Column("weight", "posterior probability of the model, equal before; under matched priors only", heading="Weight"),
    Column("elpd_loo", "sum over studies of the log predictive density given the others", "error elpd_loo_se",
           "elpd (leave-one-out)"), Column("elpd_loo_se", "its standard error"),
    Column("elpd_difference", "difference from the first model with these priors", "error elpd_difference_se",
           "difference (SE)"), Column("elpd_difference_se", "standard error of the paired difference"),
    Column("pit_uniform_p", "p-value of a test that the leave-one-out mid-p values are uniform",
           heading="p, PIT uniform"), "reason stamp"))
LEAVE_ONE_OUT = Layout("leave_one_out.csv", "One study predicted from the others by one model.", columns(
    "endpoint subset tiers study_set", _WHICH_PRIORS, "model study_id label",
    Column("elpd_loo", "log predictive density of the study given the others", heading="Log predictive density"),
    Column("pit", "predictive probability of less than it reports, plus half that of just that (mid-p)",
           "chance", "PIT (mid-p)"),
    Column("two_sided", "two-sided predictive probability", heading="Two-sided probability"), "stamp"))


@dataclass(frozen=True)
class Rival:
    """One model of a case under one set of priors, with each study predicted from the others.

    Parameters
    ----------
    which_priors : {"default", "matched"}
    case : Case
    left_out : tuple of LeftOut
    """

    which_priors: str
    case: Case
    left_out: tuple[LeftOut, ...]

    @property
    def log_predictive(self) -> np.ndarray:
        """Log predictive density of each study given the others, shape (k,)."""
        return np.array([study.log_predictive for study in self.left_out])


def comparison_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of both tables for one endpoint under the priors of a run.

    Raises
    ------
    QuadratureFailed
        When the sums of one posterior do not settle.
    """
    case = headline_case(evidence, base, endpoint)
    rivals = rivals_of(case)
    question = MODEL_COMPARISON.pick(vars(case.question))
    absent = [{**question, "model": model.name, "reason": str(NeedsDensity(model.name))}
              for model in models_of(case.model.kind) if model.marginal is None]
    return {MODEL_COMPARISON.file: [*(model_row(rival, rivals) for rival in rivals), *absent],
            LEAVE_ONE_OUT.file: [_study_row(evidence, rival, study) for rival in rivals for study in rival.left_out]}


def rivals_of(case: Case) -> list[Rival]:
    """All rate models under the run's priors and those with matched ones under these; for survival the headline."""
    models = [case.but(model=model, priors=own_priors(model, case.job)) for model in models_of(case.model.kind)
              if model.marginal]
    if case.model.kind != "rate":
        return [Rival(DEFAULT, model, leave_one_out(model)) for model in models[:1]]
    matched = [rival.but(priors=MATCHED_PRIORS[rival.model.name]) for rival in models
               if rival.model.name in MATCHED_PRIORS]
    return [Rival(which, rival, leave_one_out(rival))
            for which, rivals in ((DEFAULT, models), (MATCHED, matched)) for rival in rivals]


def model_row(rival: Rival, rivals: Sequence[Rival]) -> dict[str, Any]:
    """How well a model predicts each study, against the first with the same kind of priors."""
    case, alike = rival.case, [other for other in rivals if other.which_priors == rival.which_priors]
    elpd, error = _sum_with_error(rival.log_predictive)
    row = {**case_cells(case, MODEL_COMPARISON), "which_priors": rival.which_priors, "elpd_loo": elpd,
           "elpd_loo_se": error, "log_evidence": posterior_of(case).log_evidence,
           "pit_uniform_p": uniformity(rival.left_out)}
    if case.model.kind == "rate":
        row["prior_spread"] = prior_spread(case.model.name, list(case.priors.values())[1])
    if rival is not alike[0]:
        gap, error = _sum_with_error(rival.log_predictive - alike[0].log_predictive)
        row |= {"elpd_difference": gap, "elpd_difference_se": error}
    if rival.which_priors == MATCHED:
        total = special.logsumexp([posterior_of(other.case).log_evidence for other in alike])
        row["weight"] = float(np.exp(row["log_evidence"] - total))
    return row


def _study_row(evidence: Evidence, rival: Rival, study: LeftOut) -> dict[str, Any]:
    study_id = rival.case.studies.study_ids[study.index]
    return {**case_cells(rival.case, LEAVE_ONE_OUT), "which_priors": rival.which_priors, "study_id": study_id,
            "label": evidence.study(study_id).label, "elpd_loo": study.log_predictive, "pit": study.pit,
            "two_sided": study.tail}


def _sum_with_error(terms: np.ndarray) -> tuple[float, float]:
    """The sum over studies with its standard error."""
    return float(terms.sum()), float(np.std(terms, ddof=1) * np.sqrt(len(terms))) if len(terms) > 1 else np.nan


def prior_spread(name: str, heterogeneity: Prior) -> float:
    """Prior median of the standard deviation of study rates where their mean is `_MEAN`.

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
    population = model.marginal.summaries(draws, ("mean_rate", "rho"))
    if "rho" in population:
        return float(np.sqrt(_MEAN * (1.0 - _MEAN) * np.interp(_MEAN, population["mean_rate"], population["rho"])))
    middle = np.interp(_MEAN, population["mean_rate"], location)
    below = model.marginal.new_study_cdf({first: np.full(1, middle), second: draws[second][:1]}, _NODES)
    # E (p - c)^2 is the integral of 2 |p - c| times the probability to lie further out on that side.
    return float(np.sqrt(_WEIGHTS @ (2.0 * np.abs(_NODES - _MEAN) * np.where(_NODES < _MEAN, below, 1.0 - below))))


def uniformity(left_out: Sequence[LeftOut]) -> float:
    """P-value of a Kolmogorov-Smirnov test that the leave-one-out PITs are uniform; NaN below three studies."""
    if len(left_out) < 3:
        return np.nan
    return float(stats.kstest([study.pit for study in left_out], "uniform").pvalue)
