"""The section on missing studies: every number is one of the two tables."""

import pytest

from analysis.chapters.chapter import Page as Around
from analysis.chapters.missing import CHAPTER
from tests.report.reading import Page
from tests.reporting import page_of, project_results, with_tables


def _total(**cells):
    return {"endpoint": "cr", "scenario": "as_printed", "absent": "",
            "total_events": 400, "total_n": 489, "missing_k": 6, "missing_n": 140, "missing_events": 119,
            "base_gap": 0, "status": "computed", "reason": "", "note": "<note>", "expected_events": 111.6,
            "events_lower": 93.0, "events_upper": 127.0, "probability": 0.0368, "mid_p": 0.814, "two_sided": 0.372,
            "known_median": 0.80, "known_lower": 0.72, "known_upper": 0.86, "median": 0.815, "lower": 0.755,
            "upper": 0.861, **cells}


def _bound(**cells):
    return {"endpoint": "cr", "bound": "extreme_low", "scenario": "",
            "known_k": 10, "known_n": 349, "missing_k": 6, "missing_n": 140, "missing_events": 0, "status": "computed",
            "reason": "", "note": "", "median": 0.402, "lower": 0.241, "upper": 0.58, "level": 0.95,
            "interval": "credible", **cells}


@pytest.fixture(scope="module")
def page():
    guess = {"endpoint": "mrd_neg", "total_events": 341, "total_n": 428, "base_gap": 3}
    totals = (_total(), _total(**guess, absent="hay_2019", median=0.79),
              _total(**guess, absent="park_2018", median=0.77),
              _total(endpoint="relapse", median=None, status="not computed", reason="the base is responders"))
    return Page(page_of(with_tables(project_results(), {"published_totals.csv": totals,
                                                        "missing_bounds.csv": [_bound()]})))


def test_a_reading_is_told_with_its_numbers(page):
    assert "leaves 119 of 140 for the 6 studies without a number" in page.text
    assert "112 [93, 127] are expected" in page.text
    assert "two-sided predictive probability 0.37" in page.text
    assert "With the total the mean rate is 82 % [76, 86], without it 80 % [72, 86]" in page.text


def test_readings_with_an_absent_study_are_one_sentence(page):
    assert "which study is absent from the published total 341/428 is not printed, and no choice adds up" in page.text
    assert "Over 2 readings that nearly do, the mean rate with the total is 77 to 79 %" in page.text


@pytest.mark.parametrize(("gaps", "told"), [
    ((0, 0), "is not printed. Over 2 readings that add up, the"), ((0,), "Over 1 reading that adds up, the"),
    ((0, 3), "is not printed. Over 2 readings that add up or nearly do, the"),
    ((3,), "no choice adds up exactly. Over 1 reading that nearly does, the")])
def test_a_choice_that_adds_up_is_not_denied(results, gaps, told):
    """Other scenarios of the total are sentences of their own."""
    totals = [*(_total(absent="hay_2019 gu_2020", base_gap=gap) for gap in gaps),
              _total(absent="hay_2019", total_n=478)]
    text = Page(CHAPTER.section(with_tables(results, {"published_totals.csv": totals}), Around({}, None, None))).text
    assert told in text and "which 2 studies are absent from the published total 400/489" in text
    assert "which study is absent from the published total 400/478 is not printed. Over 1 reading that adds up" in text


def test_every_reading_and_bound_stands_in_a_table(page):
    rows = page.tables["Predictive probability of each published total, and the mean rate that uses it"][1:]
    assert len(rows) == 4
    assert rows[0][9] == "<note>"
    assert rows[3][8:] == ["not computed", "the base is responders; <note>"]
    (row,) = page.tables["The mean rate under what the studies without a number can have shown"][1:]
    assert row[1:7] == ["missing studies: no event", "10 / 349", "6 / 140", "0", "40 [24, 58]", "95 % credible"]


def test_a_total_of_studies_that_all_have_a_number_is_not_told_in_words(results):
    rows = [_total(missing_k=0, missing_n=0, missing_events=0)]
    assert "leaves" not in Page(CHAPTER.section(with_tables(results, {"published_totals.csv": rows}), Around(
        {}, None, None))).text


HEAD = {"bound": "headline", "missing_n": None, "missing_events": None, "median": 0.8, "lower": 0.72, "upper": 0.86}


@pytest.fixture(scope="module")
def results():
    return project_results()


def brief(results, totals):
    bounds = [_bound(**HEAD), _bound(), _bound(bound="extreme_high", median=0.87, lower=0.78, upper=0.93),
              _bound(**HEAD | {"endpoint": "nt_any"})]
    return Page(CHAPTER.brief(with_tables(results, {"published_totals.csv": totals, "missing_bounds.csv": bounds}),
                              None)).text


def test_where_a_published_total_bounds_the_missing_studies_it_leads(results):
    told = brief(results, [_total(), _total(scenario="adults", total_n=478, median=0.836, lower=0.77, upper=0.89),
                           _total(endpoint="nt_any", median=0.4)])
    assert "80 % [72, 86] without them; 82 % [76, 86] with the published total of 400/489; 84 % [77, 89] if that is " \
           "read as 400/478." in told and "had the event" not in told
    assert "of 1 other rate published from more studies than have a number here" in told


def test_a_total_of_several_readings_is_a_range(results):
    told = brief(results, [_total(absent="hay_2019", median=0.79), _total(absent="park_2018", median=0.77)])
    assert "77 to 79 % with the published total of 400/489." in told


@pytest.mark.parametrize("totals", [(), ({"endpoint": "mrd_neg"},), ({"median": None, "status": "not computed"},)])
def test_without_a_total_of_its_own_an_endpoint_has_its_extremes(results, totals):
    told = brief(results, [_total(**cells) for cells in totals])
    assert "without them; 40 % [24, 58] if none of their 140 patients had the event; 87 % [78, 93] if all of" in told


def test_readings_are_named_in_words(page):
    rows = page.tables["Predictive probability of each published total, and the mean rate that uses it"][1:]
    assert {row[1] for row in rows} == {"as printed 400/489", "as printed 341/428"}
