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
of `analysis.cases.alternatives`. A still wider prior would leave studies without any event to itself: at 10,
no event in 1,000 months makes the posterior median of the median survival 2 10^5 months.

tau ~ HalfNormal(0.5) has median 0.34; at tau = 0.5 the median survival of similar studies lies between 4.5 and 32
months, wider than any set of trials that one would pool.

The density that is sampled and integrated. Every log h_i is integrated out. For a normal estimate that is
Normal(log h_i-hat; eta, sqrt(s^2 + tau^2)); a split normal gives one such term for each side, times the probability of
that side; counts of either kind are log-concave in log h_i and integrated by adaptive Gauss-Hermite quadrature
(`models.integrals`).

References
----------
Grover P et al. Blood Adv 2022;6:1608, doi 10.1182/bloodadvances.2020003482 (exponential curves, normal log hazards).
Wallis KF. Statist Sci 2014;29:106, doi 10.1214/13-STS417 (the split normal distribution).
"""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from models.backend import HALF_LOG_2PI, NUMBERS, Array, Backend, spaced
from models.coordinates import conditional_location
from models.integrals import POINTS, Concave, draw_effects, log_marginal
from models.model import Curve, Draws, Marginal, Model
from models.priors import Prior
from models.studies import HazardStudies
from models.sums import log_binomial

if TYPE_CHECKING:
    import pymc as pm

PRIORS = {"eta": Prior("Normal", (float(np.log(np.log(2.0) / 12.0)), 2.5)), "tau": Prior("HalfNormal", (0.5,))}
_TINY = 1e-300
_LARGEST = 700.0
_MOST_EVENTS = 1e15  # beyond it whole numbers are no longer told apart


def build(studies: HazardStudies, priors: Mapping[str, Prior] = PRIORS) -> "pm.Model":
    """The model as one writes it down, every study's log hazard a parameter; a node for each way of reporting.

    Parameters
    ----------
    studies : HazardStudies
    priors : mapping of str to Prior
        For eta (log of events per person-month) and tau (> 0, log hazard).
    """
    import pymc as pm

    with pm.Model(coords={"study": studies.study_ids}) as model:
        eta, tau = priors["eta"].variable("eta"), priors["tau"].variable("tau")
        z = pm.Normal("z", 0.0, 1.0, dims="study")
        observe(studies, pm.Deterministic("log_hazard", eta + tau * z, dims="study"))
    return model


def observe(studies: HazardStudies, log_hazards: Array) -> None:
    """One observed node for each way of reporting, in the PyMC model that is being built."""
    import pymc as pm

    tables = data(studies)
    for name, rows in kinds(studies).items():
        dims, effects, table = f"{name}_study", log_hazards[np.flatnonzero(rows)], tables[name]
        pm.modelcontext(None).add_coord(dims, np.array(studies.study_ids)[rows])
        if name == "estimates":
            pm.CustomDist("estimate", effects, *table[1:], logp=_split_normal_logp, random=_split_normal_draws,
                          observed=table[0], dims=dims)
        elif name == "counts":
            pm.Poisson("events", table[1] * pm.math.exp(effects), observed=table[0].astype(int), dims=dims)
        else:
            pm.CustomDist("events_by_landmark", table[2] * pm.math.exp(effects), table[0] + table[1] / table[2],
                          logp=_landmark_logp, random=_landmark_draws, observed=table[0], dims=dims)


def _split_normal_logp(estimate: Array, log_hazard: Array, below: Array, above: Array) -> Array:
    """Of an estimate: where it lies above the truth, the truth lies below it."""
    import pytensor.tensor as pt

    z = (estimate - log_hazard) / pt.switch(estimate > log_hazard, below, above)
    return -0.5 * z**2 - pt.log((below + above) / 2.0) - HALF_LOG_2PI


def _split_normal_draws(log_hazard: np.ndarray, below: np.ndarray, above: np.ndarray, *, rng: np.random.Generator,
                        size: tuple[int, ...] | None = None) -> np.ndarray:
    size = size or np.broadcast_shapes(np.shape(log_hazard), np.shape(below))
    higher = rng.random(size) * (below + above) < below
    return log_hazard + np.where(higher, below, -above) * np.abs(rng.normal(size=size))


def _landmark_logp(events: Array, hazard: Array, patients: Array) -> Array:
    """Binomial, of numbers of patients that are effective ones and need not be whole; `hazard` until the landmark."""
    import pymc as pm
    import pytensor.tensor as pt

    coefficient = pt.gammaln(patients + 1.0) - pt.gammaln(events + 1.0) - pt.gammaln(patients - events + 1.0)
    return coefficient + events * pm.math.log1mexp(-hazard) - (patients - events) * hazard


def _landmark_draws(hazard: np.ndarray, patients: np.ndarray, *, rng: np.random.Generator,
                    size: tuple[int, ...] | None = None) -> np.ndarray:
    """Of as many whole patients as come next, in proportion."""
    whole = np.maximum(np.round(patients), 1.0)
    events = rng.binomial(whole.astype(int), -np.expm1(-hazard), size=size)
    return np.where(whole == patients, events, events / whole * patients)


def replicate(name: str, table: np.ndarray, log_hazards: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the studies of a table of `data` would report in place of its first row, shape (s, k).

    Parameters
    ----------
    log_hazards : array, shape (s, k)
    """
    if name == "estimates":
        return _split_normal_draws(log_hazards, *table[1:], rng=rng)
    hazards = np.exp(np.clip(log_hazards, -700.0, 700.0))
    if name == "counts":
        return rng.poisson(np.minimum(table[1] * hazards, _MOST_EVENTS)).astype(float)
    return _landmark_draws(table[2] * hazards, table[0] + table[1] / table[2], rng=rng)


