"""Numbers in words: few digits, no false zero, signs that can be read."""

import math

import pytest

from analysis.results import numbers


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (1.0, "100"), (0.004, "<1"), (0.005, "<1"), (0.996, ">99"),
                                             (0.9949, "99"), (0.7997, "80"), (1e-300, "<1")])
def test_percent_never_rounds_to_certainty(value, text):
    assert numbers.percent(value) == text


@pytest.mark.parametrize(("value", "unit", "text"), [(14.48, "months", "14.5"), (0.155, "1", "0.15"),
                                                     (None, "months", "–"), (math.nan, "1", "–"),
                                                     (123456.0, "months", ">1,200"), (123456.0, "1", "1.2e5")])
def test_digits_depend_on_the_unit(value, unit, text):
    assert numbers.number(value, unit) == text


@pytest.mark.parametrize(("value", "unit", "text"), [(-0.0103, "probability", "−1"), (0.0177, "probability", "+2"),
                                                     (-0.004, "probability", "0"), (-0.317, "months", "−0.3"),
                                                     (None, "months", "–")])
def test_differences_have_a_sign_unless_they_vanish(value, unit, text):
    assert numbers.signed(value, unit) == text


@pytest.mark.parametrize(("value", "text"), [(0.81, "81"), (0.403, "40.3"), (0.57, "57"), (0.29, "29"), (1.0, "100")])
def test_published_numbers_keep_their_digits(value, text):
    assert numbers.as_printed(value, "probability") == text


def test_what_cannot_be_seen_is_replaced():
    assert numbers.safe("a\x00b\u202ec\ud800") == "a\ufffdb\ufffdc\ufffd"
