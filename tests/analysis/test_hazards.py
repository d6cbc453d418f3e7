"""Every rule that turns a printed survival statistic into a log hazard, by hand."""

import math

import pytest

from analysis.cases import hazards
from analysis.cases.case import headline_case
from analysis.cases.hazards import Conversion, as_studies, describe
from analysis.cases.settings import Job, Question
from analysis.evidence.types import Survival

Z95, Z90 = 1.959964, 1.644854
EXACT = {"abs": 2e-6}  # z is written with six decimals


def _row(**cells: object) -> Survival:
    base = {"row": 2, "study_id": "a", "endpoint": "os", "definition": "OS", "population": "all_treated",
            "stratum": "", "cut": "primary", "statistic": "median", "time_months": None, "estimate": None,
            "ci_low": None, "ci_high": None, "ci_level": None, "upper_not_reached": False, "n": 50,
            "events": None, "person_months": None, "tier": "A", "fact_ids": (), "decision": "",
            "censored_at_hct": None, "non_responders": "", "time_unit": ""}
    given = base | cells
    if given["ci_low"] is not None and given["ci_level"] is None:
        given["ci_level"] = 0.95
    return Survival(**given)


def convert(rows: list[Survival], *, horizon: float = 12.0, **changed: float) -> tuple[Conversion, ...]:
    return hazards.convert(rows, horizon=horizon, **changed)


def _one(**cells: object) -> Conversion:
    (found,) = convert([_row(**cells)])
    return found


def _landmark(**cells: object) -> Conversion:
    return _one(statistic="landmark", **cells)


def test_median_with_an_interval_even_on_the_log_scale() -> None:
    found = _one(estimate=12.0, ci_low=6.0, ci_high=24.0)
    assert found.log_hazard == pytest.approx(math.log(math.log(2.0) / 12.0))
    assert found.se_lower == found.se_upper == pytest.approx(math.log(4.0) / (2.0 * Z95), **EXACT)
    assert "log scale" in found.rule


def test_median_with_an_interval_even_on_the_plain_scale() -> None:
    found = _one(estimate=12.91, ci_low=7.74, ci_high=18.08, n=200)
    assert found.se_lower == found.se_upper == pytest.approx(10.34 / (2.0 * Z95 * 12.91), **EXACT)
    assert "plain scale" in found.rule


def test_median_uneven_on_both_scales_is_a_split_normal() -> None:
    found = _one(estimate=10.0, ci_low=9.0, ci_high=30.0)
    # Its arms are 1 and 20 on the plain scale, 0.105 and 1.099 on the log scale. A short median is a high
    # hazard.
    assert found.se_lower == pytest.approx(math.log(3.0) / Z95, **EXACT)
    assert found.se_upper == pytest.approx(1.0 / math.sqrt(50.0))
    assert "split normal" in found.rule and "not below 1/sqrt(50)" in found.rule
    free = _one(estimate=10.0, ci_low=9.0, ci_high=30.0, n=10_000)
    assert free.se_upper == pytest.approx(math.log(10.0 / 9.0) / Z95, **EXACT)


@pytest.mark.parametrize(("low", "split"), [(9.35, False), (9.27, False), (9.40, True)])
def test_arms_may_differ_by_half(low: float, split: bool) -> None:
    # Below 11 the plain arms are 1.54, 1.37 and 1.67 to one, those of the logs 1.42, 1.26 and 1.54.
    found = _one(estimate=10.0, ci_low=low, ci_high=11.0, n=10_000)
    assert ("split" in found.rule) == split


def test_landmark_even_on_the_plain_scale() -> None:
    found = _landmark(time_months=12.0, estimate=0.5, ci_low=0.35, ci_high=0.65)
    assert found.log_hazard == pytest.approx(math.log(math.log(2.0) / 12.0))
    assert found.se_lower == found.se_upper == pytest.approx(0.30 / (2.0 * Z95 * 0.5 * math.log(2.0)), **EXACT)


