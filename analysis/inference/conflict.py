"""Whether a prior fights the data of a fit, and what the fit says without that prior.

Each prior is held against one number that the studies show and that it should have expected: the location's against
the crude pooled estimate (all events over all patients; the inverse-variance mean of log hazards), the heterogeneity's
against the spread of the studies (Cochran's Q, with the location where the crude estimate is). Its *tail* is the
two-sided prior predictive probability of a number at least as far out, with half the probability of the number itself
(mid-p). Where no patient or every patient has the event, the data only give a limit, and the exact 95 % limit stands in
for the estimate.

Of a curve it is the point next to 12 months that is shown, as if the hazard had been constant until then; what the
prior expected there follows the curves of the model. Not checked of models of curves: the prior of what all curves
share (a shape, a cured share), which is drawn along, and the last rule below, which would need each curve's survival
at the horizon.

A prior that did not expect the data need not matter: two thousand events overrule it, and a flat prior expects nothing.
So the posterior is solved anew with the suspect's prior replaced by the model's default and by a nearly flat one, which
is power-scaling taken to its end (a normal density to the power 0.01 has ten times the standard deviation). A prior is
in conflict when

- its tail is below 0.05, a replacement makes the data more probable, and the pooled estimate or one of its 95 % limits
  then moves by half a posterior standard deviation or more on the link scale; or
- the pooled estimate lies outside the 95 % interval of every single study, which only a prior can bring about.

A power a little below 1, as in `analysis.chapters.sensitivity.rows`, would miss the worst case: a prior so strong
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

from analysis.frequentist.estimates import smoothed_log_hazards
from analysis.inference.density import density_of
from analysis.inference.estimands import MAIN
from analysis.inference.grid import Grid, QuadratureFailed, solve
from analysis.inference.pooled import pooled
from analysis.inference.prediction import nearest_points, replicates
from analysis.inference.weighted import equal_tails
from models.curves import AT
from models.model import Draws, Model
from models.priors import Prior
from models.studies import CurveStudies, HazardStudies, RateStudies, Studies

TAIL, PULL = 0.05, 0.5
_DRAWS, _SEED = 4000, 20
_MOST_STUDIES = 64  # of more, so many of evenly spaced sizes stand for all
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
    studies : RateStudies, HazardStudies or CurveStudies
    horizon : float
        Months at which survival is reported; not used for rates.
    level : float
        Of the intervals in the warning.
    """
    if not studies.patients:
        return Check()
    model, priors = grid.density.model, grid.density.priors
    expected = dict(zip(list(model.priors)[:2], expectations(model, studies, priors), strict=True))
    fits = _Fits(grid, studies, horizon, level)
    under_own = fits.summary(grid)
    beyond = fits.beyond(under_own)
    suspects = [name for name, number in expected.items() if number and number.tail < TAIL]
    replaced, pull = _replacements(fits, under_own, suspects)
    other = fits.under(replaced) if replaced else None
    if beyond and (other is None or fits.beyond(other)):
        replaced = {name: prior for name, prior in _vague(model).items() if prior != priors[name]}
        other = fits.under(replaced) if replaced else None
    if other is None:
        return Check(*expected.values(), pull=pull)
    return Check(*expected.values(), tuple(replaced), max(fits.pull(under_own, other), np.nan_to_num(pull)),
                 (_warning(expected, fits, replaced, under_own, other, beyond=beyond),))


@dataclass(frozen=True)
class _Summary:
    """Lower limit, median and upper limit of the main estimand, and the log evidence.

    The limits are those of 95 %, by which priors are judged, and `shown` those of the level that is asked for.
    """

    limits: np.ndarray
    shown: np.ndarray
    log_evidence: float

    def __str__(self) -> str:
        lower, median, upper = map(_written, self.shown)
        return f"{median} [{lower}, {upper}]"


