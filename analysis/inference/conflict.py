"""Whether a prior fights the data of a fit, and what the fit says without that prior.

Each prior is held against one number that the studies show and that it should have expected: the location's against
the crude pooled estimate (all events over all patients; the inverse-variance mean of log hazards), the heterogeneity's
against the spread of the studies (Cochran's Q, with the location where the crude estimate is). Its *tail* is the
two-sided prior predictive probability of a number at least as far out, with half the probability of the number itself
(mid-p). Where no patient or every patient has the event, the data only give a limit, and the exact 95 % limit stands in
for the estimate.

A prior that did not expect the data need not matter: two thousand events overrule it, and a flat prior expects nothing.
So the posterior is solved anew with the suspect's prior replaced by the model's default and by a nearly flat one, which
is power-scaling taken to its end (a normal density to the power 0.01 has ten times the standard deviation). A prior is
in conflict when

- its tail is below 0.05, a replacement makes the data more probable, and the pooled estimate or one of its limits then
  moves by half a posterior standard deviation or more on the link scale; or
- the pooled estimate lies outside the 95 % interval of every single study, which only a prior can bring about.

A power a little below 1, as in `analysis.chapters.sensitivity.power`, would miss the worst case: a prior so strong
that its weight changes nothing.

References
----------
Box GEP. J R Stat Soc A 1980;143:383, doi 10.2307/2982063 (prior predictive checks).
Evans M, Moshonov H. Bayesian Anal 2006;1:893, doi 10.1214/06-BA129 (location first, then what is given it).
Kallioinen N et al. Stat Comput 2024;34:57, doi 10.1007/s11222-023-10366-5 (power-scaling).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.inference.density import density_of
from analysis.inference.estimands import MAIN
from analysis.inference.grid import Grid, QuadratureFailed, solve
from analysis.inference.pooled import pooled
from models import log_hazard
from models.backend import NUMBERS
from models.model import Model
from models.priors import Prior
from models.studies import HazardStudies, RateStudies, Studies

TAIL, PULL = 0.05, 0.5
_DRAWS, _SEED = 4000, 20
_MOST_STUDIES = 64  # of more, so many of evenly spaced sizes stand for all
_MOST_EVENTS = 1e15
_REACH = 1.959964
LOCATION, HETEROGENEITY = 0, 1
# Nearly flat where any study could lie, then wider still for rates that are not seen on the scale of per cents.
_FLAT = {(LOCATION, "unit"): Prior("Beta", (1.0, 1.0)), (HETEROGENEITY, "unit"): Prior("Beta", (1.0, 1.0)),
         (HETEROGENEITY, "positive"): Prior("HalfNormal", (5.0,))}
_VAGUE = {(LOCATION, "unit"): Prior("LogitNormal", (0.0, 5.0)),
          (HETEROGENEITY, "unit"): Prior("LogitNormal", (-5.0, 5.0))}
_WIDE = 10.0


@dataclass(frozen=True)
class Expected:
    """A number that the studies show and what a prior expected of it: 95 % range and two-sided tail probability."""

    shown: float
    low: float
    high: float
    tail: float


@dataclass(frozen=True)
class Posterior:
    """Main estimand of a fit with the limits of its interval, and the log evidence."""

    median: float
    lower: float
    upper: float
    log_evidence: float


@dataclass(frozen=True)
class Check:
    """What was found about the priors of one fit.

    Parameters
    ----------
    location, heterogeneity : Expected or None
        None where the studies show no such number: the spread of a single study, or of studies without events.
    conflicting : tuple of str
        Priors in conflict, by the name of their parameter; empty for none.
    pull : float
        Largest shift of the estimate or a limit under the remedy, in posterior standard deviations; NaN where no
        prior was suspect.
    warnings : tuple of str
        One sentence or two where there is a conflict.
    """

    location: Expected | None = None
    heterogeneity: Expected | None = None
    conflicting: tuple[str, ...] = ()
    pull: float = np.nan
    warnings: tuple[str, ...] = ()


def check(grid: Grid, studies: Studies, *, horizon: float, level: float) -> Check:
    """The priors of a fit held against its studies.

    Parameters
    ----------
    grid : Grid
        The posterior.
    studies : RateStudies or HazardStudies
    horizon : float
        Months at which survival is reported; not used for rates.
    level : float
        Of the intervals in the warning.
    """
    if isinstance(studies, RateStudies) and not studies.patients:
        return Check()
    model, priors = grid.density.model, grid.density.priors
    expected = dict(zip(model.priors, expectations(model, studies, priors), strict=True))
    suspects = [name for name, one in expected.items() if one and one.tail < TAIL]
    fits = _Fits(grid, studies, horizon, level)
    beyond = fits.beyond(fits.own)
    found, pull = _replacements(fits, suspects)
    other = fits.under(found) if found else None
    if beyond and (other is None or fits.beyond(other)):
        found = {name: prior for name, prior in _vague(model).items() if prior != priors[name]}
        other = fits.under(found) if found else None
    if other is None:
        return Check(*expected.values(), pull=pull)
    return Check(*expected.values(), tuple(found), max(fits.pull(fits.own, other), np.nan_to_num(pull)),
                 (_warning(expected, fits, found, other, beyond=beyond),))


def _replacements(fits: "_Fits", suspects: list[str]) -> tuple[dict[str, Prior], float]:
    """The better prior of each suspect that is in conflict, the location first, and the largest pull of any suspect."""
    model, priors = fits.grid.density.model, fits.grid.density.priors
    found, pulls, before = {}, [], fits.own
    for name in suspects:
        choices = dict.fromkeys(choice[name] for choice in (model.priors, _flat(model)) if choice[name] != priors[name])
        tried = [(prior, other) for prior in choices if (other := fits.under({**found, name: prior}))]
        if not tried:
            continue
        prior, other = max(tried, key=lambda pair: pair[1].log_evidence)
        pulls.append(fits.pull(before, other))
        if pulls[-1] >= PULL and other.log_evidence > before.log_evidence:
            found[name], before = prior, other
    return found, max(pulls, default=np.nan)


def expectations(model: Model, studies: Studies, priors: Mapping[str, Prior]) -> tuple[Expected, Expected | None]:
    """What the priors expect of the crude estimate (its rate or log hazard) and of Q over its degrees of freedom.

    Every model is served by its own draws of further studies, so that nothing but `models.model` is asked of it.
    """
    studies = _representative(studies)
    rng = np.random.default_rng(_SEED)
    location, heterogeneity = model.priors
    draws = {name: priors[name].draw(_DRAWS, rng) for name in (location, heterogeneity)}
    crude, _ = _statistics(studies, *_simulated(model, studies, draws, rng))
    shown, spread = _observed(studies)
    expected = _expected(shown, crude)
    if spread is None:
        return expected, None
    # A location that fits leaves the spread to the heterogeneity alone.
    centre = {"unit": shown, "real": special.logit(shown) if model.kind == "rate" else shown}[model.supports[location]]
    draws = {location: np.full(_DRAWS, centre), heterogeneity: draws[heterogeneity]}
    _, simulated = _statistics(studies, *_simulated(model, studies, draws, rng))
    return expected, _expected(spread, simulated)


def _expected(shown: float, simulated: np.ndarray) -> Expected:
    below = float(np.mean(simulated < shown) + 0.5 * np.mean(simulated == shown))
    low, high = np.quantile(simulated, [0.025, 0.975])
    return Expected(shown, float(low), float(high), min(1.0, 2.0 * min(below, 1.0 - below)))


def _representative(studies: Studies) -> Studies:
    if len(studies) <= _MOST_STUDIES:
        return studies
    sizes = studies.evaluable if isinstance(studies, RateStudies) else studies.patients_each
    kept = np.argsort(sizes, kind="stable")[np.linspace(0, len(sizes) - 1, _MOST_STUDIES).astype(int)]
    columns = {name: np.asarray(getattr(studies, name))[kept] for name in studies.__dataclass_fields__}
    return type(studies)(**columns)


def _simulated(model: Model, studies: Studies, draws: Mapping[str, np.ndarray],
               rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Values and weights of each study, shape (s, k): counts and patients; log hazards and inverse variances."""
    columns = [_one(studies, at, model.new_study(draws, rng), rng) for at in range(len(studies))]
    return np.stack(columns, axis=1), _weights(studies)


