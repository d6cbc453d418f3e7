"""The table of small studies: slopes on size by own fits, each study beside its prediction, limits of the funnel."""

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from tests.seen.checking import Table, between, chosen, one_of, ordered, single, value
from tests.seen.facts import ENDPOINTS, LEVEL, Counts, named, studies_of, study_of
from tests.seen.headline import headline, law, question
from tests.seen.methods import estimates


def test_small_studies(seen):
    rows = Table(seen, "small_studies.csv")
    for row in rows.rows:
        endpoint, studies = row["endpoint"], studies_of(row["endpoint"])
        rows.check(row, **question(endpoint), k_studies=len(studies), part=one_of("regression", "study", "limit"),
                   interval={"regression": "confidence", "study": None, "limit": "prediction"}[row["part"]])
        {"regression": _size_regression, "study": _size_study, "limit": _funnel}[row["part"]](seen, rows, row, studies)
    for endpoint in ENDPOINTS:
        parts = [row["part"] for row in chosen(rows.rows, endpoint=endpoint)]
        k = len(studies_of(endpoint))
        assert parts == ["regression"] + ["study"] * k + ["limit"] * (len(parts) - 1 - k) and len(parts) > k + 12
        steps = [value(row["precision"]) for row in chosen(rows.rows, endpoint=endpoint, part="limit")]
        assert steps == sorted(set(steps))
    rows.complete(tiers="AB", study_set="review", level=LEVEL, status="computed", reason=None, stamp=None)


_SLOPES = ("slope", "slope_se", "slope_lower", "slope_upper", "slope_two_sided", "slope_two_sided_t",
           "ratio", "ratio_lower", "ratio_upper", "detectable_ratio", "egger_two_sided")
_STUDY = ("study_id", "label", "observed", "pit", "two_sided", "z")
_LIMIT = ("predicted", "predicted_lower", "predicted_upper")


def _size_regression(seen, rows, row, studies) -> None:
    slope, error = _fit_slope(studies)
    step = 1 / math.sqrt(10) - 1 / math.sqrt(40)
    rows.check(row, within=0.01 * error, slope=slope)
    rows.check(row, within=0.02 * error, slope_se=error)
    found, z = rows.numbers(row), stats.norm.ppf(0.975)
    ends = [found["slope"] - z * found["slope_se"], found["slope"] + z * found["slope_se"]]
    rows.check(row, within=1e-4, slope_lower=ends[0], slope_upper=ends[1])
    rows.check(row, within=1e-3 * math.exp(step * ends[1]), ratio=math.exp(step * found["slope"]),
               ratio_lower=math.exp(step * ends[0]), ratio_upper=math.exp(step * ends[1]),
               detectable_ratio=math.exp(step * (z + stats.norm.ppf(0.8)) * found["slope_se"]))
    ordered(found, "slope_lower", "slope", "slope_upper")
    ordered(found, "ratio_lower", "ratio", "ratio_upper")
    t = abs(found["slope"] / found["slope_se"])
    y, v = estimates(studies)
    line = stats.linregress(1 / np.sqrt(v), y / np.sqrt(v))
    egger = 2 * stats.t.sf(abs(line.intercept / line.intercept_stderr), len(y) - 2)
    rows.check(row, within=1e-4, slope_two_sided=2 * stats.norm.sf(t),
               slope_two_sided_t=2 * stats.t.sf(t, len(y) - 2), egger_two_sided=egger)
    rows.check(row, n=None, precision=None, **dict.fromkeys((*_STUDY, *_LIMIT)))


def _fit_slope(studies) -> tuple[float, float]:
    """Slope on 1/sqrt(n): beta-binomial maximum likelihood with observed information, or REML of log hazards."""
    x = 1 / np.sqrt([study.n for study in studies])
    if not isinstance(studies[0], Counts):
        y, v = estimates(studies)
        design = np.stack([np.ones(len(x)), x], axis=1)

        def parts(t: float):
            weight = 1 / (v + t)
            inner = np.linalg.inv(design.T @ (design * weight[:, None]))
            beta = inner @ design.T @ (weight * y)
            return weight, inner, beta

        def minus(t: float) -> float:
            weight, inner, beta = parts(t)
            return -0.5 * (np.log(weight).sum() + np.linalg.slogdet(inner)[1] - weight @ (y - design @ beta) ** 2)

        best = min(np.concatenate([[0.0], np.geomspace(1e-6, 3, 3000)]), key=minus)
        _, inner, beta = parts(best)
        return float(beta[1]), math.sqrt(inner[1, 1])

    def minus_log(at) -> float:
        mu, rho = special.expit(at[0] + at[1] * x), math.exp(at[2])
        kappa = 1 / rho
        return -sum(stats.betabinom.logpmf(one.events, one.n, p * kappa, (1 - p) * kappa)
                    for one, p in zip(studies, mu, strict=True))

    best = optimize.minimize(minus_log, [0.0, 0.0, -3.0], method="Nelder-Mead",
                             options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000}).x
    h, eye = 1e-3, np.eye(3)
    hessian = np.array([[(minus_log(best + h * (a + b)) - minus_log(best + h * (a - b))
                          - minus_log(best - h * (a - b)) + minus_log(best - h * (a + b))) / (4 * h * h)
                         for b in eye] for a in eye])
    kept = hessian if hessian[2, 2] > 1e-4 else hessian[:2, :2]  # on the boundary the spread has no curvature
    return float(best[1]), math.sqrt(np.linalg.inv(kept)[1, 1])


def _size_study(seen, rows, row, studies) -> None:
    own = study_of(row, studies)
    twin = single(seen.tables["influence.csv"], endpoint=row["endpoint"], study_id=own.study_id)
    rows.check(row, **named(own), two_sided=value(twin["two_sided"]))
    mid_p = value(twin["pit"]) if isinstance(own, Counts) else 1 - value(twin["pit"])  # of the hazard
    rows.check(row, within=2e-5, pit=mid_p, z=stats.norm.ppf(mid_p))
    if isinstance(own, Counts):
        rows.check(row, precision=own.n, observed=own.events / own.n)
    else:
        log_hazard, error = own.estimate
        rows.check(row, precision=1 / error**2, observed=math.exp(-12 * math.exp(log_hazard)))
    rows.check(row, **dict.fromkeys((*_SLOPES, *_LIMIT)))


def _funnel(seen, rows, row, studies) -> None:
    """Predictive limits of the observed value of a further study of this size."""
    plane, found = headline(row["endpoint"]), rows.numbers(row)
    names = ("predicted_lower", "predicted", "predicted_upper")
    if isinstance(studies[0], Counts):
        n = int(found["precision"])
        mass = law(plane, n)
        mid = np.cumsum(mass) - mass / 2
        ends = np.interp([0.025, 0.5, 0.975], mid, np.arange(n + 1)) / n
        rows.check(row, n=n, precision=n)
        rows.check(row, within=1e-3, **dict(zip(names, ends, strict=True)))
    else:
        location, spread, weight = plane.points()
        width = np.sqrt(spread**2 + 1 / found["precision"])
        for name, p in zip(names, (0.025, 0.5, 0.975), strict=True):
            log_hazard = math.log(-math.log(found[name]) / 12)
            above = float(weight @ special.ndtr((log_hazard - location) / width))
            assert 1 - above == pytest.approx(p, abs=3e-3), row
        rows.check(row, n=None, precision=between(1, 500), **{name: found[name] for name in names})
    ordered(found, *names)
    rows.check(row, **dict.fromkeys((*_SLOPES, *_STUDY)))