@dataclass(frozen=True)
class _Fits:
    """The fit and its refits under other priors."""

    grid: Grid
    studies: Studies
    horizon: float
    level: float

    @property
    def rates(self) -> bool:
        return self.grid.density.model.kind == "rate"

    def under(self, replaced: Mapping[str, Prior]) -> _Summary | None:
        """The posterior under other priors; None where the quadrature does not settle."""
        density = self.grid.density
        try:
            return self.summary(solve(density_of(density.model, self.studies, {**density.priors, **replaced})))
        except QuadratureFailed:
            return None

    def summary(self, grid: Grid) -> _Summary:
        # A prior far off leaves survival of 1e-300, whose density overflows on the way to its quantiles.
        with np.errstate(over="ignore", invalid="ignore"):
            (main,) = pooled(grid, horizon=self.horizon, only=(MAIN[grid.density.model.kind],))
            limits = [main.distribution.quantile(equal_tails(level)) for level in (0.95, self.level)]
        return _Summary(*limits, grid.log_evidence)

    def beyond(self, fit: _Summary) -> bool:
        """Whether the pooled estimate lies outside the 95 % interval of every study, which curves do not show."""
        if isinstance(self.studies, CurveStudies):
            return False
        lower, upper = _intervals(self.studies, self.horizon)
        return not lower.min() <= fit.limits[1] <= upper.max()

    def pull(self, before: _Summary, after: _Summary) -> float:
        """Largest shift of the median or a limit, in standard deviations of the second posterior on the link scale."""
        first, second = self._link(before.limits), self._link(after.limits)
        sd = abs(second[2] - second[0]) / (2.0 * _REACH)
        return float(np.abs(first - second).max() / max(sd, np.finfo(float).tiny))

    def _link(self, value: np.ndarray) -> np.ndarray:
        inside = np.clip(value, 1e-15, 1.0 - 1e-15)
        return special.logit(inside) if self.rates else np.log(-np.log(inside) / self.horizon)


def _replacements(fits: _Fits, before: _Summary, suspects: list[str]) -> tuple[dict[str, Prior], float]:
    """The better prior of each suspect that is in conflict, the location first, and the largest pull of any suspect."""
    model, priors = fits.grid.density.model, fits.grid.density.priors
    replaced, pulls = {}, []
    for name in suspects:
        choices = dict.fromkeys(choice[name] for choice in (model.priors, _flat(model)) if choice[name] != priors[name])
        tried = [(prior, other) for prior in choices if (other := fits.under({**replaced, name: prior}))]
        if not tried:
            continue
        prior, other = max(tried, key=lambda pair: pair[1].log_evidence)
        pulls.append(fits.pull(before, other))
        if pulls[-1] >= PULL and other.log_evidence > before.log_evidence:
            replaced[name], before = prior, other
    return replaced, max(pulls, default=np.nan)


def expectations(model: Model, studies: Studies,
                 priors: Mapping[str, Prior]) -> tuple[Expected | None, Expected | None]:
    """What the priors expect of the crude estimate (its rate or log hazard) and of Q over its degrees of freedom.

    Every model is served by its own draws of further studies, so that nothing but `models.model` is asked of it.
    """
    reports, months = _representative(studies), None
    if isinstance(reports, CurveStudies):
        reports, months = _points_of(reports)
    if not len(reports):
        return None, None
    rng = np.random.default_rng(_SEED)
    draws = {name: priors[name].draw(_DRAWS, rng) for name in model.priors}
    crude, _ = _statistics(reports, _simulated(model, reports, months, draws, rng))
    shown, spread = _observed(reports)
    expected = _expected(shown, crude)
    draws = _located(model, draws, shown, curves=months is not None)
    if spread is None or not len(draws[next(iter(draws))]):
        return expected, None
    _, simulated = _statistics(reports, _simulated(model, reports, months, draws, rng))
    return expected, _expected(spread, simulated)


