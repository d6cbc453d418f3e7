"""Draws one figure into its files: the functions that a task of another process names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.chapters.differences.figure import draw_decomposition
from analysis.chapters.endpoints.figure import draw_forest
from analysis.chapters.influence.figure import draw_baujat
from analysis.chapters.missing.figure import draw_missing
from analysis.chapters.published.figure import draw_published
from analysis.chapters.regression.figure import draw_bubbles
from analysis.chapters.sensitivity.figure import draw_sensitivity
from analysis.chapters.small_studies.figure import draw_funnel
from analysis.drawing.saving import save_figure


def forest_file(content: Mapping[str, Any], stem: Path) -> tuple[Path, Path]:
    """Write a forest plot; `content` holds the arguments of `draw_forest`."""
    arguments = dict(content)
    return save_figure(draw_forest(arguments.pop("studies"), **arguments), stem)


def published_file(content: Mapping[str, Any], stem: Path) -> tuple[Path, Path]:
    """Write the figure of all comparisons; `content` holds the arguments of `draw_published`."""
    arguments = dict(content)
    return save_figure(draw_published(arguments.pop("comparisons"), **arguments), stem)


def decomposition_file(content: Mapping[str, Any], stem: Path) -> tuple[Path, Path]:
    """Write the figure of differences taken apart; `content` holds the arguments of `draw_decomposition`."""
    arguments = dict(content)
    return save_figure(draw_decomposition(arguments.pop("rows"), **arguments), stem)


def missing_file(content: Mapping[str, Any], stem: Path) -> tuple[Path, Path]:
    """Write the figure of missing studies; `content` holds the arguments of `draw_missing`."""
    arguments = dict(content)
    return save_figure(draw_missing(arguments.pop("bounds"), **arguments), stem)


def sensitivity_file(content: Mapping[str, Any], stem: Path) -> tuple[Path, Path]:
    """Write the figure of one endpoint's sensitivity; `content` holds the arguments of `draw_sensitivity`."""
    arguments = dict(content)
    return save_figure(draw_sensitivity(arguments.pop("rows"), **arguments), stem)


def baujat_file(content: Mapping[str, Any], stem: Path) -> tuple[Path, Path]:
    """Write the map of influence; `content` holds the arguments of `draw_baujat`."""
    arguments = dict(content)
    return save_figure(draw_baujat(arguments.pop("rows"), **arguments), stem)


def funnel_file(content: Mapping[str, Any], stem: Path) -> tuple[Path, Path]:
    """Write the predictive funnels; `content` holds the arguments of `draw_funnel`."""
    arguments = dict(content)
    return save_figure(draw_funnel(arguments.pop("rows"), **arguments), stem)


def bubble_file(content: Mapping[str, Any], stem: Path) -> tuple[Path, Path]:
    """Write the bubble plots of one endpoint; `content` holds the arguments of `draw_bubbles`."""
    return save_figure(draw_bubbles(**content), stem)
