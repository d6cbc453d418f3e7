"""The standard error of a log hazard that the printed interval of a survival statistic implies, and by which rule.

Printed intervals are symmetric on different scales, so the scale is read off the interval. A limit of 0 or 1, or at
the estimate, is where an interval was cut: only the other limit says how wide it was.
"""

import math
from collections.abc import Callable

from scipy import special

from analysis.evidence import Survival

ASYMMETRY = 1.5
"""Arms of an interval that differ by more than this factor on every scale are kept apart (split normal)."""

_ROUNDING = {"landmark": 0.005, "median": 0.05}
"""Half a unit of the last printed digit: a limit so near a border may have been printed as the border."""

_TRANSFORMS: dict[str, Callable[[float], float]] = {
    "plain": float, "log": math.log, "log-log": lambda survival: math.log(-math.log(survival))}
_SCALES = {"median": ("plain", "log"), "landmark": ("plain", "log", "log-log")}
_HAZARD_SCALE = {"median": "log", "landmark": "log-log"}
"""The log hazard is the log of a median up to its sign, and the log-log of a survival probability."""


def standard_errors(row: Survival, factor: float) -> tuple[tuple[float, float], str]:
    """Standard errors (below, above) of the log hazard and the rule, before the floor."""
    bare = _without_interval(row, factor)
    binomial = (bare, bare), f"{factor:g} x binomial"
    if row.ci_low is None:
        return binomial[0], f"no interval: {binomial[1]}"
    z = float(special.ndtri(0.5 + row.ci_level / 2.0))
    low_cut = _is_cut(row, row.ci_low)
    if row.ci_high is None:
        lower_arm = 0.0 if low_cut else _arm(row, row.ci_low, _HAZARD_SCALE[row.statistic]) / z
        if lower_arm >= bare:
            return (lower_arm, lower_arm), "upper limit not reached: lower limit, log scale"
        return binomial[0], f"upper limit not reached: {binomial[1]}"
    high_cut = _is_cut(row, row.ci_high)
    if low_cut and high_cut:
        return binomial[0], f"both limits are cut: {binomial[1]}"
    if low_cut or high_cut:
        return _from_one_limit(row, z, *((row.ci_high, row.ci_low) if low_cut else (row.ci_low, row.ci_high)))
    return _from_interval(row, z)


def _is_cut(row: Survival, limit: float) -> bool:
    """Whether an interval was cut there: at the border of what the statistic can be, beyond it, or at the estimate."""
    return limit <= 0.0 or limit == row.estimate or (row.statistic == "landmark" and limit >= 1.0)


def _from_one_limit(row: Survival, z: float, kept: float, cut: float) -> tuple[tuple[float, float], str]:
    """The error from the limit that was not cut.

    Its scale is one on which the other limit, as far from the estimate, would lie at the border or beyond it; of
    several, and of all where none would or the cut is at the estimate, the one of the largest error.
    """
    errors = {scale: _arm(row, kept, scale) / z * _slope(row, scale) for scale in _SCALES[row.statistic]}
    at_border = {scale: error for scale, error in errors.items() if _reaches(row, scale, kept, cut)}
    among = at_border or errors
    best = max(among, key=among.__getitem__)
    side = "upper" if kept > row.estimate else "lower"
    return (among[best], among[best]), f"the other limit is cut at {cut:g}: {side} limit alone, {best} scale"


def _reaches(row: Survival, scale: str, kept: float, cut: float) -> bool:
    """Whether the mirror image of a limit lies where an interval is cut, within rounding."""
    if cut == row.estimate:
        return False
    slack = _ROUNDING[row.statistic]
    on = _TRANSFORMS[scale]
    border, middle = on(1.0 - slack if cut > row.estimate else slack), on(row.estimate)
    return (2.0 * middle - on(kept) - border) * (border - middle) >= 0.0


def _from_interval(row: Survival, z: float) -> tuple[tuple[float, float], str]:
    arms = {scale: (_arm(row, row.ci_high, scale), _arm(row, row.ci_low, scale)) for scale in _SCALES[row.statistic]}
    ratio = {scale: max(pair) / min(pair) if min(pair) > 0 else math.inf for scale, pair in arms.items()}
    best = min(ratio, key=ratio.__getitem__)
    if ratio[best] <= ASYMMETRY:
        error = sum(arms[best]) / (2.0 * z) * _slope(row, best)
        return (error, error), f"interval, {best} scale"
    below, above = (arm / z for arm in arms[_HAZARD_SCALE[row.statistic]])
    return (below, above), "interval, split normal on the log hazard"


def _arm(row: Survival, limit: float, scale: str) -> float:
    """Length from the estimate to a limit on the given scale."""
    on = _TRANSFORMS[scale]
    return abs(on(limit) - on(row.estimate))


def _slope(row: Survival, scale: str) -> float:
    """Change of the log hazard per unit of the given scale."""
    if scale == _HAZARD_SCALE[row.statistic]:
        return 1.0
    plain = 1.0 / row.estimate if scale == "plain" else 1.0
    return plain if row.statistic == "median" else plain / abs(math.log(row.estimate))


def _without_interval(row: Survival, factor: float) -> float:
    survival = 0.5 if row.statistic == "median" else row.estimate
    return factor * math.sqrt((1.0 - survival) / (row.n * survival)) / abs(math.log(survival))
