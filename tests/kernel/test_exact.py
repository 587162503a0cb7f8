"""The accumulators against `math.fsum` and `fractions.Fraction`, on every kind of double."""

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
    """Both accumulators of one set of values, read as doubles."""

    def __init__(self) -> None:
        self.sums = np.zeros(exact.SUM_WIDTH, np.int64)
        self.squares = np.zeros(exact.SQUARES_WIDTH, np.int64)
        self.work = np.full(exact.WORK_SHAPE, -7, np.int64)  # scratch holds anything
        exact.clear(self.sums, self.squares)

    def add(self, values: Sequence[float], times: int = 1) -> Accumulator:
        for x in values:
            exact.add(self.sums, x, times)
            exact.add_square(self.squares, x, times)
        return self

    def total(self) -> float:
        mantissa, exponent = exact.total(self.sums, self.work)
        with np.errstate(over="ignore"):
            return float(np.ldexp(mantissa, exponent))

    def deviation(self, n: int) -> float:
        return exact.deviation(self.sums, self.squares, n, self.work)


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


@settings(max_examples=400, deadline=None)
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


@given(st.lists(st.floats(allow_nan=False), max_size=6), doubles)
def test_infinities_leave_no_trace_once_removed(passing, kept):
    infinities = {x for x in passing if math.isinf(x)}
    accumulator = Accumulator().add(kept).add(passing)
    if infinities:
        expected = math.nan if len(infinities) == 2 else infinities.pop()
        assert same(accumulator.total(), expected)
        assert math.isnan(accumulator.deviation(9))
    assert same(accumulator.add(passing, -1).total(), fsum(kept))


@given(doubles, doubles)
def test_clear_leaves_an_empty_accumulator(before, after):
    accumulator = Accumulator().add(before)
    exact.clear(accumulator.sums, accumulator.squares)
    assert not accumulator.squares.any()
    assert accumulator.total() == 0.0
    assert same(accumulator.add(after).total(), fsum(after))


noise = st.floats(-1, 1)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(finite, noise.map(lambda e: 1e9 + e), noise.map(lambda e: 1e15 + e), subnormal),
        min_size=2,
        max_size=20,
    ),
    doubles,
)
def test_deviation_is_within_its_error_bound_whatever_the_mean(kept, removed):
    got = Accumulator().add(kept).add(removed).add(removed, -1).deviation(len(kept))
    n, sum1, sum2 = len(kept), sum(map(Fraction, kept)), sum(Fraction(x) ** 2 for x in kept)
    variance = (n * sum2 - sum1**2) / (n * (n - 1))
    if math.isinf(got):
        assert variance > Fraction(math.nextafter(math.inf, 0)) ** 2
        return
    if got < 2.3e-308:  # subnormal: one more rounding, to a multiple of 2**-1074
        low, high = Fraction(got) - Fraction(5e-324), Fraction(got) + Fraction(5e-324)
    else:
        bound = Fraction(251, 100) / 2**53
        low, high = Fraction(got) / (1 + bound), Fraction(got) / (1 - bound)
    assert max(low, 0) ** 2 <= variance <= high**2


@pytest.mark.parametrize("level", [0.0, 1e9, -1e15, 2.0**1000])
def test_deviation_of_equal_values_is_zero(level):
    assert Accumulator().add([level] * 7).deviation(7) == 0.0


@pytest.mark.parametrize("scale", [2.0**-1074, 2.0**-900, 1.0, 2.0**900])
def test_deviation_scales_with_its_values_beyond_the_range_of_squares(scale):
    assert Accumulator().add([0.0, 4 * scale, 8 * scale]).deviation(3) == 4 * scale


@pytest.mark.parametrize("n", [0, 1])
def test_deviation_of_fewer_than_two_values_is_null(n):
    assert math.isnan(Accumulator().add([3.0] * n).deviation(n))


def test_digits_hold_the_most_values_allowed():
    largest = math.nextafter(math.inf, 0)
    accumulator = Accumulator()
    exact.add(accumulator.sums, largest, exact.MAX_VALUES)
    exact.add_square(accumulator.squares, largest, exact.MAX_VALUES)
    assert accumulator.deviation(exact.MAX_VALUES) == 0.0
    exact.add(accumulator.sums, largest, 1 - exact.MAX_VALUES)
    assert accumulator.total() == largest
