"""Log-normal hazard model of survival, the headline model for overall and progression-free survival.

    log h_i ~ Normal(eta, tau)      eta ~ Normal(log(log 2 / 12), 2.5)      tau ~ HalfNormal(0.5)

h_i is study i's constant hazard in events per person-month, so its survival is S_i(t) = exp(-h_i t). A study reports
an estimate of log h_i with a standard error below and one above it, events and person-months, or patients who had the
event by a landmark (where all or none had it, no estimate exists):

    estimate:  log h_i-hat ~ Normal(log h_i, s_i), with s_i one value on each side (split normal)
    counts:    d_i ~ Poisson(h_i T_i)
    landmarks: d_i ~ Binomial(n_i, 1 - S_i(t_i)), in which no event is Poisson with T = n t

Why these priors. eta is centred on a median survival of 12 months, within a factor of e^4.9 = 134 either way with
95 %: from 3 days to 134 years, so that leukaemia, stroke and stopping a drug are all expected. A standard deviation of
1 (a factor of 7.4) moves survival in leukaemia by no more than 0.002, but fights rare events: what it cannot believe
it explains by heterogeneity, and three studies with nearly equal low rates get a tau of 1.2. It stays among the refits
of `analysis.chapters.sensitivity.priors`. A still wider prior would leave studies without any event to itself: at 10,
no event in 1,000 months makes the posterior median of the median survival 2 10^5 months.

tau ~ HalfNormal(0.5) has median 0.34; at tau = 0.5 the median survival of similar studies lies between 4.5 and 32
months, wider than any set of trials that one would pool.

Numerics. log h_i is integrated out. For a normal estimate that is Normal(log h_i-hat; eta, sqrt(s^2 + tau^2)); a split
normal gives one such term for each side, times the probability of that side; counts of either kind are log-concave
in log h_i and integrated by adaptive Gauss-Hermite quadrature (`models.marginal`).

References
----------
Grover P et al. Blood Adv 2022;6:1608, doi 10.1182/bloodadvances.2020003482 (exponential curves, normal log hazards).
Wallis KF. Statist Sci 2014;29:106, doi 10.1214/13-STS417 (the split normal distribution).
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from models.backend import GRAPH, NUMBERS, Array, Backend, spaced
from models.coordinates import conditional_location, located
from models.effects import draw_effects
from models.hazard_counts import binomial, poisson
from models.marginal import POINTS, log_marginal
from models.model import Draws, Model
from models.priors import Prior
from models.studies import HazardStudies
from models.sums import log_binomial

if TYPE_CHECKING:
    import pymc as pm

PRIORS = {"eta": Prior("Normal", (float(np.log(np.log(2.0) / 12.0)), 2.5)), "tau": Prior("HalfNormal", (0.5,))}
_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_TINY = 1e-300


def log_density_estimates(eta: Array, tau: Array, estimates: Array, *, on: Backend) -> Array:
    """Marginal log likelihood of each study that reports an estimate; shape (..., k).

    Parameters
    ----------
    eta, tau : array, broadcastable with (..., k)
    estimates : array, shape (3, k)
        Rows log hazard, standard error below it and above it.
    """
    below, above = _sides(eta, tau, estimates, on=on)
    return on.logaddexp(below, above)


def log_density_counts(eta: Array, tau: Array, counts: Array, *, on: Backend) -> Array:
    """Marginal log likelihood of each study that reports counts, without d log T - log d!; shape (..., k).

    Parameters
    ----------
    eta, tau : array, broadcastable with (..., k)
    counts : array, shape (2, k)
        Rows events and person-months.
    """
    return log_marginal(poisson(counts, on=on), eta, tau, on=on)


def log_density_landmarks(eta: Array, tau: Array, landmarks: Array, *, on: Backend) -> Array:
    """Marginal log likelihood of each study that counts events by a landmark, without the coefficient; shape (..., k).

    Parameters
    ----------
    eta, tau : array, broadcastable with (..., k)
    landmarks : array, shape (3, k)
        Rows events by the landmark, person-months of the patients without, and months of the landmark.
    """
    return log_marginal(binomial(landmarks, on=on), eta, tau, on=on)


def _sides(eta: Array, tau: Array, estimates: Array, *, on: Backend) -> tuple[Array, Array]:
    """Log of the two terms of the marginal split normal: log h_i below its estimate, and above it."""
    distance = estimates[0] - eta
    terms = []
    for scale, sign in ((estimates[1], 1.0), (estimates[2], -1.0)):
        total = on.sqrt(scale**2 + tau**2)
        share = on.log(2.0 * scale / (estimates[1] + estimates[2]))
        normal = -0.5 * (distance / total) ** 2 - on.log(total) - _HALF_LOG_2PI
        terms.append(share + normal + on.log_ndtr(sign * scale * distance / (total * tau + _TINY)))
    return terms[0], terms[1]


COLUMNS = {"estimates": ("log_hazard", "se_lower", "se_upper"), "counts": ("events", "person_months"),
           "landmarks": ("events", "person_months", "landmark_months")}
DENSITIES = {"estimates": log_density_estimates, "counts": log_density_counts, "landmarks": log_density_landmarks}
_CONCAVE = {"counts": poisson, "landmarks": binomial}


def kinds(studies: HazardStudies) -> dict[str, np.ndarray]:
    """Which studies report in which way, each only where a study does; bool arrays, shape (k,)."""
    found = {"estimates": studies.is_estimate, "counts": studies.is_poisson, "landmarks": studies.is_landmark}
    return {name: rows for name, rows in found.items() if rows.any()}


def data(studies: HazardStudies) -> dict[str, np.ndarray]:
    """One table for each way of reporting that occurs, columns as in `COLUMNS`; the model's `pm.Data` by name."""
    return {name: np.stack([getattr(studies, column) for column in COLUMNS[name]])[:, rows]
            for name, rows in kinds(studies).items()}


