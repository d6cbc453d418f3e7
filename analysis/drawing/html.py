"""Builds HTML from values. Whatever is not `Html` already is escaped, so that no text of the evidence is markup."""

import html
from collections.abc import Iterable, Sequence

from analysis.results.numbers import safe


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: object) -> Html:
    """The value as markup: escaped unless it is `Html`."""
    return value if isinstance(value, Html) else Html(html.escape(safe(value)))


def join(parts: Iterable[object], by: str = "") -> Html:
    """All parts one after the other."""
    return Html(by.join(text(part) for part in parts))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """An element. Attributes that are None are left out; `class_` becomes class, other underscores hyphens."""
    cells = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(safe(value))}"'
                    for key, value in attributes.items() if value is not None)
    return Html(f"<{name}{cells}>{join(children)}</{name}>")


def image(source: str, alt: str) -> Html:
    """A picture in a frame of its own, which scrolls on a narrow screen."""
    picture = Html(f'<img src="{html.escape(source)}" alt="{html.escape(safe(alt))}">')
    return tag("div", tag("figure", picture), class_="scroll picture", tabindex="0", role="region",
               aria_label=alt[:80])


def paragraphs(items: Sequence[object]) -> Html:
    """A list with one item per text; nothing where there is none."""
    return tag("ul", *(tag("li", item) for item in items)) if items else Html("")


MAX_ROWS = 400
"""Longer tables end with a line that says so: a page with every row of a large evidence directory opens nowhere."""


def table(caption: str, heads: Sequence[object], rows: Sequence[Sequence[object]], *, left: int = 1,
          marked: Sequence[str | None] = ()) -> Html:
    """A table in a frame of its own, which scrolls on a narrow screen; nothing where there is no row.

    Columns in which every cell is empty are left out.

    Parameters
    ----------
    left : int
        So many first columns hold words; the others numbers, aligned to the right.
    marked : sequence of str or None
        Class of each row.
    """
    if not rows:
        return Html("")
    filled = [at for at in range(len(heads)) if at == 0 or any(str(row[at]) for row in rows)]
    head = tag("tr", *(tag("th", heads[at], scope="col", class_=_kind(at, left)) for at in filled))
    classes = list(marked) or [None] * len(rows)
    body = join((tag("tr", tag("th", row[0], scope="row"),
                     *(tag("td", row[at], class_=_kind(at, left)) for at in filled[1:]),
                     class_=name) for row, name in zip(rows[:MAX_ROWS], classes, strict=False)), "\n")
    hidden = len(rows) - MAX_ROWS
    rest = tag("tfoot", tag("tr", tag("td", f"{hidden:,} more rows are in the tables beside this page.",
                                      colspan=len(filled)))) if hidden > 0 else ""
    inner = tag("table", tag("caption", caption), tag("thead", head), Html("\n"), tag("tbody", body), rest)
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=safe(caption)[:80])


def _kind(at: int, left: int) -> str | None:
    return None if at < left else "num"


def folded(title: object, *children: object) -> Html:
    """What a reader unfolds; nothing where there is nothing inside."""
    inside = join(children)
    return tag("details", tag("summary", title), inside) if inside else Html("")


def section(anchor: str, title: str, *children: object) -> Html:
    """A part of the page with its heading; nothing where there is nothing below the heading."""
    inside = join(children, "\n")
    return tag("section", tag("h2", title), Html("\n"), inside, id=anchor) if inside.strip() else Html("")
