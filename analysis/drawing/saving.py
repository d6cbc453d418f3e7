"""Writes a figure as SVG and PNG: whole or not at all, and the same bytes for the same figure."""

import warnings
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from analysis.drawing.style import DPI, styled
from analysis.system.files import write_atomically

_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def save_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write stem.svg and stem.png; returns the two paths."""
    svg, png = stem.with_name(f"{stem.name}.svg"), stem.with_name(f"{stem.name}.png")
    # The salt takes the place of a random one in the ids, and differs between figures.
    with styled(**{"svg.hashsalt": stem.name}), warnings.catch_warnings():
        # A script that the font lacks is drawn as boxes in the PNG; the SVG holds the characters.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        write_atomically(svg, lambda path: figure.savefig(path, format="svg", metadata=_NO_METADATA))
        write_atomically(png, lambda path: _write_png(figure, path))
    return svg, png


def _write_png(figure: Figure, path: Path) -> None:
    """Without the transparency that `savefig` writes, and packed less: a third faster and not larger."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    image.convert("RGB").save(path, "PNG", compress_level=3, dpi=(DPI, DPI))
