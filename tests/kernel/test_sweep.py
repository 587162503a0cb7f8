"""The sweep against naive SQL, and against itself cut into pieces; random tables and random programs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.kernel.program import DAY_US, FUNCTIONS, UNBOUNDED, Output, Program, Window
from keepfit.kernel.sweep import sweep

BOUNDED = (Window(-3, 0), Window(-20, 0), Window(-9, -4), Window(0, 6), Window(3, 8), Window(-4, 5))
WINDOWS = (*BOUNDED, Window(UNBOUNDED, 0), Window(UNBOUNDED, -5))
SHARES = (0.0, 0.1, 0.5, 0.75, 1.0)
HALF_LIVES = (1.0, 3.0, 1000.0)
ROW_FUNCTIONS = ("count", "time_since_last", "time_since_first")
BITWISE = ("count", "sum", "mean", "min", "max", "first", "last", "distinct", "time_since_last", "time_since_first")


def fits(function, window):
    return function != "ewm" or (not window.future and window.start >= -60)


def parameters(function):
    return {"quantile": SHARES, "ewm": HALF_LIVES}.get(function, (0.0,))


def every_output(windows):
    """Every function of the value column 0 and of rows, under the condition 1 and without, over every window."""
    outputs = [
        Output(f, 0, w, c, p) for w in windows for f in FUNCTIONS if fits(f, w) for c in (-1, 1) for p in parameters(f)
    ]
    return [*outputs, *(Output(f, -1, w, c) for w in windows for f in ROW_FUNCTIONS for c in (-1, 1))]


def programs(windows, most=12):
    return st.lists(st.sampled_from(every_output(windows)), min_size=1, max_size=most, unique=True).map(
        lambda outputs: Program(tuple(outputs))
    )


@dataclass
class Table:
    """Random events and observations, as the sweep takes them."""

    time: np.ndarray
    known: np.ndarray | None
    values: np.ndarray
    event_offsets: np.ndarray
    t: np.ndarray
    observation_offsets: np.ndarray

    def sweep(self, program, **options):
        return sweep(
            program, self.time, self.known, self.values, self.event_offsets, self.t, self.observation_offsets, **options
        )

    def one(self, entity, i, span):
        """Only the observation i of an entity, with only the events less than `span` from it."""
        rows = np.arange(self.event_offsets[entity], self.event_offsets[entity + 1])
        rows = rows[np.abs(self.time[rows] - self.t[i]) <= span]
        known = None if self.known is None else self.known[rows]
        values = np.ascontiguousarray(self.values[:, rows])
        return Table(self.time[rows], known, values, np.array([0, rows.size]), self.t[i : i + 1], np.array([0, 1]))

    def observations(self):
        """Pairs of an entity and the index of one of its observations."""
        bounds = zip(self.observation_offsets[:-1], self.observation_offsets[1:], strict=True)
        return [(entity, i) for entity, (first, stop) in enumerate(bounds) for i in range(first, stop)]


any_number = st.one_of(st.integers(-3, 3).map(float), st.floats(), st.just(-0.0), st.just(math.nan))
mild_number = st.sampled_from([-2.5, -0.0, 0.0, 1e-3, 3.0, 7.25, 1000.0, math.nan])
number_with_infinities = st.sampled_from([-2.5, 0.0, 3.0, math.nan, math.inf, -math.inf])
flags = st.sampled_from([0.0, -0.0, 1.0, 1.0, math.nan, math.inf])


@st.composite
def tables(draw, numbers=any_number):
    """Up to 4 entities, some without events or observations; few distinct times, so that there are ties."""
    moments, delays = st.integers(0, 40), st.one_of(st.just(0), st.integers(-2, 30))
    row = st.tuples(moments, delays, numbers, flags)
    entities = draw(
        st.lists(st.tuples(st.lists(row, max_size=12), st.lists(moments, max_size=5)), min_size=1, max_size=4)
    )
    rows = [row for events, _ in entities for row in sorted(events, key=lambda row: row[0])]
    columns = np.array(rows, np.float64).reshape(-1, 4).T
    time, delay = columns[0].astype(np.int64), columns[1].astype(np.int64)
    return Table(
        time,
        time + delay if draw(st.booleans()) else None,
        np.ascontiguousarray(columns[2:]),
        np.cumsum([0, *(len(events) for events, _ in entities)]),
        np.array([moment for _, seen in entities for moment in sorted(seen)], np.int64),
        np.cumsum([0, *(len(seen) for _, seen in entities)]),
    )


def bits(array):
    return np.where(np.isnan(array), np.nan, array).tobytes()


ORACLE = """
    with inside as (
        select w.n, o.i, o.t, e.row, e.time, e.x + 0.0 as x, isinf(e.x) as infinite, w.half_life, w.share
        from cases w cross join observations o left join events e
        on e.entity = o.entity and e.time >= o.t + w.start and e.time < o.t + w.stop
            and (w.stop > 0 or e.known < o.t) and (w.col = -1 or not isnan(e.x))
            and (w.cond = -1 or (not isnan(e.flag) and e.flag <> 0)))
    select n, i, count(row) as count, list(x order by row) filter (row is not null) as xs,
        min(x) as min, max(x) as max, arg_min(x, row) as first, arg_max(x, row) as last,
        count(distinct x) as distinct, entropy(x) * ln(2) as entropy,
        var_samp(x) filter (not infinite) as var, stddev_samp(x) filter (not infinite) as std,
        regr_slope(x, time) filter (not infinite) as trend,
        sum(x * pow(2, (time - t) / half_life)) / sum(pow(2, (time - t) / half_life)) as ewm,
        (any_value(t) - max(time)) / 86400000000 as time_since_last,
        (any_value(t) - min(time)) / 86400000000 as time_since_first,
        quantile_cont(x, 0.0), quantile_cont(x, 0.1), quantile_cont(x, 0.5), quantile_cont(x, 0.75),
        quantile_cont(x, 1.0), bool_or(infinite) as infinite
    from inside group by n, i"""
"""One inequality join and group-by, with DuckDB's own aggregates; a share is a literal there, so all are computed."""


