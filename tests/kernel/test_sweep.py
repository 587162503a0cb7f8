"""The sweep against naive SQL, and against itself cut into pieces."""

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


def every_output(windows):
    """Every function of the value column 0, under the condition 1 and without, over every window."""
    outputs = [Output(f, 0, w, c) for w in windows for f in FUNCTIONS for c in (-1, 1)]
    outputs += [Output(f, -1, w, c) for w in windows for f in ("count", "time_since_last") for c in (-1, 1)]
    return Program(tuple(outputs))


EVERYTHING = every_output(WINDOWS)


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


any_number = st.one_of(st.integers(-3, 3).map(float), st.floats(), st.just(-0.0), st.just(math.nan))


@st.composite
def tables(draw, numbers=any_number):
    """Up to 5 entities, some without events or observations; few distinct times, so that there are ties."""
    moments = st.integers(0, 40)
    counts = draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=5))
    time = [moment for n, _ in counts for moment in sorted(draw(st.lists(moments, min_size=n, max_size=n)))]
    t = [moment for _, m in counts for moment in sorted(draw(st.lists(moments, min_size=m, max_size=m)))]
    delay = st.one_of(st.just(0), st.integers(-2, 30))
    known = [moment + draw(delay) for moment in time] if draw(st.booleans()) else None
    flags = st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf])
    values = [[draw(kind) for _ in time] for kind in (numbers, flags)]
    offsets = np.cumsum([(0, 0), *counts], axis=0)
    return Table(
        np.array(time, np.int64),
        None if known is None else np.array(known, np.int64),
        np.array(values, np.float64).reshape(2, -1),
        np.ascontiguousarray(offsets[:, 0]),
        np.array(t, np.int64),
        np.ascontiguousarray(offsets[:, 1]),
    )


def assert_same(got, expected, program):
    for output, a, b in zip(program.outputs, got, expected, strict=True):
        assert np.array_equal(a, b, equal_nan=True), f"{output}: {a} != {b}"


def bits(array):
    return np.where(np.isnan(array), np.nan, array).tobytes()


def sql_oracle(con, table, program):
    """One inequality join and group-by; the lists are summed in Python, where sums are exact."""
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
    cases = list(dict.fromkeys((o.window, o.column, o.condition) for o in program.outputs))
    rules = np.array([(n, w.start, w.end, column, condition) for n, (w, column, condition) in enumerate(cases)])
    windows = dict(zip(("n", "start", "stop", "col", "cond"), rules.T.copy(), strict=True))
    assert events and observations and windows  # DuckDB reads them by name
    found = con.sql(
        """select w.n, o.i, list(e.x order by e.row) filter (e.row is not null), o.t - max(e.time), count(e.row)
        from windows w cross join observations o left join events e
        on e.entity = o.entity and e.time >= o.t + w.start and e.time < o.t + w.stop
            and (w.stop > 0 or e.known < o.t) and (w.col = -1 or not isnan(e.x))
            and (w.cond = -1 or (not isnan(e.flag) and e.flag <> 0))
        group by w.n, o.i, o.t"""
    ).fetchall()
    rows = {(cases[n], i): rest for n, i, *rest in found}
    return np.array(
        [
            [_value(o.function, *rows[(o.window, o.column, o.condition), i]) for i in range(table.t.size)]
            for o in program.outputs
        ]
    ).reshape(len(program.outputs), table.t.size)


def _value(function, xs, age, n):
    if function == "count":
        return n
    if function == "sum":
        return exact_sum(xs or [])
    if n == 0:
        return math.nan
    if function == "time_since_last":
        return age / DAY_US
    if function == "std":
        return float(np.std(xs, ddof=1)) if n > 1 and np.isfinite(xs).all() else math.nan
    return {"mean": exact_sum(xs) / n, "min": min(xs), "max": max(xs), "last": xs[-1]}[function]


def exact_sum(xs):
    if np.isposinf(xs).any() and np.isneginf(xs).any():
        return math.nan
    return math.fsum(xs) + 0.0


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as connection:
        yield connection


@settings(max_examples=60, deadline=None)
@given(table=tables(numbers=st.sampled_from([-2.5, -0.0, 0.0, 1e-3, 3.0, 1e9, math.nan, math.inf, -math.inf])))
def test_sweep_equals_naive_sql(con, table):
    got, expected = table.sweep(EVERYTHING), sql_oracle(con, table, EVERYTHING)
    std = [o.function == "std" for o in EVERYTHING.outputs]
    np.testing.assert_allclose(got[std], expected[std], rtol=1e-9, atol=1e-6)  # numpy's std is the inexact one
    got[std] = expected[std]
    assert_same(got, expected, EVERYTHING)


@settings(max_examples=100, deadline=None)
@given(table=tables())
def test_one_request_gives_the_bits_of_the_big_sweep(table):
    program = every_output(BOUNDED)
    whole = table.sweep(program)
    for entity in range(table.event_offsets.size - 1):
        for i in range(table.observation_offsets[entity], table.observation_offsets[entity + 1]):
            alone = table.one(entity, i, span=20).sweep(program)
            assert bits(alone[:, 0]) == bits(whole[:, i])


@settings(max_examples=50, deadline=None)
@given(table=tables())
def test_unbounded_windows_do_not_depend_on_earlier_observations(table):
    program = every_output(WINDOWS)
    whole = table.sweep(program)
    for entity in range(table.event_offsets.size - 1):
        for i in range(table.observation_offsets[entity], table.observation_offsets[entity + 1]):
            alone = table.one(entity, i, span=10**6).sweep(program)
            assert bits(alone[:, 0]) == bits(whole[:, i])


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
    assert bits(table.sweep(EVERYTHING, threads=threads)) == bits(table.sweep(EVERYTHING, threads=1))
