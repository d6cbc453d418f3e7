"""What commands put into --output: a table with the figure of it, under names that carry the endpoint."""

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from analysis.output import adding
from analysis.results.table import Layout
from analysis.system.errors import one_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def figure_files(stem: str) -> list[str]:
    """Names of the files that `save_figure` writes."""
    return [f"{stem}.svg", f"{stem}.png"]


def places(options: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """Where files are, as the user names the folder; none without --output."""
    return [one_line(str(options.output / name)) for name in names if options.output]


def write_with_figure(options: argparse.Namespace, layout: Layout, rows: Iterable[Mapping[str, Any]],
                      draw: "Callable[[pd.DataFrame], Figure]") -> list[str]:
    """Write a table about one endpoint and its figure where --output asks for them; returns where they are.

    Such as predicted.cr.csv and figures/predicted.cr.svg, so that one folder holds several endpoints.
    """
    stem = f"{layout.file.removesuffix('.csv')}.{options.endpoint}"
    figure, layout = f"figures/{stem}", replace(layout, file=f"{stem}.csv")
    names = [layout.file, *figure_files(figure)]
    with adding(options.output, data=options.data, run=f"{options.command} {options.endpoint}", names=names) as folder:
        if folder:
            from analysis.drawing.saving import save_figure

            table = layout.table(rows)
            table.write(folder)
            save_figure(draw(table.frame), folder / figure)
    return places(options, names)