def smoothed(name: str, table: np.ndarray, reports: np.ndarray) -> np.ndarray:
    """Log hazards that such reports amount to, half an event and half a patient added to counts; shape of `reports`."""
    if name == "estimates":
        return reports
    if name == "counts":
        return np.log((reports + 0.5) / table[1])
    patients = table[0] + table[1] / table[2]
    return np.log(-np.log((patients - reports + 0.5) / (patients + 1.0)) / table[2])


def _poisson(counts: Array, *, on: Backend) -> Concave:
    """Events in person-months; `counts` of shape (2, k)."""
    events, time = counts[0], counts[1]

    def expected(theta: Array) -> Array:
        return time * on.exp(on.clip(theta, -700.0, 700.0))

    return Concave(value=lambda theta: events * theta - expected(theta), slope=lambda theta: events - expected(theta),
                   curvature=expected, guess=on.log((events + 0.5) / time), guess_variance=1.0 / (events + 0.5))


def _binomial(landmarks: Array, *, on: Backend) -> Concave:
    """Events by a landmark, person-months of the patients without, months of the landmark; `landmarks` of shape (3, k).

    With u = h t, log(1 - exp(-u)) has the slope g = u / (exp(u) - 1) in log u, which falls by g (g + u - 1).
    """
    events, time, months = landmarks[0], landmarks[1], landmarks[2]

    def ratio(theta: Array) -> tuple[Array, Array, Array]:
        u = months * on.exp(on.clip(theta, -500.0, 500.0))
        had = -on.expm1(-u)
        return u, on.log(had), u * on.exp(-u) / had

    def value(theta: Array) -> Array:
        u, log_had, _ = ratio(theta)
        return events * log_had - time / months * u

    def slope(theta: Array) -> Array:
        u, _, g = ratio(theta)
        return events * g - time / months * u

    def curvature(theta: Array) -> Array:
        u, _, g = ratio(theta)
        return events * g * (g + u - 1.0) + time / months * u

    patients = events + time / months
    survival = (time / months + 0.5) / (patients + 1.0)
    log_survival = on.log(survival)
    return Concave(value=value, slope=slope, curvature=curvature, guess=on.log(-log_survival / months),
                   guess_variance=(1.0 - survival) / (patients * survival * log_survival**2))


