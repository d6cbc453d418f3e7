"""Survival from points of curves: what models of a falling hazard share, given how survival follows from an effect.

    S_i(t) = c + (1 - c) exp(-exp(theta_i) (t / 12)^k)      theta_i ~ Normal(eta12, tau)

theta_i is the log cumulative hazard of study i at 12 months (of the patients who are not cured, where some are). A
model fixes one of the two that all studies share, or both: c = 0 (`weibull`), k = 1 (`mixture_cure`), or both
(`exponential`). Given these the likelihood of a study is log-concave in theta_i, or nearly so, and is integrated out
by adaptive Gauss-Hermite quadrature.

What a study prints are points of one curve: of n patients, n / f^2 are counted between the points and after the last
one, where f allows for censoring (`analysis.cases.curves`). Events with person-months are a Poisson count over the
mean follow-up; a median that was not reached bounds survival from below; strata are mixed as curves at 12 months. Of
patients who are known one by one d log h(t) - H(t) is added up, where d is 1 for an event and 0 for censoring,
H = -log S and h = H'.

References
----------
Woods BS, Sideris E, Palmer S, Latimer N, Soares M. NICE DSU TSD 21, 2020 (falling hazards, cure).
Guyot P, Ades AE, Ouwens MJ, Welton NJ. BMC Med Res Methodol 2012;12:9, doi 10.1186/1471-2288-12-9 (points of curves).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from models.backend import GRAPH, HALF_LOG_2PI, NUMBERS, Array, Backend, spaced
from models.coordinates import conditional_location
from models.integrals import Concave, draw_effects, draws_at_once, log_marginal
from models.model import Curve, Draws, Marginal, Model
from models.priors import Prior
from models.studies import CurveStudies

if TYPE_CHECKING:
    import pymc as pm

AT = 12.0
"""Months at which the effect is the log cumulative hazard."""
NEVER = 12_000.0
"""Months that stand for a median which is never reached."""
PRIORS = {"eta12": Prior("Normal", (float(np.log(np.log(2.0))), 1.0)), "tau": Prior("HalfNormal", (0.5,))}
_TINY = 1e-300
_BATCH = 1000
_WHOLE = 1000
_POINTS, _POINTS_OF_PLATEAU = 11, 15  # the likelihood of a few counts between points is nearly normal in the effect
_REACH, _STEP = 14.0, 0.07  # of a table of it, on either side of where it lies
Shared = Callable[[Mapping[str, Array]], tuple[Array | None, Array | None]]
"""From hyperparameters to the share that is cured and the shape; None where a model has none."""


def data(studies: CurveStudies) -> dict[str, np.ndarray]:
    """Tables: (start, end, patients), (last seen, patients), what else there is, strata, and months of events."""
    more = (studies.events, studies.months, studies.exposed, studies.bound_months, studies.bound_error, studies.mixed)
    return {"intervals": np.stack([studies.starts, studies.ends, studies.counts]),
            "survivors": np.stack([studies.seen, studies.survivors]), "more": np.stack(more),
            "strata": np.moveaxis(studies.strata, -1, 0), "died": studies.died}


def _scaled(months: Array, shape: Array | None, *, on: Backend) -> Array:
    """(t / 12)^k: what the hazard at 12 months is multiplied with."""
    ratio = months / AT
    return ratio if shape is None else on.exp(shape * on.log(ratio + _TINY))


def likelihood(inputs: Mapping[str, Array], cured: Array | None, shape: Array | None, *, on: Backend) -> Concave:
    """The likelihood of each study in its effect.

    Parameters
    ----------
    inputs : mapping of str to array
        From `data`.
    cured, shape : array, shape (..., 1) or scalar, or None
        What all studies share.
    """
    wide, share = (None if value is None else spaced(value) for value in (shape, cured))
    start, end = (_scaled(inputs["intervals"][row], wide, on=on) for row in (0, 1))
    last = _scaled(inputs["survivors"][0], wide, on=on)
    counts, survivors = inputs["intervals"][2], inputs["survivors"][1]
    d, months, n, bound, error, mixed = (inputs["more"][row] for row in range(6))
    followed, bounded = _scaled(months, shape, on=on), bound > 0.0
    level, error = _bound(bound, bounded, cured, shape, on=on), error * bounded + 1.0 - bounded
    after = _mixed_survival(inputs["strata"], wide, share, on=on)
    likely, alive = mixed * _entropy(on.clip(after, 1e-12, 1.0 - 1e-12), on=on), partial(_alive, on=on)
    before, after = mixed * (1.0 - after), mixed * after

    def terms(theta: Array) -> tuple[Array, ...]:
        hazard = on.exp(on.clip(theta, -500.0, 500.0))
        return (hazard, *(hazard[..., None] * months for months in (start, end - start, last)), hazard * followed)

    def value(theta: Array) -> Array:
        hazard, x, gap, until, exposure = terms(theta)
        log_cumulative = on.log(exposure + _TINY) if cured is None else on.log(-alive(exposure, cured)[0] + _TINY)
        log_lost = 0.0 if cured is None else on.log(1.0 - cured)
        return (on.sum(counts * (-x + on.log(-on.expm1(-gap) + _TINY)), axis=-1)
                + log_lost * (on.sum(counts, axis=-1) + before)
                + on.sum(survivors * alive(until, share)[0], axis=-1)
                + before * on.log(-on.expm1(-hazard) + _TINY) + after * alive(hazard, cured)[0] - likely
                + d * log_cumulative + n * alive(exposure, cured)[0]
                + bounded * on.log_ndtr((level - theta) / error))

    def slope(theta: Array) -> Array:
        hazard, x, gap, until, exposure = terms(theta)
        return (on.sum(counts * (_ratio(gap, on=on) - x), axis=-1)
                - on.sum(survivors * until * alive(until, share)[1], axis=-1)
                + before * _ratio(hazard, on=on) - after * hazard * alive(hazard, cured)[1]
                + d * _events_ratio(exposure, *alive(exposure, cured)) - n * exposure * alive(exposure, cured)[1]
                - bounded * _mills((level - theta) / error, on=on) / error)

    def curvature(theta: Array) -> Array:
        hazard, x, gap, until, exposure = terms(theta)
        z, (log_alive, uncured) = (level - theta) / error, alive(exposure, cured)
        ratio = _events_ratio(exposure, log_alive, uncured)
        return on.clip(  # on a plateau the likelihood is bent the other way
            on.sum(counts * (x + _fall(gap, on=on)), axis=-1)
            + on.sum(survivors * _bend(until, alive(until, share)[1]), axis=-1)
            + before * _fall(hazard, on=on) + after * _bend(hazard, alive(hazard, cured)[1])
            + d * ratio * (ratio + exposure * (1.0 - uncured) - 1.0) + n * _bend(exposure, uncured)
            + bounded * _mills(z, on=on) * (_mills(z, on=on) + z) / error**2, 0.0, np.inf)

    had = on.sum(counts, axis=-1) + before + d
    time = (on.sum(counts * (start + end) / 2.0, axis=-1) + on.sum(survivors * last, axis=-1) + before / 2.0 + after
            + n * followed + bounded * on.exp(-level) / error**2)
    each = Concave(value, slope, curvature, on.log((had + 0.5) / (time + _TINY)), guess_variance=1.0 / (had + 0.5))
    return _with_times(each, inputs["died"], cured, shape, on=on)


def _with_times(each: Concave, months: Array, cured: Array | None, shape: Array | None, *, on: Backend) -> Concave:
    """The same with the log density of events at known months, of those who are not cured: d log h(t) - H(t)."""
    is_event = 1.0 * (months > 0.0)
    died, log_times = on.sum(is_event, axis=-1), on.sum(on.log(months / AT + 1.0 - is_event), axis=-1)
    at_risk = on.sum(_scaled(months, None if shape is None else spaced(shape), on=on), axis=-1)
    fixed = -died * np.log(AT) if shape is None else died * on.log(shape / AT) + (shape - 1.0) * log_times
    fixed = fixed if cured is None else fixed + died * on.log(1.0 - cured)

    def lost(theta: Array) -> Array:
        return on.exp(on.clip(theta, -500.0, 500.0)) * at_risk

    had = 1.0 / each.guess_variance
    return Concave(value=lambda theta: each.value(theta) + fixed + died * theta - lost(theta),
                   slope=lambda theta: each.slope(theta) + died - lost(theta),
                   curvature=lambda theta: each.curvature(theta) + lost(theta),
                   guess=on.log((had + died) / (had * on.exp(-each.guess) + at_risk)),
                   guess_variance=1.0 / (had + died))


def _tabulated(each: Concave) -> Concave:
    """The same by cubic Hermite interpolation in the effect: many times faster where what all studies share is fixed.

    Where an effect lies beyond the table its value is that at the end, next to nothing against the prior's tail.
    """
    steps = int(2.0 * _REACH / _STEP)
    first = each.guess - _REACH
    theta = first + _STEP * np.arange(steps + 1)[:, None]
    values, slopes = (np.ascontiguousarray(of(theta).T) for of in (each.value, each.slope))
    rise = np.diff(values, axis=1)
    left, right = _STEP * slopes[:, :-1], _STEP * slopes[:, 1:]
    cubic = np.stack([values[:, :-1], left, 3.0 * rise - 2.0 * left - right, left + right - 2.0 * rise])
    base, (start, linear, square, cube) = np.arange(len(first)) * steps, cubic.reshape(4, -1)

    def placed(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = np.fmin(np.fmax((theta - first) / _STEP, 0.0), steps - 1e-9)  # what is no number, too, is kept inside
        cell = place.astype(int)
        place -= cell
        cell += base
        return cell, place

    def value(theta: np.ndarray) -> np.ndarray:
        cell, x = placed(theta)
        return ((cube.take(cell) * x + square.take(cell)) * x + linear.take(cell)) * x + start.take(cell)

    def slope(theta: np.ndarray) -> np.ndarray:
        cell, x = placed(theta)
        return ((3.0 * cube.take(cell) * x + 2.0 * square.take(cell)) * x + linear.take(cell)) / _STEP

    def curvature(theta: np.ndarray) -> np.ndarray:
        cell, x = placed(theta)
        return np.maximum(-(6.0 * cube.take(cell) * x + 2.0 * square.take(cell)) / _STEP**2, 0.0)

    return replace(each, value=value, slope=slope, curvature=curvature)


def _mixed_survival(strata: Array, shape: Array | None, cured: Array | None, *, on: Backend) -> Array:
    """Survival at 12 months of each study in strata, each stratum's curve continued from its own point."""
    share, months, survival = strata[0], strata[1], strata[2]
    stretch = 1.0 / _scaled(months, shape, on=on)
    if cured is None:
        return on.sum(share * on.exp(stretch * on.log(survival)), axis=-1)
    left = on.clip((survival - cured) / (1.0 - cured), 1e-12, 1.0)
    return on.sum(share * (cured + (1.0 - cured) * on.exp(stretch * on.log(left))), axis=-1)


