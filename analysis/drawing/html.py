"""Markup from values and templates. Whatever is not markup already is escaped, so that no text of the evidence is."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from analysis.results import numbers
from analysis.results.numbers import safe
from analysis.results.table import Row
from analysis.results.writing import NOTHING, Instead, Labels, Writer

Html = Markup
"""Text that is markup already."""

EVIDENCE = "evidence.html"
"""The page that says where each number comes from."""

TIER = Html(f'<a href="{EVIDENCE}#tiers">Tier</a>')
"""Head of a column of tiers, which leads to what they mean."""

MAX_ROWS = 100
"""Longer tables end with a line that says where the rest is: nobody reads every row of a large evidence on a page."""

_OF_A_STUDY = ("study_id", "label")
_ROOMS = Path(__file__).parents[1]
_WORDS = ("chance", "counted", "fixed", "level_text", "number", "out_of", "significant")


@cache
def templates() -> Environment:
    """Where templates are found: by their path below `analysis/`, or by their name beside this module."""
    environment = Environment(loader=FileSystemLoader([Path(__file__).parent, _ROOMS]), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=text)
    environment.globals |= {name: getattr(numbers, name) for name in _WORDS}
    environment.globals |= {"folded": folded, "section": section}
    return environment


def rendered(template: str, **values: Any) -> Html:
    """A template filled in with values.

    Parameters
    ----------
    template : str
        Path below `analysis/`, such as "chapters/subsets/section.html".
    """
    return Html(templates().get_template(template).render(values).strip())


def text(value: object) -> Html:
    """The value as markup: escaped unless it is markup, characters that no reader can see replaced."""
    return value if isinstance(value, Html) else escape(safe(value))


def join(parts: Iterable[object], by: str = "") -> Html:
    """All parts one after the other."""
    return Html(by.join(text(part) for part in parts))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """An element. Attributes that are None are left out; `class_` becomes class, other underscores hyphens."""
    cells = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(safe(value))}"'
                    for key, value in attributes.items() if value is not None)
    return Html(f"<{name}{cells}>{join(children)}</{name}>")


def row_anchor(study_id: str, endpoint: str) -> str:
    """Of the numbers of a study and endpoint; no id holds two hyphens in a row, so that no two anchors are alike."""
    return f"row-{study_id}--{endpoint}"


def study_link(name: object, labels: Labels, row: Row, folder: str = "") -> Html:
    """The name of a row's study as a link to where its number comes from; only the name where no study is known.

    Parameters
    ----------
    folder : str
        From the page with the link to that of the evidence, such as "details/".
    """
    study_id, endpoint = row.get("study_id"), row.get("endpoint")
    if study_id not in labels.studies:
        return text(name)
    anchor = row_anchor(study_id, endpoint) if (study_id, endpoint) in labels.known else f"study-{study_id}"
    return tag("a", name, href=f"{folder}{EVIDENCE}#{anchor}")


def cited(citation: str, doi: str, otherwise: str = "") -> Html:
    """A citation as a link to its digital object identifier, or to another place where it has none."""
    name = doi[doi.find("10."):] if "10." in doi else ""
    target = f"https://doi.org/{quote(name)}" if name else otherwise
    return tag("a", citation, href=target) if target else text(citation)


def image(source: str, alt: str, narrow: str = "") -> Html:
    """A picture, on narrow screens in another layout where there is one."""
    return _macro("picture", source, alt, narrow)


def table(caption: str, heads: Sequence[object], rows: Sequence[Sequence[object]], *,
          numeric: Collection[int] = (), marked: Sequence[str | None] = (), file: str = "") -> Html:
    """A table in a frame of its own, which scrolls on a narrow screen; nothing where there is no row.

    Columns in which every cell is empty are left out.

    Parameters
    ----------
    numeric : collection of int
        Places of the columns that hold numbers, which are aligned to the right.
    marked : sequence of str or None
        Class of each row.
    file : str
        That has every row, where there are too many.
    """
    filled = [at for at in range(len(heads)) if at == 0 or any(str(row[at]) for row in rows)]
    return _macro("table", caption, heads, rows[:MAX_ROWS], numeric, marked, filled,
                  max(0, len(rows) - MAX_ROWS), file or "the tables beside this page") if rows else Html("")


def show(write: Writer, rows: Sequence[Row], names: str, *, caption: str, heads: Mapping[str, str] = NOTHING,
         cells: Instead = NOTHING, marked: Callable[[Row], str | None] = lambda row: None, folder: str = "") -> Html:
    """Columns of a declared table, each with its heading and in its format; rates of one unit have it in the heads.

    The name of a study leads to where its number comes from.

    Parameters
    ----------
    names : str
        The columns; one that is not declared has its head and its cells from here.
    heads, cells : mapping of str to str and to callable
        In place of declared headings and formats.
    marked : callable
        From a row to its class, or None.
    folder : str
        As in `study_link`.
    """
    columns, scales = names.split(), {write.scale(row) for row in rows}
    write = replace(write, shared=scales.pop() if len(scales) == 1 else None)
    return table(caption, [write.head(name, heads.get(name, "")) for name in columns],
                 [[study_link(cell, write.labels, row, folder) if name in _OF_A_STUDY else cell
                   for name, cell in zip(columns, write.cells(row, columns, cells), strict=True)] for row in rows],
                 numeric=[at for at, name in enumerate(columns)
                          if at and write.layout.column(name).kind in ("number", "count")],
                 marked=[marked(row) for row in rows], file=write.layout.file)


def _macro(name: str, *values: object) -> Html:
    return Html(getattr(templates().get_template("macros.html").module, name)(*values))


def folded(title: object, *children: object) -> Html:
    """What a reader unfolds; nothing where there is nothing inside."""
    inside = join(children)
    return tag("details", tag("summary", title), inside) if inside else Html("")


def section(anchor: str, title: str, *children: object) -> Html:
    """A part of the page with its heading; nothing where there is nothing below the heading."""
    inside = join(children, "\n")
    return tag("section", tag("h2", title), Html("\n"), inside, id=anchor) if inside.strip() else Html("")
