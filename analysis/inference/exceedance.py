"""How probable it is that the pooled value of a case, and that of a new study, is larger than a given one."""

from analysis.cases.case import Case
from analysis.inference.distribution import Distribution
from analysis.inference.estimands import MAIN, NEW
from analysis.inference.posterior import posterior_of

MEDIAN = "median_months"


def distributions(case: Case, estimand: str, months: float | None = None) -> tuple[Distribution, Distribution | None]:
    """Of the pooled value and of that of a new study; a median time has none of the latter.

    Parameters
    ----------
    estimand : {"rate", "survival", "median_months"}
    months : float or None
        At which survival is read; None takes the case's horizon.

    Raises
    ------
    QuadratureFailed, NeedsDensity
        When there is no posterior.
    """
    names = (MEDIAN,) if estimand == MEDIAN else (MAIN[case.model.kind], NEW[case.model.kind])
    exact = posterior_of(case).at(months or case.selection.horizon, names)
    by_name = {item.quantity.estimand: item.distribution for item in exact}
    return by_name[names[0]], by_name.get(NEW[case.model.kind])


def exceeding(pooled: Distribution, new: Distribution | None, value: float) -> dict[str, float | None]:
    """The probabilities of a larger value."""
    return {"pooled": 1.0 - float(pooled.cdf(value)), "new_study": 1.0 - float(new.cdf(value)) if new else None}
