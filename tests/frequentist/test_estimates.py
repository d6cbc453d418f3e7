"""One estimate with a variance per study: corrections only where needed, and said."""

import numpy as np
import pytest

from analysis.frequentist.estimates import (
    CORRECTED,
    SMOOTHED_COUNTS,
    UNEQUAL_ERRORS,
    log_hazards,
    logits,
)
from models.studies import HazardStudies

from .cases import studies


def test_half_is_added_to_studies_with_an_empty_cell_and_to_no_other() -> None:
    found = logits(studies([0, 5, 3], [4, 5, 12]))
    np.testing.assert_allclose(found.values, np.log([0.5 / 4.5, 5.5 / 0.5, 3.0 / 9.0]))
    np.testing.assert_allclose(found.variances, [1 / 0.5 + 1 / 4.5, 1 / 5.5 + 1 / 0.5, 1 / 3 + 1 / 9])
    assert found.note == CORRECTED
    assert logits(studies([3], [12])).note == ""


def test_a_study_of_nobody_is_left_out() -> None:
    found = logits(studies([0, 3], [0, 12]))
    assert (len(found), found.note) == (1, "")


def test_log_hazards_of_estimates_and_of_counts() -> None:
    found = log_hazards(HazardStudies(("a", "b", "c"), [-3.0, -2.0, np.nan], [0.2, 0.1, np.nan], [0.2, 0.3, np.nan],
                                      [0, 0, 7], [0, 0, 150], [10, 10, 10]))
    assert found.values == pytest.approx([-3.0, -2.0, np.log(7.5 / 150)])
    assert found.variances == pytest.approx([0.04, 0.04, 1 / 7.5])
    assert UNEQUAL_ERRORS in found.note and SMOOTHED_COUNTS in found.note


def test_counts_at_a_landmark_enter_smoothed() -> None:
    """Nobody of 10: survival 10.5/11, its log-log by the delta method; everybody of 10: 0.5/11."""
    found = log_hazards(HazardStudies(("a", "b"), [np.nan] * 2, [np.nan] * 2, [np.nan] * 2, [0, 10], [120, 0], [10, 10],
                                      [12, 6]))
    survival = np.array([10.5 / 11, 0.5 / 11])
    assert found.values == pytest.approx(np.log(-np.log(survival) / [12, 6]))
    assert found.variances == pytest.approx((1 - survival) / (10 * survival * np.log(survival) ** 2))


def test_equal_errors_need_no_note() -> None:
    assert log_hazards(HazardStudies(("a",), [-3.0], [0.2], [0.2], [0], [0], [10])).note == ""