def _located(model: Model, draws: Draws, shown: float, *, curves: bool) -> Draws:
    """The draws with the location where the crude estimate is, which leaves the spread to the heterogeneity alone.

    Draws of what all curves share with which no location gives such a survival are left out.
    """
    location = next(iter(model.priors))
    if curves:
        centre = model.marginal.curve.effect_at(draws, np.exp(-AT * np.exp(shown)), AT)
    else:
        to_rate = model.kind == "rate" and model.supports[location] == "real"
        centre = special.logit(shown) if to_rate else shown
    draws = {**draws, location: np.broadcast_to(centre, draws[location].shape)}
    possible = np.isfinite(draws[location])
    return {name: values[possible] for name, values in draws.items()}


def _expected(shown: float, simulated: np.ndarray) -> Expected:
    below = float(np.mean(simulated < shown) + 0.5 * np.mean(simulated == shown))
    low, high = np.quantile(simulated, [0.025, 0.975])
    return Expected(shown, float(low), float(high), min(1.0, 2.0 * min(below, 1.0 - below)))


def _representative(studies: Studies) -> Studies:
    if len(studies) <= _MOST_STUDIES:
        return studies
    by_size = np.argsort(studies.sizes, kind="stable")
    return studies.take(by_size[np.linspace(0, len(studies) - 1, _MOST_STUDIES).astype(int)])


def _points_of(studies: CurveStudies) -> tuple[HazardStudies, np.ndarray]:
    """The point of each curve next to 12 months as a count at a landmark, else its person-months; and months, (k,)."""
    studies = studies.take(np.isfinite(nearest_points(studies)[1]) | (studies.exposed > 0.0))
    months, survival, patients = nearest_points(studies)
    has_point, unused = np.isfinite(survival), np.zeros(len(studies))
    events = np.where(has_point, (1.0 - survival) * patients, studies.events)
    exposed = np.where(has_point, survival * patients, studies.exposed)
    months = np.where(has_point, months, studies.months)
    return HazardStudies(studies.study_ids, unused, unused, unused, events, exposed * months, studies.patients_each,
                         np.where(has_point, months, 0.0)), months


def _simulated(model: Model, studies: RateStudies | HazardStudies, months: np.ndarray | None, draws: Draws,
               rng: np.random.Generator) -> np.ndarray:
    """What each study would report, shape (s, k): counts, or log hazards, those of curves by their months."""
    reports = []
    for at in range(len(studies)):
        effect = model.marginal.new_study(draws, rng)
        if months is not None:
            with np.errstate(divide="ignore"):
                effect = np.log(-np.log(model.marginal.curve.survival(draws, effect, months[at])) / months[at])
        inside = np.clip(np.nan_to_num(effect), -700.0, 700.0)[:, None]
        reports.append(replicates(model, studies.take([at]), draws, inside, rng))
    return np.concatenate(reports, axis=1)


