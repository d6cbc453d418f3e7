"""Reads a page back: elements, ids, links, and tables as rows of cells; and the files beside it."""

import csv
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "img", "br", "hr", "link", "input"}


def whole(folder: Path) -> str:
    """All pages of a report as one text: the one to read, then the details."""
    return "".join(path.read_text("utf-8") for path in (folder / "report.html", *sorted(folder.glob("details/*.html"))))


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a table, as text by column."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Page(HTMLParser):
    """What a test asks of a page; `unbalanced` lists tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.unbalanced: list[str] = []
        self.words: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._open: list[str] = []
        self._caption, self._rows = "", []
        self.feed(source)
        self.close()
        self.unbalanced += self._open

    @property
    def text(self) -> str:
        """All text of the page."""
        return " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._caption, self._rows = "", []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.unbalanced.append(tag)
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data):
        if {"style", "script"} & set(self._open):
            return
        self.words.append(data)
        if "caption" in self._open:
            self._caption += data
        elif {"td", "th"} & set(self._open):
            self._rows[-1][-1] += data
