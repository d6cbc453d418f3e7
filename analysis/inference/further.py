"""One further study against those of a case: whether its report was to be expected, and what it moves."""

from dataclasses import dataclass

from analysis.cases.case import Case, NoStudies, Row, no_study
from analysis.cases.curves import MEDIAN
from analysis.cases.reports import Report, report_of
from analysis.inference.estimands import Estimate
from analysis.inference.posterior import NO_POSTERIOR, main_estimand, new_estimand, posterior_of, spread_estimand
from analysis.inference.prediction import CountLaw, Expectation, median_limits
from analysis.system.errors import UsageError


@dataclass(frozen=True, eq=False)
class Further:
    """A report of a further study, what the others predict of it, and the posterior with and without it.

    Parameters
    ----------
    case : Case
        Without the further study.
    law : CountLaw
        Of its events, or of its patients without the event then.
    at_most, at_least : float
        Predictive probability of no more, and of no fewer, patients than it reports.
    median_months : (lower limit, median, upper limit) or None
        Of the predicted median time, where the report is one.
    before, after : tuple of Estimate
        Mean, prediction and heterogeneity, without and with the study.
    """

    case: Case
    report: Report
    law: CountLaw
    expectation: Expectation
    at_most: float
    at_least: float
    median_months: tuple[float, float, float] | None
    before: tuple[Estimate, ...]
    after: tuple[Estimate, ...]


def answered(case: Case, row: Row) -> Further:
    """As `further`, for who asked for it.

    Raises
    ------
    UsageError
        When no study answers, or there is no posterior to predict from.
    """
    if not len(case.studies):
        raise NoStudies(no_study(case.question, (case.selection,)))
    try:
        return further(case, row)
    except NO_POSTERIOR as error:
        raise UsageError(str(error)) from None


def further(case: Case, row: Row) -> Further:
    """A row of a study that the case does not hold, against the posterior of the case.

    Raises
    ------
    QuadratureFailed, NeedsDensity
        When there is no posterior to predict from.
    """
    report, posterior = report_of(row), posterior_of(case)
    law = posterior.predict(report.patients, report.months)
    count = report.patients * report.observed
    is_median = getattr(row, "statistic", "") == MEDIAN
    names = (main_estimand(case), new_estimand(case), spread_estimand(case))
    return Further(case, report, law, law.expectation(count, case.level), law.at_most(count), law.at_least(count),
                   median_limits(posterior.grid, report.patients, case.level) if is_median else None,
                   posterior.estimates(names), posterior_of(case.adding(row)).estimates(names))
