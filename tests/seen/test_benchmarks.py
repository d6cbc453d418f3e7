"""Probabilities of exceeding a benchmark, by sums over the plane and, for survival, over effects and shapes."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from analysis.drawing import style
from analysis.results.table import grouped_rows
from tests.reporting import pictures_of
from tests.seen.checking import Table, value
from tests.seen.facts import counts, table
from tests.seen.posterior import DEFAULTS, posterior
from tests.seen.test_curves import ETA, SHAPES, TAU, THETA, ids, sums, survival

STEPS = np.linspace(1e-4, 1 - 1e-4, 2001)
WITHIN = {"cr": 2e-3, "os": 0.012}
"""The sums over effects and shapes have wider steps than those of counts: with a quarter of them they move by 0.010."""
KEY = ("endpoint", "estimand", "time_months")
Law = tuple[np.ndarray, np.ndarray]
"""Places in ascending order and the probability below each."""


def law(places: np.ndarray, weights: np.ndarray) -> Law:
    """Of a function on a plane of effects and shapes, with steps a ninth as wide."""
    for _ in range(2):
        places, weights = (ndimage.zoom(part, 3, order=3, mode="nearest") for part in (places, weights))
    order = np.argsort(places, axis=None)
    mass = weights.ravel()[order]
    return places.ravel()[order], (np.cumsum(mass) - mass / 2) / mass.sum()


@cache
def laws(estimand: str, months: float | None) -> tuple[Law, Law | None]:
    """Of the pooled quantity and of that of a new study, which a median has not."""
    if estimand == "rate":
        plane, places = posterior("beta_binomial", counts("cr"), DEFAULTS["beta_binomial"]), np.linspace(0, 1, 2401)
        return (plane.quantiles("mean_rate", STEPS), STEPS), (places, np.array([*map(plane.new_below, places)]))
    found, shapes = sums("weibull", ids("all")), SHAPES["weibull"]
    eta, of_eta = ETA[:, None], found.weights.reshape(len(ETA), len(TAU), len(shapes)).sum(axis=1)
    if estimand == "median_months":
        return law(12 * (np.log(2) / np.exp(eta)) ** (1 / shapes), of_eta), None
    return (law(survival("weibull", eta, months, shapes), of_eta),
            law(survival("weibull", THETA[:, None], months, shapes), found.of_effects()))


def exceeding(row, x: float) -> list[float | None]:
    """P(pooled > x) and P(new study > x) of the row's quantity."""
    return [one and 1 - float(np.interp(x, *one, left=0, right=1))
            for one in laws(row["estimand"], value(row["time_months"]))]


def test_benchmarks(seen):
    rows = Table(seen, "benchmarks.csv")
    given = table("benchmarks.csv")
    assert len(rows.rows) == len(given)
    for row, benchmark in zip(rows.rows, given, strict=True):
        pooled, new = exceeding(row, value(benchmark["high"] or benchmark["low"]))
        assert 0.02 < pooled < 0.98, "a probability that a wrong one could not be taken for"
        rows.check(row, within=WITHIN[row["endpoint"]], pooled=pooled, new_study=new)
        rows.check(row, **{name: benchmark[name] for name in ("endpoint", "estimand", "time_months", "low", "high",
                                                              "source_id", "locator", "note")})
        rows.check(row, benchmark=benchmark["label"], model="beta_binomial" if row["endpoint"] == "cr" else "weibull",
                   unit="months" if row["estimand"] == "median_months" else "proportion")
    rows.complete(status="computed", reason=None, stamp=None)


def test_exceedance(seen):
    rows = Table(seen, "exceedance.csv")
    keys = list(dict.fromkeys(tuple(map(row.get, KEY)) for row in rows.rows))
    assert keys == list(dict.fromkeys(tuple(map(row.get, KEY))
                                      for row in table("benchmarks.csv")))
    for key in keys:
        own = [row for row in rows.rows if tuple(map(row.get, KEY)) == key]
        end = 48.0 if key[1] == "median_months" else 1.0
        for at, row in enumerate(own):
            rows.check(row, value=at * end / 120, **dict(zip(KEY, key, strict=True)))
            pooled, new = exceeding(row, value(row["value"]))
            rows.check(row, within=WITHIN[row["endpoint"]], pooled=pooled, new_study=new)
            rows.check(row, model="beta_binomial" if key[0] == "cr" else "weibull")
        assert len(own) == 121
    rows.complete(stamp=None)


def test_every_curve_and_benchmark_is_drawn(seen):
    (picture,) = (one for one in pictures_of(seen.results) if one.kind == "exceedance")
    figure = picture.draw(**picture.content)
    curves = grouped_rows(picture.content["curves"], *KEY)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Complete remission", "Overall survival, median", "Overall survival, 12 months", "Overall survival, 24 months"]
    for axes, rows in zip(figure.axes, curves, strict=True):
        of_color = {color: [line for line in axes.lines if line.get_color() == color]
                    for color in (style.SHRUNKEN, style.PREDICTION, style.ALARM)}
        for color, name in ((style.SHRUNKEN, "pooled"), (style.PREDICTION, "new_study")):
            wanted = [[getattr(row, name) for row in rows]] if getattr(rows[0], name) is not None else []
            assert np.array([line.get_ydata() for line in of_color[color]]) == pytest.approx(np.array(wanted), abs=1e-6)
        own = [row for row in table("benchmarks.csv") if [value(row[name]) for name in KEY] == [
            getattr(rows[0], name) for name in KEY]]
        lines = [line.get_xdata()[0] for line in of_color[style.ALARM]]
        assert lines == pytest.approx([value(row["low"]) for row in own if not row["high"]])
        bands = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
        assert np.array(bands) == pytest.approx(np.array([(value(row["low"]), value(row["high"])) for row in own
                                                          if row["high"]]))
