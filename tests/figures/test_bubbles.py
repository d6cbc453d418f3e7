"""Bubbles: what is imputed is drawn as far as it is possible, and slopes that few studies refuse are named."""

from analysis.chapters.regression.figure import draw_bubbles
from analysis.drawing import style
from tests.figures.reading import misplaced, shown

STUDIES = [{"study_id": name, "label": f"Study {name}", "raw": raw, "n": 20, "values": {"share": value}}
           for name, raw, value in (("a", 0.5, 20.0), ("b", 0.7, 60.0), ("c", 0.6, None))]
SLOPE = {"analysis": "one_at_a_time", "covariate": "share", "label": "Prior transplant", "unit": "50 points",
         "status": "converged", "refused": "", "ratio_scale": "odds_ratio", "ratio_median": 1.2, "ratio_lower": 0.8,
         "ratio_upper": 1.9, "probability_above_one": 0.8, "level": 0.95}
CELL = {"covariate": "share", "study_id": "c", "label": "Study c", "n": 20, "median": 38.0, "lower": -40.0,
        "upper": 115.0}


def figure_of(slopes=(SLOPE,), bounds=(0.0, 100.0)):
    return draw_bubbles(studies=STUDIES, slopes=slopes, predictions=(), imputed=[CELL], label="Response",
                        bounds={"share": bounds})


def test_imputed_values_stay_inside_their_possible_range():
    for bounds, wanted in (((0.0, 100.0), [0.0, 100.0]), ((0.0, None), [0.0, 115.0]), ((None, None), [-40.0, 115.0])):
        (axes,) = figure_of(bounds=bounds).axes
        (line,) = [line for line in axes.lines if line.get_color() == style.PUBLISHED]
        assert list(line.get_xdata()) == wanted
        low, high = (end if end is not None else far for end, far in zip(bounds, (-1e9, 1e9), strict=True))
        assert all(low <= tick <= high for tick in axes.get_xticks())


def test_studies_are_named_and_texts_apart():
    figure = figure_of()
    assert {"Study a", "Study b", "Study c"} <= set(shown(figure).split("\n")) and misplaced(figure) == []


def test_the_axis_is_named_for_what_it_shows_and_the_ratio_for_its_step():
    (axes,) = figure_of().axes
    assert axes.get_xlabel() == "Prior transplant" and "ratio 1.20 [0.80, 1.90], 50 points" in shown(figure_of())
    assert "Ratio: odds ratio for the step behind it." in " ".join(shown(figure_of()).split())


def test_whole_numbers_that_lie_together_are_no_ticks_of_their_own():
    """32 and 34 of 18 to 44 would run into each other; years that follow one another do not."""
    for values, own in (((18.0, 32.0, 34.0, 39.0, 44.0), False), ((2018.0, 2019.0, 2021.0), True)):
        studies = [{**STUDIES[0], "study_id": f"s{at}", "values": {"share": value}} for at, value in enumerate(values)]
        figure = draw_bubbles(studies=studies, slopes=[SLOPE], predictions=(), imputed=(), label="Response")
        assert (set(figure.axes[0].get_xticks()) == set(values)) == own and misplaced(figure) == []


def test_a_slope_that_few_studies_refuse_is_named_only():
    refused = {**SLOPE, "covariate": "other", "label": "Median age", "refused": "2 studies", "status": ""}
    figure = figure_of((SLOPE, refused))
    assert len(figure.axes) == 1 and "Too few studies for a slope: Median age" in shown(figure)
