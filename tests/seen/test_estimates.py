"""The table of estimates: every cell by plain sums, or from the draws in the netCDF file."""

import math

import numpy as np
import pytest

from tests.seen.checking import Table, between, chosen, one_of, ordered, value
from tests.seen.facts import ENDPOINTS, LEVEL, of_row, size, study_of
from tests.seen.fitted import draws, fits, is_sampled, key
from tests.seen.posterior import posterior

UNITS = {"rate": ("probability", "proportion"), "survival": ("probability", "proportion"), "rho": ("correlation", "1"),
         "months": ("time", "months"), "rmst": ("time", "months"), "hazard": ("hazard", "events per 100 person-years")}
"""Scale and unit by the last word of the estimand."""
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
        tau = ("log hazard", "log hazard") if row["endpoint"] == "os" else ("logit", "log odds")
        scale, unit = UNITS.get(estimand.rpartition("_")[2], tau)
        times = {"survival": one_of(12), "rmst": one_of(12, 24)}.get(estimand.rpartition("_")[2], one_of(None))
        rows.known(row, "model subset tiers early_landmarks estimand study_id")
        rows.check(row, **size(studies), endpoint=one_of(*ENDPOINTS), scale=scale, unit=unit, time_months=times,
                   interval="prediction" if estimand.startswith("new") else "credible")
        ordered(rows.numbers(row), "lower", "median", "upper")
        _numbers(rows, row, studies, months)
    rows.complete(study_set="review", level=LEVEL, stamp=None)
    restricted = chosen(rows.rows, estimand="rmst")
    assert [row["time_months"] for row in restricted] == ["12", "24"] * (len(restricted) // 2)


def _numbers(rows, row, studies, months) -> None:
    """Median and limits by plain sums; mean and SD as well, unless they need not exist."""
    plane = posterior(row["model"], studies)
    estimand, found = row["estimand"], rows.numbers(row)
    study = study_of(row, studies) if row["study_id"] else None
    # A quantile of s independent draws has probability p within sqrt(p (1 - p) / s); chains have fewer independent
    # ones, at least a tenth of them here. Pooled numbers are those of quadrature, also of a sampled fit, and right to
    # 5e-4 of a probability.
    s = 9600 * (0.1 if is_sampled(row) else 1.0)
    # A function of both hyperparameters is sorted here, which is less exact than the spline along one of them.
    coarse = estimand not in ("survival", "median_months", "rmst") and (
        (row["model"], estimand) != ("beta_binomial", "mean_rate"))
    for name, p in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
        if study or estimand.startswith("new"):
            below = chance_below(plane, study, estimand, found[name], months)
            reach = 4.5 * math.sqrt(p * (1 - p) / s) if study else 2.5e-3
            assert below == pytest.approx(p, abs=reach + 1.5e-3), (row, name)
            rows.known(row, name)
        else:
            reach = 6e-3 if coarse else 2e-3
            low, high = (plane.quantile(estimand, min(max(p + sign * reach, 1e-4), 1 - 1e-4), months)
                         for sign in (-1, 1))
            rows.check(row, **{name: between(low, high)})
    if found["mean"] is None:
        assert (row["model"], estimand) == ("beta_binomial", "tau") or estimand in WITHOUT_MOMENTS
        rows.check(row, mean=None, sd=None, mcse=None)
        return
    _moments(rows, row, plane, study, months)


def chance_below(plane, study, estimand: str, x: float, months) -> float:
    """Probability that a study's own value, or that of a new one (None), is below x; a hazard's by its survival."""
    if estimand.endswith("hazard"):
        survival = math.exp(-x / PER_100_PERSON_YEARS)
        return 1.0 - chance_below(plane, study, estimand.removesuffix("hazard") + "survival", survival, 1.0)
    return plane.new_below(x, months) if study is None else plane.study_below(study, x, months)


def _moments(rows, row, plane, study, months) -> None:
    found, estimand = rows.numbers(row), row["estimand"]
    if study or estimand.startswith("new"):
        sample = draws(rows.seen, row, estimand if months is None else f"{estimand}_{months:g}m")
        sample = sample[:, [each.study_id for each in of_row(row)].index(row["study_id"])] if study else sample
        mean, sd = sample.mean(), sample.std(ddof=1)
        # Single precision of the file; 4.5 errors of the mean, and of the SD, where the table is exact: the exact
        # engine sums a new study up over its distribution, not over draws.
        slack, share = (3e-7, 1e-4) if study else (4.5 * sample.std() / math.sqrt(len(sample)), 0.06)
        slack += 1e-5 * mean
        rows.check(row, mean=between(mean - slack, mean + slack), sd=between(sd * (1 - share), sd * (1 + share)))
        if study:
            low, middle, high = np.quantile(sample, [0.025, 0.5, 0.975])
            rows.limits(row, (middle, low, high), within=1e-6 * high)
    else:
        sd = plane.sd(estimand, months)
        rows.check(row, within=5e-3 * sd + 2e-5, mean=plane.mean(estimand, months), sd=sd)
    # Exact numbers have no Monte-Carlo error; independent draws that of a mean, chains up to 3 times as much.
    error = found["sd"] / math.sqrt(9600)
    drawn = study or is_sampled(row)
    rows.check(row, mcse=between(0.9 * error, 4 * error) if drawn else one_of(0.0, None))
