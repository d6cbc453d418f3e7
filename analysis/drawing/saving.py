"""Writes a figure as SVG, for light and dark screens, and PNG: whole or not at all, the same bytes for the same one."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import unescape
from io import StringIO
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from PIL import Image

from analysis.drawing.style import DARK, DPI, FONTS, SHOWN, fallbacks, styled
from analysis.system.files import write_atomically

_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
# Each mark keeps its own colour, so that programs without style sheets show the light form; a browser replaces it.
_SHEET = "<style>@media (prefers-color-scheme:dark){{{}}}</style>".format("".join(
    f'[style*="{kind}: {light.lower()}"]{{{kind}:{dark}!important}}'
    for light, dark in DARK.items() for kind in ("fill", "stroke")))
_COLORS, _WHITE = 128, 253  # of 255, which the search for few colours misses


def save_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write stem.svg and stem.png; returns the two paths."""
    svg = save_svg(figure, stem)
    return svg, save_png(figure, svg)


def save_svg(figure: Figure, stem: Path) -> Path:
    """Write stem.svg and return its path."""
    text, svg = StringIO(), stem.with_name(f"{stem.name}.svg")
    # The salt takes the place of a random one in the ids, and differs between figures.
    with styled(**{"svg.hashsalt": stem.name}), _boxes_for_others():
        figure.savefig(text, format="svg", metadata=_NO_METADATA)
    width, height = (72.0 * SHOWN * inches for inches in figure.get_size_inches())
    names = ", ".join(f"'{name}'" for name in FONTS)
    root = rf'\1 width="{width:.2f}pt" height="{height:.2f}pt" font-family="{names}, sans-serif"\2>{_SHEET}'
    markup = re.sub(r'(<svg [^>]*?) width="[^"]*" height="[^"]*"([^>]*)>', root, text.getvalue(), count=1)
    markup = markup.replace(f"font-family: '{FONTS[0]}'; ", "")
    write_atomically(svg, lambda path: path.write_text(markup, "utf-8"))
    return svg


def save_png(figure: Figure, svg: Path) -> Path:
    """Write a figure as PNG beside its SVG and return the path."""
    if lacking(svg, FONTS[:1]):
        for text in figure.findobj(Text):
            text.set_fontfamily(fallbacks())
    png = svg.with_suffix(".png")
    with styled(), _boxes_for_others():
        write_atomically(png, lambda path: _write_png(figure, path))
    return png


def lacking(svg: Path, fonts: Sequence[str]) -> list[str]:
    """Texts of a figure with a letter that none of these fonts has."""
    markup = unescape(svg.read_text("utf-8"))
    faces = [get_font(findfont(FontProperties(family=[font]))) for font in fonts]
    marks = {mark for mark in set(markup) if mark.isprintable() and not any(
        face.get_char_index(ord(mark)) for face in faces)}
    return [text for text in re.findall(">([^<]+)</text>", markup) if marks.intersection(text)] if marks else []


@contextmanager
def _boxes_for_others() -> Iterator[None]:
    """Without a word on letters that no font has: `lacking` tells which, and the SVG holds them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _write_png(figure: Figure, path: Path) -> None:
    """Without transparency and with few colours, which is faster and smaller than what `savefig` writes."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    few = image.convert("RGB").quantize(_COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.putpalette(bytes(255 if level >= _WHITE else level for level in few.getpalette()))
    few.save(path, "PNG", compress_level=3, dpi=(DPI, DPI))