def _ratio(gap: Array, *, on: Backend) -> Array:
    """Slope of log(1 - exp(-g)) in log g."""
    return gap * on.exp(-gap) / (-on.expm1(-gap) + _TINY)


def _fall(gap: Array, *, on: Backend) -> Array:
    """By how much that slope falls."""
    ratio = _ratio(gap, on=on)
    return ratio * (ratio + gap - 1.0)


def _bound(months: Array, bounded: Array, cured: Array | None, shape: Array | None, *, on: Backend) -> Array:
    """The effect whose median lies at these months."""
    half = np.log(np.log(2.0)) if cured is None else on.log(-on.log(on.clip(0.5 - cured, 1e-12, 1.0) / (1.0 - cured)))
    return half - on.log(_scaled(months, shape, on=on) * bounded + 1.0 - bounded)


def _alive(x: Array, share: Array | None, *, on: Backend) -> tuple[Array, Array]:
    """Log of survival at a cumulative hazard x, and the share of it that is not cured."""
    if share is None:
        return -x, 1.0
    uncured = (1.0 - share) * on.exp(-x)
    return on.log(share + uncured), uncured / (share + uncured)


def _bend(x: Array, uncured: Array) -> Array:
    """Minus the second derivative of the log of survival in log x."""
    return x * uncured * (1.0 - x * (1.0 - uncured))