def test_landmark_even_on_the_log_log_scale() -> None:
    centre, arm = math.log(-math.log(0.85)), 0.9
    low, high = (math.exp(-math.exp(centre + sign * arm)) for sign in (1.0, -1.0))
    found = _landmark(time_months=6.0, estimate=0.85, ci_low=low, ci_high=high)
    assert found.log_hazard == pytest.approx(centre - math.log(6.0))
    assert found.se_lower == found.se_upper == pytest.approx(arm / Z95, **EXACT)
    assert "log-log scale" in found.rule


def test_landmark_even_on_the_log_scale() -> None:
    found = _landmark(time_months=12.0, estimate=0.2, ci_low=0.1, ci_high=0.4)
    # The delta method: d log h = d log S / log S.
    assert found.se_lower == pytest.approx(math.log(4.0) / (2.0 * Z95 * math.log(5.0)), **EXACT)
    assert "log scale" in found.rule and "log-log" not in found.rule


def test_landmark_uneven_on_every_scale_is_a_split_normal() -> None:
    found = _landmark(time_months=12.0, estimate=0.5, ci_low=0.2, ci_high=0.55, n=10_000)
    g = [math.log(-math.log(value)) for value in (0.2, 0.5, 0.55)]
    assert (found.se_lower, found.se_upper) == (pytest.approx((g[1] - g[2]) / Z95, **EXACT),
                                                pytest.approx((g[0] - g[1]) / Z95, **EXACT))


def _scales(survival: float, limit: float) -> dict[str, float]:
    """Errors of the log hazard from one limit of survival on each scale."""
    cumulative = -math.log(survival)
    plain, log = abs(survival - limit) / (survival * cumulative), abs(math.log(survival / limit)) / cumulative
    log_log = abs(math.log(-math.log(limit) / cumulative))
    return {name: arm / Z95 for name, arm in (("plain", plain), ("log", log), ("log-log", log_log))}


@pytest.mark.parametrize("high", [1.0, 1.03, 1.05])
@pytest.mark.parametrize(("estimate", "low", "n"), [(0.95, 0.859, 20), (0.933, 0.815, 15)])
def test_a_limit_of_1_is_a_cut(estimate: float, low: float, n: int, high: float) -> None:
    """19 of 20 and 14 of 15: Greenwood's error of log S, sqrt((1 - S)/(n S)), is 1.000 of |log S| in both.

    Programs print S exp(+-1.96 error) and cut it at 1: 0.95^2/0.859 = 1.05 and 0.933^2/0.815 = 1.07. The plain scale,
    2 S - L = 1.04 and 1.05, is cut too and gives 0.95 and 0.93; of the two the larger is taken. The log-log scale ends
    below 1.
    """
    found = _landmark(time_months=12.0, estimate=estimate, ci_low=low, ci_high=high, n=n)
    assert found.se_lower == found.se_upper == pytest.approx(_scales(estimate, low)["log"], **EXACT)
    assert found.se_lower == pytest.approx(1.0, abs=6e-3)  # limits of three digits
    assert "lower limit alone, log scale" in found.rule


def test_a_limit_of_0_is_a_cut() -> None:
    """Of 0.05 [0, 0.15] only the plain scale, 2 x 0.05 - 0.15 < 0, leaves 0 to 1."""
    for low in (0.0, -0.02):
        found = _landmark(time_months=12.0, estimate=0.05, ci_low=low, ci_high=0.15, n=20)
        assert found.se_lower == found.se_upper == pytest.approx(_scales(0.05, 0.15)["plain"], **EXACT)
    # 0.9 [0, 0.99] is even on no scale; the largest error is that of the log-log scale.
    odd = _landmark(time_months=12.0, estimate=0.9, ci_low=0.0, ci_high=0.99)
    assert odd.se_lower == pytest.approx(max(_scales(0.9, 0.99).values()), **EXACT)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.1, 1.1), (0.7, 0.7), (0.0, 0.7)])
