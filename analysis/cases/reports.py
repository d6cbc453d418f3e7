"""What a study reports, as a count that the posterior of other studies can predict.

A printed landmark is a count of n / f^2 patients without the event, f the factor that allows for censoring, a median
one of half of them: every model predicts the same report, so that log predictive probabilities can be compared.
"""

from dataclasses import dataclass
from typing import Any

from analysis.cases.curves import CENSORING, LANDMARK, MEDIAN
from analysis.cases.hazards import describe
from analysis.evidence.columns import TABLES
from analysis.evidence.types import Response, Survival
from analysis.system.errors import UsageError

NEW_STUDY = "new study"
"""Its id, which no study of an evidence can have, since ids hold no blank."""
_GIVEN = {"rate": [{"events"}], "survival": [{"landmark", "survival"}, {"median"}]}


@dataclass(frozen=True)
class Report:
    """One number of one study.

    Parameters
    ----------
    report : str
        In words, such as "12/20".
    months : float or None
        At which survival is read; None for a rate.
    patients : int
        Of the count: for survival fewer than the study's, for censoring.
    observed : float
        Reported rate, or survival at `months`.
    """

    report: str
    months: float | None
    patients: int
    observed: float


def in_words(row: Response | Survival) -> str:
    """What a row says, such as "12/20" or "56 % at 4.14 months"."""
    return f"{row.events}/{row.n}" if isinstance(row, Response) else describe(row)


def report_of(row: Response | Survival) -> Report:
    """The report of a row of evidence: a count, a landmark or a median."""
    if isinstance(row, Response):
        return Report(in_words(row), None, row.n, row.events / row.n)
    months, survival = (row.estimate, 0.5) if row.statistic == MEDIAN else (row.time_months, row.estimate)
    return Report(in_words(row), months, max(round(row.n / CENSORING**2), 1), survival)


def new_report(endpoint: str, kind: str, *, n: int, events: int | None = None, landmark: float | None = None,
               survival: float | None = None, median: float | None = None) -> Response | Survival:
    """A further study's report from what is given of it.

    Raises
    ------
    UsageError
        When that does not go together, or with the kind of endpoint.
    """
    given = {"events": events, "landmark": landmark, "survival": survival, "median": median}
    if {name for name, value in given.items() if value is not None} not in _GIVEN[kind]:
        raise UsageError(f"{endpoint} is a {'rate' if kind == 'rate' else 'survival endpoint'}; a report of it is "
                         + ("--events Y --n N" if kind == "rate" else "--landmark MONTHS --survival S --n N, or "
                                                                    "--median MONTHS --n N"))
    if events is not None:
        if events > n:
            raise UsageError(f"--events {events} exceeds --n {n}; give a count of these patients")
        return _row("responses.csv", endpoint, events=events, n=n)
    if median is not None:
        return _row("survival.csv", endpoint, statistic=MEDIAN, estimate=median, n=n)
    return _row("survival.csv", endpoint, statistic=LANDMARK, time_months=landmark, estimate=survival, n=n)


def _row(file: str, endpoint: str, **cells: object) -> Any:
    """A row of a further study whose other cells are empty."""
    table = TABLES[file]
    return table.row(**table.blank | {"row": 0, "study_id": NEW_STUDY, "endpoint": endpoint} | cells)
