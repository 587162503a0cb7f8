"""The rules of windows, each on a few literal rows, and the refusal of input that does not fit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepfit.kernel.program import DAY_US, FUNCTIONS, UNBOUNDED, Output, Program, Window
from keepfit.kernel.sweep import sweep

PAST = Window(UNBOUNDED, 0)


def one_entity(time, x, t, outputs, known=None):
    """Sweep one entity with one value column; a list of the values at each t, for each output."""
    time, known, t = (None if rows is None else np.array(rows, np.int64) for rows in (time, known, t))
    offsets = np.array([0, time.size]), np.array([0, t.size])
    return sweep(Program(tuple(outputs)), time, known, np.array([x], np.float64), offsets[0], t, offsets[1]).tolist()


def test_window_is_half_open():
    outputs = [Output("sum", 0, Window(-2, 0)), Output("sum", 0, Window(0, 2))]
    assert one_entity([7, 8, 9, 10, 11, 12], [1, 2, 4, 8, 16, 32], [10], outputs) == [[6], [24]]


def test_late_row_counts_only_once_known():
    outputs = [Output("count", 0, PAST), Output("min", 0, PAST), Output("last", 0, PAST)]
    got = one_entity([1, 2, 3], [5, 1, 9], [3, 4, 6, 7], outputs, known=[1, 6, 3])
    assert got == [[1, 2, 2, 3], [5, 5, 5, 1], [5, 9, 9, 9]]


def test_late_row_that_is_known_after_it_left_the_window_never_counts():
    assert one_entity([1, 2], [5, 7], [3, 9, 12], [Output("sum", 0, Window(-4, 0))], known=[8, 2]) == [[7, 0, 0]]


def test_late_minimum_gives_way_to_rows_that_outlive_it():
    low = Output("min", 0, Window(-5, 0))
    assert one_entity([1, 2, 3, 4], [2, 0, 1, 3], [5, 6, 7, 8, 9], [low], known=[1, 5, 3, 4]) == [[1, 0, 0, 1, 3]]


def test_target_window_ignores_when_rows_were_known():
    assert one_entity([5, 6], [1, 2], [5], [Output("sum", 0, Window(0, 9))], known=[99, 99]) == [[3]]


def test_ties_keep_their_input_order():
    assert one_entity([4, 4, 4], [3, 1, 2], [4, 5], [Output("last", 0, PAST)])[0][1] == 2


def test_nulls_are_skipped_and_rows_are_counted():
    outputs = [Output("count", -1, PAST), Output("count", 0, PAST), Output("last", 0, PAST), Output("mean", 0, PAST)]
    assert one_entity([1, 2, 3], [1, 3, math.nan], [9], outputs) == [[3], [2], [3], [2]]


def test_time_since_last_is_in_days():
    outputs = [Output("time_since_last", column, PAST) for column in (-1, 0)]
    assert one_entity([0, DAY_US], [1, math.nan], [DAY_US * 5 // 2], outputs) == [[1.5], [2.5]]


def test_empty_window_has_no_value_but_count_and_sum_are_zero():
    got = one_entity([], [], [3], [Output(f, 0, PAST) for f in FUNCTIONS])
    assert [row[0] for row in got[:2]] == [0, 0]
    assert np.isnan(got[2:]).all()


def test_minimum_orders_negative_zero_before_zero():
    outputs = [Output(f, 0, PAST) for f in ("min", "max", "sum")]
    signs = [math.copysign(1, row[0]) for row in one_entity([1, 2, 3], [0.0, -0.0, 0.0], [9], outputs)]
    assert signs == [-1, 1, 1]


def test_mean_is_finite_where_the_sum_overflows():
    assert one_entity([1, 2], [1.5e308, 1.5e308], [9], [Output("sum", 0, PAST), Output("mean", 0, PAST)]) == [
        [math.inf],
        [1.5e308],
    ]


def test_read_only_input_is_as_good_as_writable():
    time = np.array([1, 2])
    time.flags.writeable = False
    program, offsets = Program((Output("count", -1, PAST),)), np.array([0, 2])
    assert sweep(program, time, None, np.empty((0, 2)), offsets, time, offsets).tolist() == [[0, 1]]


def test_empty_program_gives_no_rows():
    assert one_entity([1], [1], [2], []) == []


def test_no_entities_give_no_columns():
    none, offsets = np.empty(0, np.int64), np.zeros(1, np.int64)
    assert sweep(Program((Output("count", -1, PAST),)), none, None, np.empty((2, 0)), offsets, none, offsets).shape == (
        1,
        0,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": np.array([1.0])}, r"time is float64 .* np.ascontiguousarray\(time, np.int64\)"),
        ({"known": np.array([1, 2])}, "1 times, 2 known"),
        ({"values": np.empty((0, 1))}, "reads 1 value columns, values has 0"),
        ({"values": np.ones((2, 2))[:, ::2]}, "contiguous"),
        ({"event_offsets": np.array([0, 2])}, "event_offsets run from 0 to 2; start at 0 and end at 1"),
        ({"event_offsets": np.array([0, 2, 1]), "observation_offsets": np.array([0, 1, 1])}, "event_offsets descend"),
        ({"observation_offsets": np.array([0])}, "2 event offsets and 1 observation offsets"),
    ],
)
def test_misfit_input_is_refused_with_a_fix(change, message):
    one = np.array([1])
    given = {"time": one, "known": one, "values": np.ones((1, 1)), "event_offsets": np.array([0, 1]), "t": one}
    with pytest.raises(ValueError, match=message):
        sweep(Program((Output("sum", 0, PAST),)), **{"observation_offsets": np.array([0, 1])} | given | change)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Window(0, 0), "give start < end"),
        (lambda: Output("median", 0, PAST), "unknown function 'median'; there are: count, sum"),
        (lambda: Output("sum", -1, PAST), "sum needs a value column"),
        (lambda: Output("sum", 0, PAST, -2), "use -1 or the index"),
    ],
)
def test_impossible_program_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
