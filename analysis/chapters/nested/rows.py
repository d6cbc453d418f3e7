"""How endpoints of the same studies go together: a part with its whole, and effects on a rate with those on survival.

Separate fits of a part and its whole know nothing of each other, so that they may put the part above the whole. How
far they do is a posterior probability: that the mean rate of the part exceeds that of the whole, each from its own
exact posterior.

Whether patients of studies with more events of one kind live longer is the correlation of study effects:

    logit p_i = m + tau_1 a_i        log hazard_i = eta + tau_2 b_i        corr(a_i, b_i) = r, uniform from -1 to 1

The likelihood of r over that of r = 0 is the expectation, under the two separate posteriors, of a product over the
studies that report both: given a_i, b_i is Normal(r a_i, 1 - r^2), so that one integral of each is the marginal
likelihood of the survival model at another mean and spread, and the other a sum over a_i.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from analysis.cases.case import Case, NoStudies, headline_case
from analysis.cases.nesting import NestedRow, Nesting, nest
from analysis.cases.settings import Job, derive_seed
from analysis.evidence.directory import Evidence
from analysis.inference.distribution import difference
from analysis.inference.estimands import Estimate
from analysis.inference.nested import GIVEN, INNER, MEAN, NEW, OUTER, RHO, NestedPosterior, nested_posterior
from analysis.inference.posterior import NO_POSTERIOR, posterior_of
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from analysis.results.tables import limit_cells
from models import log_hazard, logit_normal
from models.backend import NUMBERS
from models.model import Draws
from models.studies import RateStudies

ESTIMATE, STUDY = "estimate", "study"
SEPARATE, TOGETHER = "separate", "nested"
CONTRADICTION = 0.1
"""Probability of the impossible above which separate fits contradict one another."""

_PRIOR_DRAWS = 200_000

FEWEST, MOST = 3, 60
"""Studies with both endpoints."""

PRIOR_SD = float(1.0 / np.sqrt(3.0))
_DRAWS, _PER_STUDY = 1_000, 8_000  # draws of the hyperparameters; with many studies fewer
_REACH, _MOST_NODES = 5.0, 250
CORRELATIONS, WEIGHTS = np.polynomial.legendre.leggauss(16)

NESTED = Layout("nested.csv", "A rate of an endpoint or of the one that contains it, fitted separately or nested, or "
                "what a study says of both.", columns(
    "endpoint", Column("parent", "key of the endpoint that contains it", "label endpoints", "Within"),
    "tiers study_set", Column("part", "estimate or study", "text"), Column("fit", "separate or nested", "text", "Fit"),
    Column("quantity", "outer: the whole; inner: the part; inner given outer: the part among those with the whole",
           "text", "Rate of"), "k_studies n_patients median mean sd lower upper level interval",
    *(column for of, what, form, head in (
        ("new", "rate of a new study", "estimate", "New study{unit} [{level} prediction]"),
        ("rho", "intraclass correlation", "parameter", "rho [{level} credible]")) for column in (
        Column(f"{of}_median", f"posterior median of the {what}", form, head),
        *(Column(f"{of}_{name}", f"{name} limit of the {what}") for name in ("lower", "upper")))),
    Column("rho_sd", "posterior standard deviation of rho", "number", "SD of rho"),
    Column("rho_prior_sd", "its prior standard deviation", "number", "Prior SD"),
    Column("exceeds", "of an inner rate: posterior probability of the separate fits that it exceeds the outer one",
           "chance", "P(part above whole)"),
    Column("contradicts", f"whether that is above {CONTRADICTION:g}", "flag"),
    "study_id label", Column("role", "what counts: both, outer only, inner only, or left out", "text", "Counts"),
    *(column for part in (OUTER, INNER) for column in (
        Column(f"{part}_events", f"events of the {part} endpoint", f"of {part}_n", part.capitalize()),
        Column(f"{part}_n", f"patients of the {part} endpoint", "count"),
        Column(f"{part}_grading", f"grading scale of the {part} endpoint", "text", f"{part.capitalize()} graded by"))),
    "status reason stamp"))
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


def nested_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of one endpoint within its parent; a nested rate without a result has the reason.

    Raises
    ------
    UsageError
        When a prior does not exist, or studies of one endpoint share patients.
    """
    nesting = nest(evidence, base, endpoint)
    return {NESTED.file: [*_fits(nesting), *(_study(evidence, nesting, row) for row in nesting.rows)]}


def _fits(nesting: Nesting) -> Iterator[dict[str, Any]]:
    try:
        joint = nested_posterior(nesting)
        outer, inner = (posterior_of(case) for case in (nesting.outer, nesting.inner))
    except (NoStudies, *NO_POSTERIOR) as error:
        yield {**_cells(nesting, ESTIMATE), "fit": TOGETHER, "quantity": INNER, "status": NOT_COMPUTED,
               "reason": str(error)}
        return
    for quantity, posterior in ((OUTER, outer), (INNER, inner)):
        yield _estimate(nesting, SEPARATE, quantity, posterior.estimates((MEAN, NEW, RHO)), posterior.case.studies)
    exceeds = difference(inner.distribution(MEAN), outer.distribution(MEAN), at=np.array([0.5])).positive
    *parts, product = joint_rows(nesting, joint)
    yield from (*parts, {**product, "exceeds": exceeds, "contradicts": exceeds > CONTRADICTION})


def joint_rows(nesting: Nesting, joint: NestedPosterior) -> list[dict[str, Any]]:
    """The rates of the nested model: outer, inner given outer, and inner."""
    return [_estimate(nesting, TOGETHER, quantity, joint.estimates(quantity), nesting.counted)
            for quantity in (OUTER, GIVEN, INNER)]


def _cells(nesting: Nesting, part: str) -> dict[str, Any]:
    question = nesting.inner.question
    return {"endpoint": question.endpoint, "parent": nesting.outer.question.endpoint, "tiers": question.tiers,
            "study_set": question.study_set, "part": part}


def _estimate(nesting: Nesting, fit: str, quantity: str, estimates: Iterable[Estimate],
              studies: RateStudies) -> dict[str, Any]:
    by_name = {estimate.estimand: estimate for estimate in estimates}
    cells = {**_cells(nesting, ESTIMATE), "fit": fit, "quantity": quantity, "k_studies": len(studies),
             "n_patients": studies.patients, "status": COMPUTED, **NESTED.pick(vars(by_name[MEAN])),
             **limit_cells(by_name[NEW], "new_")}
    if RHO in by_name:
        case = nesting.outer if quantity == OUTER else nesting.inner
        prior = case.priors[RHO].draw(_PRIOR_DRAWS, np.random.default_rng(1))
        cells |= {**limit_cells(by_name[RHO], "rho_"), "rho_sd": by_name[RHO].sd, "rho_prior_sd": float(prior.std())}
    return cells


def _study(evidence: Evidence, nesting: Nesting, row: NestedRow) -> dict[str, Any]:
    counts = {f"{part}_{name}": getattr(count, name) for part, count in ((OUTER, row.outer), (INNER, row.inner))
              for name in ("events", "n", "grading") if count}
    return {**_cells(nesting, STUDY), "study_id": row.study_id, "label": evidence.study(row.study_id).label,
            "role": row.role, **counts, "reason": row.reason}


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
