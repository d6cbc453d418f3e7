"""Draws the figures of all chapters, in two processes."""

import gc
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from analysis.chapters.chapter import Chapter, Picture
from analysis.drawing.html import Html
from analysis.drawing.saving import lacking, save_figure, save_svg
from analysis.drawing.style import fallbacks, narrow
from analysis.evidence.directory import Evidence
from analysis.results.results import Results
from analysis.runs.page import as_picture
from analysis.runs.workers import Item, work_off
from analysis.system.errors import one_line
from analysis.system.failures import Failure, attempt


def draw_all(results: Results, chapters: Sequence[Chapter], folder: Path, *,
             executor: Executor) -> tuple[Results, dict[str, Html], list[Path]]:
    """Draw every figure into `folder`.

    Returns
    -------
    results : Results
        With what failed.
    pictures : mapping of str to Html
        For the page, by name.
    paths : list of Path
        An SVG, a PNG and an SVG for narrow screens of each.
    """
    planned = [attempt("figures", "", _pictures, chapter, results) for chapter in chapters if chapter.figures]
    failures = [plan for plan in planned if isinstance(plan, Failure)]
    pictures = [picture for plan in planned if not isinstance(plan, Failure) for picture in plan]
    done = work_off([Item(_draw, (picture, folder)) for picture in pictures], results.evidence, executor=executor)
    failures += [one for one in done if isinstance(one, Failure)]
    drawn = [(picture, *one) for picture, one in zip(pictures, done, strict=True) if not isinstance(one, Failure)]
    if boxes := list(dict.fromkeys(text for *_, texts in drawn for text in texts)):
        print(f"No installed font has all letters of {one_line('; '.join(boxes))}: PNG files show boxes in their "
              "place, SVG files and the page do not. Install a font that has them, such as Noto Sans CJK.",
              file=sys.stderr)
    return (replace(results, failures=(*results.failures, *failures)),
            {picture.name: as_picture(paths[0], picture.alt, paths[2]) for picture, paths, _ in drawn},
            [path for _, paths, _ in drawn for path in paths])


def _pictures(chapter: Chapter, results: Results) -> list[Picture]:
    return list(chapter.figures(results))


def _draw(evidence: Evidence, picture: Picture, folder: Path) -> tuple[tuple[Path, ...], list[str]] | Failure:
    return attempt(f"figure {picture.name}", "", _save, picture, folder)


def _save(picture: Picture, folder: Path) -> tuple[tuple[Path, ...], list[str]]:
    """The files, and texts that cannot be drawn."""
    # A figure is tens of thousands of objects that live on, beside those of the whole program: looking for garbage
    # among them takes a third of the time.
    if not gc.get_freeze_count():
        gc.freeze()
    gc.disable()
    try:
        svg, png = save_figure(picture.draw(**picture.content), folder / picture.name)
        with narrow():
            slim = save_svg(picture.draw(**picture.content), folder / f"{picture.name}.narrow")
    finally:
        gc.enable()
    return (svg, png, slim), lacking(svg, fallbacks())
