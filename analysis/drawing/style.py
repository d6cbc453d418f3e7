"""Fonts, colours and sizes of every figure, in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib import style

WIDTH = 10.4
MARGIN = 0.15
"""Inches, as is WIDTH."""
DPI = 150

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

# On a telephone a page is 390 pixels wide, and letters need 8 of them.
TITLE, TEXT, SMALL = 19.0, 16.0, 14.5

_RC = {
    # Verdana is as wide as DejaVu Sans; Arial is narrower: where the first is missing, columns still do not overlap.
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
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
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Text stays text: it can be searched and read aloud, and the file is a tenth of the size.
    "svg.fonttype": "none",
}


@contextmanager
def styled(**settings: object) -> Iterator[None]:
    """Draw or save with the house style, whatever a user's own settings are; they return afterwards."""
    with style.context(["default", {**_RC, **settings}]):
        yield
