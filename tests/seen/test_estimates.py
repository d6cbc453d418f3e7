"""The table of estimates: every cell by plain sums, or from the draws in the netCDF file."""

import math

import numpy as np
import pytest

from tests.seen.checking import Table, between, chosen, one_of, ordered, value
from tests.seen.facts import ENDPOINTS, LEVEL, of_row
from tests.seen.fitted import draws, fits, is_sampled, key, plane_of

UNITS = {
    "mean_rate": ("probability", "proportion"),
    "median_rate": ("probability", "proportion"),
    "new_study_rate": ("probability", "proportion"),
    "study_rate": ("probability", "proportion"),
    "rho": ("correlation", "1"),
    "survival": ("probability", "proportion"),
    "mean_survival": ("probability", "proportion"),
    "new_study_survival": ("probability", "proportion"),
    "study_survival": ("probability", "proportion"),
    "median_months": ("time", "months"),
    "rmst": ("time", "months"),
    "hazard": ("hazard", "events per 100 person-years"),
    "mean_hazard": ("hazard", "events per 100 person-years"),
    "new_study_hazard": ("hazard", "events per 100 person-years"),
    "study_hazard": ("hazard", "events per 100 person-years"),
}
RATES = ["mean_rate", "median_rate", "new_study_rate", "rho", "tau"]
HAZARDS = ["hazard", "mean_hazard", "new_study_hazard"]
SURVIVAL = ["survival", "mean_survival", "new_study_survival", "median_months", "rmst", "rmst", "tau", *HAZARDS]
WITHOUT_MOMENTS = {"mean_hazard", "new_study_hazard"}
PER_100_PERSON_YEARS = 1200.0


def test_estimates_have_the_rows_of_their_fit(seen):
    for one in fits(seen):
        own = [row for row in seen.tables["estimates.csv"] if key(row) == one]
        names = RATES if one[0] != "os" else SURVIVAL
        studies = [study.study_id for study in of_row(own[0])]
        each = ["study_survival", "study_hazard"] if one[0] == "os" else ["study_rate"]
        assert [row["estimand"] for row in own] == names + [name for name in each for _ in studies]
        assert [row["study_id"] for row in own] == [""] * len(names) + studies * len(each)


def test_estimates(seen):
    rows = Table(seen, "estimates.csv")
    for row in rows.rows:
        studies = of_row(row)
        estimand, months = row["estimand"], value(row["time_months"])
        horizon = estimand in ("survival", "mean_survival", "new_study_survival", "study_survival")
        rows.check(row, endpoint=one_of(*ENDPOINTS), study_set="review", level=LEVEL, stamp=None,
                   study_id=row["study_id"], k_studies=len(studies),
                   n_patients=sum(study.n for study in studies), interval="prediction"
                   if estimand.startswith("new") else "credible", time_months=12 if horizon else one_of(12, 24)
                   if estimand == "rmst" else None,
                   **dict(zip(("scale", "unit"), UNITS.get(estimand)
                              or (("log hazard", "log hazard") if row["endpoint"] == "os"
                                  else ("logit", "log odds")), strict=True)),
                   **{name: row[name] for name in ("model", "subset", "tiers", "early_landmarks", "estimand")})
        ordered(rows.numbers(row), "lower", "median", "upper")
        _numbers(rows, row, studies, months)
    rows.complete()
    assert [row["time_months"] for row in chosen(rows.rows, estimand="rmst")] == ["12", "24"] * (
        len(chosen(rows.rows, estimand="rmst")) // 2
    )


def _numbers(rows, row, studies, months) -> None:
    """Median and limits by plain sums; mean and SD as well, unless they need not exist."""
    plane = plane_of(row, studies)
    estimand, found = row["estimand"], rows.numbers(row)
    one = next((study for study in studies if study.study_id == row["study_id"]), None)
    # A quantile of s independent draws has probability p within sqrt(p (1 - p) / s); chains have fewer independent
    # ones, at least a tenth of them here. Pooled numbers are those of quadrature, also of a sampled fit, and right to
    # 5e-4 of a probability.
    s = 9600 * (0.1 if is_sampled(row) else 1.0)
    by_draws = one is not None
    # A function of both hyperparameters is sorted here, which is less exact than the spline along one of them.
    coarse = estimand not in ("survival", "median_months", "rmst") and (row["model"],
                                                                        estimand) != ("beta_binomial", "mean_rate")
    for name, p in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
        if one is not None or estimand.startswith("new"):
            below = chance_below(plane, one, estimand, found[name], months)
        else:
            low, high = (plane.quantile(estimand, q, months) for q in _around(p, s if by_draws else None, coarse))
            rows.check(row, **{name: between(low, high)})
            continue
        reach = 4.5 * math.sqrt(p * (1 - p) / s) if by_draws else 2.5e-3
        assert below == pytest.approx(p, abs=reach + 1.5e-3), (row, name)
        rows.check(row, **{name: found[name]})
    if found["mean"] is None:
        assert (row["model"], estimand) == ("beta_binomial", "tau") or estimand in WITHOUT_MOMENTS
        rows.check(row, mean=None, sd=None, mcse=None)
        return
    _moments(rows, row, plane, one, by_draws, months)


def chance_below(plane, study, estimand: str, x: float, months) -> float:
    """Probability that a study's own value, or that of a new one (None), is below x; a hazard's by its survival."""
    if estimand.endswith("hazard"):
        survival = math.exp(-x / PER_100_PERSON_YEARS)
        return 1.0 - chance_below(plane, study, estimand.removesuffix("hazard") + "survival", survival, 1.0)
    return plane.new_below(x, months) if study is None else plane.study_below(study, x, months)


def _around(p: float, s: float | None, coarse: bool) -> tuple[float, float]:
    reach = (6e-3 if coarse else 2e-3) if s is None else 4.5 * math.sqrt(p * (1 - p) / s)
    return max(p - reach, 1e-4), min(p + reach, 1 - 1e-4)


def _moments(rows, row, plane, one, by_draws, months) -> None:
    found, estimand = rows.numbers(row), row["estimand"]
    if one is not None or estimand.startswith("new") or by_draws:
        name = estimand if months is None else f"{estimand}_{months:g}m"
        own = draws(rows.seen, row, name)
        own = own[:, [study.study_id for study in of_row(row)].index(one.study_id)] if one is not None else own
        exact = not by_draws  # the exact engine sums a new study up over its distribution, not over draws
        # Single precision of the file; 4.5 errors of the mean, and of the SD, where the table is exact.
        slack = 4.5 * own.std() / math.sqrt(len(own)) if exact else 3e-7
        slack += 1e-5 * own.mean()
        rows.check(row, mean=between(own.mean() - slack, own.mean() + slack))
        rows.check(row, sd=between(own.std(ddof=1) * (1 - (0.06 if exact else 1e-4)), own.std(ddof=1)
                                   * (1 + (0.06 if exact else 1e-4))))
        if not exact:
            limits = np.quantile(own, [0.025, 0.5, 0.975])
            rows.check(row, within=1e-6 * limits[2], lower=limits[0], median=limits[1], upper=limits[2])
    else:
        rows.check(row, within=5e-3 * plane.sd(estimand, months) + 2e-5, mean=plane.mean(estimand, months),
                   sd=plane.sd(estimand, months))
    # Exact numbers have no Monte-Carlo error; independent draws that of a mean, chains up to 3 times as much.
    if not by_draws and not is_sampled(row):
        rows.check(row, mcse=one_of(0.0, None))
    else:
        error = found["sd"] / math.sqrt(9600)
        rows.check(row, mcse=between(0.9 * error, 4 * error))
