"""Exponentially weighted means against decimals of 60 digits, and against themselves started elsewhere."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.kernel.program import EWM_REACH, Output, Program, Window
from keepfit.kernel.sweep import sweep

EPSILON = Decimal(2) ** -53
SMALLEST = Decimal("4.94e-324")
PRECISE = Context(prec=60, Emin=-999999, Emax=999999)
values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e308, max_value=1e308),
    st.floats(-2.2e-308, 2.2e-308),
    st.floats(1, 100),
    st.sampled_from([0.0, -0.0, 1e308, -1e308]),
)


def swept(time, x, t, half_life, reach):
    """The means at each t over the last `reach` half-lives."""
    program = Program((Output("ewm", 0, Window(-reach * half_life, 0), parameter=half_life),))
    time, t = np.array(time, np.int64), np.array(t, np.int64)
    offsets = np.array([0, time.size]), np.array([0, t.size])
    return sweep(program, time, None, np.array([x], np.float64), offsets[0], t, offsets[1])[0].tolist()


def exact_mean(rows, t, half_life):
    """The weighted mean and that of the absolute values."""
    weights = [Decimal(2) ** (Decimal(moment - t) / Decimal(half_life)) for moment, _ in rows]
    above = sum(w * Decimal(x) for w, (_, x) in zip(weights, rows, strict=True))
    size = sum(w * abs(Decimal(x)) for w, (_, x) in zip(weights, rows, strict=True))
    return above / sum(weights), size / sum(weights)


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 3000), values), min_size=1, max_size=15),
    half_life=st.sampled_from([1, 7, 50, 1000]),
    reach=st.sampled_from([1, 10, EWM_REACH]),
    origin=st.sampled_from([0, -(2**40), 1_700_000_000_000_000]),
)
def test_weighted_mean_is_within_its_error_and_path_independent(steps, half_life, reach, origin):
    time = (origin + np.cumsum([step for step, _ in steps])).tolist()
    x = [value for _, value in steps]
    t = sorted({moment + ahead for moment in time for ahead in (1, half_life, 40 * half_life)})
    for at, mean in zip(t, swept(time, x, t, half_life, reach), strict=True):
        rows = [(moment, value) for moment, value in zip(time, x, strict=True) if 0 < at - moment <= reach * half_life]
        if not rows:
            assert np.isnan(mean)
            continue
        assert swept([moment for moment, _ in rows], [value for _, value in rows], [at], half_life, reach) == [mean]
        with localcontext(PRECISE):
            expected, size = exact_mean(rows, at, half_life)
            assert abs(Decimal(mean) - expected) <= max(8 * EPSILON * size, SMALLEST)


def test_anchor_moves_along_a_window_that_is_never_empty():
    rng = np.random.default_rng(5)
    time, x = (
        np.cumsum(rng.integers(0, 90, 20_000)),
        rng.standard_normal(20_000) * 10.0 ** rng.integers(-300, 300, 20_000),
    )
    t = time + 1
    got = swept(time, x, t, 100, EWM_REACH)
    for i in range(0, 20_000, 397):
        inside = (time >= t[i] - EWM_REACH * 100) & (time < t[i])
        assert swept(time[inside], x[inside], t[i : i + 1], 100, EWM_REACH) == [got[i]]


def test_equal_values_have_that_mean():
    got = swept(range(0, 1000, 7), [3.5] * 143, [1000], 100, 10)
    assert abs(got[0] - 3.5) < 1e-15