def test_two_cut_limits_are_no_interval(low: float, high: float) -> None:
    cells = {"time_months": 12.0, "estimate": 0.7}
    found, without = _landmark(ci_low=low, ci_high=high, **cells), _landmark(**cells)
    assert (found.se_lower, found.se_upper) == (without.se_lower, without.se_upper)
    assert found.rule.startswith("both limits are cut")


def test_a_limit_at_the_estimate_is_a_cut() -> None:
    found = _landmark(time_months=12.0, estimate=0.95, ci_low=0.859, ci_high=0.95, n=20)
    assert found.se_lower == pytest.approx(max(_scales(0.95, 0.859).values()), **EXACT)
    # A median: of (24 - 12)/12 = 1 on the plain and log 2 on the log scale the larger; log(12/6) beats (12 - 6)/12.
    assert _one(estimate=12.0, ci_low=12.0, ci_high=24.0).se_upper == pytest.approx(1.0 / Z95, **EXACT)
    assert _one(estimate=12.0, ci_low=6.0, ci_high=12.0).se_lower == pytest.approx(math.log(2.0) / Z95, **EXACT)


def test_a_median_less_its_error_may_be_cut_at_0() -> None:
    """10 [0, 24] is 10 +- 14 months, cut; 10 [0, 15] would reach 5 or 6.7, so the larger, plain error is taken."""
    for high in (24.0, 15.0):
        found = _one(estimate=10.0, ci_low=0.0, ci_high=high)
        assert found.se_lower == found.se_upper == pytest.approx((high - 10.0) / 10.0 / Z95, **EXACT)
    bare = _one(estimate=10.0, ci_low=0.0, upper_not_reached=True)
    assert bare.se_lower == _one(estimate=10.0).se_lower


def test_survival_of_100_percent_is_no_event_in_the_time_of_the_effective_patients() -> None:
    """10/1.25^2 = 6.4 patients for 12 months."""
    found = _landmark(time_months=12.0, estimate=1.0, n=10)
    assert (found.events, found.person_months, found.landmark_months) == (0.0, pytest.approx(76.8), 12.0)
    assert (found.patients, math.isnan(found.log_hazard)) == (10, True)
    assert _landmark(time_months=12.0, estimate=1.0, ci_low=1.0, ci_high=1.0, n=10).person_months == pytest.approx(76.8)
    (whole,) = convert([_row(statistic="landmark", time_months=12.0, estimate=1.0, n=10)], factor=1.0)
    assert whole.person_months == 120.0


def test_survival_of_0_percent_is_a_count_of_events_by_then() -> None:
    found = _landmark(time_months=6.0, estimate=0.0, n=10)
    assert (found.events, found.person_months, found.landmark_months) == (pytest.approx(6.4), 0.0, 6.0)


@pytest.mark.parametrize(("limit", "patients"), [(0.025 ** (1 / 8), 8.0), (0.025 ** (1 / 30), 10.0), (0.0, 6.4)])
def test_a_printed_limit_beside_certainty_says_how_many_patients_it_rests_on(limit: float, patients: float) -> None:
    """Nobody of m has the lower limit L = 0.025^(1/m) (Clopper-Pearson); never more than the 10 that there are."""
    sure = _landmark(time_months=12.0, estimate=1.0, ci_low=limit, ci_high=1.0, n=10)
    none = _landmark(time_months=12.0, estimate=0.0, ci_low=0.0, ci_high=1.0 - limit, n=10)
    assert sure.person_months == pytest.approx(12.0 * patients)
    assert none.events == pytest.approx(patients)


def test_another_level_has_its_own_z() -> None:
    found = _one(estimate=12.0, ci_low=6.0, ci_high=24.0, ci_level=0.9)
    assert found.se_lower == pytest.approx(math.log(4.0) / (2.0 * Z90), **EXACT)


