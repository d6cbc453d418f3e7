"""Bounds over the missing studies: their order, their counts, and the cases in which there are none."""

from dataclasses import replace

import pytest

from analysis.chapters.missing.counts import filled, in_proportion
from analysis.evidence.loading import load
from tests.casing import cells
from tests.data.tables import FOLDER
from tests.evidence.build import MINIMAL, write_files
from tests.missing.cases import CR, STUDIES, evidence_of, rows_of_rates


def bounds_of(folder, job=CR, **tables):
    _, rows = rows_of_rates(evidence_of(folder, **tables), job)
    return {(row["bound"], row["scenario"] or ""): row for row in rows if row["endpoint"] == "cr"}


@pytest.fixture(scope="module")
def review():
    return rows_of_rates(load(FOLDER))


@pytest.fixture(scope="module")
def bounds(review):
    return review[1]


def test_extreme_bounds_hold_plausible_ones_and_these_the_headline(bounds):
    computed = [row for row in bounds if row["status"] == "computed"]
    for endpoint in dict.fromkeys(row["endpoint"] for row in computed):
        at = {row["bound"]: row for row in computed if row["endpoint"] == endpoint}
        # Medians and outer limits are ordered. Inner ones need not be: a more extreme count is also a wider interval.
        for limit in ("median", "lower"):
            values = [at[bound][limit] for bound in ("extreme_low", "each_low", "joint_low", "headline")]
            assert values == sorted(values)
        for limit in ("median", "upper"):
            values = [at[bound][limit] for bound in ("headline", "joint_high", "each_high", "extreme_high")]
            assert values == sorted(values)
        assert at["joint_low"]["median"] < at["headline"]["median"] < at["joint_high"]["median"]


def test_a_published_total_is_kept_by_every_split(bounds):
    rows = [row for row in bounds if row["endpoint"] == "cr" and row["bound"].startswith("total")]
    assert {cells(row, "scenario missing_events missing_n") for row in rows} == {("as_printed", 119, 140),
                                                                                   ("adults_27", 119, 129)}
    for row in rows:
        counts = [cell.split(":")[1].split("/") for cell in row["missing"].split()]
        assert sum(int(events) for events, _ in counts) == 119
        assert all(int(events) <= int(n) for events, n in counts)


def test_every_printed_total_of_the_review_has_rows(review):
    totals, _ = review
    assert {row["endpoint"] for row in totals} == {"cr", "mrd_neg", "relapse"}
    assert {row["scenario"] for row in totals if row["endpoint"] == "mrd_neg"} == {"as_printed", "adults_27"}
    printed, adults = (row["mid_p"] for row in totals if row["endpoint"] == "cr")
    # The upper tail, 1 - mid_p: about 0.2 and 0.01 by a first, independent calculation.
    assert (round(1.0 - printed, 1), round(1.0 - adults, 2)) == (0.2, 0.01)


def test_a_bound_is_the_posterior_with_its_counts(tmp_path):
    low = bounds_of(tmp_path)["extreme_low", ""]
    responses = "study_id,endpoint,events,n\na,cr,15,20\nb,cr,26,30\nc,cr,18,25\nd,cr,0,12\n"
    known = bounds_of(tmp_path, responses=responses)["headline", ""]
    assert cells(low, "missing missing_events missing_n") == ("d:0/12 e:0/8", 0, 20)
    both = bounds_of(tmp_path, responses=responses)["extreme_low", ""]
    assert cells(both, "median lower upper") == pytest.approx(cells(low, "median lower upper"), abs=1e-9)
    assert low["median"] < known["median"]


def test_the_largest_of_the_candidates_are_taken_and_said_to_be(tmp_path):
    row = bounds_of(tmp_path, reported=None, totals="endpoint,k_studies,events,n\ncr,4,74,86\n", scenarios=None)
    assert row["extreme_high", ""]["missing"] == "d:12/12"
    assert "which 1 of 2 studies are missing is not known" in row["extreme_high", ""]["note"]


def test_the_published_interval_stands_beside_the_bounds(tmp_path):
    row = bounds_of(tmp_path)["published", ""]
    assert cells(row, "median lower upper interval") == (0.8, 0.7, 0.9, "confidence")


def test_priors_are_arguments(tmp_path):
    usual = bounds_of(tmp_path)["headline", ""]
    narrow = bounds_of(tmp_path, replace(CR, priors=(("mu", "Beta(50, 50)"),)))["headline", ""]
    assert narrow["median"] < usual["median"]


@pytest.mark.parametrize(("tables", "words"), [
    ({"responses": "study_id,endpoint,events,n\na,relapse,5,15\n"}, "no study has a count of its own"),
    ({"studies": STUDIES.replace(",12,", ",,").replace(",8,", ",,")}, "no study without a count has a known number"),
])
def test_bounds_that_cannot_be_had_have_a_row_with_the_reason(tmp_path, tables, words):
    row, = bounds_of(tmp_path, **tables).values()
    assert row["status"] == "not computed" and words in row["reason"] and row["median"] is None


def test_too_many_missing_patients_leave_the_extreme_bounds(tmp_path):
    rows = bounds_of(tmp_path, studies=STUDIES.replace(",12,", ",12000,"), totals=None, scenarios=None)
    assert {bound for bound, _ in rows} == {"headline", "extreme_low", "extreme_high", "published"}
    assert "not formed for more than 600 missing patients" in rows["extreme_low", ""]["note"]
    assert rows["extreme_low", ""]["median"] < rows["headline", ""]["median"]


def test_another_base_than_the_treated_patients_has_a_reason(tmp_path):
    row, = (row for row in rows_of_rates(evidence_of(tmp_path))[1] if row["endpoint"] == "relapse")
    assert row["reason"].startswith("the base is responders")


def test_nothing_published_gives_no_rows(tmp_path):
    assert bounds_of(tmp_path, reported=None, totals=None, scenarios=None, comparisons=None) == {}
    assert rows_of_rates(load(write_files(tmp_path / "bare", MINIMAL))) == [(), ()]


def test_no_missing_study_gives_no_bounds(tmp_path):
    assert bounds_of(tmp_path, reported=None, totals="endpoint,k_studies,events,n\ncr,3,59,75\n", scenarios=None) == {}


@pytest.mark.parametrize("total", [0, 1, 7, 19, 29, 30])
def test_splits_keep_the_total_and_the_sizes(total):
    sizes = (9, 1, 15, 5)
    for split in (in_proportion(total, sizes), filled(total, sizes, largest_first=True),
                  filled(total, sizes, largest_first=False)):
        assert sum(split) == total
        assert all(0 <= events <= size for events, size in zip(split, sizes, strict=True))
    even = in_proportion(total, sizes)
    assert all(abs(events - total * size / 30) < 1.0 for events, size in zip(even, sizes, strict=True))


def test_uneven_splits_fill_study_after_study():
    assert filled(17, (9, 1, 15, 5), largest_first=True) == (2, 0, 15, 0)
    assert filled(17, (9, 1, 15, 5), largest_first=False) == (9, 1, 2, 5)


def test_an_even_split_rounds_where_the_remainder_is_largest():
    # Exact shares 2.1, 0.23, 3.5 and 1.17.
    assert in_proportion(7, (9, 1, 15, 5)) == (2, 0, 4, 1)
    assert in_proportion(0, (0, 0)) == (0, 0)
