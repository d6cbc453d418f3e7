"""The rows beside the decisions: published numbers, the ledger, and the rules that analyses look up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reported:
    """One row of reported.csv: a pooled number printed by the review.

    Parameters
    ----------
    estimate, ci_low, ci_high : float or None
        On the scale of `units`; only the limits may be None.
    level : float or None
        Level of the printed interval.
    units : str
        probability (0 to 1), months, or empty.
    decimals : int or None
        Digits of `estimate` after the point; half a unit of the last one is the rounding slack.
    primary : bool
        False for a second, different printing of the same quantity.
    """

    row: int
    reported_id: str
    endpoint: str
    subset: str
    statistic: str
    k_studies: int | None
    n_patients: int | None
    events: int | None
    estimate: float
    ci_low: float | None
    ci_high: float | None
    level: float | None
    units: str
    decimals: int | None
    primary: bool
    source_id: str
    locator: str
    note: str


@dataclass(frozen=True, slots=True)
class Total:
    """One row of totals.csv: events and patients that the review prints over all its studies."""

    row: int
    endpoint: str
    k_studies: int | None
    events: int | None
    n: int | None
    source_id: str
    locator: str
    note: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of scenarios.csv: another reading of a published total, with one denominator that it changes.

    Rows of one scenario and endpoint belong together; their totals are the same.

    Parameters
    ----------
    total_events, total_n : int or None
        The total under this reading; None where it is as printed.
    study_id : str
        A study whose denominator departs from the treated patients; empty where none does.
    n : int or None
        That denominator.
    """

    row: int
    scenario: str
    endpoint: str
    total_events: int | None
    total_n: int | None
    study_id: str
    n: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Source:
    """One row of sources.csv: a publication, a registry record or a page."""

    row: int
    source_id: str
    citation: str
    doi: str
    pmid: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of extraction.csv, the ledger of stated facts.

    Parameters
    ----------
    quantity : str
        What `value` counts or measures, such as events, percent, median_months or text.
    value : float or None
        The number; None for a fact in words or without a number.
    value_text : str
        The cell as written, for words and for the number of printed digits.
    derived : bool or None
        Whether the fact was computed from a stated one.
    """

    row: int
    fact_id: str
    study_id: str
    endpoint: str
    quantity: str
    value: float | None
    value_text: str
    denominator: float | None
    ci_low: float | None
    ci_high: float | None
    time_months: float | None
    population: str
    source_id: str
    locator: str
    derived: bool | None
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """One row of audit.csv: a check of the review's internal consistency."""

    row: int
    check_id: str
    statement: str
    locator: str
    recomputed: str
    verdict: str
    comment: str


@dataclass(frozen=True, slots=True)
class Subset:
    """One row of subsets.csv: a condition on a column of studies.csv.

    Several rows of one subset must all hold; a row without a column holds for every study.
    """

    row: int
    subset: str
    label: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class ComparisonRule:
    """One row of comparisons.csv: which estimand answers a published number, or why none does.

    Parameters
    ----------
    endpoint : str
        Endpoint whose estimand is compared; empty when a column of studies.csv is.
    column : str
        That column.
    estimand : str
        Name of the estimand, or crude_column.
    transform : str
        identity, complement or empty.
    reason : str
        Why nothing can be compared.
    label : str
        Of a published quantity that is no endpoint; empty where endpoints.csv has it.
    """

    row: int
    reported_endpoint: str
    statistic: str
    endpoint: str
    column: str
    estimand: str
    transform: str
    reason: str
    label: str


@dataclass(frozen=True, slots=True)
class Covariate:
    """One row of covariates.csv: a numeric column of studies.csv that can be regressed on.

    Parameters
    ----------
    covariate : str
        Key.
    column : str
        Column of studies.csv.
    unit : str
        Words for one step, such as "10 years".
    unit_size : float or None
        Size of one step, on the scale of the transformed column; None where the table states none.
    transformation : str
        identity or log10; what is done to a cell first.
    lowest, highest : float or None
        Bounds of the column; None where there is none.
    note : str
        What the column means, such as how mixed categories become shares.
    """

    row: int
    covariate: str
    label: str
    column: str
    unit: str
    unit_size: float | None
    transformation: str
    lowest: float | None
    highest: float | None
    note: str