@pytest.mark.parametrize(
    "cells",
    [
        {"estimate": 12.0, "ci_low": 11.9, "ci_high": 12.1},
        {"statistic": "landmark", "time_months": 12.0, "estimate": 0.5, "ci_low": 0.499, "ci_high": 0.501},
        {"estimate": 12.0, "ci_low": 12.0, "ci_high": 12.1},
    ],
)
def test_no_error_is_below_that_of_as_many_events_as_patients(cells: dict) -> None:
    found = _one(**cells)
    assert min(found.se_lower, found.se_upper) == pytest.approx(1.0 / math.sqrt(50.0))


@pytest.mark.parametrize("factor", [1.0, 1.25, 2.0])
def test_no_interval(factor: float) -> None:
    (median,) = convert([_row(estimate=12.0)], factor=factor)
    assert median.se_lower == median.se_upper == pytest.approx(factor / (math.log(2.0) * math.sqrt(50.0)))
    (landmark,) = convert([_row(statistic="landmark", time_months=9.0, estimate=0.8)], factor=factor)
    wanted = max(factor * math.sqrt(0.2 / (50 * 0.8 * math.log(0.8) ** 2)), 1.0 / math.sqrt(50.0))
    assert landmark.se_upper == pytest.approx(wanted)


def test_no_interval_is_widened_by_a_quarter_unless_asked_otherwise() -> None:
    assert _one(estimate=12.0).se_lower == pytest.approx(1.25 * 1.4427 / math.sqrt(50.0), rel=1e-4)


def test_upper_limit_not_reached_takes_the_larger_of_two() -> None:
    wide = _one(estimate=18.2, ci_low=6.0, upper_not_reached=True)
    assert wide.se_lower == wide.se_upper == pytest.approx(math.log(18.2 / 6.0) / Z95, **EXACT)
    narrow = _one(estimate=18.2, ci_low=15.9, upper_not_reached=True, n=53)
    assert narrow.se_lower == narrow.se_upper == pytest.approx(1.25 / (math.log(2.0) * math.sqrt(53.0)))


def test_events_and_person_months_stay_counts() -> None:
    found = _one(statistic="", events=9, person_months=180.5, n=20)
    studies = as_studies([found])
    assert (studies.events[0], studies.person_months[0], studies.is_poisson[0]) == (9.0, 180.5, True)
    assert math.isnan(found.log_hazard)


def _strata(*medians: float) -> list[Survival]:
    return [_row(estimate=median, stratum=f"g{median}", n=n) for median, n in zip(medians, (45, 8), strict=True)]


@pytest.mark.parametrize(("medians", "survival", "log_hazard", "error"),
                         [((20.0, 5.0), 0.589, -3.12, 0.19), ((7.6, 0.8), 0.284, -2.26, 0.19)])
def test_two_strata_are_one_study(medians: tuple, survival: float, log_hazard: float, error: float) -> None:
    (found,) = convert(_strata(*medians), factor=1.0)
    # The values are written with three and two decimals.
    assert math.exp(-12.0 * math.exp(found.log_hazard)) == pytest.approx(survival, abs=5e-4)
    assert found.log_hazard == pytest.approx(log_hazard, abs=6e-3)
    assert found.se_lower == found.se_upper == pytest.approx(error, abs=6e-3)
    assert (found.patients, found.rows) == (53, (2, 2))


def test_mixing_of_strata_by_hand() -> None:
    (found,) = convert(_strata(20.0, 5.0), factor=1.25)
    weight, hazard = (45 / 53, 8 / 53), (math.log(2.0) / 20.0, math.log(2.0) / 5.0)
    error = [1.25 / (math.log(2.0) * math.sqrt(n)) for n in (45, 8)]
    alive = [math.exp(-12.0 * h) for h in hazard]
    mixed = weight[0] * alive[0] + weight[1] * alive[1]
    variance = (sum((w * s * 12.0 * h * e) ** 2 for w, s, h, e in zip(weight, alive, hazard, error, strict=True))
                + weight[0] * weight[1] * (alive[0] - alive[1]) ** 2 / 53)
    assert found.log_hazard == pytest.approx(math.log(-math.log(mixed) / 12.0))
    assert found.se_lower == pytest.approx(math.sqrt(variance) / (mixed * abs(math.log(mixed))))


