"""The accumulator against `math.fsum` and `fractions.Fraction`, on every kind of double."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.kernel import exact

finite = st.floats(allow_nan=False, allow_infinity=False)
subnormal = st.floats(-2.2e-308, 2.2e-308)
like_size = st.floats(1e15, 1e15 + 100)
doubles = st.lists(st.one_of(finite, finite, subnormal, like_size, st.sampled_from([0.0, -0.0])), max_size=30)


class Accumulator:
    """One sum, read as a double."""

    def __init__(self) -> None:
        self.sums = np.zeros(exact.WIDTH, np.int64)
        self.work = np.full((1, exact.WIDTH), -7, np.int64)  # scratch holds anything
        exact.forget_range(self.sums)

    def add(self, values: Sequence[float], times: int = 1) -> Accumulator:
        for x in values:
            exact.add(self.sums, x, times)
        return self

    def total(self) -> float:
        mantissa, exponent = exact.total(self.sums, self.work)
        with np.errstate(over="ignore"):
            return float(np.ldexp(mantissa, exponent))


def fsum(values: Sequence[float]) -> float:
    """`math.fsum`, infinite where that raises, +0.0 for zero."""
    try:
        return math.fsum(values) + 0.0
    except OverflowError:
        whole = sum(map(Fraction, values))  # fsum also raises where only a partial sum overflows
        try:
            return float(whole)
        except OverflowError:
            return math.inf if whole > 0 else -math.inf


def same(a: float, b: float) -> bool:
    return np.float64(a).tobytes() == np.float64(b).tobytes() or (math.isnan(a) and math.isnan(b))


@settings(max_examples=500, deadline=None)
@given(doubles, doubles, st.randoms(use_true_random=False))
def test_sum_equals_fsum_bit_for_bit_after_adding_and_removing_in_any_order(kept, removed, random):
    steps = [(x, 1) for x in kept + removed]
    random.shuffle(steps)
    for x in removed:
        steps.insert(random.randint(steps.index((x, 1)) + 1, len(steps)), (x, -1))
    accumulator = Accumulator()
    for x, times in steps:
        accumulator.add([x], times)
    assert same(accumulator.total(), fsum(kept))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], 0.0),
        ([-0.0, -0.0], 0.0),
        ([1e308, -1e308], 0.0),
        ([1e308, 1e308], math.inf),
        ([-1e308, -1e308], -math.inf),
        ([1e308, 1e308, -1e308], 1e308),
        ([5e-324, 5e-324], 1e-323),
        ([2.2250738585072014e-308, -5e-324], 2.225073858507201e-308),
        ([1.0, 2**-53], 1.0),
        ([1.0, 2**-53, 5e-324], 1.0 + 2**-52),
        ([1.0 + 2**-52, 2**-53], 1.0 + 2**-51),
        ([-1.0, -(2**-53), -5e-324], -1.0 - 2**-52),
        ([1.7976931348623157e308, 9.979201547673598e291], 1.7976931348623157e308),
        ([1.7976931348623157e308, 9.9792015476736e291], math.inf),
    ],
)
def test_sum_is_rounded_once_to_nearest_even(values, expected):
    assert same(Accumulator().add(values).total(), expected)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(allow_nan=False), max_size=6), doubles)
def test_infinities_leave_no_trace_once_removed(passing, kept):
    infinities = {x for x in passing if math.isinf(x)}
    accumulator = Accumulator().add(kept).add(passing)
    if infinities:
        expected = math.nan if len(infinities) == 2 else infinities.pop()
        assert same(accumulator.total(), expected)
    assert same(accumulator.add(passing, -1).total(), fsum(kept))


@settings(max_examples=100, deadline=None)
@given(doubles, doubles)
def test_clear_leaves_an_empty_accumulator(before, after):
    accumulator = Accumulator().add(before)
    exact.clear(accumulator.sums)
    assert not accumulator.sums[: exact.DIGITS].any()
    assert accumulator.total() == 0.0
    assert same(accumulator.add(after).total(), fsum(after))


def test_digits_hold_the_most_values_allowed():
    largest = math.nextafter(math.inf, 0)
    accumulator = Accumulator()
    exact.add(accumulator.sums, largest, exact.MAX_VALUES)
    assert accumulator.total() == math.inf
    exact.add(accumulator.sums, largest, 1 - exact.MAX_VALUES)
    assert accumulator.total() == largest


def test_zeros_touch_no_digit():
    assert Accumulator().add([0.0, -0.0]).sums[exact.HIGHEST] == -1
