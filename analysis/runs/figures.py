"""Draws the figures of all chapters, in two processes."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from analysis.chapters.chapter import Chapter, Picture
from analysis.drawing.html import Html
from analysis.drawing.saving import save_figure
from analysis.evidence.types import Evidence
from analysis.results.results import Results
from analysis.runs.page import as_picture
from analysis.runs.workers import Item, work_off
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
        An SVG and a PNG for each.
    """
    planned = [attempt("figures", "", _pictures, chapter, results) for chapter in chapters if chapter.figures]
    failures = [plan for plan in planned if isinstance(plan, Failure)]
    pictures = [picture for plan in planned if not isinstance(plan, Failure) for picture in plan]
    done = work_off([Item(_draw, (picture, folder)) for picture in pictures], results.evidence, executor=executor)
    failures += [one for one in done if isinstance(one, Failure)]
    drawn = {picture.name: (picture, paths) for picture, paths in zip(pictures, done, strict=True)
             if not isinstance(paths, Failure)}
    return (replace(results, failures=(*results.failures, *failures)),
            {name: as_picture(paths[0], picture.alt) for name, (picture, paths) in drawn.items()},
            [path for _, paths in drawn.values() for path in paths])


def _pictures(chapter: Chapter, results: Results) -> list[Picture]:
    return list(chapter.figures(results))


def _draw(evidence: Evidence, picture: Picture, folder: Path) -> tuple[Path, Path] | Failure:
    return attempt(f"figure {picture.name}", "", _save, picture, folder)


def _save(picture: Picture, folder: Path) -> tuple[Path, Path]:
    return save_figure(picture.draw(**picture.content), folder / picture.name)
