"""`worksheet`: a spreadsheet of every number that is missing or in doubt, to be filled and given to `update`."""

import argparse
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.commands.printing import print_json
from analysis.evidence.gaps import Wanted, wanted
from analysis.evidence.loading import DEFAULT_DATA, load
from analysis.evidence.sheets import ABOUT_A_NUMBER, OF_A_WORKSHEET
from analysis.results.numbers import counted
from analysis.system.errors import OutputError, UsageError, one_line
from analysis.system.files import write_atomically

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

TO_FILL = ("events", "n", "statistic", "time_months", "estimate", "ci_low", "ci_high", *ABOUT_A_NUMBER)
COLUMNS = ("study", "endpoint", *OF_A_WORKSHEET, *TO_FILL)
_WIDTHS = {"study": 22, "endpoint": 18, "known": 50, "contradicted": 30, "where_to_look": 50, "note": 30, "locator": 24}
_MOST = 10_000_000
_PALE = "FFF7E0"


def run(options: argparse.Namespace) -> int:
    """Write the sheet and say how many numbers it asks for."""
    path: Path = options.file
    if path.suffix.lower() != ".xlsx":
        raise UsageError(f"{path} is no .xlsx file; drop-downs need one")
    if path.exists():
        raise OutputError(path, "it exists, and what is filled in it would be lost; move it or give another name")
    evidence = load(options.data)
    rows = list(wanted(evidence))
    write_atomically(path, lambda temporary: _write(rows, temporary))
    states = Counter(row.state for row in rows)
    if options.json:
        print_json({"file": str(path), "rows": len(rows), **states})
    else:
        told = ", ".join(f"{count} {state}" for state, count in states.items())
        print(one_line(f"{path}: {counted(len(rows), 'number')} to look for ({told or 'none'}). Fill what you find, "
                       f"then: {_next(path, options.data)}"))
    return 0


def _next(path: Path, data: Path) -> str:
    """The commands that take a filled sheet; a spreadsheet becomes a directory first, which alone can be updated."""
    commands = []
    if data.is_file():
        spreadsheet, data = data, data.with_suffix("")
        commands.append(["recart", "init", str(data), "--from", str(spreadsheet)])
    told = [] if data == DEFAULT_DATA else ["--data", str(data)]
    commands.append(["recart", "update", str(path), *told, "--dry-run"])
    return " && ".join(map(shlex.join, commands))


def _write(rows: list[Wanted], path: Path) -> None:
    import openpyxl
    from openpyxl.styles import Alignment, Font, PatternFill

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "numbers to find"
    sheet.append(COLUMNS)
    for row in rows:
        sheet.append([row.study.label, row.endpoint.endpoint, row.state, row.known, row.contradicted,
                      row.where_to_look])
    for at, name in enumerate(COLUMNS, start=1):
        column = sheet.cell(1, at).column_letter
        sheet.column_dimensions[column].width = _WIDTHS.get(name, 13)
        sheet.cell(1, at).font = Font(bold=True)
        for cell in sheet[column][1:]:
            cell.alignment = Alignment(wrap_text=name in _WIDTHS, vertical="top")
            if name in TO_FILL:
                cell.fill = PatternFill("solid", fgColor=_PALE)
            elif isinstance(cell.value, str):
                # Text of the evidence is never run as a formula.
                cell.data_type, cell.quotePrefix = "s", True
    sheet.freeze_panes = "C2"
    _validate(sheet, len(rows))
    book.save(path)


def _validate(sheet: "Worksheet", rows: int) -> None:
    """Drop-downs and limits of the columns to fill."""
    from openpyxl.worksheet.datavalidation import DataValidation

    whole = {"type": "whole", "operator": "between", "formula1": "0", "formula2": str(_MOST),
             "error": "Give a whole number of patients."}
    time = {"type": "decimal", "operator": "between", "formula1": "0", "formula2": "1200",
            "error": "Give months; survival is a probability from 0 to 1."}
    rules = {"events": whole, "n": whole, "statistic": {
        "type": "list", "formula1": '"median,landmark"', "error": "Choose median or landmark."},
        **dict.fromkeys(("time_months", "estimate", "ci_low", "ci_high"), time)}
    for name, rule in rules.items():
        validation = DataValidation(allow_blank=True, showErrorMessage=True, **rule)
        letter = sheet.cell(1, COLUMNS.index(name) + 1).column_letter
        validation.add(f"{letter}2:{letter}{max(rows + 1, 2)}")
        sheet.add_data_validation(validation)
