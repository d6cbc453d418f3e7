"""`init`: a small evidence directory that runs as it is, from an example or from a spreadsheet."""

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from analysis.commands.printing import print_json
from analysis.evidence.cells import Fault, number
from analysis.evidence.columns import TABLES, Table
from analysis.evidence.files import Record
from analysis.evidence.loading import DEFAULT_DATA, load
from analysis.evidence.sheets import Contents, tables_of
from analysis.evidence.spreadsheets import Sheet, read_sheet
from analysis.output.checks import speaking_of
from analysis.system.errors import OutputError, UsageError, one_line
from analysis.system.files import csv_text, write_text

_HEADER = ("study", "year", "endpoint", "direction", "events", "n", "statistic", "time_months", "estimate", "ci_low",
           "ci_high", "mean_age")
_RATES = (("Example A", "2019", "Response", "benefit", "12", "20", "", "", "", "", "", "52"),
          ("Example B", "2020", "Response", "benefit", "30", "41", "", "", "", "", "", "47"),
          ("Example C", "2022", "Response", "benefit", "17", "33", "", "", "", "", "", "58"))
_SURVIVAL = (("Example A", "2019", "Overall survival", "benefit", "", "20", "median", "", "11.5", "7", "19", "52"),
             ("Example B", "2020", "Overall survival", "benefit", "", "41", "landmark", "12", ".55", ".4", ".7", "47"),
             ("Example C", "2022", "Overall survival", "benefit", "", "33", "landmark", "12", "0.48", "", "", "58"))
_README = """\
# Evidence for recart

Each table is plain CSV; a cell that is not known stays empty.

- `studies.csv`: a row for each study; further columns may describe it.
- `endpoints.csv`: a row for each endpoint: kind rate or survival, direction benefit, harm or neutral.
{decisions}
- `about.csv`, where there is one: `about,text`, and below it `title,` with the title of the report.
{covariates}Check it after each change: `recart check --data {name}`.
The whole analysis: `recart report --data {name} --output results`.
"""
_DECISIONS = {
    "responses.csv": "- `responses.csv`: events among n patients, a row for each study and endpoint that is a rate.",
    "survival.csv": "- `survival.csv`: a median or a landmark with its limits, in months, a row for each number."}
_COVARIATES = "- `covariates.csv`: columns of `studies.csv` that endpoints are regressed on.\n\n"


def run(options: argparse.Namespace) -> int:
    """Write the directory, whole or not at all, and say what to do next."""
    place: Path = options.directory
    if options.data != DEFAULT_DATA:
        raise UsageError(f"a new directory rests on no evidence, so leave out --data {options.data}; for a spreadsheet "
                         "of your own write --from FILE")
    if options.source and (options.rates or options.survival or options.both):
        raise UsageError("--from has rates and survival of its own; leave out --rates, --survival and --both")
    if options.source:
        load(options.source)  # every problem of it, in its own words
        sheet = read_sheet(options.source)
    else:
        sheet = _example(rates=options.rates or options.both, survival=options.survival or options.both)
    contents = tables_of(sheet).contents
    _write(place, contents)
    if options.json:
        print_json({"directory": str(place), "files": sorted([*contents, "README.md"])})
    else:
        name = one_line(str(place))
        print(f"{name}: {', '.join(sorted(contents))} and README.md.\nNext: recart check --data {name}")
    return 0


def _example(*, rates: bool, survival: bool) -> Sheet:
    rows = (*(_RATES if rates or not survival else ()), *(_SURVIVAL if survival else ()))
    return Sheet("example", Record(1, _HEADER), tuple(Record(at, row) for at, row in enumerate(rows, start=2)))


def _write(place: Path, contents: dict[str, Contents]) -> None:
    """Build the directory beside its place, then put it there; an empty one is replaced, no other."""
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise OutputError(place, "it exists and is not an empty directory; name another one")
    decisions = "\n".join(text for file, text in _DECISIONS.items() if file in contents)
    covariates = _COVARIATES if "covariates.csv" in contents else "\n"
    with speaking_of(place, place):
        place.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
        try:
            building.chmod(0o755)
            for file, (header, *records) in contents.items():
                write_text(building / file, _as_csv(TABLES[file], header, records))
            write_text(building / "README.md",
                       _README.format(name=place.name, decisions=decisions, covariates=covariates))
            os.replace(building, place)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _as_csv(table: Table, header: Record, records: list[Record]) -> str:
    # Optional columns of which no row has a cell would only be clutter.
    kept = [at for at, name in enumerate(header.cells)
            if name in table.required or (name and any(record.cells[at] for record in records))]
    return csv_text([[header.cells[at] for at in kept],
                     *([_harmless(record.cells[at]) for at in kept] for record in records)])


def _harmless(cell: str) -> str:
    """The cell, led by an apostrophe where a spreadsheet would run it as a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) and isinstance(number(cell), Fault) else cell
