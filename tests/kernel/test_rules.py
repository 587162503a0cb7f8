"""The rules of windows, each on a few literal rows, and the refusal of input that does not fit."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from keepfit.kernel.program import DAY_US, FUNCTIONS, UNBOUNDED, Output, Program, Window
from keepfit.kernel.sweep import sweep

PAST = Window(UNBOUNDED, 0)


LAST_DAY = Window(-DAY_US, 0)


def make(function, column, window=LAST_DAY):
    """Any function over a window, with a parameter where it needs one."""
    return Output(function, column, window, parameter={"quantile": 0.5, "ewm": DAY_US}.get(function, 0.0))


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
    got = one_entity([], [], [3], [make(f, 0) for f in FUNCTIONS])
    assert [row[0] for row in got[:2]] == [0, 0]
    assert np.isnan(got[2:]).all()


def test_first_is_the_earliest_row_in_row_order_however_late_it_became_known():
    outputs = [Output("first", 0, PAST), Output("time_since_first", 0, PAST), Output("first", 0, Window(-4, 0))]
    got = one_entity([1, 2, 2], [5, 1, 9], [3, 5, 7], outputs, known=[4, 6, 2])
    assert got[0] == [9, 5, 5]
    assert got[2][:2] == [9, 5]
    assert math.isnan(got[2][2])
    assert got[1] == [1 / DAY_US, 4 / DAY_US, 6 / DAY_US]


def test_times_since_are_negative_ahead_of_the_observation():
    outputs = [Output(f, -1, Window(0, 3 * DAY_US)) for f in ("time_since_first", "time_since_last")]
    assert one_entity([DAY_US, 2 * DAY_US], [0, 0], [0], outputs) == [[-1], [-2]]


def test_variance_is_that_of_a_sample_and_null_below_two_values():
    got = one_entity([1, 2, 3], [1, 2, 6], [2, 3, 4], [Output("var", 0, PAST), Output("std", 0, PAST)])
    assert math.isnan(got[0][0])
    assert got[0][1:] == [0.5, 7]
    assert got[1][2] == math.sqrt(7)


@pytest.mark.parametrize("level", [0.0, 1e9, -1e15, 2.0**500])
def test_equal_values_have_no_spread_no_trend_and_no_entropy(level):
    outputs = [Output(f, 0, PAST) for f in ("std", "var", "trend", "entropy", "distinct")]
    assert one_entity(range(7), [level] * 7, [9], outputs) == [[0], [0], [0], [0], [1]]


@pytest.mark.parametrize("scale", [2.0**-1074, 2.0**-900, 1.0, 2.0**900])
def test_deviation_scales_with_its_values_beyond_the_range_of_squares(scale):
    assert one_entity([1, 2, 3], [0.0, 4 * scale, 8 * scale], [9], [Output("std", 0, PAST)]) == [[4 * scale]]


def test_deviation_of_small_noise_on_a_large_level_is_right():
    noise = np.random.default_rng(3).standard_normal(10_000) * 1e-3
    values = (1e9 + noise).tolist()
    whole = [Fraction(x) for x in values]
    mean = sum(whole) / len(whole)
    variance = sum((x - mean) ** 2 for x in whole) / (len(whole) - 1)
    outputs = [Output("std", 0, PAST), Output("var", 0, PAST)]
    ((std,), (var,)) = one_entity(range(10_000), values, [10_000], outputs)
    assert abs(Fraction(std) ** 2 / variance - 1) < Fraction(6, 2**53)
    assert abs(Fraction(var) / variance - 1) < Fraction(4, 2**53)


def test_distinct_takes_both_zeros_for_one_value():
    outputs = [Output("distinct", 0, Window(-2, 0)), Output("entropy", 0, Window(-2, 0))]
    got = one_entity([1, 2, 3, 4], [0.0, -0.0, 5, math.nan], [3, 4, 5, 6], outputs)
    assert got[0][:3] == [1, 2, 1]
    assert got[1][:3] == [0, math.log(2), 0]
    assert np.isnan([got[0][3], got[1][3]]).all()


def test_quantile_is_linear_between_neighbours():
    outputs = [Output("quantile", 0, PAST, parameter=q) for q in (0, 0.25, 0.5, 1)]
    assert one_entity([1, 2, 3, 4], [8, -1, 4, -1], [3, 5], outputs) == [[-1, -1], [1.25, -1], [3.5, 1.5], [8, 8]]


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([math.inf, math.inf], 0.3, math.inf),
        ([-math.inf, 2.0], 0.5, -math.inf),
        ([2.0, math.inf], 0.0, 2.0),
        ([-math.inf, math.inf], 0.5, math.nan),
        ([-1.5e308, 1.5e308], 0.5, 0.0),
        ([-0.0, -0.0], 0.5, 0.0),
    ],
)
def test_quantile_at_the_ends_of_the_doubles(values, q, expected):
    got = np.array(one_entity([1, 2], values, [5], [Output("quantile", 0, PAST, parameter=q)]))
    assert got.tobytes() == np.array([[expected]]).tobytes() or (math.isnan(expected) and np.isnan(got).all())


def test_trend_is_the_slope_a_day_wherever_time_starts():
    trend = [Output("trend", 0, PAST)]
    for origin in (0, -(2**50), 1_700_000_000_000_000, 2**61):
        time = [origin, origin + DAY_US // 2, origin + DAY_US]
        assert one_entity(time, [1, 2.5, 4], [origin + 2 * DAY_US], trend) == [[3]]


def test_trend_needs_two_times():
    got = one_entity([4, 4, 4, 5], [1, 2, 3, math.inf], [4, 5, 6], [Output("trend", 0, PAST)])
    assert np.isnan(got).all()


def test_weight_halves_with_every_half_life():
    ewm = [Output("ewm", 0, Window(-10 * DAY_US, 0), parameter=DAY_US)]
    got = one_entity([DAY_US, 2 * DAY_US, 4 * DAY_US], [7, 1, 4], [2 * DAY_US, 3 * DAY_US, 5 * DAY_US], ewm)
    assert got == [[7, (7 * 1 + 1 * 2) / 3, (7 * 1 + 1 * 2 + 4 * 8) / 11]]


def test_infinities_pass_through_a_weighted_mean_and_leave_no_trace():
    ewm = [Output("ewm", 0, Window(-3, 0), parameter=2)]
    got = one_entity([1, 2, 3, 6], [math.inf, -math.inf, 1, 5], [2, 3, 5, 6, 7], ewm)[0]
    assert got[0] == math.inf
    assert math.isnan(got[1])
    assert got[2:] == [-math.inf, 1, 5]


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
        (lambda: Output("sum", 0, PAST, parameter=0.5), "sum takes no parameter, got 0.5; leave it out"),
        (
            lambda: Output("quantile", 0, PAST, parameter=1.01),
            r"quantile 1.01 does not exist; give a share in \[0, 1\]",
        ),
        (lambda: Output("quantile", 0, PAST, parameter=math.nan), "quantile nan does not exist"),
        (lambda: Output("ewm", 0, LAST_DAY), "half-life 0.0 of ewm; give a whole number of microseconds"),
        (lambda: Output("ewm", 0, LAST_DAY, parameter=0.5), "half-life 0.5 of ewm"),
        (
            lambda: Output("ewm", 0, Window(-61, 0), parameter=1),
            "further than 60 half-lives; .* starts at -60 or later",
        ),
        (lambda: Output("ewm", 0, PAST, parameter=DAY_US), "further than 60 half-lives"),
        (lambda: Output("ewm", 0, Window(-1, 1), parameter=DAY_US), "ewm looks back; give a window that ends at 0"),
    ],
)
def test_impossible_program_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
