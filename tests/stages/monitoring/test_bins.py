"""Numbers are counted between edges to the last value."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.stages.monitoring.bins import RUN, counted

ODD = [0.0, -0.0, 1.5, np.nextafter(1.5, 2), -np.inf, np.inf, np.nan, 7.0, 1e308, -1e308]
FINITE = st.floats(-1e308, 1e308)


@settings(deadline=None, max_examples=60)
@given(st.lists(FINITE, max_size=8, unique=True), st.lists(st.floats(), max_size=30))
def test_the_count_is_that_of_searchsorted(edges: list[float], values: list[float]) -> None:
    ends = np.unique(np.array(edges, np.float64))
    rows = np.concatenate([np.array(values, np.float64), ends, np.nextafter(ends, -np.inf), ODD])
    present = rows[~np.isnan(rows)]
    expected = np.bincount(np.searchsorted(ends, present, side="right"), minlength=len(ends) + 1)
    found, nulls = counted(rows, ends)
    assert found.tolist() == expected.tolist()
    assert nulls == len(rows) - len(present)


def test_rows_of_several_runs_are_counted_together() -> None:
    values = np.random.default_rng(3).normal(size=2 * RUN + 5)
    values[::7] = np.nan
    edges = np.array([-1.0, 0.0, np.nextafter(0.0, 1), 2.0])
    present = values[~np.isnan(values)]
    found, nulls = counted(values, edges)
    assert found.tolist() == np.bincount(np.searchsorted(edges, present, side="right"), minlength=5).tolist()
    assert nulls == len(values) - len(present)
