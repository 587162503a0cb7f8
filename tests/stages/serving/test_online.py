"""Features at request time are those of the batch, bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepfit import Calendar, Category, Events, Every, Files, Float, Model, Records, clock
from keepfit.kernel.calendar import of_moment
from keepfit.kernel.plan import compile_plan
from keepfit.kernel.sweep import sweep
from keepfit.stages.serving.online import OnlineFeatures
from keepfit.stages.serving.sqlite import SQLiteStore

people = Records("people", Files("p"), entity="id", columns={"age": Float(), "segment": Category()})
sales = Events("sales", Files("s"), entity="id", time="at", known="seen", columns={"amount": Float(), "items": Float()})
amount = sales.amount
model = Model(
    "m",
    observe=Every("1 month", of=people),
    features=[
        *(getattr(amount, function)(last=["3s", "20s"]) for function in ("sum", "mean", "min", "max", "std", "count")),
        amount.sum(), amount.std(), amount.last(), sales["items"].last(last="9s"), sales.count(),
        sales.time_since_last(),
        amount.lag("4s", tolerance="5s"), (amount.mean(last="3s") / amount.mean(last="20s")).named("trend"),
        people.age, people.segment, Calendar("weekday"), Calendar("hour", "Europe/London"),
    ],
    target=sales.count(next="1d") == 0,
)  # fmt: skip
ENTITIES = ("a", "b", "c")
NEVER = 2**62

numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(), st.just(-0.0), st.just(math.nan))
events = st.lists(
    st.tuples(st.sampled_from(ENTITIES), st.integers(0, 30), st.integers(0, 6), numbers, numbers), max_size=30
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = SQLiteStore(tmp_path_factory.mktemp("online") / "online.sqlite")
    record = {"age": np.array([30.0, math.nan]), "segment": np.array(["gold", None], object)}
    opened.replace_records(people, {"entity": np.array(["a", "b"], object), **record})
    yield opened
    opened.close()


def micros(seconds):
    return 1_000_000_000 + int(seconds) * clock.SECOND


def batch(found, moments):
    """Return the features of each entity at each moment, from all rows at once."""
    found = sorted(found, key=lambda row: row[:2])  # stable: ties stay in order of arrival
    starts = np.searchsorted([row[0] for row in found], [*ENTITIES, "d"])
    t = np.tile(np.array(moments, np.int64), len(ENTITIES))
    plan = compile_plan(model.inputs())
    places = {"amount": 3, "items": 4}
    (part,) = plan.events
    values = np.array([[row[places[str(one)]] for row in found] for one in part.columns], np.float64).reshape(2, -1)
    swept = sweep(
        part.program,
        np.array([micros(row[1]) for row in found], np.int64),
        np.array([micros(row[1] + row[2]) for row in found], np.int64),
        values,
        starts.astype(np.int64),
        t,
        np.arange(len(ENTITIES) + 1) * len(moments),
    )
    leaves = dict(zip(part.names, swept, strict=True))
    leaves["people_age"] = np.repeat([30.0, math.nan, math.nan], len(moments))
    leaves["people_segment"] = np.repeat(np.array(["gold", None, None], object), len(moments))
    leaves.update({each.name: of_moment(each, t) for each in plan.moments})
    return plan.evaluate(leaves)


def put(store, found, until):
    """Publish the rows before `until`; the others come by request, in their order."""
    store.replace(sales, {name: np.empty(0) for name in ("entity", "time", "known")}, NEVER)
    lake = sorted((row for row in found if row[1] < until), key=lambda row: row[:2])
    columns = {
        "entity": np.array([row[0] for row in lake], object),
        "time": np.array([micros(row[1]) for row in lake], np.int64),
        "known": np.array([micros(row[1] + row[2]) for row in lake], np.int64),
        "amount": np.array([row[3] for row in lake], np.float64),
        "items": np.array([row[4] for row in lake], np.float64),
    }
    store.replace(sales, columns, micros(until))
    for entity, time, delay, first, second in (row for row in found if row[1] >= until):
        times = {"time": micros(time), "known": micros(time + delay)}
        store.append(sales, {"id": entity, **times, "amount": first, "items": second})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    found=events, moments=st.lists(st.integers(0, 40), min_size=1, max_size=3, unique=True), until=st.integers(0, 31)
)
def test_online_equals_batch_bit_for_bit(store, found, moments, until):
    put(store, found, until)
    moments = [micros(moment) for moment in sorted(moments)]
    expected, online = batch(found, moments), OnlineFeatures(model, store)
    for place, entity in enumerate(ENTITIES):
        for turn, t in enumerate(moments):
            got = online.features(entity, t).columns
            assert list(got) == list(expected)
            for name, column in got.items():
                wanted = expected[name][place * len(moments) + turn : place * len(moments) + turn + 1]
                assert column.dtype == wanted.dtype
                same = (
                    column.tolist() == wanted.tolist()
                    if column.dtype == object
                    else column.tobytes() == wanted.tobytes()
                )
                assert same, (name, column, wanted)


def test_an_event_at_t_is_not_seen_at_t(store):
    put(store, [("a", 5, 0, 1.0, 1.0)], 31)
    online = OnlineFeatures(model, store)
    assert online.features("a", micros(5)).values()["sales_count"] == 0
    assert online.features("a", micros(5) + 1).values()["sales_count"] == 1


def test_null_is_none_and_a_stranger_is_told(store):
    put(store, [], 31)
    features = OnlineFeatures(model, store).features("nobody", micros(1))
    assert not features.known
    assert features.values()["people_segment"] is None
    assert features.values()["sales_amount_mean_3s"] is None
    assert features.values()["sales_amount_sum_3s"] == 0
    assert OnlineFeatures(model, store).features("a", micros(1)).known
