"""Columns that several tables share, each with one meaning wherever it stands."""

from analysis.results.table import Column

_SHARED = {column.name: column for column in (
    Column("endpoint", "key of the endpoint in endpoints.csv", "text"),
    Column("model", "statistical model, by its file in models/", "text"),
    Column("subset", "rule of subsets.csv that the studies meet; all: no rule", "text"),
    Column("tiers", "tiers of evidence that count, such as AB", "text"),
    Column("study_set", "the review's studies, the later ones (extension), or all", "text"),
    Column("early_landmarks", "whether survival printed before half the horizon counts", "flag"),
    Column("k_studies", "number of studies", "count"),
    Column("n_patients", "number of patients in them", "count"),
    Column("study_id", "key of the study in studies.csv", "text"),
    Column("label", "name of the study as readers see it", "text"),
    Column("n", "patients of the study", "count"),
    Column("estimand", "quantity that is estimated", "text"),
    Column("time_months", "months at which survival is read; empty for other quantities"),
    Column("scale", "scale of the estimate, such as probability", "text"),
    Column("unit", "unit of the estimate", "text"),
    Column("mean", "posterior mean; empty where it need not exist"),
    Column("sd", "posterior standard deviation; empty where it need not exist"),
    Column("median", "posterior median"),
    Column("lower", "lower limit of the interval, equal tails"),
    Column("upper", "upper limit of the interval, equal tails"),
    Column("level", "probability of the interval, such as 0.95"),
    Column("interval", "kind of the interval: credible, prediction or confidence", "text"),
    Column("mcse", "Monte-Carlo standard error of the mean of the saved draws; empty for quadrature alone"),
    Column("status", "whether there is a result", "text"),
    Column("reason", "why there is none, or what limits it", "text"),
    Column("note", "what a reader should know about the row", "text"),
    Column("stamp", "QUICK for a trial run with short chains, else empty", "text"),
)}


def columns(*items: str | Column) -> tuple[Column, ...]:
    """A declaration of columns: names of shared ones, several in one text, and columns of the table's own.

    Raises
    ------
    KeyError
        When a name is not shared.
    """
    declared: list[Column] = []
    for item in items:
        declared += [item] if isinstance(item, Column) else [_SHARED[name] for name in item.split()]
    return tuple(declared)