def _events_ratio(hazard: Array, log_alive: Array, uncured: Array) -> Array:
    """Slope of log(-log S) in the log of the cumulative hazard of those who are not cured: 1 where all are such."""
    return (hazard * uncured + _TINY) / (_TINY - log_alive)


def _mills(z: Array, *, on: Backend) -> Array:
    return on.exp(-0.5 * z**2 - HALF_LOG_2PI - on.log_ndtr(z))


def build(studies: CurveStudies, priors: Mapping[str, Prior], *, shared: Shared) -> "pm.Model":
    """The model as one writes it down, every study's effect a parameter; the points are one observed node.

    Parameters
    ----------
    studies : CurveStudies
    priors : mapping of str to Prior
        For eta12, tau and what all studies share.
    """
    import pymc as pm

    cells = np.concatenate([studies.counts, studies.survivors], axis=1)
    with pm.Model(coords={"study": studies.study_ids, "cell": np.arange(cells.shape[1])}) as model:
        draws = {name: prior.variable(name) for name, prior in priors.items()}
        z = pm.Normal("z", 0.0, 1.0, dims="study")
        effects = pm.Deterministic("effect", draws["eta12"] + draws["tau"] * z, dims="study")
        cured, shape = shared(draws)

        def survival(months: np.ndarray) -> Array:
            uncured = pm.math.exp(-pm.math.exp(effects[:, None]) * _scaled(months, shape, on=GRAPH))
            return uncured if cured is None else cured + (1.0 - cured) * uncured

        lost = survival(studies.starts) - survival(studies.ends)
        chances = pm.math.concatenate([lost, survival(studies.seen)], axis=1)
        pm.CustomDist("patients", chances, logp=_counts_logp, random=_counts_draws, signature="(c)->(c)",
                      observed=cells, dims=("study", "cell"))
        _observe_the_rest(studies, effects, survival, cured, shape)
    return model


