"""The rows that analyses read: studies, endpoints, and the two tables of decisions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


class Columns(Mapping[str, str]):
    """A read-only mapping that, unlike `types.MappingProxyType`, can be hashed and pickled."""

    __slots__ = ("_cells",)

    def __init__(self, cells: Mapping[str, str]) -> None:
        object.__setattr__(self, "_cells", dict(cells))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"the columns of a study are read-only, {name} cannot be set")

    def __getitem__(self, column: str) -> str:
        return self._cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def __hash__(self) -> int:
        return hash(frozenset(self._cells.items()))

    def __reduce__(self) -> tuple[type["Columns"], tuple[dict[str, str]]]:
        return Columns, (dict(self._cells),)

    def __repr__(self) -> str:
        return f"Columns({self._cells!r})"


@dataclass(frozen=True, slots=True)
class Study:
    """One row of studies.csv.

    Parameters
    ----------
    row : int
        Line of the file.
    year : int
        Year of publication.
    n_treated : int or None
        Patients treated.
    n_enrolled : int or None
        Patients enrolled, treated or not.
    in_review : bool or None
        Whether the reanalysed review holds the study; None where the table does not say.
    overlaps_with : tuple of str
        Studies that report some of the same patients.
    columns : Columns
        Every cell of the row as text, by column name; for subset rules and covariates.
    """

    row: int
    study_id: str
    label: str
    year: int
    n_treated: int | None
    cohort: str
    antigen_target: str
    in_review: bool | None
    design: str
    columns: Columns
    n_enrolled: int | None = None
    overlaps_with: tuple[str, ...] = ()

    @property
    def retrospective(self) -> bool:
        """Whether `design` says so."""
        return self.design.casefold() == "retrospective"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of endpoints.csv.

    Parameters
    ----------
    kind : str
        rate or survival.
    direction : str
        benefit, harm or neutral: what a larger probability means to a patient.
    parent : str
        The endpoint that contains this one, or empty.
    population : str
        The usual base.
    horizon_months : float or None
        The time point at which survival is reported.
    """

    row: int
    endpoint: str
    label: str
    kind: str
    direction: str
    parent: str
    population: str
    horizon_months: float | None


@dataclass(frozen=True, slots=True)
class Response:
    """One row of responses.csv: the count of one study and one binary endpoint.

    Parameters
    ----------
    events, n : int
        Patients with the event among the patients of the base.
    grading : str
        Scale by which a toxicity was graded, empty where it is not known.
    tier : str
        A, B, C, or empty where the table has no tiers.
    fact_ids : tuple of str
        The ledger entries that the decision rests on.
    """

    row: int
    study_id: str
    endpoint: str
    events: int
    n: int
    population: str
    timing: str
    tier: str
    fact_ids: tuple[str, ...]
    decision: str
    grading: str = ""


@dataclass(frozen=True, slots=True)
class Survival:
    """One row of survival.csv: a median, a survival probability at one time, or events over person-time.

    Parameters
    ----------
    definition : str
        The reported name, such as OS, EFS or RFS.
    statistic : str
        median or landmark; empty when only events and person_months are given.
    time_months : float or None
        Time of a landmark; the follow-up of a median that was not reached.
    estimate : float or None
        Months for a median, a probability from 0 to 1 for a landmark; None for a median that was not reached.
    ci_low, ci_high : float or None
        Confidence limits on the scale of `estimate`.
    ci_level : float or None
        Level of the limits; 0.95 when limits are given without one, None without limits.
    upper_not_reached : bool
        Whether the upper limit of a median was reported as not reached.
    n : int
        Patients analysed.
    events : int or None
        Events during `person_months`.
    person_months : float or None
        Time at risk.
    """

    row: int
    study_id: str
    endpoint: str
    definition: str
    population: str
    stratum: str
    cut: str
    statistic: str
    time_months: float | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    ci_level: float | None
    upper_not_reached: bool
    n: int
    events: int | None
    person_months: float | None
    tier: str
    fact_ids: tuple[str, ...]
    decision: str

    @property
    def median_not_reached(self) -> bool:
        """Whether all that the row says is that more than half of the patients were event-free."""
        return self.statistic == "median" and self.estimate is None and self.person_months is None
