"""Distinct values, entropies and quantiles of a moving window against Python's own sorting and counting."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.kernel.program import Output, Program, Window
from keepfit.kernel.sweep import sweep

SHARES = (0.0, 0.1, 0.5, 0.9, 1.0)
values = st.one_of(st.integers(-2, 2).map(float), st.floats(allow_infinity=False), st.just(-0.0))


def swept(x, width, known=None):
    """Distinct, entropy and each quantile of the last `width` rows, after each row."""
    window, n = Window(-width, 0), len(x)
    outputs = [Output("distinct", 0, window), Output("entropy", 0, window)]
    outputs += [Output("quantile", 0, window, parameter=q) for q in SHARES]
    time, offsets = np.arange(n), np.array([0, n])
    return sweep(Program(tuple(outputs)), time, known, np.array([x], np.float64), offsets, time + 1, offsets)


def linear(ordered, q):
    h = (len(ordered) - 1) * q
    low, high = ordered[math.floor(h)], ordered[math.ceil(h)]
    if low == high or math.isfinite(high - low):
        return low + (0.0 if low == high else (high - low) * (h - math.floor(h)))
    return low * (1 - h % 1) + high * (h % 1)


@settings(max_examples=300, deadline=None)
@given(st.lists(values, min_size=1, max_size=30), st.integers(1, 12))
def test_ranks_equal_sorting_and_counting_each_window(x, width):
    got = swept(x, width)
    for i in range(len(x)):
        inside = [value + 0.0 for value in x[max(0, i + 1 - width) : i + 1] if not math.isnan(value)]
        if not inside:
            assert np.isnan(got[:, i]).all()
            continue
        counts, n = Counter(inside), len(inside)
        assert got[0, i] == len(counts)
        assert math.isclose(got[1, i], -sum(c / n * math.log(c / n) for c in counts.values()), abs_tol=1e-14)
        assert got[2:, i].tolist() == [linear(sorted(inside), q) for q in SHARES]


def test_many_values_of_all_sizes_are_ranked_like_numpy():
    rng = np.random.default_rng(2)
    x = rng.standard_normal(20_000) * 10.0 ** rng.integers(-300, 300, 20_000)
    x[rng.integers(0, 20_000, 3000)] = x[0]
    got = swept(x, 20_000)[:, -1]
    counts = np.unique(x, return_counts=True)[1]
    assert got[0] == counts.size
    assert math.isclose(got[1], -(counts / 20_000 * np.log(counts / 20_000)).sum(), rel_tol=1e-12)
    np.testing.assert_allclose(got[2:], np.quantile(x, SHARES), rtol=1e-12)


def test_late_rows_take_their_rank():
    assert swept([5.0, 1.0, 3.0, 9.0], 4, known=np.array([0, 3, 2, 3]))[4].tolist() == [5, 5, 4, 4]
