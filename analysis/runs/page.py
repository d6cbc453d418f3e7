"""The pages: one to read, which can be mailed alone, and one for each endpoint and method below `details/`.

Each holds its figures and styles, loads nothing from elsewhere, and is the same for the same results.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from analysis.chapters.chapter import Chapter, Page
from analysis.chapters.glossary import linked
from analysis.drawing.html import Html, image, join, rendered, tag
from analysis.evidence.types import Source
from analysis.results.numbers import counted
from analysis.results.results import Results
from analysis.system.failures import Failure, attempt
from analysis.system.files import write_text

FIRST, DETAILS = "report.html", "details"
_HERE = Path(__file__).parent
_NAMED = 5
_TERMS = "glossary"
_WORDS_OF_OTHERS = (_TERMS, "evidence")
"""Pages on which no word is led to the glossary: the words of the evidence mean what its authors meant."""
_PRESENT = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'
"""An image of nothing: where the folder is not beside the page, its text alternative says so."""


def write_report(results: Results, chapters: Sequence[Chapter], folder: Path, *,
                 pictures: Mapping[str, Html]) -> tuple[list[Path], tuple[Failure, ...]]:
    """Write every page whole or not at all; returns their paths, and the sections that could not be written.

    Parameters
    ----------
    pictures : mapping of str to Html
        The figures of this run, from `as_picture`.
    """
    pages, failures = render(results, chapters, pictures)
    for name, text in pages.items():
        write_text(folder / name, text)
    return [folder / name for name in pages], failures


def render(results: Results, chapters: Sequence[Chapter],
           pictures: Mapping[str, Html]) -> tuple[dict[str, str], tuple[Failure, ...]]:
    """Each file as text by its name, the page to read first, and the sections that could not be written."""
    failures: list[Failure] = []

    def part(name: str, parts: Iterable[str], write: Callable[[], Html | str]) -> Html:
        content = attempt(f"section {name}", "", write)
        if isinstance(content, Failure):
            failures.append(content)
        return _with_failures([*results.failures, *failures], (*parts, f"section {name}"), content)

    def blocks(endpoint: str) -> Html:
        return join(chapter.block(results, endpoint, page) for chapter in chapters if chapter.block)

    page = Page(pictures, blocks, part)
    details, briefs = {}, []
    for chapter in chapters:
        details |= {name: words for name, words in _pages(chapter, results, page) if words.strip()}
        if chapter.brief:
            name = chapter.name.replace("_", " ")
            words = part(f"{name} in brief", (), lambda chapter=chapter: chapter.brief(results, page))
            briefs += [(chapter.name, words)] if words.strip() else []
    titles = {name: _heading(words) or name for name, words in details.items()}
    if _TERMS in details:
        details |= {name: linked(words, results, f"{_TERMS}.html") for name, words in details.items()
                    if name not in _WORDS_OF_OTHERS}
    complete = replace(results, failures=(*results.failures, *failures))
    return {FIRST: _page(complete, _first(briefs, titles)), f"{DETAILS}/present.svg": _PRESENT,
            **{f"{DETAILS}/{name}.html": _page(complete, words, titles[name])
               for name, words in details.items()}}, tuple(failures)


def _pages(chapter: Chapter, results: Results, page: Page) -> Iterable[tuple[str, Html]]:
    """The chapter's own pages by name, each with what of it has no result because of an error."""
    told = (chapter.name, *chapter.parts)
    if chapter.pages:
        yield from chapter.pages(results, page)
    elif chapter.section:
        yield chapter.name, page.part(chapter.name.replace("_", " "), told, lambda: chapter.section(results, page))


def _first(briefs: Sequence[tuple[str, Html]], titles: Mapping[str, str]) -> Html:
    """The answer, then a section for each question, then the way to what no section leads to."""
    questions, led = briefs[1:], {name for name, _ in briefs}
    endpoints = [(name, title) for name, title in titles.items() if name.startswith("endpoint-")]
    others = [(name, title) for name, title in titles.items() if name not in led and not name.startswith("endpoint-")]
    return rendered("runs/first.html", answer=briefs[0][1] if briefs else "", briefs=questions, details=titles,
                    endpoints=endpoints, others=others)


def _page(results: Results, body: Html, heading: str = "") -> str:
    """One file; a page of details names itself and leads back."""
    title = results.evidence.told("title", "Bayesian meta-analysis")
    style, script = (Html((_HERE / name).read_text("utf-8")) for name in ("report.css", "report.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return rendered("runs/page.html", title=title, heading=heading, style=style, script=script,
                    digest=f"sha256-{digest}", sources=_sources(results), banners=_banners(results), body=body) + "\n"


def _heading(words: Html) -> str:
    """The first heading of a page, which is its title."""
    heading = re.search(r"<h2[^>]*>(.*?)</h2>", words, re.DOTALL)
    return Html(heading[1]).striptags() if heading else ""


def _with_failures(failures: Iterable[Failure], parts: Sequence[str], content: Html | str | Failure) -> Html:
    """A section, and below it what of it has no result because of an error."""
    told = [tag("p", f"FAILED: {failure}", class_="failed") for failure in failures
            if failure.part in parts or f"endpoint {failure.endpoint}" in parts]
    return join(["" if isinstance(content, Failure) else content, *told], "\n")


def as_picture(wide: Path, narrow: Path, alt: str) -> Html:
    """A figure for the page in both layouts; as an image it can neither run scripts nor share ids with another one."""
    source, other = ("data:image/svg+xml;base64," + base64.b64encode(svg.read_bytes()).decode()
                     for svg in (wide, narrow))
    return image(source, alt, other)


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
