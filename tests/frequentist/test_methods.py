"""The front door: every method once, with its estimand, its scale and what a reader has to know."""

import math
from dataclasses import FrozenInstanceError

import pytest
from scipy import special

from analysis.cases.case import typed_studies
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.evidence.directory import Evidence
from analysis.frequentist.estimates import UNEQUAL_ERRORS, log_hazards, logits
from analysis.frequentist.interval import survival
from analysis.frequentist.methods import BY_KEY, METHODS, methods_for
from analysis.frequentist.normal import exact_interval
from models.studies import HazardStudies

from .cases import EDGES, MIXED, TWO, studies

HAZARDS = HazardStudies(("a", "b", "c"), [-3.0, -2.2, -2.9], [0.2, 0.25, 0.3], [0.2, 0.45, 0.3], [0, 0, 0],
                        [0, 0, 0], [30, 20, 15])


KEYS = {kind: [method.key for method in METHODS if method.kind == kind] for kind in ("rate", "survival")}


def test_keys_are_unique_and_each_kind_has_one_method_of_the_paper() -> None:
    assert len(BY_KEY) == len(METHODS) == len(KEYS["rate"]) + len(KEYS["survival"])
    assert [key for key in BY_KEY if BY_KEY[key].of_the_paper] == ["exact_beta_binomial", "log_hazard_exact_normal"]


@pytest.mark.parametrize("name", EDGES)
def test_every_rate_method_answers_on_the_probability_scale(name: str) -> None:
    """Only Hartung-Knapp of one study has no interval."""
    found = methods_for(EDGES[name])
    assert [interval.method for interval in found] == KEYS["rate"]
    for interval in found:
        assert interval.estimand == BY_KEY[interval.method].estimand
        assert (interval.scale, interval.interval) == ("probability", "confidence")
        assert 0.0 <= interval.estimate <= 1.0 and (name != "one" or "one study" in interval.note)
        if name == "one" and interval.method.endswith("_hk"):
            assert math.isnan(interval.lower) and math.isnan(interval.upper)
        else:
            assert 0.0 <= interval.lower <= interval.upper <= 1.0
            assert interval.lower - 1e-9 <= interval.estimate <= interval.upper + 1e-9


def test_two_studies_are_said_to_be_two() -> None:
    assert all("two studies" in interval.note for interval in methods_for(TWO))


def test_survival_is_the_log_hazard_at_the_horizon_with_the_limits_swapped() -> None:
    found = methods_for(HAZARDS, horizon=6.0)
    assert len(found) == 2 * len(KEYS["survival"])
    for hazard, probability in zip(found[::2], found[1::2], strict=True):
        assert (hazard.estimand, hazard.scale, hazard.time_months) == ("log_hazard", "log hazard", None)
        assert (probability.estimand, probability.scale, probability.time_months) == ("survival", "probability", 6.0)
        assert probability.estimate == pytest.approx(math.exp(-6.0 * math.exp(hazard.estimate)))
        assert probability.lower == pytest.approx(math.exp(-6.0 * math.exp(hazard.upper)))
        assert probability.upper == pytest.approx(math.exp(-6.0 * math.exp(hazard.lower)))
        assert UNEQUAL_ERRORS in hazard.note


def test_limits_keep_their_order_where_survival_rounds_to_nothing() -> None:
    for interval in methods_for(HAZARDS, horizon=5_000.0):
        assert interval.lower <= interval.upper


def test_survival_at_extreme_hazards() -> None:
    assert (survival(-math.inf, months=12.0), survival(math.inf, months=12.0)) == (1.0, 0.0)


def test_exact_normal_of_the_front_door_is_that_of_its_module() -> None:
    by_key = {interval.method: interval for interval in methods_for(MIXED, level=0.9, seed=7)}
    direct = exact_interval(logits(MIXED), level=0.9, seed=7)
    assert by_key["logit_exact_normal"].upper == pytest.approx(special.expit(direct.upper))
    hazard = methods_for(HAZARDS, level=0.9, seed=7)[0]
    assert hazard.lower == exact_interval(log_hazards(HAZARDS), level=0.9, seed=7).lower


def test_same_seed_same_intervals() -> None:
    assert methods_for(HAZARDS, seed=3) == methods_for(HAZARDS, seed=3)


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="level = 1.5"):
        methods_for(MIXED, level=1.5)
    with pytest.raises(ValueError, match="horizon = 0 months"):
        methods_for(HAZARDS, horizon=0.0)
    with pytest.raises(ValueError, match="no study has a patient"):
        methods_for(studies([0], [0]))
    with pytest.raises(ValueError, match="nothing to pool"):
        methods_for(HazardStudies((), [], [], [], [], [], []))


def test_intervals_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        methods_for(HAZARDS)[0].estimate = 0.0


@pytest.mark.parametrize("endpoint", ["cr", "os", "pfs"])
def test_methods_agree_on_the_shipped_evidence(shipped: Evidence, endpoint: str) -> None:
    data, _ = typed_studies(select(shipped, Question(endpoint)))
    found = [interval for interval in methods_for(data) if interval.scale == "probability"]
    estimates = [interval.estimate for interval in found]
    # Mean and median rates and all estimators lie within two points of each other where heterogeneity is small.
    assert max(estimates) - min(estimates) < 0.02
    assert all(interval.lower < min(estimates) and max(estimates) < interval.upper for interval in found)