def sql_oracle(con, table, program):
    """The outputs [outputs, observations], computed by DuckDB; sums of its lists in Python, where they are exact."""
    entities = np.arange(table.event_offsets.size - 1)
    events = {
        "entity": np.repeat(entities, np.diff(table.event_offsets)),
        "row": np.arange(table.time.size),
        "time": table.time,
        "known": table.time if table.known is None else table.known,
        "x": table.values[0],
        "flag": table.values[1],
    }
    observations = {
        "entity": np.repeat(entities, np.diff(table.observation_offsets)),
        "i": np.arange(table.t.size),
        "t": table.t,
    }
    outputs = program.outputs
    cases = {
        "n": np.arange(len(outputs)),
        "start": np.array([o.window.start for o in outputs]),
        "stop": np.array([o.window.end for o in outputs]),
        "col": np.array([o.column for o in outputs]),
        "cond": np.array([o.condition for o in outputs]),
        "half_life": np.array([o.parameter if o.function == "ewm" else 1e9 for o in outputs]),
        "share": np.array([o.parameter for o in outputs]),
    }
    assert events and observations and cases  # DuckDB reads them by name
    found = con.sql(ORACLE)
    names = found.columns
    expected = np.full((len(outputs), table.t.size), np.nan)
    for row in found.fetchall():
        answer = dict(zip(names, row, strict=True)) | {"shares": row[-6:-1]}
        expected[answer["n"], answer["i"]] = _value(outputs[answer["n"]], answer)
    return expected


def _value(output, answer):
    function, xs = output.function, answer["xs"] or []
    if function == "count":
        return answer["count"]
    if function == "sum":
        return exact_sum(xs)
    if answer["count"] == 0 or (function in ("std", "var", "trend") and answer["infinite"]):
        return math.nan
    if function == "mean":
        return exact_sum(xs) / len(xs)
    if function == "ewm" and answer["infinite"]:
        return exact_sum([x for x in xs if math.isinf(x)])
    if function == "quantile":
        if answer["infinite"]:
            return quantile(sorted(xs), output.parameter)
        return answer["shares"][SHARES.index(output.parameter)]
    value = answer[function]
    if value is None:
        return math.nan
    return value * DAY_US if function == "trend" else value


def quantile(xs, q):
    h = (len(xs) - 1) * q
    low, high = xs[math.floor(h)], xs[math.ceil(h)]
    return low if low == high or h == math.floor(h) else low * (1 - h % 1) + high * (h % 1)


def exact_sum(xs):
    if np.isposinf(xs).any() and np.isneginf(xs).any():
        return math.nan
    return math.fsum(xs) + 0.0


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        yield connection


