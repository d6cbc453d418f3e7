"""The figure of comparisons puts every compared number where comparison.csv has it."""

from analysis.chapters.published.figure import MAX_ROWS, draw_published
from analysis.results.comparison import COMPARISON
from analysis.results.writing import Labels
from tests.figures.reading import drawn, shown, texts


def row(**cells: object) -> dict:
    """A row of comparison.csv."""
    return {"endpoint": "cr", "subset": "all", "primary": True,
            "units": "probability", "published": 0.81, "published_lower": 0.72, "published_upper": 0.89,
            "published_level": 0.95, "published_k": 16, "k_studies": 10, "n_patients": 349, "median": 0.79,
            "lower": 0.71, "upper": 0.86, "level": 0.95, **cells}


CRUDE = row(endpoint="hct_after", published=0.26, published_lower=None, published_upper=None, median=0.35,
            lower=None, upper=None, level=None, published_level=None)
MONTHS = row(endpoint="os", units="months", published=15.0, published_lower=11.6, published_upper=19.4, median=14.5,
             lower=11.4, upper=18.4)


def figure_of(*rows, stamp=""):
    names = {"cr": "Complete remission", "os": "Overall survival", "hct_after": "Transplant"}
    return draw_published(COMPARISON.table(rows).frame, labels=Labels(names, stamp=stamp))


def test_both_intervals_of_a_row_are_drawn_and_written():
    figure = figure_of(row())
    assert drawn(figure) == {(0.72, 0.81, 0.89), (0.71, 0.79, 0.86)}
    for words in ("Complete remission", "81 [72, 89]", "79 [71, 86]", "16 / –", "10 / 349"):
        assert words in shown(figure)


def test_months_have_a_panel_of_their_own():
    figure = figure_of(row(), MONTHS)
    assert drawn(figure, plot=1) == {(11.6, 15.0, 19.4), (11.4, 14.5, 18.4)}
    assert figure.axes[1].get_xlim()[1] > 19.4
    assert len(figure_of(MONTHS).axes) == 1


def test_crude_numbers_are_points_without_an_interval():
    figure = figure_of(CRUDE)
    assert drawn(figure) == {(0.26,), (0.35,)}
    assert "(crude)" in shown(figure)


def test_a_line_with_the_name_of_its_endpoint_names_its_subset_as_well():
    assert "Complete remission, adults" in shown(figure_of(row(subset="adults"), CRUDE))


def test_survival_with_a_falling_hazard_is_turned_where_the_published_number_is_its_complement():
    dead = row(endpoint="os", our_endpoint="os", estimand="survival", time_months=12.0, transform="complement")
    falling = {("os", "all", "survival", 12.0): {"median": 0.56, "lower": 0.40, "upper": 0.70}}
    figure = draw_published(COMPARISON.table([dead]).frame, labels=Labels({"os": "Dead"}), falling=falling)
    assert {tuple(round(value, 9) for value in line) for line in drawn(figure)} >= {(0.3, 0.44, 0.6)}
    assert "44 [30, 60]" in shown(figure)


def test_what_is_not_compared_or_not_primary_is_not_drawn():
    figure = figure_of(row(), row(median=None, published=0.33), row(primary=False, published=0.44))
    assert drawn(figure) == {(0.72, 0.81, 0.89), (0.71, 0.79, 0.86)}


def test_a_quick_run_is_stamped():
    assert "QUICK" in texts(figure_of(row(), stamp="QUICK"))


def test_a_long_table_says_how_much_of_it_is_not_drawn():
    figure = figure_of(*[row()] * (MAX_ROWS + 3))
    assert f"{MAX_ROWS} published numbers" in shown(figure) and "3 more are in the table" in shown(figure)
