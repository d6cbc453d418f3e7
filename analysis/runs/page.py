"""The whole page: one file that needs no other, loads nothing, and is the same for the same results."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, image, join, rendered, tag
from analysis.evidence.types import Source
from analysis.results.numbers import counted
from analysis.results.results import Results
from analysis.system.failures import Failure, attempt
from analysis.system.files import write_text

_HERE = Path(__file__).parent
_NAMED = 5


def write_report(results: Results, chapters: Sequence[Chapter], folder: Path, *,
                 pictures: Mapping[str, Html]) -> tuple[Path, tuple[Failure, ...]]:
    """Write report.html whole or not at all; returns its path, and the sections that could not be written.

    Parameters
    ----------
    pictures : mapping of str to Html
        The figures of this run, from `as_picture`.
    """
    path = folder / "report.html"
    page, failures = render(results, chapters, pictures)
    write_text(path, page)
    return path, failures


def render(results: Results, chapters: Sequence[Chapter],
           pictures: Mapping[str, Html]) -> tuple[str, tuple[Failure, ...]]:
    """The page as text, and the sections that could not be written."""
    failures: list[Failure] = []

    def part(name: str, parts: Iterable[str], write: Callable[[], Html | str]) -> Html:
        content = attempt(f"section {name}", "", write)
        if isinstance(content, Failure):
            failures.append(content)
        return _with_failures([*results.failures, *failures], (*parts, f"section {name}"), content)

    def blocks(endpoint: str) -> Html:
        return join(chapter.block(results, endpoint, page) for chapter in chapters if chapter.block)

    page = Page(pictures, blocks, part)
    sections = [part(chapter.name.replace("_", " "), (chapter.name, *chapter.parts),
                     lambda chapter=chapter: chapter.section(results, page)) for chapter in chapters if chapter.section]
    title = f"Bayesian {'reanalysis of a published ' if results.evidence.reported else ''}meta-analysis"
    known = replace(results, failures=(*results.failures, *failures))
    page = rendered("runs/page.html", title=title, style=Html((_HERE / "report.css").read_text("utf-8")),
                    sources=_sources(results), banners=_banners(known), sections=sections)
    return page + "\n", tuple(failures)


def _with_failures(failures: Iterable[Failure], parts: Sequence[str], content: Html | str | Failure) -> Html:
    """A section, and below it what of it has no result because of an error."""
    told = [tag("p", f"FAILED: {failure}", class_="failed") for failure in failures
            if failure.part in parts or f"endpoint {failure.endpoint}" in parts]
    return join(["" if isinstance(content, Failure) else content, *told], "\n")


def as_picture(svg: Path, alt: str) -> Html:
    """A figure for the page; as an image of its own it can neither run scripts nor share ids with another one."""
    return image("data:image/svg+xml;base64," + base64.b64encode(svg.read_bytes()).decode(), alt)


def _banners(results: Results) -> list[tuple[str, str]]:
    """What a reader must know before any number: short chains, and fits without a result."""
    failed, banners = results.failed, []
    if results.stamp:
        banners.append(("banner", f"{results.stamp}: short chains, for trying out. Do not cite these numbers."))
    if failed:
        headline = any(results.variation(record) == "headline" for record in failed)
        status = " or ".join(dict.fromkeys(record.status for record in failed))
        banners.append(("banner" if headline else "banner mild", f"{status}: {len(failed)} of "
                        f"{counted(len(results.records), 'fit')} without a result "
                        f"({_listed([results.fit_name(record) for record in failed])})."
                        f"{'' if headline else ' No headline fit is affected.'}"))
    if results.failures:
        banners.append(("banner", f"FAILED: {counted(len(results.failures), 'part')} of this report without a result, "
                        f"because of an error of the program ({_listed(results.failures)}). Everything else is "
                        "complete."))
    return banners


def _listed(items: Sequence[object]) -> str:
    more = f"; and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return "; ".join(map(str, items[:_NAMED])) + more


def _sources(results: Results) -> list[Source]:
    """The publications whose numbers are compared."""
    ids = {reported.source_id for reported in results.evidence.reported}
    return [source for source in results.evidence.sources if source.source_id in ids]
