"""Survival by models of its curve: points by hand, posteriors by sums over effects, hyperparameters and shapes."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy import special, stats

from tests.seen.checking import Table, chosen, single, value
from tests.seen.facts import LEVEL, STUDIES, Z, hazards, size
from tests.seen.headline import headline

FACTOR = 1.25
ETA, TAU = np.linspace(-2.4, 1.2, 61), np.linspace(0.01, 1.6, 40)
THETA = np.linspace(-6.0, 4.0, 401)
SHAPES = {"exponential": np.array([1.0]), "weibull": np.exp(np.linspace(-1.6, 0.9, 61)),
          "mixture_cure": np.linspace(0.0025, 0.6, 81)}
TAIL = (1 - LEVEL) / 2


def crossing(n: int) -> float:
    """By how much survival is away from a half where its band touches it: solved for S by bisection."""
    low, high = 0.5, 1.0 - 1e-12
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if middle - Z * FACTOR * np.sqrt(middle * (1 - middle) / n) < 0.5 else (low, middle)
    return low - 0.5


LOWER, UPPER = "lower limit of the median", "upper limit of the median"
POINTS = {
    "ash_2015": [("", 12, 0.58, "landmark", 24)],
    "birch_2016": [("", 7.5, 0.5 + crossing(41), LOWER, 41), ("", 11.4, 0.5, "median", 41),
                   ("", 19.8, 0.5 - crossing(41), UPPER, 41), ("", 36, 0.16, "landmark", 41)],
    "cedar_2017": [("", 4, 0.81, "landmark", 15)],
    "dogwood_2018": [("responders", 21.5, 0.5, "median", 22), ("others", 4.9, 0.5, "median", 11)],
    "elm_2018": [],
    "fir_2019": [("", 6.6, 0.5 + crossing(19), LOWER, 19), ("", 14.2, 0.5, "median", 19)],
}


def survival(name: str, theta, months: float, more) -> np.ndarray:
    """S(months) of a study with this log cumulative hazard at 12 months; `more` is the shape, or the cured share."""
    shape, cured = (more, 0.0) if name != "mixture_cure" else (1.0, more)
    return cured + (1 - cured) * np.exp(-np.exp(theta) * (months / 12) ** shape)


def study_likelihood(name: str, study_id: str) -> np.ndarray:
    """Log likelihood of a study, shape (effects, shapes)."""
    more = SHAPES[name]

    def at(months: float) -> np.ndarray:
        return np.clip(survival(name, THETA[:, None], months, more), 1e-300, 1 - 1e-15)

    if study_id == "elm_2018":
        hazard = -np.log(at(498.5 / 52))
        return 23 * np.log(hazard) - 52 * hazard
    points = POINTS[study_id]
    if study_id == "dogwood_2018":
        shape, cured = (more, 0.0) if name != "mixture_cure" else (1.0, more)
        uncured = [((0.5 - cured).clip(1e-12) if name == "mixture_cure" else 0.5) / (1 - cured)] * 2
        mixed = sum(n / 33 * (cured + (1 - cured) * left ** ((12 / months) ** shape))
                    for (_, months, _, _, n), left in zip(points, uncured, strict=True))
        mixed = np.clip(mixed, 1e-12, 1 - 1e-12)
        return 33 / FACTOR**2 * (mixed * np.log(at(12) / mixed) + (1 - mixed) * np.log((1 - at(12)) / (1 - mixed)))
    total, before, alive = 0.0, np.ones((len(THETA), len(more))), 1.0
    for _, months, height, _, n in points:
        total = total + n / FACTOR**2 * (alive - height) * np.log(np.maximum(before - at(months), 1e-300))
        before, alive = at(months), height
    return total + points[-1][-1] / FACTOR**2 * alive * np.log(before)


PRIOR_OF_SHAPE = {"exponential": lambda x: np.zeros_like(x), "mixture_cure": lambda x: stats.beta.logpdf(x, 1, 2),
                  "weibull": lambda x: stats.lognorm.logpdf(x, 0.5) + np.log(x)}


@dataclass(frozen=True)
class Sums:
    """Weights over (eta, tau) and shapes; each study's log marginal likelihood there and its likelihood."""

    name: str
    weights: np.ndarray
    marginals: np.ndarray
    likelihoods: np.ndarray
    kernel: np.ndarray

    @property
    def eta(self) -> np.ndarray:
        return np.repeat(ETA, len(TAU))

    def of_effects(self, study: int | None = None) -> np.ndarray:
        """Weights over effects and shapes: of a new study, or of one of these."""
        if study is None:
            return self.kernel.T @ self.weights
        return (self.kernel.T @ (self.weights / np.exp(self.marginals[study]))) * np.exp(self.likelihoods[study])


