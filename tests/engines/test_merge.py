"""Rows come into the order of (entity, time, arrival), whatever order they lay in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.engines.local import merge

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 3)), max_size=120)


def in_order(codes, time, order, threads=1, entities=4):
    got, moments, offsets = merge.merged(codes, time, order, entities, threads)
    expected = np.lexsort((order, time, codes))
    assert got.tolist() == expected.tolist()
    assert moments.tolist() == time[expected].tolist()
    assert offsets.tolist() == np.searchsorted(codes[expected], np.arange(entities + 1)).tolist()


@given(rows=rows, seed=st.integers(0, 3))
@settings(deadline=None)
def test_rows_in_any_order_come_sorted_and_rows_of_one_moment_as_they_arrived(rows, seed):
    codes, time = (np.array([row[place] for row in rows], kind) for place, kind in ((0, np.int32), (1, np.int64)))
    in_order(codes, time, np.random.default_rng(seed).permutation(len(rows)))


@given(rows=rows, cuts=st.lists(st.integers(0, 120), max_size=5))
@settings(deadline=None)
def test_sorted_files_read_one_after_the_other_are_merged(rows, cuts):
    table = np.array([(*row, place) for place, row in enumerate(rows)], np.int64).reshape(-1, 3)
    files = np.split(table, sorted(min(cut, len(table)) for cut in cuts))
    table = np.concatenate([file[np.lexsort(file.T[::-1])] for file in reversed(files)])
    in_order(table[:, 0].astype(np.int32), table[:, 1].copy(), table[:, 2].copy())


@pytest.mark.parametrize("entities", [1, 7, 50_000])
def test_many_rows_in_no_order_are_sorted_by_several_threads(entities):
    lottery = np.random.default_rng(entities)
    codes, time = lottery.integers(0, entities, 100_000).astype(np.int32), lottery.integers(0, 500, 100_000)
    in_order(codes, time, lottery.permutation(100_000), threads=3, entities=entities)


def test_a_column_is_gathered_in_the_order_of_rows():
    out = np.empty(3)
    merge.gather(np.array([0.5, 1.5, np.nan]), np.array([2, 0, 1], np.int32), out, 2)
    assert np.array_equal(out, [np.nan, 0.5, 1.5], equal_nan=True)
