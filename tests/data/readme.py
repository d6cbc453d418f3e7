"""What data/README.md states in a form that can be compared: sections, tables, dictionary, lists of words."""

import re
from collections.abc import Iterator
from functools import cache

from .tables import Data

Cells = tuple[str, ...]


@cache
def section(text: str, heading: str) -> str:
    """Return the text under a heading, up to the next heading of the same or a higher level."""
    level = heading.split(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.M | re.S)
    assert found, f"the heading {heading!r} is missing"
    return found[1]


@cache
def tables(text: str) -> list[list[Cells]]:
    """Return the tables of a Markdown text as rows of cells; the first row is the header."""
    blocks = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    return [[_cells(line) for line in block.splitlines() if not re.fullmatch(r"[|\-]+", line)] for block in blocks]


def _cells(line: str) -> Cells:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def words(text: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def plain(text: str) -> str:
    """Return a text without what it says in brackets."""
    return re.sub(r"\([^)]*\)", "", text)


def dictionary(data: Data) -> dict[str, list[str]]:
    """Return the columns that the dictionary defines, by file."""
    return {file: [column for column, _ in rows] for file, rows in _definitions(data).items()}


def allowed(data: Data, file: str, column: str) -> set[str]:
    """Return the values that the dictionary lists for a column."""
    meanings = dict(_definitions(data)[file])
    return set(words(plain(meanings[column])))


def _definitions(data: Data) -> dict[str, list[tuple[str, str]]]:
    columns = section(data.text("README.md"), "## Columns")
    files = re.findall(r"^### (\S+\.csv)$", columns, re.M)
    return {file: list(_defined(section(columns, f"### {file}"))) for file in files}


def _defined(text: str) -> Iterator[tuple[str, str]]:
    for table in tables(text):
        if table[0] == ("column", "meaning"):
            yield from ((column, meaning) for names, meaning in table[1:] for column in words(names))


def endpoint_keys(data: Data) -> tuple[list[str], list[str], list[str]]:
    """Return the keys of analysed endpoints, context endpoints, and printed quantities without counts."""
    paragraphs = section(data.text("README.md"), "## Endpoint keys").strip().split("\n\n")
    analysed, context, printed = (words(plain(paragraph)) for paragraph in paragraphs)
    return analysed, context, [word for word in printed if not word.endswith(".csv")]


def quantities(data: Data) -> set[str]:
    """Return the quantities that a fact may have."""
    found = [table for table in tables(data.text("README.md")) if table[0] == ("quantity", "value")]
    return {word for names, _ in found[0][1:] for word in words(names)}


def population_tokens(data: Data) -> set[str]:
    """Return the words with which a population may begin."""
    paragraphs = section(data.text("README.md"), "### extraction.csv").split("\n\n")
    found = [text for text in paragraphs if text.startswith("`population` is a token")]
    return set(words(found[0])) - {"population"}


def citable(data: Data) -> dict[str, set[str]]:
    """Return the endpoints whose facts the rows of an endpoint may cite beside its own."""
    text = section(data.text("README.md"), "### responses.csv")
    found = [table for table in tables(text) if table[0][0] == "rows of"]
    return {words(own)[0]: set(words(others)) for own, others in found[0][1:]}
