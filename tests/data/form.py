"""The bytes of every file, and the agreement of its columns with the dictionary."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator

from . import readme
from .checksums import NAME
from .tables import Data, number

PLACEHOLDERS = {"na", "n/a", "n.a.", "#n/a", "nan", "nr", "null", "nil", "none", "-", "--", "–", "—", ".", "?",
                "??", "tbd", "todo", "unknown", "missing", "not reported", "x", "xxx"}
# One of these folders after a slash that follows no letter is an absolute path, not part of an address.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/~])~?/(?:tmp|work|home|root|Users|farm|opt|mnt|var|usr|etc|private)/"
    r"|file://|\b[A-Z]:\\|(?<!\w)~/"
)
HTML = re.compile(r"<[A-Za-z/!][^>]*>|&(?:[a-z]+|#\d+|#x[0-9a-f]+);")


def _cells(data: Data) -> Iterator[tuple[str, str]]:
    for name in data.names(".csv"):
        for line, row in enumerate(csv.reader(io.StringIO(data.text(name))), start=1):
            for place, cell in enumerate(row, start=1):
                yield f"{name} row {line} column {place}", cell


def bytes_are_plain_text(data: Data) -> list[str]:
    problems = []
    for name, content in data.files.items():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            problems.append(f"{name} is not UTF-8: {error}")
        rules = {"begins with a byte-order mark": content.startswith(b"\xef\xbb\xbf"),
                 "holds a carriage return": b"\r" in content,
                 "does not end with one line feed": not content.endswith(b"\n")
                 or content.endswith(b"\n\n"), "begins with an empty line": content.startswith(b"\n")}
        problems += [f"{name} {rule}" for rule, broken in rules.items() if broken]
    return problems


def characters_are_visible(data: Data) -> list[str]:
    """Controls, invisible formatting, unusual blanks, and what a failed decoding leaves behind."""
    return [f"{name} holds {unicodedata.name(char, hex(ord(char)))}" for name in data.files
            for char in sorted(set(data.text(name)) - {"\n", " "})
            if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cn", "Zs", "Zl", "Zp"} or char == "\ufffd"]


def quoting_is_minimal(data: Data) -> list[str]:
    problems = []
    for name in data.names(".csv"):
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(csv.reader(io.StringIO(data.text(name), newline="")))
        if buffer.getvalue().encode() != data.files[name]:
            problems.append(f"{name} changes when it is written again with quotes only where needed")
    return problems


def rows_are_complete(data: Data) -> list[str]:
    problems = []
    for name in data.names(".csv"):
        header, *rows = csv.reader(io.StringIO(data.text(name)))
        problems += [f"{name} row {line} has {len(row)} cells for {len(header)} columns"
                     for line, row in enumerate(rows, start=2) if len(row) != len(header)]
        problems += [f"{name} has no rows"] * (not rows)
    return problems


def cells_have_no_outer_or_double_blanks(data: Data) -> list[str]:
    return [f"{place} is {cell!r}" for place, cell in _cells(data) if cell != cell.strip() or "  " in cell
            or "\n" in cell or "\t" in cell]


def missing_cells_are_empty(data: Data) -> list[str]:
    return [f"{place} is {cell!r}" for place, cell in _cells(data) if cell.casefold() in PLACEHOLDERS]


def no_text_is_a_formula(data: Data) -> list[str]:
    """A spreadsheet would compute a text that begins like a formula."""
    return [f"{place} is {cell!r}" for place, cell in _cells(data) if cell[:1] in {"=", "+", "-", "@"}
            and number(cell) is None]


def texts_hold_no_html(data: Data) -> list[str]:
    return [f"{name} holds {found[0]!r}" for name in data.files for found in HTML.finditer(data.text(name))]


def texts_name_no_folder_of_a_machine(data: Data) -> list[str]:
    return [f"{name} holds {found[0]!r}" for name in data.files for found in MACHINE_PATH.finditer(data.text(name))]


def markdown_is_tidy(data: Data) -> list[str]:
    problems = [f"{name} line {line} ends with a blank" for name in data.names(".md")
                for line, text in enumerate(data.text(name).splitlines(), start=1) if text != text.rstrip()]
    for name in data.names(".md"):
        for header, *rows in readme.tables(data.text(name)):
            problems += [f"{name}: {len(row)} cells under {len(header)} headings in {row}" for row in rows
                         if len(row) != len(header)]
    return problems


def columns_equal_the_dictionary(data: Data) -> list[str]:
    """Same columns, same order; a file without a section and a section without a file are differences too."""
    defined = readme.dictionary(data)
    found = {name: data.header(name) for name in data.names(".csv")}
    return [f"{name}: the header is {found.get(name)}, the dictionary of README.md has {defined.get(name)}"
            for name in sorted(defined.keys() | found.keys()) if defined.get(name) != found.get(name)]


def files_equal_the_list(data: Data) -> list[str]:
    table = readme.tables(readme.section(data.text("README.md"), "## Files"))[0]
    named = {word for cells in table[1:] for word in readme.words(cells[0])} | {"README.md"}
    return [f"{name} is only in {'the folder' if name in data.files else 'README.md'}"
            for name in sorted(named ^ (data.files.keys() | {NAME}))]


TOTAL = "cr,16,400,489,"
PLANTED = {
    bytes_are_plain_text: [
        ("totals.csv", "endpoint,k", "\ufeffendpoint,k"),
        ("totals.csv", "locator,note\n", "locator,note\r\n"),
        ("totals.csv", "base that gives it\n", "base that gives it"),
        ("totals.csv", "base that gives it\n", "base that gives it\n\n"),
    ],
    characters_are_visible: [
        ("totals.csv", TOTAL, "cr,16,400,489\u00a0,"),
        ("totals.csv", TOTAL, "cr,16,400,489\x0b,"),
        ("gaps.md", "# What is known", "# What\u200b is known"),
    ],
    quoting_is_minimal: [("totals.csv", TOTAL, '"cr",16,400,489,')],
    rows_are_complete: [("totals.csv", TOTAL, "cr,16,400,489")],
    cells_have_no_outer_or_double_blanks: [
        ("totals.csv", TOTAL, "cr,16,400, 489,"),
        ("totals.csv", "which study is", "which  study is"),
    ],
    missing_cells_are_empty: [("totals.csv", "relapse,,183", "relapse,NR,183")],
    no_text_is_a_formula: [
        ("totals.csv", "which study is", "=which study is"),
        ("totals.csv", "which study is", "-which study is"),
    ],
    texts_hold_no_html: [
        ("totals.csv", "which study is", "which<br>study is"),
        ("totals.csv", "which study is", "which&nbsp;study is"),
    ],
    texts_name_no_folder_of_a_machine: [("README.md", "# Evidence:", "# /home/someone Evidence:")],
    markdown_is_tidy: [
        ("README.md", "# Evidence: CAR-T therapy in adults with relapsed/refractory B-ALL", "# E "),
        ("README.md", "| `fact_id` | key;", "| `fact_id` | key | "),
    ],
    columns_equal_the_dictionary: [
        ("README.md", "| `check_id` | key |\n", ""),
        ("README.md", "| `stratum` | ", "| `layer` | "),
        ("subsets.csv", "subset,label,column,value", "subset,label,value,column"),
        ("README.md", "### subsets.csv", "### sets.csv"),
    ],
    files_equal_the_list: [("README.md", "| `totals.csv` | a total", "| `sums.csv` | a total")],
}