def test_strata_of_counts_are_added_up() -> None:
    (found,) = convert([_row(statistic="", stratum=name, events=d, person_months=t, n=n)
                        for name, d, t, n in (("x", 9, 180.5, 20), ("y", 4, 19.5, 6))])
    assert (found.events, found.person_months, found.patients) == (13.0, 200.0, 26)
    assert len(as_studies([found])) == 1


def test_a_stratum_of_counts_can_be_mixed_with_a_median() -> None:
    rows = [_row(estimate=20.0, stratum="x", n=45), _row(statistic="", stratum="y", events=6, person_months=40.0, n=8)]
    (found,) = convert(rows)
    share = (45 * math.exp(-12.0 * math.log(2.0) / 20.0) + 8 * math.exp(-12.0 * 6.5 / 40.0)) / 53
    assert found.log_hazard == pytest.approx(math.log(-math.log(share) / 12.0))
    assert 0.0 < found.se_lower < 1.0


def test_studies_keep_their_order_and_early_landmarks_are_marked() -> None:
    rows = [_row(study_id="b", estimate=10.0), _row(study_id="a", statistic="landmark", time_months=4.14,
                                                    estimate=0.56)]
    found = convert(rows)
    assert [one.study_id for one in found] == ["b", "a"]
    assert [one.early for one in found] == [False, True]


def test_strata_of_certain_survival() -> None:
    def stratum(name: str, estimate: float, months: float = 12.0) -> Survival:
        return _row(statistic="landmark", time_months=months, estimate=estimate, stratum=name, n=25)

    (alive,) = convert([stratum("x", 1.0), stratum("y", 1.0, 6.0)])
    # 25/1.25^2 = 16 patients each, for 12 and for 6 months.
    assert (alive.events, alive.person_months, alive.landmark_months, alive.patients) == (0.0, 288.0, 0.0, 50)
    (dead,) = convert([stratum("x", 0.0), stratum("y", 0.0, 6.0)])
    assert (dead.events, dead.person_months, dead.landmark_months) == (32.0, 0.0, 12.0)
    (mixed,) = convert([stratum("x", 1.0), stratum("y", 0.5)])
    # Smoothed survival of the first, (16 + 1/2)/(16 + 1), half of it and half of the other.
    share = 0.5 * 16.5 / 17.0 + 0.5 * 0.5
    assert mixed.log_hazard == pytest.approx(math.log(-math.log(share) / 12.0))


def test_strata_are_mixed_at_the_horizon() -> None:
    (found,) = convert(_strata(20.0, 5.0), horizon=24.0)
    share = (45 * 0.5 ** (24 / 20) + 8 * 0.5 ** (24 / 5)) / 53
    assert math.exp(-24.0 * math.exp(found.log_hazard)) == pytest.approx(share)
    assert "mixed at 24 months" in found.rule


def test_effective_patients_are_those_of_a_binomial_error() -> None:
    """By the closed form on the plain scale, n = S (1 - S) (2 z)^2 / (u - l)^2; n / factor^2 without an interval."""
    for estimate, low, high in ((0.686, 0.492, 0.88), (0.47, 0.27, 0.67)):
        found = _landmark(time_months=12.0, estimate=estimate, ci_low=low, ci_high=high, n=38)
        assert found.effective == pytest.approx(estimate * (1 - estimate) * (2 * Z95 / (high - low)) ** 2, rel=1e-5)
    assert _landmark(time_months=3.0, estimate=0.8, n=50).effective == pytest.approx(50 / 1.25**2)
    assert _one(estimate=12.0, n=50).effective == pytest.approx(50 / 1.25**2)
    # A narrow interval of a median counts as more patients than there are; counts are what they are.
    assert _one(estimate=12.9, ci_low=7.7, ci_high=18.1, n=20).effective > 40
    assert math.isnan(_one(statistic="", events=5, person_months=50.0).effective)