def assert_equals_sql(con, table, program):
    got, expected = table.sweep(program), sql_oracle(con, table, program)
    for output, a, b in zip(program.outputs, got, expected, strict=True):
        if output.function in BITWISE:
            assert np.array_equal(a, b, equal_nan=True), f"{output}: {a} != {b}"
        else:
            unit = DAY_US if output.function == "trend" else 1
            np.testing.assert_allclose(a / unit, b / unit, rtol=1e-9, atol=1e-10, err_msg=str(output))


@settings(max_examples=350, deadline=None)
@given(table=tables(numbers=mild_number), program=programs(WINDOWS))
def test_sweep_equals_naive_sql(con, table, program):
    assert_equals_sql(con, table, program)


@settings(max_examples=50, deadline=None)
@given(table=tables(numbers=number_with_infinities), program=programs(WINDOWS))
def test_sweep_equals_naive_sql_with_infinities(con, table, program):
    assert_equals_sql(con, table, program)


@settings(max_examples=3, deadline=None)
@given(table=tables(numbers=mild_number))
def test_all_outputs_at_once_equal_naive_sql(con, table):
    assert_equals_sql(con, table, Program(tuple(every_output(WINDOWS))))


@settings(max_examples=300, deadline=None)
@given(table=tables(), program=programs(BOUNDED))
def test_one_request_gives_the_bits_of_the_big_sweep(table, program):
    whole = table.sweep(program)
    for entity, i in table.observations():
        assert bits(table.one(entity, i, span=20).sweep(program)[:, 0]) == bits(whole[:, i])


@settings(max_examples=30, deadline=None)
@given(table=tables())
def test_one_request_gives_the_bits_of_the_big_sweep_for_every_output_at_once(table):
    program = Program(tuple(every_output(BOUNDED)))
    whole = table.sweep(program)
    for entity, i in table.observations():
        assert bits(table.one(entity, i, span=20).sweep(program)[:, 0]) == bits(whole[:, i])


@settings(max_examples=150, deadline=None)
@given(table=tables(), program=programs(WINDOWS))
def test_unbounded_windows_do_not_depend_on_earlier_observations(table, program):
    whole = table.sweep(program)
    for entity, i in table.observations():
        assert bits(table.one(entity, i, span=10**6).sweep(program)[:, 0]) == bits(whole[:, i])


@settings(max_examples=150, deadline=None)
@given(table=tables(), program=programs(WINDOWS))
def test_one_output_alone_gives_the_bits_of_the_whole_program(table, program):
    together = table.sweep(program)
    for place, output in enumerate(program.outputs):
        assert bits(table.sweep(Program((output,)))[0]) == bits(together[place])


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_thread_count_does_not_change_a_bit(threads):
    rng = np.random.default_rng(7)
    entities, n, m = 500, 60_000, 5_000
    cut = lambda rows: np.concatenate([[0], np.sort(rng.integers(0, rows, entities - 1)), [rows]])  # noqa: E731
    events, observations = cut(n), cut(m)
    sort = lambda x, by: x[np.lexsort((x, np.repeat(np.arange(entities), np.diff(by))))]  # noqa: E731
    time = sort(rng.integers(0, 300, n), events)
    values = np.stack([rng.standard_normal(n) * 10.0 ** rng.integers(-9, 9, n), np.ones(n)])
    table = Table(
        time, time + rng.integers(0, 9, n), values, events, sort(rng.integers(0, 300, m), observations), observations
    )
    program = Program(tuple(every_output(WINDOWS)))
    assert bits(table.sweep(program, threads=threads)) == bits(table.sweep(program, threads=1))


def test_a_million_steps_of_mixed_magnitude_end_in_the_exact_sum():
    rng = np.random.default_rng(11)
    n, width = 1_000_000, 5_000
    x = rng.standard_normal(n) * 10.0 ** rng.integers(-30, 30, n)
    time, offsets = np.arange(n), np.array([0, n])
    t, at = np.arange(1, n + 1), np.array([0, n])
    got = sweep(Program((Output("sum", 0, Window(-width, 0)),)), time, None, x[np.newaxis], offsets, t, at)[0]
    for end in (1, width, n // 2, n - 1, n):
        assert got[end - 1] == math.fsum(x[max(0, end - width) : end])