def _one(studies: Studies, at: int, effect: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What one study would report, shape (s,)."""
    if isinstance(studies, RateStudies):
        return rng.binomial(studies.evaluable[at], np.clip(np.nan_to_num(effect), 0.0, 1.0)).astype(float)
    effect = np.clip(effect, -700.0, 700.0)
    if studies.is_poisson[at]:
        time = studies.person_months[at]
        return np.log((rng.poisson(np.minimum(time * np.exp(effect), _MOST_EVENTS)) + 0.5) / time)
    if studies.is_landmark[at]:
        months = studies.landmark_months[at]
        patients = max(1, round(studies.events[at] + studies.person_months[at] / months))
        without = rng.binomial(patients, np.exp(-months * np.exp(effect)))
        return np.log(-np.log((without + 0.5) / (patients + 1.0)) / months)
    below, above = studies.se_lower[at], studies.se_upper[at]
    # An estimate lies above the truth with the error that the truth has below it (`analysis.simulation.simulate`).
    higher = rng.random(len(effect)) * (below + above) < below
    return effect + np.where(higher, below, -above) * np.abs(rng.normal(size=len(effect)))


def _weights(studies: Studies) -> np.ndarray:
    if isinstance(studies, RateStudies):
        return studies.evaluable.astype(float)
    return 1.0 / _log_hazards(studies)[1]


def _log_hazards(studies: HazardStudies) -> tuple[np.ndarray, np.ndarray]:
    """Log hazard and variance of each study, shape (k,) each; counts by their smoothed logarithm."""
    rows = log_hazard.kinds(studies)
    values, variances = np.empty(len(studies)), np.empty(len(studies))
    for name, table in log_hazard.data(studies).items():
        values[rows[name]], variances[rows[name]] = log_hazard.rough(name, table, on=NUMBERS)
    return values, variances


def _statistics(studies: Studies, values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Crude estimate and Q over its degrees of freedom of each row of values, shape (s,) each."""
    degrees = max(len(studies) - 1, 1)
    if isinstance(studies, RateStudies):
        crude = values.sum(axis=1) / weights.sum()
        variance = crude * (1.0 - crude)
        square = ((values - weights * crude[:, None]) ** 2 / np.maximum(weights, 1.0)).sum(axis=1)
        return crude, square / np.where(variance > 0.0, variance, np.inf) / degrees
    crude = values @ weights / weights.sum()
    return crude, ((values - crude[:, None]) ** 2 @ weights) / degrees


def _observed(studies: Studies) -> tuple[float, float | None]:
    """Crude estimate, or the limit that stands in for it, and Q over its degrees of freedom where there is one."""
    if isinstance(studies, RateStudies):
        values, total, size = studies.events.astype(float), studies.events.sum(), studies.patients
        if total in (0, size):
            limit = 1.0 - 0.025 ** (1.0 / size)
            return (limit, None) if total == 0 else (1.0 - limit, None)
    else:
        if not studies.is_estimate.any() and studies.events.sum() == 0:
            return float(np.log(-np.log(0.025) / studies.person_months.sum())), None
        values, _ = _log_hazards(studies)
    crude, spread = _statistics(studies, values[None], _weights(studies))
    return float(crude[0]), float(spread[0]) if len(studies) > 1 else None


class _Fits:
    """The fit and its refits under other priors."""

    def __init__(self, grid: Grid, studies: Studies, horizon: float, level: float) -> None:
        self.grid, self.studies, self.horizon, self.level = grid, studies, horizon, level
        self.kind = grid.density.model.kind
        self.own = self._summary(grid)

    def under(self, replaced: Mapping[str, Prior]) -> Posterior | None:
        """The posterior under other priors; None where the quadrature does not settle."""
        density = self.grid.density
        try:
            return self._summary(solve(density_of(density.model, self.studies, {**density.priors, **replaced})))
        except QuadratureFailed:
            return None

    def _summary(self, grid: Grid) -> Posterior:
        # A prior far off leaves survival of 1e-300, whose density overflows on the way to its quantiles.
        with np.errstate(over="ignore", invalid="ignore"):
            (main,) = pooled(grid, horizon=self.horizon, only=(MAIN[self.kind],))
            row = main.estimate(self.level)
        return Posterior(row.median, row.lower, row.upper, grid.log_evidence)

    def beyond(self, one: Posterior) -> bool:
        """Whether the pooled estimate lies outside the 95 % interval of every study."""
        lower, upper = _intervals(self.studies, self.horizon)
        return not lower.min() <= one.median <= upper.max()

    def pull(self, before: Posterior, after: Posterior) -> float:
        """Largest shift of the median or a limit, in standard deviations of the second posterior on the link scale."""
        first, second = (self._link(np.array([one.lower, one.median, one.upper])) for one in (before, after))
        sd = abs(second[2] - second[0]) / (2.0 * special.ndtri((1.0 + self.level) / 2.0))
        return float(np.abs(first - second).max() / max(sd, np.finfo(float).tiny))

    def _link(self, value: np.ndarray) -> np.ndarray:
        inside = np.clip(value, 1e-15, 1.0 - 1e-15)
        return special.logit(inside) if self.kind == "rate" else np.log(-np.log(inside) / self.horizon)


def _intervals(studies: Studies, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Limits of each study's rate, or of its survival at the horizon: exact for counts."""
    if isinstance(studies, RateStudies):
        y, n = studies.events, studies.evaluable
        lower = np.where(y > 0, special.betaincinv(np.maximum(y, 1), n - y + 1, 0.025), 0.0)
        return lower, np.where(y < n, special.betaincinv(y + 1, np.maximum(n - y, 1), 0.975), 1.0)
    return _survival_intervals(studies, horizon)


def _survival_intervals(studies: HazardStudies, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    limits = np.empty((2, len(studies)))
    for rows, hazards in ((studies.is_estimate, _hazards_of_estimates), (studies.is_poisson, _hazards_of_counts),
                          (studies.is_landmark, _hazards_at_landmarks)):
        limits[:, rows] = hazards(studies, rows)
    return np.exp(-horizon * limits[1]), np.exp(-horizon * limits[0])


def _hazards_of_estimates(studies: HazardStudies, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value = studies.log_hazard[rows]
    return np.exp(value - _REACH * studies.se_lower[rows]), np.exp(value + _REACH * studies.se_upper[rows])


def _hazards_of_counts(studies: HazardStudies, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exact Poisson limits."""
    d, time = studies.events[rows], studies.person_months[rows]
    low = np.where(d > 0, special.gammaincinv(np.maximum(d, 1e-9), 0.025), 0.0)
    return low / time, special.gammaincinv(d + 1.0, 0.975) / time


def _hazards_at_landmarks(studies: HazardStudies, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hazards of the Clopper-Pearson limits of the events by the landmark."""
    d, months = studies.events[rows], studies.landmark_months[rows]
    rest = studies.person_months[rows] / months
    low = np.where(d > 0, special.betaincinv(np.maximum(d, 1e-9), rest + 1.0, 0.025), 0.0)
    high = np.where(rest > 0, special.betaincinv(d + 1.0, np.maximum(rest, 1e-9), 0.975), 1.0)
    with np.errstate(divide="ignore"):
        return -np.log1p(-low) / months, -np.log1p(-high) / months


def _flat(model: Model) -> dict[str, Prior]:
    found = {}
    for role, (name, default) in enumerate(model.priors.items()):
        support = model.supports[name]
        # Of every family on the real line the last argument but one is the centre.
        real = Prior("Normal", (default.arguments[-2], _WIDE)) if support == "real" else default
        found[name] = _FLAT.get((role, support), real)
    return found


def _vague(model: Model) -> dict[str, Prior]:
    flat = _flat(model)
    return {name: _VAGUE.get((role, model.supports[name]), flat[name]) for role, name in enumerate(model.priors)}


def _warning(expected: Mapping[str, Expected | None], fits: _Fits, found: Mapping[str, Prior], other: Posterior, *,
             beyond: bool) -> str:
    priors, horizon, rate = fits.grid.density.priors, fits.horizon, fits.kind == "rate"
    what = "the rate" if rate else f"survival at {horizon:g} months"
    names = " and ".join(f"{name} ~ {priors[name]}" for name in found)
    location = next(iter(expected))
    reasons = [_location_reason(one, what, rate, horizon) if name == location else _spread_reason(one)
               for name, one in expected.items() if name in found and one and one.tail < TAIL]
    reasons += ["the pooled estimate lies outside the 95 % interval of every study"] if beyond else []
    options = " ".join(f'--prior "{name}={prior}"' for name, prior in found.items())
    one = len(found) == 1
    return (f"prior-data conflict: {names} fight{'s' if one else ''} the data: {'; '.join(reasons)}. With "
            f"{'this prior' if one else 'these priors'} {what} is {_interval(fits.own)}, with {options} it is "
            f"{_interval(other)}")


def _interval(one: Posterior) -> str:
    return f"{_written(one.median)} [{_written(one.lower)}, {_written(one.upper)}]"


def _location_reason(one: Expected, what: str, rate: bool, horizon: float) -> str:
    shown, low, high = (one.shown, one.low, one.high) if rate else (
        float(np.exp(-horizon * np.exp(min(value, 700.0)))) for value in (one.shown, one.high, one.low))
    return (f"{what} in all studies together was expected between {_written(low)} and {_written(high)} (95 %) and is "
            f"{_written(shown)} ({_chance(one.tail)})")


def _spread_reason(one: Expected) -> str:
    return (f"the spread of the studies (Q per degree of freedom) was expected between {one.low:.2g} and "
            f"{one.high:.2g} (95 %) and is {one.shown:.2g} ({_chance(one.tail)})")


def _chance(tail: float) -> str:
    return f"tail probability {tail:.2g}" if tail >= 0.001 else "tail probability below 0.001"


def _written(value: float) -> str:
    """A probability with two significant digits of itself and of its complement; three to six decimals."""
    rest = min(value, 1.0 - value)
    return f"{value:.{max(3, 1 - int(np.floor(np.log10(rest)))) if rest >= 1e-5 else 3}f}"