def test_a_landmark_whose_interval_is_that_of_fewer_patients_is_noted(shipped) -> None:
    """Of 38 patients the usual censoring leaves 38/1.25^2 = 24.3; both intervals of one study have 22.0 and 23.9."""
    noted, numbers = {}, {}
    for endpoint in ("os", "pfs"):
        case = headline_case(shipped, Job(Question(endpoint)), endpoint)
        noted[endpoint] = hazards.effective_notes(case.selection.rows, case.conversions)
        (numbers[endpoint],) = (one.effective for one in case.conversions if one.study_id == "ortiz_maldonado_2020")
    assert numbers == pytest.approx({"os": 22.0, "pfs": 23.9}, abs=0.05)
    assert noted == {"pfs": [], "os": [
        "ortiz_maldonado_2020: the interval of 68.6 % at 12 months (49.2 to 88 %) has the error of 22 patients without "
        "censoring, where the usual censoring leaves 24 of 38"]}


@pytest.mark.parametrize("medians", [(0.01, 0.01), (1e-300, 1e300), (1e-300, 1e-300), (1e300, 1e300), (1e-308, 12.0)])
def test_strata_of_any_size_convert(medians: tuple[float, float]) -> None:
    """Survival of exp(-12 x 69) and less is no number that a computer holds; its logarithm is."""
    rows = [_row(estimate=median, stratum=f"g{at}", n=20) for at, median in enumerate(medians)]
    (found,) = convert(rows)
    assert math.isfinite(found.log_hazard) and 0.0 < found.se_lower < math.inf and found.effective > 0.0
    if medians[0] == medians[1]:
        assert found.log_hazard == pytest.approx(math.log(math.log(2.0)) - math.log(medians[0]), abs=1e-9)


@pytest.mark.parametrize("cells", [
    {"estimate": 1e-300, "ci_low": 1e-301, "ci_high": 1e300}, {"estimate": 1e300, "ci_low": 1e-300, "ci_high": 2e300},
    {"estimate": 1e-300, "ci_low": 1e-300, "ci_high": 1e300}, {"estimate": 1e300, "ci_low": 0.0, "ci_high": 1.7e308},
    {"statistic": "landmark", "time_months": 1e-300, "estimate": 1e-300, "ci_low": 0.0, "ci_high": 0.99},
    {"statistic": "landmark", "time_months": 1e300, "estimate": 1.0 - 1e-16, "ci_low": 1e-300, "ci_high": 1.0},
    {"statistic": "landmark", "time_months": 12.0, "estimate": 5e-324},
])
def test_whatever_is_printed_converts(cells: dict) -> None:
    found = _one(**cells)
    assert math.isfinite(found.log_hazard) and 0.0 < min(found.se_lower, found.se_upper, found.effective)
    assert max(found.se_lower, found.se_upper) <= hazards.LARGEST_ERROR
    assert len(as_studies([found])) == 1


def test_rows_in_words() -> None:
    assert describe(_row(estimate=12.9, ci_low=8.7, ci_high=23.4)) == "median 12.9 months (8.7 to 23.4)"
    assert describe(_row(estimate=18.2, ci_low=15.9, upper_not_reached=True)).endswith("(15.9 to not reached)")
    assert describe(_row(statistic="landmark", time_months=12.0, estimate=0.38)) == "38 % at 12 months"
    assert describe(_row(estimate=20.0, stratum="in_remission", n=45)) == "median 20 months [in remission, n = 45]"
