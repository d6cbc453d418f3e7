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
from analysis.evidence.directory import Evidence
from analysis.inference.posterior import NO_POSTERIOR, posterior_of
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from models import log_hazard, logit_normal
from models.backend import NUMBERS
from models.model import Draws

FEWEST, MOST = 3, 60
"""Studies with both endpoints."""

PRIOR_SD = float(1.0 / np.sqrt(3.0))
_DRAWS, _PER_STUDY = 1_000, 8_000  # draws of the hyperparameters; with many studies fewer
_REACH, _MOST_NODES = 5.0, 250
CORRELATIONS, WEIGHTS = np.polynomial.legendre.leggauss(16)

EFFECT_CORRELATION = Layout(
    "effect_correlation.csv", "The correlation of study effects of a rate and of survival.", columns(
        "endpoint", Column("survival", "key of the survival endpoint", "label endpoints"), "tiers study_set",
        Column("k_studies", "studies that report both", "count"),
        Column("mean", "posterior mean of the correlation of logit rate and log hazard"),
        Column("sd", "its posterior standard deviation"), Column("prior_sd", "its prior standard deviation"),
        Column("positive", "posterior probability that it is positive", "chance"),
        Column("shift", "by how much it moves the posterior mean of survival (a probability) at the horizon"),
        Column("shift_error", "its Monte-Carlo standard error"),
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
    row = {"endpoint": rate, "survival": survival, "tiers": base.question.tiers, "prior_sd": PRIOR_SD,
           "study_set": base.question.study_set, "k_studies": len(both), "status": NOT_COMPUTED,
           "reason": f"{len(both)} studies report both"}
    if FEWEST <= len(both) <= MOST:
        rng = np.random.default_rng(derive_seed(base.seed, "effect correlation", rate, survival))
        try:
            draws = [posterior_of(case).draw(min(_DRAWS, _PER_STUDY // len(both)), rng)
                     for case in (first, second)]
            ratios = likelihood_ratios(first.take(both), second.take(both), *draws)
            row |= {**_summary(ratios, draws[1], second.horizon), "status": COMPUTED, "reason": ""}
        except NO_POSTERIOR as error:
            row["reason"] = str(error)
    return {EFFECT_CORRELATION.file: [row]}


def likelihood_ratios(rate: Case, survival: Case, first: Draws, second: Draws) -> np.ndarray:
    """Likelihood of each correlation over that of none, given the hyperparameters of each draw; shape (r, s)."""
    place = [survival.studies.study_ids.index(name) for name in rate.studies.study_ids]
    effects = _nodes(rate, first)
    logits = first["m"][:, None, None] + first["tau"][:, None, None] * effects[:, None]
    weights = logit_normal.likelihood(rate.studies.events, rate.studies.evaluable, on=NUMBERS).value(logits)
    weights -= effects[:, None] ** 2 / 2.0
    weights = np.exp(weights - weights.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    none = log_hazard.log_likelihood(second, survival.studies)[:, None]
    ratios = []
    for r in CORRELATIONS:
        given = {"eta": (second["eta"][:, None] + r * second["tau"][:, None] * effects).ravel(),
                 "tau": np.repeat(second["tau"] * np.sqrt(1.0 - r**2), len(effects))}
        likely = log_hazard.log_likelihood(given, survival.studies).reshape(len(weights), len(effects), -1) - none
        ratios.append((weights * np.exp(likely[..., place])).sum(axis=1).prod(axis=1))
    return np.array(ratios)


def _nodes(rate: Case, draws: Draws) -> np.ndarray:
    """Standardised effects for a plain sum, as dense as the narrowest likelihood of one asks for."""
    narrowest = 1.0 / np.sqrt(1.0 + draws["tau"].max() ** 2 * rate.studies.evaluable.max() / 4.0)
    return np.linspace(-_REACH, _REACH, min(_MOST_NODES, int(2.0 * _REACH / narrowest) + 20))


def _summary(ratios: np.ndarray, draws: Draws, months: float) -> dict[str, float]:
    mass = WEIGHTS * ratios.mean(axis=1)
    mass /= mass.sum()
    mean = float(mass @ CORRELATIONS)
    survival, joint = np.exp(-months * np.exp(draws["eta"])), WEIGHTS @ ratios
    with_it = float(joint @ survival / joint.sum())
    each = joint / joint.mean() * (survival - with_it) - (survival - survival.mean())
    return {"mean": mean, "sd": float(np.sqrt(mass @ (CORRELATIONS - mean) ** 2)),
            "positive": float(mass[CORRELATIONS > 0.0].sum()),
            "shift": with_it - float(survival.mean()), "shift_error": float(each.std() / np.sqrt(len(each)))}