def log_density(draws: Draws, inputs: Mapping[str, Array], *, on: Backend) -> Array:
    """Marginal log likelihood over all studies, without what depends on the counts only; shape (...).

    Parameters
    ----------
    draws : mapping of str to array, shape (...)
        eta and tau.
    inputs : mapping of str to array
        As `data` returns them.
    """
    eta, tau = spaced(draws["eta"]), spaced(draws["tau"])
    return sum(on.sum(DENSITIES[name](eta, tau, table, on=on), axis=-1) for name, table in inputs.items())


def log_constant(studies: HazardStudies) -> float:
    """What `log_density` leaves out: d log T - log d! of Poisson counts, log of n over d of counts at a landmark."""
    return float(_log_constants(studies).sum())


def _log_constants(studies: HazardStudies) -> np.ndarray:
    d, time, values = studies.events, studies.person_months, np.zeros(len(studies))
    dated, landmark = studies.is_poisson, studies.is_landmark
    values[dated] = d[dated] * np.log(time[dated]) - special.gammaln(d[dated] + 1.0)
    patients = d[landmark] + time[landmark] / studies.landmark_months[landmark]
    values[landmark] = log_binomial(patients, d[landmark])
    return values


def conditional(tau: Array, inputs: Mapping[str, Array], *, on: Backend) -> tuple[Array, Array]:
    """About where eta lies given tau, and its standard deviation."""
    return conditional_location(tau, [(*rough(name, table, on=on), 1.0) for name, table in inputs.items()], on=on)


def build(studies: HazardStudies, priors: Mapping[str, Prior] = PRIORS) -> "pm.Model":
    """The model with study effects integrated out.

    Parameters
    ----------
    studies : HazardStudies
    priors : mapping of str to Prior
        For eta (log of events per person-month) and tau (> 0, log hazard).
    """
    import pymc as pm

    with pm.Model() as model:
        inputs = {name: pm.Data(name, table) for name, table in data(studies).items()}
        tau = priors["tau"].variable("tau")
        centre, spread = conditional(tau, inputs, on=GRAPH)
        eta = located("eta", priors["eta"], centre=centre, spread=spread)
        pm.Potential("log_likelihood", log_density({"eta": eta, "tau": tau}, inputs, on=GRAPH))
    return model


