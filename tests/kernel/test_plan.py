"""From expressions to programs, and from leaves back to expressions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepfit import Calendar, Category, Events, Files, Float, Integer, Records, clock
from keepfit.kernel.calendar import of_moment
from keepfit.kernel.evaluate import evaluate
from keepfit.kernel.plan import compile_plan
from keepfit.kernel.program import ROWS, UNBOUNDED, Output, Window
from keepfit.spec.features import Combined, Constant

DAY = clock.DAY
NULL = math.nan
sales = Events("sales", Files("s.csv"), entity="id", time="at", columns={"amount": Float(), "tax": Float()})
visits = Events("visits", Files("v.csv"), entity="id", time="at")
people = Records("people", Files("p.csv"), entity="id", columns={"age": Integer(), "town": Category()})
a, b = people.a, people.b


def column(expression, **leaves):
    """Evaluate over columns of the records; the result as a list."""
    found = evaluate(expression, {f"people_{name}": np.array(values, float) for name, values in leaves.items()})
    return np.broadcast_to(found, (len(next(iter(leaves.values()))),)).tolist()


def same(found, expected):
    return np.array_equal(np.array(found, float), np.array(expected, float), equal_nan=True)


def test_one_program_a_table_holds_every_aggregate_once():
    mean = sales.amount.mean(last="30d")
    plan = compile_plan([mean, mean / sales.tax.sum(last="7d"), visits.count(), sales.count(next="7d") == 0])
    sold, visited = plan.events
    assert (sold.table, visited.table) == (sales, visits)
    assert [str(column) for column in sold.columns] == ["amount", "tax"]
    assert sold.names == ("sales_amount_mean_30d", "sales_tax_sum_7d", "sales_count_next_7d")
    assert sold.program.outputs == (
        Output("mean", 0, Window(-30 * DAY, 0)),
        Output("sum", 1, Window(-7 * DAY, 0)),
        Output("count", ROWS, Window(0, 7 * DAY)),
    )
    assert visited.program.outputs == (Output("count", ROWS, Window(UNBOUNDED, 0)),)


def test_attributes_and_calendar_parts_are_listed_once():
    hour = Calendar("hour")
    plan = compile_plan(
        [people.town, people.age * 2, people.age / 7, hour, hour.named("h"), Calendar("hour", "Asia/Tokyo")]
    )
    assert plan.records == ((people, ("age", "town")),)
    assert [leaf.name for leaf in plan.moments] == ["hour", "hour_asia_tokyo"]
    assert plan.events == ()


def test_a_plan_answers_by_the_names_of_its_expressions():
    plan = compile_plan([people.age, (people.age - 18).named("grown")])
    found = plan.evaluate({"people_age": np.array([20.0, NULL])})
    assert list(found) == ["people_age", "grown"]
    assert same(found["grown"], [2, NULL])


@pytest.mark.parametrize(
    ("features", "retention"),
    [
        ([sales.amount.sum(last="30d"), sales.count(last="90d")], 90 * DAY),
        ([sales.amount.lag("24h", tolerance="1h")], 25 * clock.HOUR),
        ([sales.count(last="7d"), sales.time_since_last(), sales.amount.last()], 7 * DAY),
        ([sales.amount.last()], 0),
        ([sales.count(last="7d"), sales.amount.mean()], None),
        ([sales.count()], None),
        ([sales.amount.std(), sales.time_since_last()], None),
    ],
)
def test_events_are_kept_as_long_as_a_window_can_reach(features, retention):
    (plan,) = compile_plan(features).events
    assert plan.retention == retention


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (a + b, [3, NULL, NULL]),
        (a - b, [-1, NULL, NULL]),
        (a * 0, [0, NULL, 0]),
        (10 - a, [9, NULL, 7]),
        (a / b, [0.5, NULL, NULL]),
        ((a + 1) * (b - 1), [2, NULL, NULL]),
    ],
)
def test_arithmetic_with_a_null_is_null(expression, expected):
    assert same(column(expression, a=[1, NULL, 3], b=[2, 2, NULL]), expected)


def test_a_division_by_zero_is_null():
    assert same(column(a / b, a=[1, 0, -1, NULL, 1], b=[0, 0, -0.0, 0, 2]), [NULL, NULL, NULL, NULL, 0.5])
    assert same(column(1 / a, a=[0, 4]), [NULL, 0.25])
    assert same(column(a / 0, a=[0, 4]), [NULL, NULL])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (a == b, [0, 1, NULL, 0, NULL]),
        (a != b, [1, 0, NULL, 1, NULL]),
        (a < b, [1, 0, NULL, 0, NULL]),
        (a <= b, [1, 1, NULL, 0, NULL]),
        (a > b, [0, 0, NULL, 1, NULL]),
        (a >= 2, [0, 1, NULL, 1, 1]),
        (a <= 2, [1, 1, NULL, 0, 0]),
        ((a == 2).named("two"), [0, 1, NULL, 0, 0]),
        ((a > 1) * (b > 1), [0, 1, NULL, 1, NULL]),
    ],
)
def test_a_comparison_is_one_zero_or_null(expression, expected):
    assert same(column(expression, a=[1, 2, NULL, 3, 3], b=[2, 2, 2, 2, NULL]), expected)


def test_a_constant_stands_for_every_row():
    assert same(column(Combined("+", Constant(2), a), a=[1, 2]), [3, 4])
    assert float(evaluate(Constant(1.5), {})) == 1.5


def test_a_category_passes_as_it_is():
    towns = np.array(["Rome", None], object)
    assert evaluate(people.town, {"people_town": towns}) is towns


def test_overflow_warns_nobody():
    assert column(a * a, a=[1e300]) == [math.inf]


@pytest.mark.parametrize(
    ("moment", "zone", "parts"),
    [
        ("2024-12-31T23:30Z", "UTC", (23, 1, 31, 12, 366)),
        ("2024-12-31T23:30Z", "Europe/Berlin", (0, 2, 1, 1, 1)),
        ("2025-06-01T03:00Z", "America/New_York", (23, 5, 31, 5, 151)),
        ("1969-07-20T20:17Z", "UTC", (20, 6, 20, 7, 201)),
    ],
)
def test_the_calendar_is_that_of_the_zone(moment, zone, parts):
    t = np.array([clock.to_micros(clock.parse_moment(moment))])
    names = ("hour", "weekday", "day", "month", "day_of_year")
    assert tuple(of_moment(Calendar(name, zone), t)[0] for name in names) == parts


def test_the_hour_follows_summer_time():
    before, after = (clock.to_micros(clock.parse_moment(text)) for text in ("2025-03-30T00:59Z", "2025-03-30T01:00Z"))
    london = Calendar("hour", "Europe/London")
    assert of_moment(london, np.array([after, before, after])).tolist() == [2, 0, 2]


def test_no_moments_have_no_parts():
    assert of_moment(Calendar("hour"), np.empty(0, np.int64)).tolist() == []