def _observe_the_rest(studies: CurveStudies, effects: Array, survival: Callable[[np.ndarray], Array],
                      cured: Array | None, shape: Array | None) -> None:
    """Events with person-months or their times, medians that were not reached, strata: where a study has one."""
    import pymc as pm
    import pytensor.tensor as pt

    rows, alive = np.flatnonzero(studies.exposed), survival(studies.months[:, None])[:, 0]
    if len(rows):
        pm.Poisson("events", -studies.exposed[rows] * pm.math.log(alive[rows]),
                   observed=studies.events[rows].astype(int))
    rows, places = np.nonzero(studies.died)
    if len(rows):
        ratio = studies.died[rows, places] / AT
        log_hazard = effects[rows] - np.log(AT) if shape is None else (
            effects[rows] + pm.math.log(shape / AT) + (shape - 1.0) * np.log(ratio))
        share = 0.0 if cured is None else len(rows) * pm.math.log(1.0 - cured)
        pm.Potential("died", share + (log_hazard - pm.math.exp(effects[rows])
                                      * _scaled(studies.died[rows, places], shape, on=GRAPH)).sum())
    rows = np.flatnonzero(studies.bound_months)
    if len(rows):
        half = 0.5 if cured is None else pt.clip((0.5 - cured) / (1.0 - cured), 1e-12, 1.0)
        level = pm.math.log(-pm.math.log(half)) - pm.math.log(_scaled(studies.bound_months[rows], shape, on=GRAPH))
        z = (level - effects[rows]) / studies.bound_error[rows]
        pm.Potential("not_reached", GRAPH.log_ndtr(z).sum())
    rows = np.flatnonzero(studies.mixed)
    if len(rows):
        after = _mixed_survival(np.moveaxis(studies.strata[rows], -1, 0), shape, cured, on=GRAPH)
        alive = survival(np.full((len(studies), 1), AT))[rows, 0]
        pm.Potential("mixed", (studies.mixed[rows] * (after * pm.math.log(alive) + (1.0 - after) * pm.math.log1p(-alive)
                                                      - _entropy(after, on=GRAPH))).sum())


def _counts_logp(value: Array, chances: Array) -> Array:
    """Multinomial, of effective numbers that need not be whole, without the coefficient."""
    import pytensor.tensor as pt

    return (value * pt.log(pt.maximum(chances, _TINY))).sum(axis=-1)


def _counts_draws(chances: np.ndarray, *, rng: np.random.Generator, size: tuple[int, ...] | None = None) -> np.ndarray:
    chances = np.broadcast_to(chances, (*(size or ()), *chances.shape[-2 if chances.ndim > 1 else -1:]))
    return rng.multinomial(_WHOLE, chances / chances.sum(axis=-1, keepdims=True)) / _WHOLE


def _entropy(share: Array, *, on: Backend) -> Array:
    """What the log likelihood of a share is where it is expected: subtracted, a mixture favours no shape by itself."""
    return share * on.log(share) + (1.0 - share) * on.log(1.0 - share)