def _statistics(studies: Studies, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Crude estimate and Q over its degrees of freedom of each row of counts or log hazards, shape (s,) each."""
    degrees = max(len(studies) - 1, 1)
    if isinstance(studies, RateStudies):
        sizes = studies.evaluable.astype(float)
        crude = values.sum(axis=1) / sizes.sum()
        variance = crude * (1.0 - crude)
        square = ((values - sizes * crude[:, None]) ** 2 / np.maximum(sizes, 1.0)).sum(axis=1)
        return crude, square / np.where(variance > 0.0, variance, np.inf) / degrees
    weights = 1.0 / smoothed_log_hazards(studies)[1]
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
        values, _ = smoothed_log_hazards(studies)
    crude, spread = _statistics(studies, values[None])
    return float(crude[0]), float(spread[0]) if len(studies) > 1 else None


def _intervals(studies: Studies, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """95 % limits of each study's rate, or of its survival at the horizon: exact for counts."""
    if isinstance(studies, RateStudies):
        return _binomial_limits(studies.events, studies.evaluable - studies.events)
    d, months, landmark = studies.events, studies.person_months, studies.landmark_months
    # Each way of reporting is computed for every row and taken where it is the row's own.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        estimates = np.exp(studies.log_hazard + _REACH * np.stack([-studies.se_lower, studies.se_upper]))
        poisson = np.stack([np.where(d > 0, special.gammaincinv(np.maximum(d, 1e-9), 0.025), 0.0),
                            special.gammaincinv(d + 1.0, 0.975)]) / months
        landmarks = -np.log1p(-np.stack(_binomial_limits(d, months / landmark))) / landmark
    hazards = np.select([studies.is_estimate, studies.is_poisson], [estimates, poisson], landmarks)
    return np.exp(-horizon * hazards[1]), np.exp(-horizon * hazards[0])


def _binomial_limits(events: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clopper and Pearson's limits; effective numbers need not be whole."""
    lower = special.betaincinv(np.maximum(events, 1e-9), others + 1.0, 0.025)
    upper = special.betaincinv(events + 1.0, np.maximum(others, 1e-9), 0.975)
    return np.where(events > 0, lower, 0.0), np.where(others > 0, upper, 1.0)


def _flat(model: Model) -> dict[str, Prior]:
    # Of every family on the real line the last argument but one is the centre.
    wide = {name: Prior("Normal", (default.arguments[-2], _WIDE)) if model.supports[name] == "real" else default
            for name, default in model.priors.items()}
    return {name: _FLAT.get((role, model.supports[name]), prior) for role, (name, prior) in enumerate(wide.items())}


def _vague(model: Model) -> dict[str, Prior]:
    return {name: _VAGUE.get((role, model.supports[name]), prior)
            for role, (name, prior) in enumerate(_flat(model).items())}


def _warning(expected: Mapping[str, Expected | None], fits: _Fits, replaced: Mapping[str, Prior], before: _Summary,
             after: _Summary, *, beyond: bool) -> str:
    priors, location, alone = fits.grid.density.priors, next(iter(expected)), len(replaced) == 1
    what = "the rate" if fits.rates else f"survival at {fits.horizon:g} months"
    names = " and ".join(f"{name} ~ {priors[name]}" for name in replaced)
    reasons = [_location_reason(number, fits) if name == location else _spread_reason(number)
               for name, number in expected.items() if name in replaced and number and number.tail < TAIL]
    reasons += ["the pooled estimate lies outside the 95 % interval of every study"] if beyond else []
    options = " ".join(f'--prior "{name}={prior}"' for name, prior in replaced.items())
    return (f"prior-data conflict: {names} fight{'s' if alone else ''} the data: {'; '.join(reasons)}. With "
            f"{'this prior' if alone else 'these priors'} {what} is {before}, with {options} it is {after}")


def _location_reason(crude: Expected, fits: _Fits) -> str:
    """In words, with log hazards as survival: of curves at the months next to which their points are."""
    months = AT if isinstance(fits.studies, CurveStudies) else fits.horizon
    what, numbers = "the rate", (crude.low, crude.high, crude.shown)
    if not fits.rates:
        what = f"survival at {months:g} months"
        numbers = (float(np.exp(-months * np.exp(min(value, 700.0)))) for value in (crude.high, crude.low, crude.shown))
    low, high, shown = map(_written, numbers)
    return (f"{what} in all studies together was expected between {low} and {high} (95 %) and is {shown} "
            f"({_chance(crude.tail)})")


def _spread_reason(spread: Expected) -> str:
    return (f"the spread of the studies (Q per degree of freedom) was expected between {spread.low:.2g} and "
            f"{spread.high:.2g} (95 %) and is {spread.shown:.2g} ({_chance(spread.tail)})")


def _chance(tail: float) -> str:
    return f"tail probability {tail:.2g}" if tail >= 0.001 else "tail probability below 0.001"


def _written(value: float) -> str:
    """A probability with two significant digits of itself and of its complement; at least three decimals."""
    if 0.0 < value < 1e-4:
        mantissa, _, power = f"{value:.1e}".partition("e")
        return f"{mantissa}e{int(power)}"
    rest = min(value, 1.0 - value)
    return f"{value:.{max(3, 1 - int(np.floor(np.log10(rest)))) if rest > 0.0 else 3}f}"
