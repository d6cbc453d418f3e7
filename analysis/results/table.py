"""Tables of results: pandas frames whose columns are declared once, each with its meaning, format and heading."""

import math
from collections import namedtuple
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.results.formats import kind_of
from analysis.results.numbers import Row
from analysis.system.files import write_csv

if TYPE_CHECKING:
    import pandas as pd

type Frame = pd.DataFrame
"""What figures read; pandas itself is imported where a frame is made."""
_DTYPES = {"text": "string", "count": "Int64", "number": "float64", "flag": "boolean"}
COMPUTED, NOT_COMPUTED = "computed", "not computed"
"""What `status` says of a row; `reason` says why not."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
    meaning : str
        In a phrase, with the unit; what the dictionary of the results says.
    format : str
        How readers see it: a name of `FORMATS` with the columns that it reads as well, or one of Python's.
    heading : str
        What stands above it on a page; {unit}, {points} and {level} are those of the table.
    """

    name: str
    meaning: str
    format: str = "number"
    heading: str = ""

    def __post_init__(self) -> None:
        try:
            kind_of(self.format)
        except KeyError:
            raise ValueError(f"{self.name}: {self.format!r} is no format of a column") from None

    @property
    def kind(self) -> str:
        """Of its values: text, count, number or flag."""
        return kind_of(self.format)


_SHARED = {column.name: column for column in (
    Column("endpoint", "key of the endpoint in endpoints.csv", "label endpoints", "Endpoint"),
    Column("model", "statistical model, by its file in models/", "model", "Model"),
    Column("subset", "rule of subsets.csv that the studies meet; all: no rule", "label subsets", "Subset"),
    Column("tiers", "tiers of evidence that count, such as AB", "text"),
    Column("study_set", "the review's studies, the later ones (extension), or all", "text"),
    Column("early_landmarks", "whether survival printed before half the horizon counts", "flag"),
    Column("k_studies", "number of studies", "pair n_patients", "Studies / patients"),
    Column("n_patients", "number of patients in them", "count", "Patients"),
    Column("study_id", "key of the study in studies.csv", "label studies", "Study"),
    Column("label", "name of the study as readers see it", "text", "Study"),
    Column("n", "patients of the study", "count", "Patients"),
    Column("report", "what the study reports, in words", "text", "Report"),
    Column("observed", "reported rate or survival", "estimate", "Observed{unit}"),
    Column("estimand", "quantity that is estimated", "estimand", "Estimand"),
    Column("time_months", "months at which survival is read; empty for other quantities"),
    Column("scale", "scale of the estimate, such as probability", "text"),
    Column("unit", "unit of the estimate", "text", "Unit"),
    Column("mean", "posterior mean; empty where it need not exist"),
    Column("sd", "posterior standard deviation; empty where it need not exist"),
    Column("median", "posterior median", "estimate", "Estimate{unit} [{level} credible]"),
    Column("lower", "lower limit of the interval, equal tails"),
    Column("upper", "upper limit of the interval, equal tails; empty where a median is never reached"),
    Column("level", "probability of the interval, such as 0.95", "kind interval", "Interval"),
    Column("interval", "kind of the interval: credible, prediction or confidence", "text", "Interval"),
    Column("pit", "predictive probability of less than the study reports, plus half that of just that (mid-p)",
           "chance", "Mid-p"),
    Column("two_sided", "two-sided predictive probability of something at least as extreme", "chance", "Two-sided"),
    Column("named", "whether that is below 0.05", "flag"),
    Column("chance_named", "probability of that by chance", "chance", "By chance"),
    Column("log_predictive", "log predictive probability of the report", heading="Log predictive"),
    Column("mcse", "Monte-Carlo standard error of the mean of the saved draws; empty for quadrature alone"),
    Column("status", "whether there is a result", "text", "Status"),
    Column("reason", "why there is none, or what limits it", "text", "Note"),
    Column("note", "what a reader should know about the row", "text", "Note"),
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


@dataclass(frozen=True)
class Layout:
    """What one file of results holds.

    Parameters
    ----------
    file : str
        Such as "influence.csv".
    meaning : str
        What a row is, as a sentence.
    columns : tuple of Column
    """

    file: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of a name; for one that is not declared, a number of the page alone."""
        return next((column for column in self.columns if column.name == name), Column(name, ""))

    def between(self, first: str, last: str) -> tuple[str, ...]:
        """Names of neighbouring columns, the first and the last included."""
        return self.names[self.names.index(first):self.names.index(last) + 1]

    def pick(self, values: Row) -> dict[str, Any]:
        """Those of the values that the table has a column for."""
        names = self.names
        return {name: value for name, value in values.items() if name in names}

    def about(self, endpoint: str) -> "Layout":
        """The same for one endpoint, such as regression.cr.csv, so that one folder holds several endpoints."""
        return replace(self, file=f"{self.file.removesuffix('.csv')}.{endpoint}.csv")

    def table(self, rows: Iterable[Row]) -> "Table":
        """The table of some rows; cells that a row does not name are empty.

        Raises
        ------
        ValueError
            When a row names a column that is not declared.
        """
        rows = tuple(rows)
        unknown = {name for row in rows for name in row} - set(self.names)
        if unknown:
            raise ValueError(f"{self.file} has no column {', '.join(sorted(unknown))}")
        return Table(self, rows)


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of one file; made by `Layout.table`."""

    layout: Layout
    given: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.given)

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """One typed column for each that is declared; missing cells are NaN or NA."""
        import pandas as pd

        data = {column.name: pd.array([row.get(column.name) for row in self.given], dtype=_DTYPES[column.kind])
                for column in self.layout.columns}
        return pd.DataFrame(data)

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """The rows with every declared column; None where a cell is empty."""
        return tuple({name: _plain(row.get(name)) for name in self.layout.names} for row in self.given)

    def write(self, folder: Path) -> Path:
        """Write the file whole or not at all; returns its path."""
        path = folder / self.layout.file
        write_csv(path, self.rows, self.layout.names)
        return path

    def __getstate__(self) -> dict[str, Any]:
        return {"layout": self.layout, "given": self.given}


def plain_rows(frame: "pd.DataFrame") -> Iterator[Any]:
    """The rows of a frame as named tuples of plain values; None where a cell is empty."""
    # Column by column: pandas takes ten times as long for a row of columns of many types.
    columns = ([None if empty else value for value, empty in zip(frame[name].tolist(), frame[name].isna(), strict=True)]
               for name in frame)
    return map(namedtuple("Row", frame.columns)._make, zip(*columns, strict=True))


def grouped_rows(frame: "pd.DataFrame", *names: str) -> list[list[Any]]:
    """The rows of a frame as `plain_rows` has them, those that agree in these columns together."""
    return [list(plain_rows(rows)) for _, rows in frame.groupby(list(names), sort=False, dropna=False)]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def dictionary(layouts: Sequence[Layout]) -> str:
    """What every file and every column means, as Markdown."""
    parts = ["# What the files hold\n\nEmpty cells have no value. Each table's columns, with their units:"]
    for layout in layouts:
        lines = [f"| `{column.name}` | {column.meaning} |" for column in layout.columns]
        parts.append(f"## {layout.file}\n\n{layout.meaning}\n\n| column | meaning |\n|---|---|\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"
