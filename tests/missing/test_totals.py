"""Published totals: which studies they leave unknown, how surprising they are, and what they add."""

from functools import partial

import numpy as np
import pytest

from analysis.cases.settings import Job, Question
from analysis.chapters.missing.counts import predictive, sum_log_probability, tail_probabilities
from analysis.inference.density import density_of
from analysis.inference.grid import draw, solve
from analysis.inference.posterior import posterior_of
from models.beta_binomial import MODEL
from models.studies import RateStudies
from tests.casing import bare_case, cells
from tests.missing.cases import CR, STUDIES, evidence_of, rows_of_rates

KNOWN = RateStudies("abc", [15, 26, 18], [20, 30, 25])


def evidence_with_total(sizes, total):
    """Log evidence of the studies with a count together with a total of others."""
    extra = partial(sum_log_probability, sizes=sizes, total=total)
    return solve(density_of(MODEL, KNOWN, MODEL.priors, extra=extra)).log_evidence


def totals_of(folder, job=CR, **tables):
    return rows_of_rates(evidence_of(folder, **tables), job)[0]


def test_the_unknown_studies_share_what_the_known_ones_leave(tmp_path):
    printed, fewer = totals_of(tmp_path)
    assert cells(printed, "known_k known_events known_n") == (3, 59, 75)
    assert cells(printed, "missing missing_events missing_n base_gap") == ("d:12 e:8", 15, 20, 0)
    assert cells(printed, "scenario status note") == ("as_printed", "computed", "")
    assert cells(fewer, "scenario missing total_n base_gap") == ("fewer", "d:7 e:8", 90, 0)
    assert fewer["note"] == "Seven were evaluable"


def test_studies_outside_the_review_are_neither_known_nor_missing(tmp_path):
    row = totals_of(tmp_path, Job(Question("cr", study_set="all")))[0]
    assert cells(row, "known_k study_set") == (3, "review")


def test_a_row_of_a_tier_that_does_not_count_is_unknown(tmp_path):
    responses = "study_id,endpoint,events,n,tier\na,cr,15,20,A\nb,cr,26,30,A\nc,cr,18,25,C\n"
    strict = totals_of(tmp_path, responses=responses)[0]
    assert cells(strict, "known_k missing") == (2, "c:25 d:12 e:8")


def test_the_predictive_probability_is_the_double_sum_over_draws(tmp_path):
    row = totals_of(tmp_path)[0]
    size, rng = 200_000, np.random.default_rng(77)
    draws = draw(solve(density_of(MODEL, KNOWN, MODEL.priors)), size, rng)
    kappa = 1.0 / draws["rho"] - 1.0
    counts = sum(rng.binomial(n, rng.beta(draws["mu"] * kappa, (1.0 - draws["mu"]) * kappa)) for n in (12, 8))
    for seen, computed in (((counts == 15), row["probability"]), ((counts < 15) + 0.5 * (counts == 15), row["mid_p"]),
                        (counts, row["expected_events"])):
        # Systematic draws vary less than random ones: 4.5 standard errors of the latter are on the safe side.
        assert computed == pytest.approx(seen.mean(), abs=4.5 * seen.std() / np.sqrt(size))
    assert row["two_sided"] == pytest.approx(2.0 * min(row["mid_p"], 1.0 - row["mid_p"]), abs=1e-8)
    lower, upper = np.quantile(counts, [0.025, 0.975], method="inverted_cdf")
    assert cells(row, "events_lower events_upper") == (lower, upper)


def test_both_tails_of_a_distribution_are_counted_with_half_of_the_middle():
    tails = tail_probabilities(np.array([0.1, 0.2, 0.3, 0.4]), 3)
    assert tails == pytest.approx({"probability": 0.4, "mid_p": 0.8, "two_sided": 0.4})