def rough(name: str, table: Array, *, on: Backend) -> tuple[Array, Array]:
    """Estimate and variance of each study of a table of `data`, as if it were a normal estimate."""
    if name == "estimates":
        return table[0], table[1] * table[2]
    counts = _CONCAVE[name](table, on=on)
    return counts.guess, counts.guess_variance


def log_likelihood(draws: Draws, studies: HazardStudies) -> np.ndarray:
    """Marginal log likelihood of each study at each draw, shape (s, k)."""
    eta, tau, rows = draws["eta"][:, None], draws["tau"][:, None], kinds(studies)
    values = np.empty((len(eta), len(studies)))
    for name, table in data(studies).items():
        values[:, rows[name]] = DENSITIES[name](eta, tau, table, on=NUMBERS)
    return values + _log_constants(studies)


def study_effects(draws: Draws, studies: HazardStudies, rng: np.random.Generator) -> np.ndarray:
    """Log hazard of each study given the hyperparameters and its own report, shape (s, k)."""
    rows, values = kinds(studies), np.empty((len(draws["eta"]), len(studies)))
    for name, table in data(studies).items():
        values[:, rows[name]] = _draw_estimates(draws, table, rng) if name == "estimates" else \
            draw_effects(_CONCAVE[name](table, on=NUMBERS), draws["eta"], draws["tau"], rng)
    return values


def _draw_estimates(draws: Draws, estimates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Picks the side of the estimate by its probability, then a truncated normal on that side."""
    eta, tau = draws["eta"][:, None], draws["tau"][:, None]
    below, above = _sides(eta, tau, estimates, on=NUMBERS)
    lower = rng.random(below.shape) < special.expit(below - above)
    scale = np.where(lower, estimates[1], estimates[2])
    variance = scale**2 + tau**2
    mean = (estimates[0] * tau**2 + eta * scale**2) / variance
    spread = scale * tau / np.sqrt(variance)
    sign = np.where(lower, 1.0, -1.0)
    limit = sign * (estimates[0] - mean) / np.maximum(spread, _TINY)
    z = special.ndtri_exp(np.log(rng.random(below.shape)) + special.log_ndtr(limit))
    return mean + sign * spread * z


def new_study(draws: Draws, rng: np.random.Generator) -> np.ndarray:
    """Log hazard of one further exchangeable study, shape (s,)."""
    return rng.normal(draws["eta"], draws["tau"])


def new_study_cdf(draws: Draws, log_hazard: Array) -> np.ndarray:
    """Probability that one further study's log hazard is at most `log_hazard`, given each draw; shapes broadcast."""
    return special.ndtr((log_hazard - draws["eta"]) / np.maximum(draws["tau"], _TINY))


def population(draws: Draws) -> dict[str, np.ndarray]:
    """The typical study's log hazard eta and its heterogeneity tau; survival at a time follows from them."""
    return {"eta": draws["eta"], "tau": draws["tau"]}



MODEL = Model(name="log_hazard", kind="survival", summary="Log-normal model of a constant hazard",
              likelihood="log hazard of a study ~ Normal(eta, tau), observed with the standard error of its report",
              rank=0, priors=PRIORS, supports={"eta": "real", "tau": "positive"},
              data=data, build=build, log_likelihood=log_likelihood, study_effects=study_effects,
              new_study=new_study, population=population,
              log_density=log_density, log_constant=log_constant, conditional=conditional,
              new_study_cdf=new_study_cdf, points_per_study=POINTS,
              without_moments=("mean_hazard", "new_study_hazard"))

if __name__ == "__main__":
    from analysis.__main__ import run_model
    sys.exit(run_model(MODEL.name))