def marginal(shared: Shared, names: Sequence[str]) -> Marginal:
    """The density of a model of this family, every study's effect integrated out; `names` of what all share."""
    points = _POINTS_OF_PLATEAU if "cured" in names else _POINTS

    def at(draws: Mapping[str, Array]) -> tuple[Array | None, Array | None]:
        return tuple(None if value is None else spaced(value) for value in shared(draws))

    def log_density(draws: Draws, inputs: Mapping[str, Array], *, on: Backend) -> Array:
        return integrated(likelihood(inputs, *at(draws), on=on), draws, on=on)

    def integrated(each: Concave, draws: Draws, *, on: Backend) -> Array:
        return on.sum(log_marginal(each, spaced(draws["eta12"]), spaced(draws["tau"]), on=on, points=points), axis=-1)

    def tabulated(inputs: Mapping[str, np.ndarray], fixed: Mapping[str, float]) -> Callable[[Draws], np.ndarray]:
        values = shared({name: np.float64(fixed[name]) for name in names})
        return partial(integrated, _tabulated(likelihood(inputs, *values, on=NUMBERS)), on=NUMBERS)

    def conditional(draws: Mapping[str, Array], inputs: Mapping[str, Array], *, on: Backend) -> tuple[Array, Array]:
        each = likelihood(inputs, *at(draws), on=on)
        return conditional_location(draws["tau"], [(each.guess, each.guess_variance, 1.0)], on=on)

    def batches(draws: Draws, studies: CurveStudies) -> Iterator[tuple[Concave, np.ndarray, np.ndarray]]:
        """The likelihood at some draws after the other, with their eta12 and tau."""
        size = min(_BATCH, draws_at_once(len(studies)))
        for start in range(0, len(draws["tau"]), size):
            part = {name: values[start:start + size] for name, values in draws.items()}
            yield likelihood(data(studies), *at(part), on=NUMBERS), part["eta12"], part["tau"]

    def log_likelihood(draws: Draws, studies: CurveStudies) -> np.ndarray:
        return np.concatenate([log_marginal(each, spaced(eta), spaced(tau), on=NUMBERS, points=points)
                               for each, eta, tau in batches(draws, studies)])

    def study_effects(draws: Draws, studies: CurveStudies, rng: np.random.Generator) -> np.ndarray:
        return np.concatenate([draw_effects(each, eta, tau, rng) for each, eta, tau in batches(draws, studies)])

    return Marginal(data=data, log_density=log_density, tabulated=tabulated, log_constant=lambda studies: 0.0,
                    log_likelihood=log_likelihood, conditional=conditional, study_effects=study_effects,
                    new_study=lambda draws, rng: rng.normal(draws["eta12"], draws["tau"]),
                    new_study_cdf=lambda draws, x: special.ndtr((x - draws["eta12"]) / np.maximum(draws["tau"], _TINY)),
                    population={"eta": itemgetter("eta12"), "tau": itemgetter("tau"),
                                **{name: itemgetter(name) for name in names}},
                    curve=_curve(shared), points_per_study=points)


def _curve(shared: Shared) -> Curve:
    def survival(draws: Draws, effects: np.ndarray, months: float) -> np.ndarray:
        cured, shape = shared(draws)
        uncured = np.exp(-np.exp(np.minimum(effects, 700.0)) * _scaled(months, shape, on=NUMBERS))
        return uncured if cured is None else cured + (1.0 - cured) * uncured

    def log_cumulative(probability: np.ndarray | float, cured: np.ndarray | None) -> np.ndarray:
        """Of those who are not cured, where survival of all is that; infinite where it never is."""
        left = probability if cured is None else np.maximum(probability - cured, 0.0) / (1.0 - cured)
        with np.errstate(divide="ignore"):
            return np.log(-np.log(left))

    def months_at(draws: Draws, effects: np.ndarray, probability: float) -> np.ndarray:
        cured, shape = shared(draws)
        log_ratio = log_cumulative(probability, cured) - effects
        return np.minimum(AT * np.exp(log_ratio if shape is None else log_ratio / shape), NEVER)

    def effect_at(draws: Draws, probability: np.ndarray | float, months: float) -> np.ndarray:
        cured, shape = shared(draws)
        return log_cumulative(probability, cured) - np.log(_scaled(months, shape, on=NUMBERS))

    return Curve(survival, months_at, effect_at)


def model_of(name: str, shared: Shared, *, priors: Mapping[str, Prior], summary: str, likelihood: str, rank: int,
             without_moments: tuple[str, ...] = ()) -> Model:
    """A model of this family."""
    return Model(name=name, kind="survival", priors={**PRIORS, **priors}, takes=CurveStudies, sampled_as_built=True,
                 build=lambda studies, priors: build(studies, priors, shared=shared),
                 estimands={"eta": "eta12", "tau": "tau"}, summary=summary, likelihood=likelihood, rank=rank,
                 without_moments=without_moments, marginal=marginal(shared, tuple(priors)))
