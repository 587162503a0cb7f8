"""Deviations, variances and trends against `fractions.Fraction`, within the error that each one states."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.kernel.program import DAY_US, Output, Program, Window
from keepfit.kernel.sweep import sweep

WINDOW = Window(-1000, 0)
EPSILON = Fraction(1, 2**53)
SMALLEST = Fraction(5e-324)
finite = st.floats(allow_nan=False, allow_infinity=False)
noise = st.floats(-1, 1)
levels = st.one_of(noise.map(lambda e: 1e9 + e), noise.map(lambda e: 1e15 + e), st.floats(-2.2e-308, 2.2e-308))
doubles = st.one_of(finite, levels, st.sampled_from([0.0, -0.0, 1e308, -1e308]))


def after_leaving(kept, gone, functions, times=None, origin=0):
    """The outputs over the kept values, in a window that others have entered and left."""
    start = origin + 2000
    times = range(len(kept)) if times is None else times
    time = np.array([origin] * len(gone) + [start + moment for moment in times], np.int64)
    t = np.array([origin + 10, start + 999], np.int64)
    values, rows = np.array([[*gone, *kept]], np.float64), np.array([0, len(gone) + len(kept)])
    program = Program(tuple(Output(function, 0, WINDOW) for function in functions))
    return sweep(program, time, None, values, rows, t, np.array([0, 2]))[:, 1].tolist()


def assert_near(got, exact, bound):
    """Assert |got - exact| <= bound * |exact|, or one unit of the subnormals, or that it is too large for a double."""
    if math.isinf(got):
        assert abs(exact) * (1 + bound) > Fraction(math.nextafter(math.inf, 0))
        assert (got > 0) == (exact > 0)
    else:
        assert abs(Fraction(got) - exact) <= max(bound * abs(exact), SMALLEST)


@settings(max_examples=300, deadline=None)
@given(st.lists(doubles, min_size=2, max_size=20), st.lists(doubles, max_size=6))
def test_variance_and_deviation_are_within_their_error_whatever_the_mean(kept, gone):
    n, whole = len(kept), list(map(Fraction, kept))
    variance = (n * sum(x**2 for x in whole) - sum(whole) ** 2) / (n * (n - 1))
    std, var = after_leaving(kept, gone, ("std", "var"))
    assert_near(var, variance, 3 * EPSILON)
    bound = Fraction(251, 100) * EPSILON
    if math.isinf(std):
        assert variance > Fraction(math.nextafter(math.inf, 0)) ** 2
    else:
        low = min(Fraction(std) / (1 + bound), Fraction(std) - SMALLEST)
        high = max(Fraction(std) / (1 - bound), Fraction(std) + SMALLEST)
        assert max(low, 0) ** 2 <= variance <= high**2


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 900), doubles), min_size=2, max_size=20),
    st.lists(doubles, max_size=6),
    st.sampled_from([0, -(2**40), 1_700_000_000_000_000, 2**61]),
)
def test_trend_is_within_its_error_wherever_time_starts(rows, gone, origin):
    rows.sort(key=lambda row: row[0])
    times, kept = [t for t, _ in rows], [x for _, x in rows]
    n, whole = len(rows), list(map(Fraction, kept))
    below = n * sum(t**2 for t in times) - sum(times) ** 2
    (trend,) = after_leaving(kept, gone, ("trend",), times, origin)
    if below == 0:
        assert math.isnan(trend)
        return
    above = n * sum(t * x for t, x in zip(times, whole, strict=True)) - sum(times) * sum(whole)
    assert_near(trend, above * DAY_US / below, 4 * EPSILON)
    assert after_leaving(kept, [], ("trend",), times) == [trend]


@settings(max_examples=100, deadline=None)
@given(st.lists(doubles, min_size=2, max_size=8), st.lists(st.sampled_from([math.inf, -math.inf]), max_size=3))
def test_infinities_make_moments_null_and_leave_no_trace(kept, infinities):
    functions = ("std", "var", "trend")
    clean = after_leaving(kept, [], functions)
    assert after_leaving(kept, infinities, functions) == clean
    if infinities:
        assert np.isnan(after_leaving(kept + infinities, [], functions)).all()
