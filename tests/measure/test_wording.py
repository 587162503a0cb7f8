"""Numbers read well, and never contradict the sentence they stand in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.measure.wording import calibration_told, number, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.8421, "0.842"),
        (0.8, "0.8"),
        (0.0, "0"),
        (92.34, "92.3"),
        (999.7, "1,000"),
        (1840.2, "1,840"),
        (1e-30, "1e-30"),
        (-0.02, "-0.02"),
        (float("nan"), "undefined"),
        (float("inf"), "inf"),
    ],
)
def test_three_digits_are_shown(value: float, text: str) -> None:
    assert number(value) == text


def test_a_value_just_below_its_bound_does_not_read_as_the_bound() -> None:
    assert number(0.79996, 0.8) == "0.79996"
    assert number(0.8, 0.79996) == "0.8"
    assert number(0.8, 0.8) == "0.8"


@settings(deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_different_values_always_read_differently(value: float, bound: float) -> None:
    # Of two subnormals or two zeros there is nothing to tell.
    if value != bound and abs(value - bound) > 1e-6 * max(abs(value), abs(bound)):
        assert number(value, bound) != number(bound, value)


def test_a_gain_carries_its_sign() -> None:
    assert (signed(0.031), signed(-0.5), signed(0.0)) == ("+0.031", "-0.5", "0")


def test_a_calibration_that_costs_log_loss_is_warned_of():
    before = {"log_loss": 0.5, "ece": 0.1}
    better = calibration_told(before, {"log_loss": 0.42, "ece": 0.02, "auc": 0.9})
    assert better == "calibration: log_loss 0.5 before, 0.42 after; ece 0.1 before, 0.02 after"
    worse = calibration_told(before, {"log_loss": 0.5001, "ece": 0.02})
    assert worse.startswith(
        "warning: the calibration made log_loss worse; calibration: log_loss 0.5 before, 0.5001 after"
    )
    assert calibration_told({}, {"log_loss": 0.4}) == ""
