"""The figure of an endpoint's sensitivity holds the numbers of every row, and marks those that change a conclusion."""

from analysis.chapters.sensitivity.figure import MAX_LINES, draw_sensitivity
from analysis.chapters.sensitivity.rows import SENSITIVITY
from analysis.drawing import style
from analysis.drawing.saving import save_figure
from analysis.results.numbers import PERCENT
from analysis.results.writing import Labels
from tests.figures.reading import drawn, shown


def variant(dimension, label, median=None, lower=None, upper=None, **cells):
    status = "computed" if median is not None else "not computed"
    change = None if median is None else 100.0 * (median - 0.80)
    return {"endpoint": "cr", "dimension": dimension, "variant": label, "k_studies": 10, "time_months": None,
            "median": median, "lower": lower, "upper": upper, "level": 0.95, "change": change, "published": "0.81",
            "changes": False if median is not None else None, "status": status, "reason": "", **cells}


ROWS = [variant("headline", "headline", 0.80, 0.72, 0.86), variant("prior", "mu ~ Beta(0.5, 0.5)", 0.803, 0.73, 0.87),
        variant("prior", "mu ~ LogitNormal(0, 1.5); rho ~ Beta(1, 10)", 0.799, 0.74, 0.85),
        variant("tier_row", "with A 2015 (2/40)", 0.66, 0.45, 0.83, changes=True),
        variant("tier_row", "with B 2016 (1/9)")]


def figure_of(rows, name="Complete remission", stamp=""):
    labels = Labels({"cr": name}, scales={"cr": PERCENT}, stamp=stamp)
    return draw_sensitivity(SENSITIVITY.table(rows).frame, labels=labels)


def test_every_row_has_its_interval_median_and_numbers():
    figure = figure_of(ROWS)
    assert drawn(figure) == {(0.72, 0.8, 0.86), (0.73, 0.803, 0.87), (0.74, 0.799, 0.85), (0.45, 0.66, 0.83),
                             (0.8, 0.8), (0.81, 0.81)}
    for words in ("Complete remission", "10 studies", "80 [72, 86]", "80 [73, 87]", "80 [74, 85]", "66 [45, 83]",
                  "−14", "mu ~ Beta(0.5, 0.5)", "mu ~ LogitNormal(0, 1.5);\nrho ~ Beta(1, 10)", "with B 2016 (1/9)",
                  "not computed", "Priors", "One row of a lower tier added"):
        assert words in shown(figure), words


def test_the_band_is_the_headline_and_the_dotted_line_the_published_estimate():
    figure = figure_of(ROWS)
    (band,) = figure.axes[0].patches
    assert (band.get_x(), round(band.get_x() + band.get_width(), 6)) == (0.72, 0.86)
    assert drawn(figure, color=style.PUBLISHED) == {(0.81, 0.81)}
    assert "published, 81 %" in shown(figure)
    without = figure_of([{**row, "published": ""} for row in ROWS])
    assert not drawn(without, color=style.PUBLISHED) and "published" not in shown(without)


def test_only_a_variant_that_changes_a_conclusion_is_marked():
    figure = figure_of(ROWS)
    assert drawn(figure, color=style.ALARM) == {(0.45, 0.66, 0.83)}
    assert "Red (1 of 4 variants)" in shown(figure).replace("\n", " ")


def test_survival_is_named_with_its_horizon():
    rows = [{**row, "time_months": 12.0} for row in ROWS]
    assert "Survival at 12 months" in shown(figure_of(rows))


def test_a_long_list_says_how_much_of_it_is_not_drawn():
    figure = figure_of([ROWS[0], *ROWS[1:2] * (MAX_LINES + 4)])
    assert "5 more are in the table" in shown(figure)


def test_text_of_the_evidence_cannot_disturb_the_picture(tmp_path):
    rows = [*ROWS, variant("timing", "without: $x^$ <b>\u202e; " + "long " * 40, 0.79, 0.7, 0.9)]
    figure = figure_of(rows, name="T\x00 " + "wide " * 40, stamp="QUICK")
    assert "\u202e" not in shown(figure) and "\x00" not in shown(figure) and "QUICK" in shown(figure)
    svg, png = save_figure(figure, tmp_path / "sensitivity")
    assert svg.stat().st_size > 1000 and png.stat().st_size > 1000
