"""A question of the report as one value: the work that answers it, its tables, its figures and its words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from analysis.cases.settings import Job
from analysis.drawing.html import Html
from analysis.evidence.directory import Evidence
from analysis.results.results import Results
from analysis.results.table import Layout, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Task:
    """A piece of work that any process can do: it needs nothing but its arguments.

    Parameters
    ----------
    part : str
        What it makes, in words, for the message where it fails.
    endpoint : str
        Key of the endpoint that it is about; empty for none.
    function : callable
        Found by its name in a module; returns the rows of one or several files: mapping of file name to rows.
    arguments : tuple
    """

    part: str
    endpoint: str
    function: Callable[..., Mapping[str, Iterable[Row]]]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Parameters
    ----------
    kind : str
        First part of the file name, such as "forest".
    endpoint : str
        Second part, where there is one figure for each endpoint.
    draw : callable
        Found by its name in a module, called with `content` as keywords; returns a matplotlib figure.
    content : mapping of str to value
        Tables and texts; plain values, since another process may draw.
    alt : str
        What the figure shows, in words.
    """

    kind: str
    draw: "Callable[..., Figure]"
    content: Mapping[str, Any]
    alt: str
    endpoint: str = ""

    @property
    def name(self) -> str:
        """Name of the files without suffix, such as forest.cr."""
        return f"{self.kind}.{self.endpoint}" if self.endpoint else self.kind


@dataclass(frozen=True)
class Page:
    """What a section may put on the page beside its own words.

    Parameters
    ----------
    pictures : mapping of str to Html
        Each figure that was drawn, by its name.
    blocks : callable
        From the key of an endpoint to what other chapters say about it.
    part : callable
        (name, failures told there, function without arguments) -> what the function returns, with the failures.
    """

    pictures: Mapping[str, Html]
    blocks: Callable[[str], Html]
    part: Callable[[str, Iterable[str], Callable[[], Html | str]], Html]

    def picture(self, kind: str, endpoint: str = "") -> Html:
        """The picture as markup; empty where it was not drawn."""
        return self.pictures.get(f"{kind}.{endpoint}" if endpoint else kind, Html(""))


@dataclass(frozen=True)
class Asked:
    """What a run is about: all that work can be planned from, before anything is fitted.

    Parameters
    ----------
    base : Job
        The headline's settings; endpoint and subset are replaced.
    """

    evidence: Evidence
    base: Job
    quick: bool = False


@dataclass(frozen=True)
class Chapter:
    """One question of the report.

    Parameters
    ----------
    name : str
        Of its folder.
    rank : int
        Place in the report, in ascending order.
    layouts : tuple of Layout
        Its tables.
    work : callable or None
        What is to be computed, from `Asked`; all chapters share one queue.
    finish : callable or None
        From the results with all tables of all chapters to rows of its own tables that hang on them.
    figures : callable or None
        From the results to pictures.
    brief : callable or None
        From the results and the page to what stands on the page that people read: a heading in their words, the
        verdict first. It is followed by a link to the chapter's own page.
    section : callable or None
        From the results and the page to the chapter's own page below `details/`: everything behind the brief.
    pages : callable or None
        In place of `section`, where there are several: from the results and the page to pairs of name and markup.
    block : callable or None
        From the results, the key of an endpoint and the page to what stands on that endpoint's page.
    parts : tuple of str
        Parts of `Task`, and "figure" with names of pictures, whose failures are told below the section, as are those
        of the chapter as a whole.
    failed : callable or None
        From the results to lines about fits of its own that are no results.
    """

    name: str
    rank: int
    layouts: tuple[Layout, ...] = ()
    work: Callable[[Asked], Iterable[Task]] | None = None
    finish: Callable[[Results], Mapping[str, Iterable[Row]]] | None = None
    figures: Callable[[Results], Iterable[Picture]] | None = None
    section: Callable[[Results, Page], Html] | None = None
    block: Callable[[Results, str, Page], Html] | None = None
    parts: tuple[str, ...] = ()
    failed: Callable[[Results], list[str]] | None = None
    brief: Callable[[Results, Page], Html] | None = None
    pages: Callable[[Results, Page], Iterable[tuple[str, Html]]] | None = None


def each_endpoint(part: str, function: Callable[..., Mapping[str, Iterable[Row]]], *,
                  kind: str = "") -> Callable[[Asked], list[Task]]:
    """Work that is one task for each endpoint, or each of a kind: `function` takes the base and the endpoint's key."""
    return lambda asked: [Task(part, endpoint.endpoint, function, (asked.base, endpoint.endpoint))
                          for endpoint in asked.evidence.endpoints if kind in ("", endpoint.kind)]


@cache
def all_chapters() -> tuple[Chapter, ...]:
    """Every chapter, in the order of the report: each folder of this package that has a CHAPTER."""
    package = import_module(__name__.rpartition(".")[0])
    modules = (import_module(f"{package.__name__}.{module.name}") for module in iter_modules(package.__path__)
               if module.ispkg)
    chapters = [module.CHAPTER for module in modules if hasattr(module, "CHAPTER")]
    return tuple(sorted(chapters, key=lambda chapter: (chapter.rank, chapter.name)))
