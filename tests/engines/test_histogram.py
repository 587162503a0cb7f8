"""A histogram shows where values lie, whatever their shape."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keepfit.engines.histogram import differing, histogram, labels, quartiles


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=200))
def test_every_value_is_counted_once_within_ascending_edges(values):
    found = np.array(values)
    edges, counts = histogram(found, float(found.min()), float(found.max()))
    assert sum(counts) == len(values)
    assert list(edges) == sorted(edges)
    assert len(edges) == len(counts) + 1


def test_whole_numbers_of_a_small_range_have_a_bin_each():
    edges, counts = histogram(np.array([1.0, 1.0, 2.0, 5.0]), 1.0, 5.0)
    assert edges == (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    assert counts == (2, 1, 0, 0, 1)


def test_a_few_values_far_away_do_not_press_the_others_into_one_bin():
    values = np.append(np.linspace(0, 100, 10_000), [1e9] * 3)
    edges, counts = histogram(values, 0.0, 1e9)
    assert edges[0] == 0 and edges[-1] < 101
    assert sum(counts) == len(values) and max(counts) < 600


def test_one_value_is_one_bin_without_width():
    assert histogram(np.full(4, 7.5), 7.5, 7.5) == ((7.5, 7.5), (4,))


def test_quartiles_are_values_that_occur():
    assert quartiles(np.array([1.0, 2.0, 3.0, 10.0])) == (1.0, 2.0, 3.0)


def test_labels_are_ranked_by_rows_and_then_by_name():
    found, distinct, sure = labels(["b", "a", "b", "a", "c"])
    assert (found, distinct, sure) == ((("a", 2), ("b", 2), ("c", 1)), 3, False)
    assert labels([]) == ((), 0, True)


def test_values_are_all_seen_if_each_came_twice():
    assert differing(np.array([1.0, 1.0, 2.0, 2.0])) == (2, True)
    assert differing(np.array([1.0, 1.0, 2.0])) == (2, False)
