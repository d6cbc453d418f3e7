"""Typed inputs: what is impossible is refused, and what is given cannot be changed."""

import dataclasses

import numpy as np
import pytest

from models.studies import HazardStudies, RateStudies

HAZARD = {
    "study_ids": ("a", "b"),
    "log_hazard": [-3.0, np.nan],
    "se_lower": [0.2, np.nan],
    "se_upper": [0.3, np.nan],
    "events": [0.0, 5.0],
    "person_months": [0.0, 60.0],
    "patients_each": [20, 12],
}


@pytest.mark.parametrize(
    ("events", "evaluable"),
    [
        ([3], [2]),
        ([-1], [2]),
        ([1, 1], [2]),
        ([1], [2, 2]),
        ([0.5], [2]),
        ([1], [2.5]),
        ([np.nan], [2]),
        ([0], [np.inf]),
    ],
)
def test_impossible_counts_are_refused(events: list, evaluable: list) -> None:
    with pytest.raises(ValueError):
        RateStudies(("a",), events, evaluable)


def test_counts_are_read_only_and_their_own() -> None:
    given = np.array([1, 2])
    studies = RateStudies(["a", "b"], given, [3, 4])
    given[0] = 3
    assert (studies.events.tolist(), len(studies), studies.patients) == ([1, 2], 2, 7)
    with pytest.raises(ValueError):
        studies.events[0] = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        studies.events = given


def test_nobody_evaluable_is_a_study_left_out() -> None:
    assert RateStudies(("a",), [0], [0]).patients == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"se_lower": [0.0, np.nan]},
        {"se_upper": [-0.1, np.nan]},
        {"se_upper": [np.inf, np.nan]},
        {"se_lower": [np.nan, np.nan]},
        {"log_hazard": [np.nan, np.nan]},
        {"log_hazard": [np.inf, np.nan]},
        {"events": [0.0, -1.0]},
        {"events": [0.0, np.nan]},
        {"person_months": [0.0, -60.0]},
        {"person_months": [0.0, np.inf]},
        {"person_months": [0.0]},
        {"study_ids": ("a",)},
    ],
)
def test_impossible_hazards_are_refused(changed: dict) -> None:
    with pytest.raises(ValueError):
        HazardStudies(**HAZARD | changed)


def test_hazards_are_read_only() -> None:
    studies = HazardStudies(**HAZARD)
    assert (len(studies), studies.patients, studies.is_poisson.tolist()) == (2, 32, [False, True])
    assert studies.is_estimate.tolist() == [True, False] and not studies.is_landmark.any()
    with pytest.raises(ValueError):
        studies.log_hazard[0] = 0.0