def test_one_missing_study_of_known_count_is_a_further_study(tmp_path):
    studies = STUDIES.replace("e,E 2019,2019,8,true\n", "")
    row = totals_of(tmp_path, studies=studies, totals="endpoint,k_studies,events,n\ncr,4,70,87\n", scenarios=None)[0]
    further = posterior_of(bare_case(MODEL, RateStudies("abcd", [15, 26, 18, 11], [20, 30, 25, 12])))
    wanted = further.summary("mu")
    # Two grids at different places: quantiles between their points differ by up to 5e-6.
    assert cells(row, "median lower upper") == pytest.approx((wanted.median, wanted.lower, wanted.upper), abs=2e-5)
    # The sums themselves are held to 1e-8.
    assert evidence_with_total([12], 11) == pytest.approx(further.log_evidence, abs=1e-7)


def test_a_total_adds_to_the_evidence_what_it_was_predicted_with():
    alone = posterior_of(bare_case(MODEL, KNOWN))
    gain = evidence_with_total([12, 8], 15) - alone.log_evidence
    assert gain == pytest.approx(np.log(predictive(alone, [12, 8]).probabilities[15]), abs=1e-5)


def test_no_missing_study_leaves_the_posterior_as_it_is(tmp_path):
    studies = STUDIES.replace("d,D 2018,2018,12,true\ne,E 2019,2019,8,true\n", "")
    row = totals_of(tmp_path, studies=studies, totals="endpoint,k_studies,events,n\ncr,3,59,75\n", scenarios=None)[0]
    assert cells(row, "missing_k missing_events probability") == (0, 0, pytest.approx(1.0))
    assert cells(row, "median lower upper") == pytest.approx(cells(row, "known_median known_lower known_upper"))


@pytest.mark.parametrize(("totals", "studies", "words"), [
    ("cr,5,50,95", STUDIES, "the known studies alone have 9 more events than the published total"),
    ("cr,5,80,95", STUDIES, "21 events are left for 20 patients"),
    ("cr,5,,95", STUDIES, "no total of events"),
    ("cr,6,74,95", STUDIES, "1 of the studies behind the total are not in the evidence"),
    ("cr,4,74,", STUDIES, "no base is printed"),
    ("cr,4,74,300", STUDIES, "no choice of 4 of the 5 studies comes near the base of 300"),
    ("cr,5,74,95", STUDIES.replace("2019,8,", "2019,,"), "the patients of E 2019 are not known"),
    ("cr,5,700,9000", STUDIES.replace("2019,8,", "2019,8000,"), "more than 600 patients"),
    ("relapse,5,40,", STUDIES, "the base is responders"),
])
def test_a_total_that_says_nothing_has_a_row_with_the_reason(tmp_path, totals, studies, words):
    rows = totals_of(tmp_path, totals=f"endpoint,k_studies,events,n\n{totals}\n", studies=studies, scenarios=None)
    assert [row["status"] for row in rows] == ["not computed"]
    assert words in rows[0]["reason"]
    assert rows[0]["median"] is None and rows[0]["probability"] is None


def test_an_unknown_absent_study_is_every_study_that_fits_the_base(tmp_path):
    # 95 patients without one study: 87 without e (8), 83 without d (12); 86 is 1 from the first, 3 from the second.
    rows = totals_of(tmp_path, totals="endpoint,k_studies,events,n\ncr,4,70,86\n", scenarios=None)
    assert [cells(row, "absent denominators base_gap") for row in rows] == [("e", "treated", 1), ("e", "reduced", 1)]
    treated, reduced = rows
    assert (treated["missing"], reduced["missing"]) == ("d:12", "d:11")
    assert "1 more than the printed base, taken from the unknown studies" in reduced["note"]
    assert treated["note"] == "E 2019 taken as absent; patients of the studies: 1 more than the printed base"


def test_an_absent_study_with_a_count_is_not_behind_the_total(tmp_path):
    rows = totals_of(tmp_path, totals="endpoint,k_studies,events,n\ncr,4,58,70\n", scenarios=None)
    assert [cells(row, "absent known_k known_events missing_events") for row in rows] == [("c", 2, 41, 17)]
