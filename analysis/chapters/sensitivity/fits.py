"""The exact posterior of a variant, summed up in the numbers that variants are compared by."""

from dataclasses import dataclass

from analysis.cases.case import Case
from analysis.inference.estimands import Estimate
from analysis.inference.posterior import main_estimand, new_estimand, posterior_of, spread_estimand


@dataclass(frozen=True)
class Summary:
    """Main estimand, prediction and heterogeneity of one posterior."""

    main: Estimate
    new: Estimate
    spread: Estimate


def summarise(case: Case) -> Summary:
    """The three estimands of a case's posterior.

    Raises
    ------
    QuadratureFailed
        When the sums do not settle.
    """
    names = (main_estimand(case), new_estimand(case), spread_estimand(case))
    return Summary(*posterior_of(case).estimates(names))