@cache
def sums(name: str, study_ids: tuple[str, ...]) -> Sums:
    eta, tau = (values.ravel() for values in np.meshgrid(ETA, TAU, indexing="ij"))
    kernel = stats.norm.pdf(THETA, eta[:, None], np.maximum(tau, 0.03)[:, None])
    kernel /= kernel.sum(axis=1, keepdims=True)
    likelihoods = np.array([study_likelihood(name, study_id) for study_id in study_ids])
    top = likelihoods.max(axis=(1, 2), keepdims=True)
    marginals = np.log(np.array([kernel @ each for each in np.exp(likelihoods - top)])) + top
    prior = (stats.norm.logpdf(eta, np.log(np.log(2)), 1) + stats.halfnorm.logpdf(tau, scale=0.5))[:, None] \
        + PRIOR_OF_SHAPE[name](SHAPES[name])
    joint = marginals.sum(axis=0) + prior
    weights = np.exp(joint - joint.max())
    return Sums(name, weights / weights.sum(), marginals, likelihoods, kernel)


def quantiles(values: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    """Median and limits."""
    values, weights = (np.ravel(array) for array in np.broadcast_arrays(values, weights))
    # One place for equal values, each with the mass on either side of it.
    places, at = np.unique(np.round(values, 12), return_inverse=True)
    mass = np.bincount(at, weights)
    return tuple(np.interp([0.5, TAIL, 1 - TAIL], (np.cumsum(mass) - mass / 2) / mass.sum(), places))


def ids(subset: str) -> tuple[str, ...]:
    return tuple(study.study_id for study in hazards(subset))


def test_survival_curves(seen):
    rows = Table(seen, "survival_curves.csv")
    for row in rows.rows:
        rows.known(row, "subset model estimand time_months unit")
        rows.check(row, **size(hazards(row["subset"])))
        _estimate(seen, rows, row)
        _predictive(rows, row)
    assert {row["model"] for row in chosen(rows.rows, subset="all")} == {"log_hazard", *SHAPES}
    rows.complete(endpoint="os", tiers="AB", study_set="review", status="computed", reason=None, level=LEVEL,
                  interval="credible", stamp=None)


def _estimate(seen, rows, row) -> None:
    if row["model"] == "log_hazard":
        eta, tau, weights = headline("os", hazards(row["subset"])).points()
        months, hazard = value(row["time_months"]), np.exp(eta)
        values = {"survival": lambda: np.exp(-months * hazard), "median_months": lambda: np.log(2) / hazard,
                  "rmst": lambda: -np.expm1(-months * hazard) / hazard, "tau": lambda: tau}[row["estimand"]]()
        within = {"median_months": 0.3, "rmst": 0.1, "tau": 0.02}.get(row["estimand"], 8e-3)
        rows.check(row, probability_falling=None)
        rows.limits(row, quantiles(values, weights), within=within)
        return
    post, more = sums(row["model"], ids(row["subset"])), SHAPES[row["model"]]
    months, eta = value(row["time_months"]), post.eta[:, None]
    values = {
        "survival": lambda: survival(post.name, eta, months, more), "tau": lambda: np.tile(TAU, len(ETA))[:, None],
        "shape": lambda: more, "cured": lambda: more, "rmst": lambda: _restricted(post.name, eta, months, more),
        "median_months": lambda: _median(post.name, eta, more)}[row["estimand"]]()
    within = {"median_months": 0.5, "rmst": 0.08, "tau": 0.02}.get(row["estimand"], 0.012)
    median, lower, upper = quantiles(values, post.weights)
    if row["estimand"] == "median_months" and upper > 100:
        upper = lambda cell: cell is None or 100 <= cell < 12_000  # noqa: E731 (empty: never reached)
    rows.limits(row, (median, lower, upper), within=within)
    falling = float(post.weights.sum(axis=0)[more < 1].sum()) if row["estimand"] == "shape" else None
    rows.check(row, within=0.02, probability_falling=falling)


def _median(name: str, eta: np.ndarray, more: np.ndarray) -> np.ndarray:
    shape, cured = (more, 0.0) if name != "mixture_cure" else (1.0, more)
    with np.errstate(divide="ignore"):
        left = np.maximum(0.5 - cured, 0.0) / (1 - cured)
        return np.minimum(12 * (-np.log(left) / np.exp(eta)) ** (1 / shape), 12_000.0)


def _restricted(name: str, eta: np.ndarray, months: float, more: np.ndarray) -> np.ndarray:
    nodes, weights = special.roots_legendre(24)
    return sum(months / 2 * weight * survival(name, eta, months * (node + 1) / 2, more)
               for node, weight in zip(nodes, weights, strict=True))


def left_out(name: str, study_ids: tuple[str, ...]) -> np.ndarray:
    """Exact log predictive density of each study given the others."""
    post = sums(name, study_ids)
    return -np.log(np.array([(post.weights / np.exp(each)).sum() for each in post.marginals]))


def _predictive(rows, row) -> None:
    study_ids = ids(row["subset"])
    names = ("elpd_loo", "elpd_difference", "elpd_difference_se")
    if (row["estimand"], row["time_months"]) != ("survival", "12") or row["model"] == "log_hazard" \
            or len(study_ids) < 3:
        rows.check(row, **dict.fromkeys(names))
        return
    each, constant = left_out(row["model"], study_ids), left_out("exponential", study_ids)
    rows.check(row, within=0.05, elpd_loo=each.sum())
    if row["model"] == "exponential":
        rows.check(row, elpd_difference=None, elpd_difference_se=None)
    else:
        error = np.std(each - constant, ddof=1) * np.sqrt(len(study_ids))
        rows.check(row, within=0.05, elpd_difference=(each - constant).sum(), elpd_difference_se=error)


def test_answer(seen):
    """Each row is the headline's or that of a model of the hazard; what it adds is two differences."""
    rows, curves = Table(seen, "answer.csv"), chosen(seen.tables["survival_curves.csv"], subset="all")
    assert [row["endpoint"] for row in rows.rows] == ["cr", "tox", *["os"] * 8]
    for row in rows.rows:
        shared = {name: row[name] for name in ("endpoint", "estimand", "time_months")}
        if not row["hazard"]:
            source = single(seen.tables["estimates.csv"], **shared, subset="all", tiers="AB", study_id="",
                            model="beta_binomial")
            rows.check(row, hazard=None, preferred=None, model="beta_binomial")
        else:
            falling = row["hazard"] == "falling"
            source = single(curves, **shared, model="weibull" if falling else "log_hazard")
            rows.check(row, hazard="falling" if falling else "constant", preferred=falling, model=source["model"])
        steps = dict.fromkeys(("error_rule", "shape"))
        if row["hazard"] == "falling":
            at = [value(single(curves, **shared, model=name)["median"]) for name in (
                "log_hazard", "exponential", "weibull")]
            steps = {"error_rule": at[1] - at[0], "shape": at[2] - at[1]}
        rows.check(row, within=2e-5 * max(1.0, value(row["median"])), **steps)
        names = ("k_studies", "n_patients", "unit", "median", "lower", "upper", "level", "interval")
        rows.check(row, **shared, **{name: source[name] for name in names})
    told = [(row["estimand"], row["time_months"]) for row in rows.rows if row["hazard"] == "falling"]
    assert sorted(told) == [("median_months", ""), ("rmst", "24"), ("survival", "12"), ("survival", "24")]
    rows.complete(stamp=None)


def test_points(seen):
    rows = Table(seen, "curve_points.csv")
    wanted = [(study_id, *point) for study_id, points in POINTS.items() for point in sorted(points, key=str)]
    order = sorted(rows.rows, key=lambda row: list(POINTS).index(row["study_id"]))
    assert len(order) == len(wanted)
    for study_id in POINTS:
        for stratum, months, height, source, n in POINTS[study_id]:
            row = single(order, study_id=study_id, months=f"{months:g}")
            rows.check(row, within=1e-9, survival=height, months=months)
            rows.check(row, endpoint="os", study_id=study_id, label=STUDIES[study_id]["label"], stratum=stratum or None,
                       source=source, n=n)
    rows.complete()


def test_bands(seen):
    rows = Table(seen, "curve_bands.csv")
    post = sums("weibull", ids("all"))
    for row in rows.rows:
        months, label = value(row["months"]), STUDIES[row["study_id"]]["label"] if row["study_id"] else None
        rows.check(row, endpoint="os", model=row["model"], curve=row["curve"], study_id=row["study_id"] or None,
                   label=label, months=months, level=LEVEL,
                   interval="prediction" if row["curve"] == "new study" else "credible")
        if row["model"] == "log_hazard":
            eta, _, weights = headline("os").points()
            limits = quantiles(np.exp(-months * np.exp(eta)), weights)
        elif row["curve"] == "typical study":
            limits = quantiles(survival("weibull", post.eta[:, None], months, SHAPES["weibull"]), post.weights)
        else:
            at = ids("all").index(row["study_id"]) if row["study_id"] else None
            limits = quantiles(survival("weibull", THETA[:, None], months, SHAPES["weibull"]), post.of_effects(at))
        # Curves of the typical and a new study are by quadrature; 2,000 draws make those of each study.
        rows.limits(row, limits, within=0.03 if row["curve"] == "study" else 0.005)
    assert {row["study_id"] for row in rows.rows} == {"", *ids("all")}
    rows.complete(stamp=None)


def test_sums_settle():
    """Twice as many shapes move no mean by a thousandth."""
    post = sums("weibull", ids("all"))
    mean = (post.weights.sum(axis=0) * SHAPES["weibull"]).sum()
    half = post.weights.sum(axis=0)[::2]
    assert (half * SHAPES["weibull"][::2]).sum() / half.sum() == pytest.approx(mean, abs=1e-3)
