"""Whether the prior of a slope fights the data: how far out the crude slope lies under what the prior predicts for it.

The crude slope b with standard error s is that of a random-effects regression of the studies' own estimates on their
covariates, without any prior. Before the data the prior of beta predicts b = beta + Normal(0, s); the two-sided
probability of a b at least as far out is small where prior and data disagree. A posterior as wide as the prior then
does not mean that the data say nothing.

References
----------
Evans M, Moshonov H. Bayesian Anal 2006;1:893, doi 10.1214/06-BA129 (prior-data conflict by the prior predictive).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from analysis.cases.regressions import COMPLETE, ONE, TOGETHER, RegressionCase
from analysis.frequentist.estimates import log_hazards, logits
from analysis.frequentist.regression import normal_slope
from analysis.results.numbers import RATIO, Row, chance, interval_text, number, with_interval
from models.priors import Prior
from models.studies import RateStudies

LEAST_TAIL = 0.05
"""Below this probability the prior is said to be in conflict with the data."""

_WIDER = {False: ("beta=Normal(0, {})", "Normal", (2.0, 5.0, 10.0, 20.0)),
          True: ("shrinkage=HalfNormal({})", "HalfNormal", (1.0, 2.0, 5.0, 10.0))}
_SPARE = 2  # studies beyond one for each coefficient: with fewer, heterogeneity and so the standard error is anything
_DRAWS = 20_000
_LARGEST_LOG, _LEVEL = 700.0, 0.95
ANALYSES = {ONE: "one at a time", COMPLETE: "complete cases", TOGETHER: "all together"}
"""How readers see what a slope was estimated with."""


def crude_slope(case: RegressionCase, at: int) -> tuple[float, float] | None:
    """Slope of one covariate per step of its prior, given the others, with its standard error; from complete studies.

    None where too few studies report all covariates, or these are collinear.
    """
    used = [column for column, use in zip(case.columns, case.used, strict=True) if use]
    used.sort(key=lambda column: column is case.columns[at])
    x = np.stack([column.values / column.prior_step for column in used], axis=1)
    sizes = case.studies.evaluable if isinstance(case.studies, RateStudies) else np.ones(len(case.studies))
    rows = ~np.isnan(x).any(axis=1) & (sizes > 0)
    design = np.column_stack([np.ones(rows.sum()), x[rows]])
    scaled = design / np.maximum(np.abs(design).max(axis=0, initial=0.0), np.finfo(float).tiny)
    if len(design) < design.shape[1] + _SPARE or np.linalg.matrix_rank(scaled) < design.shape[1]:
        return None
    studies = case.studies.take(rows)
    estimates = logits(studies) if isinstance(studies, RateStudies) else log_hazards(studies)
    value, se = normal_slope(estimates, design)
    return (value, se) if math.isfinite(value) and math.isfinite(se) else None


def prior_tail(prior: Prior, value: float, se: float, *, shared: bool = False) -> float:
    """Two-sided probability, under the prior predictive, of a crude slope at least as far out.

    Parameters
    ----------
    prior : Prior
        Of the slope, or of the standard deviation of slopes that share one.
    shared : bool
        Whether it is that of a standard deviation.
    """
    if prior.family == "Normal" and not shared:
        mean, sd = prior.arguments
        below = float(stats.norm.cdf((value - mean) / math.hypot(sd, se)))
    else:
        drawn = prior.draw(_DRAWS, np.random.default_rng(1))
        below = float(np.mean(stats.norm.cdf(value / np.hypot(drawn, se) if shared else (value - drawn) / se)))
    return 2.0 * min(below, 1.0 - below)


def conflict_cells(case: RegressionCase, at: int, prior: Prior) -> dict[str, Any]:
    """Columns crude_beta and crude_se per printed step, prior_tail and prior_conflict; None where none is known."""
    crude = crude_slope(case, at)
    if crude is None:
        return dict.fromkeys(("crude_beta", "crude_se", "prior_tail", "prior_conflict"))
    tail, per = prior_tail(prior, *crude, shared=case.together), case.columns[at].units_per_prior_step
    return {"crude_beta": crude[0] / per, "crude_se": crude[1] / per, "prior_tail": tail,
            "prior_conflict": tail < LEAST_TAIL}


def crude_ratio(row: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """The crude ratio per step with its limits, from the studies' own estimates; None where it is not known."""
    if row.get("crude_beta") is None:
        return None
    z = float(stats.norm.isf(0.5 * (1.0 - (row.get("level") or _LEVEL))))
    return tuple(math.exp(min(row["crude_beta"] + at * row["crude_se"], _LARGEST_LOG)) for at in (0.0, -z, z))


def crude_text(row: Mapping[str, Any]) -> str:
    """Such as "5.13 [2.41, 10.89]"."""
    return interval_text(*crude_ratio(row), RATIO)


def conflict_text(row: Mapping[str, Any]) -> str:
    """The conflict of a slope's row as one sentence with prior, numbers and remedy."""
    ours = with_interval(row, RATIO, at="ratio_median")
    return (f"{row['label']} ({ANALYSES[row['analysis']]}): the prior fights the data and holds the slope back: "
            f"under {row['prior']} a crude {row['ratio_scale'].replace('_', ' ')} as far out as {crude_text(row)}, "
            f"{row['unit']}, has the probability {chance(row['prior_tail'])}; the posterior says {ours}. "
            f"Compare with a wider prior: --prior \"{_wider(row)}\"")


def _wider(row: Mapping[str, Any]) -> str:
    """The narrowest of some wide priors that is not in conflict."""
    shared, per = row["analysis"] == TOGETHER, row["prior_size"] / row["unit_size"]
    text, family, sizes = _WIDER[shared]
    fits = (size for size in sizes if prior_tail(Prior(family, (0.0, size)[shared:]), row["crude_beta"] * per,
                                                 row["crude_se"] * per, shared=shared) >= LEAST_TAIL)
    return text.format(f"{next(fits, sizes[-1]):g}")


def held_back(slope: Row) -> str | None:
    """How wide the posterior of a slope is beside its prior, where the two are in conflict."""
    return f"{number(slope['sd_ratio'], '')}, in conflict" if slope.get("prior_conflict") else None