def _sides(eta: Array, tau: Array, estimates: Array, *, on: Backend) -> tuple[Array, Array]:
    """Log of the two terms of the marginal split normal: log h_i below its estimate, and above it."""
    distance = estimates[0] - eta
    terms = []
    for scale, sign in ((estimates[1], 1.0), (estimates[2], -1.0)):
        total = on.sqrt(scale**2 + tau**2)
        share = on.log(2.0 * scale / (estimates[1] + estimates[2]))
        normal = -0.5 * (distance / total) ** 2 - on.log(total) - HALF_LOG_2PI
        terms.append(share + normal + on.log_ndtr(sign * scale * distance / (total * tau + _TINY)))
    return terms[0], terms[1]


def _integrated(likelihood: Callable[..., Concave]) -> Callable[..., Array]:
    return lambda eta, tau, table, *, on: log_marginal(likelihood(table, on=on), eta, tau, on=on)


_COLUMNS = {"estimates": ("log_hazard", "se_lower", "se_upper"), "counts": ("events", "person_months"),
            "landmarks": ("events", "person_months", "landmark_months")}
_CONCAVE = {"counts": _poisson, "landmarks": _binomial}
DENSITIES = {"estimates": lambda eta, tau, table, *, on: on.logaddexp(*_sides(eta, tau, table, on=on)),
             **{name: _integrated(of) for name, of in _CONCAVE.items()}}
"""(eta, tau, table of `data`, on=backend) -> marginal log likelihood of each study, shape (..., k).

What depends on counts only is left out; eta and tau broadcast with that shape.
"""


def kinds(studies: HazardStudies) -> dict[str, np.ndarray]:
    """Which studies report in which way, each only where a study does; bool arrays, shape (k,)."""
    ways = {"estimates": studies.is_estimate, "counts": studies.is_poisson, "landmarks": studies.is_landmark}
    return {name: rows for name, rows in ways.items() if rows.any()}


def data(studies: HazardStudies) -> dict[str, np.ndarray]:
    """One table for each way of reporting that occurs, with a column for each study.

    Rows are log hazard, standard error below and above it; events and person-months; or events by the landmark,
    person-months of the patients without, and months of the landmark.
    """
    return {name: np.stack([getattr(studies, column) for column in _COLUMNS[name]])[:, rows]
            for name, rows in kinds(studies).items()}


def log_density(draws: Draws, inputs: Mapping[str, Array], *, on: Backend) -> Array:
    """Log likelihood of eta and tau over all studies, without what depends on counts only; shape (...)."""
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


def conditional(draws: Mapping[str, Array], inputs: Mapping[str, Array], *, on: Backend) -> tuple[Array, Array]:
    """About where eta lies given tau, and its standard deviation."""
    rows = [(*rough(name, table, on=on), 1.0) for name, table in inputs.items()]
    return conditional_location(draws["tau"], rows, on=on)


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


def _survival(draws: Draws, log_hazard: np.ndarray, months: float) -> np.ndarray:
    return np.exp(-months * np.exp(np.minimum(log_hazard, _LARGEST)))


def _effect_at(draws: Draws, probability: np.ndarray | float, months: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(-np.log(probability)) - np.log(months)


CONSTANT_HAZARD = Curve(
    _survival, lambda draws, log_hazard, probability: -np.log(probability) * np.exp(-log_hazard), _effect_at,
    constant_hazard=True)
"""Exponential survival, S(t) = exp(-h t); the effect is log h."""
MARGINAL = Marginal(data=data, log_density=log_density, log_constant=log_constant, log_likelihood=log_likelihood,
                    conditional=conditional, study_effects=study_effects, new_study=new_study,
                    new_study_cdf=new_study_cdf, points_per_study=POINTS, curve=CONSTANT_HAZARD, population={
                        "eta": lambda draws: draws["eta"], "tau": lambda draws: draws["tau"]})
MODEL = Model(name="log_hazard", kind="survival", priors=PRIORS, build=build,
              estimands={"eta": "eta", "tau": "tau", "study_log_hazard": "log_hazard"},
              summary="Log-normal model of a constant hazard",
              likelihood="log hazard of a study ~ Normal(eta, tau), observed with the standard error of its report",
              rank=0, without_moments=("mean_hazard", "new_study_hazard"), marginal=MARGINAL)

if __name__ == "__main__":
    from analysis.__main__ import run_model
    sys.exit(run_model(MODEL.name))
