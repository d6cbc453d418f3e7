"""Draws the figures of all chapters, in two processes."""

import gc
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from analysis.chapters.chapter import Chapter, Picture
from analysis.drawing.html import Html
from analysis.drawing.saving import lacking, save_png, save_svg
from analysis.drawing.style import fallbacks, narrow
from analysis.evidence.directory import Evidence
from analysis.results.results import Results
from analysis.runs.page import as_picture
from analysis.runs.workers import Item, work_off
from analysis.system.errors import one_line
from analysis.system.failures import Failure, attempt, gathered


def draw_all(results: Results, chapters: Sequence[Chapter], folder: Path, *,
             executor: Executor, png: bool = False) -> tuple[Results, dict[str, Html], list[Path]]:
    """Draw every figure into `folder`.

    Parameters
    ----------
    png : bool
        Whether each is written as PNG as well, which takes half as long again.

    Returns
    -------
    results : Results
        With what failed.
    pictures : mapping of str to Html
        For the page, by name.
    paths : list of Path
        An SVG and an SVG for narrow screens of each, and a PNG where it is asked for.
    """
    pictures, failures = gathered(("figures", partial(chapter.figures, results)) for chapter in chapters
                                  if chapter.figures)
    done = work_off([Item(_draw, (picture, folder, png)) for picture in pictures], results.evidence, executor=executor)
    failures += [files for files in done if isinstance(files, Failure)]
    drawn = [(picture, *files) for picture, files in zip(pictures, done, strict=True)
             if not isinstance(files, Failure)]
    if boxes := list(dict.fromkeys(text for *_, texts in drawn for text in texts)):
        print(f"No installed font has all letters of {one_line('; '.join(boxes))}: PNG files show boxes in their "
              "place, SVG files and the page leave them to the reader's fonts. Install a font that has them, such as "
              "Noto Sans CJK.",
              file=sys.stderr)
    return (replace(results, failures=(*results.failures, *failures)),
            {picture.name: as_picture(*paths[:2], picture.alt) for picture, paths, _ in drawn},
            [path for _, paths, _ in drawn for path in paths])


def _draw(evidence: Evidence, picture: Picture, folder: Path,
          png: bool) -> tuple[tuple[Path, ...], list[str]] | Failure:
    return attempt(f"figure {picture.name}", "", _save, picture, folder, png)


@cache
def _freeze_once() -> None:
    gc.freeze()


def _save(picture: Picture, folder: Path, png: bool) -> tuple[tuple[Path, ...], list[str]]:
    """The files, and texts that cannot be drawn."""
    # A figure is tens of thousands of objects that live on, beside those of the whole program: looking for garbage
    # among them takes a third of the time.
    _freeze_once()
    gc.disable()
    try:
        figure = picture.draw(**picture.content)
        wide = save_svg(figure, folder / picture.name)
        pixels = [save_png(figure, wide)] if png else []
        with narrow():
            slim = save_svg(picture.draw(**picture.content), folder / f"{picture.name}.narrow")
    finally:
        gc.enable()
    return (wide, slim, *pixels), lacking(wide, fallbacks())
