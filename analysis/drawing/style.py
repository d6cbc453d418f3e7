"""Fonts, colours and sizes of every figure, in one place.

A figure is laid out for one of two widths with letters of the same size, and shown at SHOWN of its inches, where
they are as large as those of the page: WIDTH beside other things, NARROW on a telephone.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from matplotlib import style
from matplotlib.font_manager import fontManager

WIDTH, NARROW, MARGIN = 10.4, 5.4, 0.15
"""Inches."""
SHOWN = 0.68
DPI = 120

# Okabe and Ito's colours, which readers with any colour vision tell apart.
INK = "#222222"
FAINT = "#5f6368"
RULE = "#c9ccd1"
GRID = "#e6e8eb"
RAW = "#222222"
SHRUNKEN = "#0072B2"
PREDICTION = "#00795A"
PUBLISHED = "#C24E00"
ALARM = "#B00020"
TIER_FILLS = {"A": RAW, "B": "#a9adb3", "C": "#ffffff"}

DARK = {"#ffffff": "#16191c", INK: "#e8eaed", FAINT: "#a9aeb5", RULE: "#50555c", GRID: "#2c3036", "#a9adb3": "#7b828a",
        SHRUNKEN: "#56b4e9", PREDICTION: "#2bc594", PUBLISHED: "#f0883e", ALARM: "#ff6b81"}
"""By colour what takes its place on a dark screen."""

TITLE, TEXT, SMALL = 19.0, 16.0, 14.0
"""Points, of which SHOWN makes 17, 15 and 13 pixels."""

FONTS = ("DejaVu Sans", "Verdana", "Arial", "Helvetica")
"""The first comes with matplotlib; a browser that lacks it takes the others, of which none is wider."""
_FALLBACKS = ("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Source Han Sans",
              "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "IPAGothic", "IPAexGothic", "TakaoGothic",
              "Droid Sans Fallback", "Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic",
              "Noto Sans", "Arial Unicode MS")
_RC = {
    "font.family": [FONTS[0]],
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,
    # Fitting letters to pixels takes a quarter of the time of a PNG, whose letters are large enough without.
    "text.hinting": "none",
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.labelsize": SMALL,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    # Set here and not by methods of each axis, which make all of its ticks anew.
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "legend.fontsize": SMALL,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Text stays text: it can be searched and read aloud, and the file is a tenth of the size.
    "svg.fonttype": "none",
}


_width = ContextVar("width", default=WIDTH)


def width() -> float:
    """Inches for which figures are laid out now."""
    return _width.get()


@contextmanager
def narrow() -> Iterator[None]:
    """Figures that are drawn within are laid out for a telephone."""
    token = _width.set(NARROW)
    try:
        yield
    finally:
        _width.reset(token)


@cache
def fallbacks() -> list[str]:
    """Installed fonts of which each letter takes the first that has it; others would be warned of."""
    installed = {font.name for font in fontManager.ttflist}
    return [FONTS[0], *(name for name in _FALLBACKS if name in installed)]


# That a fallback is not installed, or not bold, is no news.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


@contextmanager
def styled(**settings: object) -> Iterator[None]:
    """Draw or save with the house style, whatever a user's own settings are; they return afterwards."""
    with style.context(["default", {**_RC, **settings}]):
        yield
