"""Whether patients of studies with more events of one kind live longer: the correlation of study effects.

    logit p_i = m + tau_1 a_i        log hazard_i = eta + tau_2 b_i        corr(a_i, b_i) = r, uniform from -1 to 1

The likelihood of r over that of r = 0 is the expectation, under the two separate posteriors, of a product over the
studies that report both: given a_i, b_i is Normal(r a_i, 1 - r^2), so that one integral of each is the marginal
likelihood of the survival model at another mean and spread, and the other a sum over a_i.
"""

from typing import Any

import numpy as np

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import Job, derive_seed
from analysis.evidence.types import Evidence
from analysis.inference.draws import draw
from analysis.inference.posterior import MOST_STUDIES, NO_POSTERIOR, posterior_of
from analysis.results.columns import columns
from analysis.results.table import Column, Layout
from models import log_hazard, logit_normal
from models.backend import NUMBERS
from models.model import Draws

FEWEST = 3
PRIOR_SD = 1.0 / np.sqrt(3.0)
_DRAWS = 400
_EFFECTS = np.linspace(-5.0, 5.0, 41)
_CORRELATIONS, _WEIGHTS = np.polynomial.legendre.leggauss(16)

EFFECT_CORRELATION = Layout("effect_correlation.csv", "The correlation of study effects of a rate and of survival.",
                            columns(
    "endpoint", Column("survival", "key of the survival endpoint", "text"), "tiers study_set",
    Column("k_studies", "studies that report both", "count"),
    Column("mean", "posterior mean of the correlation of logit rate and log hazard"),
    Column("sd", "its posterior standard deviation"), Column("prior_sd", "its prior standard deviation"),
    Column("positive", "posterior probability that it is positive"),
    Column("shift", "by how much it moves the posterior mean of survival (a probability) at the horizon"),
    "status reason stamp"))


def correlation_rows(evidence: Evidence, base: Job, rate: str, survival: str) -> dict[str, list[dict[str, Any]]]:
    """The one row of a rate and a survival endpoint.

    Raises
    ------
    UsageError
        When a prior does not exist, or studies share patients.
    """
    first = headline_case(evidence, base, rate).but(model=logit_normal.MODEL)
    second = headline_case(evidence, base, survival).but(model=log_hazard.MODEL)
    both = [name for name in first.studies.study_ids if name in second.studies.study_ids]
    row = {"endpoint": rate, "survival": survival, "tiers": base.question.tiers,
           "study_set": base.question.study_set, "k_studies": len(both), "prior_sd": PRIOR_SD}
    if not FEWEST <= len(both) <= MOST_STUDIES:
        return {EFFECT_CORRELATION.file: [{**row, "status": "not computed",
                                           "reason": f"{len(both)} studies report both"}]}
    try:
        draws = _draws(first, base, rate), _draws(second, base, survival)
    except NO_POSTERIOR as error:
        return {EFFECT_CORRELATION.file: [{**row, "status": "not computed", "reason": str(error)}]}
    ratios = _likelihood_ratios(first.take(both), second.take(both), *draws)
    return {EFFECT_CORRELATION.file: [{**row, **_summary(ratios, draws[1], second.horizon), "status": "computed"}]}


def _draws(case: Case, base: Job, name: str) -> Draws:
    rng = np.random.default_rng(derive_seed(base.seed, "effect correlation", name))
    return draw(posterior_of(case).grid, _DRAWS, rng)


def _likelihood_ratios(rate: Case, survival: Case, first: Draws, second: Draws) -> np.ndarray:
    """Likelihood of each correlation over that of none, given the hyperparameters of each draw; shape (r, s)."""
    place = [survival.studies.study_ids.index(name) for name in rate.studies.study_ids]
    logits = first["m"][:, None, None] + first["tau"][:, None, None] * _EFFECTS[:, None]
    known = logit_normal.likelihood(rate.studies.events, rate.studies.evaluable, on=NUMBERS).value(logits)
    known -= _EFFECTS[:, None] ** 2 / 2.0
    known = np.exp(known - known.max(axis=1, keepdims=True))
    known /= known.sum(axis=1, keepdims=True)
    none = log_hazard.log_likelihood(second, survival.studies)[:, None]
    ratios = []
    for r in _CORRELATIONS:
        given = {"eta": (second["eta"][:, None] + r * second["tau"][:, None] * _EFFECTS).ravel(),
                 "tau": np.repeat(second["tau"] * np.sqrt(1.0 - r**2), len(_EFFECTS))}
        likely = log_hazard.log_likelihood(given, survival.studies).reshape(_DRAWS, len(_EFFECTS), -1) - none
        ratios.append((known * np.exp(likely[..., place])).sum(axis=1).prod(axis=1))
    return np.array(ratios)


def _summary(ratios: np.ndarray, draws: Draws, months: float) -> dict[str, float]:
    mass = _WEIGHTS * ratios.mean(axis=1)
    mass /= mass.sum()
    mean = float(mass @ _CORRELATIONS)
    survival, joint = np.exp(-months * np.exp(draws["eta"])), _WEIGHTS @ ratios
    return {"mean": mean, "sd": float(np.sqrt(mass @ (_CORRELATIONS - mean) ** 2)),
            "positive": float(mass[_CORRELATIONS > 0.0].sum()),
            "shift": float(joint @ survival / joint.sum() - survival.mean())}
