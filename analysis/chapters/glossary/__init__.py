"""Each technical word of the report once, and links to it from where it is first used; the words are in terms.csv."""

import csv
import re
from collections.abc import Collection
from pathlib import Path

from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, join, section, tag, text
from analysis.results.results import Results

_FILE = Path(__file__).with_name("terms.csv")
_MARK = re.compile(r"(<[^>]*>)")
_ASIDE = re.compile(r"<(/?)(a|h[1-6]|style|summary|title)\b")
"""Where no word is linked: in links, headings, and what is clicked for something else."""


def terms(results: Results) -> list[dict[str, str]]:
    """Rows of terms.csv that these results need: of their kinds of endpoints and of tables that were made."""
    kinds = {"", *("events" if results.labels.scales[endpoint.endpoint].months else endpoint.kind
                   for endpoint in results.fitted)}
    with _FILE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] in kinds
                and (not row["file"] or results.rows(row["file"]))]


def linked(page: str, results: Results, place: str = "") -> Html:
    """A page on which each technical word, where it is first used, leads to what it means.

    Parameters
    ----------
    page : str
        Markup.
    place : str
        Of the glossary as seen from the page, such as "details/glossary.html"; empty for the same page.
    """
    parts, inside, anchors = _MARK.split(page), 0, {row["term"].casefold(): row["anchor"] for row in terms(results)}
    labels = [label for label in _labels(results) if any(term in label.casefold() for term in anchors)]
    for at, part in enumerate(parts):
        if aside := _ASIDE.match(part):
            inside += -1 if aside[1] else 1
        elif at % 2 == 0 and not inside:
            parts[at] = _linked(part, anchors, place, labels)
    return Html("".join(parts))


def _labels(results: Results) -> set[str]:
    """Names of the evidence, as they stand in markup: their words are its own."""
    labels = results.labels
    names = [*labels.endpoints.values(), *labels.subsets.values(), *labels.studies.values(),
             *(covariate.label for covariate in results.evidence.covariates)]
    return {str(text(name)) for name in names}


def _linked(words: str, anchors: dict[str, str], place: str, labels: Collection[str]) -> str:
    """A piece of text with links for the words that still have an anchor, which is taken out; none within a label."""
    if not anchors or not words.strip():
        return words

    def link(match: re.Match[str]) -> str:
        anchor = anchors.pop(match[0].casefold(), "")
        return f'<a class="term" href="{place}#term-{anchor}">{match[0]}</a>' if anchor else match[0]

    longest = sorted({*labels, *anchors}, key=len, reverse=True)
    return re.sub(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])", link, words, flags=re.IGNORECASE)


def _section(results: Results, page: Page) -> Html:
    listed = [part for row in sorted(terms(results), key=lambda row: row["term"].casefold()) for part in (
        tag("dt", row["term"], id=f"term-{row['anchor']}"), tag("dd", f"{row['meaning']}."))]
    return section("glossary", "What the words mean", tag("dl", join(listed, "\n")))


CHAPTER = Chapter("glossary", 200, section=_section)
