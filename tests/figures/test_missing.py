"""The figure of the missing studies puts every number where its two tables have it."""

import numpy as np

from analysis.chapters.missing.figure import draw_missing, is_drawn
from analysis.drawing.saving import save_figure

NAMES = {"cr": "Complete remission"}


def bound(name, median=None, lower=None, upper=None, **cells):
    computed = {"status": "computed" if name != "published" else name, "interval": "credible", "level": 0.95}
    return {"endpoint": "cr", "bound": name, "scenario": "", "known_k": 10, "published_k": 16, "median": median,
            "lower": lower, "upper": upper, **computed, **cells}


BOUNDS = [bound("headline", 0.80, 0.72, 0.86), bound("extreme_low", 0.40, 0.24, 0.58),
          bound("extreme_high", 0.87, 0.78, 0.93), bound("joint_low", 0.76, 0.69, 0.81),
          bound("joint_high", 0.83, 0.78, 0.88), bound("published", 0.81, 0.72, 0.89, interval="confidence")]
TOTALS = [{"endpoint": "cr", "scenario": "as_printed", "status": "computed", "median": 0.815, "lower": 0.755,
           "upper": 0.861},
          {"endpoint": "cr", "scenario": "none", "status": "not computed", "median": None, "lower": None,
           "upper": None}]


def shown(figure):
    return "\n".join(text.get_text() for text in [*figure.texts, *figure.axes[0].texts])


def drawn(figure):
    return {tuple(np.round(line.get_xdata(), 6)) for line in figure.axes[0].lines if len(line.get_xdata()) <= 2}


def test_limits_medians_and_numbers_are_those_of_the_tables():
    figure = draw_missing(BOUNDS, totals=TOTALS, names=NAMES)
    assert {(0.72, 0.86), (0.24, 0.93), (0.40, 0.87), (0.69, 0.88), (0.76, 0.83), (0.755, 0.861), (0.72, 0.89),
            (0.80,), (0.815,), (0.81,)} <= drawn(figure)
    for words in ("Complete remission", "10 of 16 studies", "80 [72, 86]", "40–87 [24, 93]", "76–83 [69, 88]",
                  "81 [72, 89]", "and total, as printed", "95 % confidence interval"):
        assert words in shown(figure)
    assert "and total, none" not in shown(figure)


def test_a_published_estimate_without_an_interval_is_a_point():
    figure = draw_missing([*BOUNDS[:-1], bound("published", 0.5, interval="")], names=NAMES)
    assert (0.5,) in drawn(figure)
    assert "confidence" not in shown(figure)


def test_an_endpoint_that_is_not_computed_is_named_only():
    other = bound("headline", endpoint="relapse", status="not computed", interval="", level=None)
    figure = draw_missing([*BOUNDS, other], names=NAMES)
    assert "Not computed: relapse" in shown(figure)
    assert not is_drawn([other]) and not is_drawn([]) and is_drawn(BOUNDS)


def test_text_of_the_evidence_cannot_disturb_the_picture(tmp_path):
    names = {"cr": "$x^$ <b>&\u202e " + "long " * 40}
    figure = draw_missing(BOUNDS, totals=[TOTALS[0] | {"scenario": "$_" * 30}], names=names, title="T\x00",
                          stamp="QUICK")
    assert "\u202e" not in shown(figure) and "\x00" not in shown(figure) and "QUICK" in shown(figure)
    svg, png = save_figure(figure, tmp_path / "missing")
    assert svg.stat().st_size > 1000 and png.stat().st_size > 1000
