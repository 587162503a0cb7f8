"""From raw files through the lake to the online store: the batch's features, bit for bit."""

from __future__ import annotations

import dataclasses
from contextlib import closing

import numpy as np
import pytest

from keepfit import Category, Events, Every, Files, Float, Integer, Length, Model, Records, Text, clock
from keepfit.connect import Place
from keepfit.engines.local import open_engine
from keepfit.engines.protocol import Observations
from keepfit.errors import ServingError
from keepfit.lake import Lake
from keepfit.rows.contract import check_row
from keepfit.snapshot import take
from keepfit.stages.features.compute import compute
from keepfit.stages.ingest import ingest
from keepfit.stages.serving.online import OnlineFeatures
from keepfit.stages.serving.publish import publish
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.stages.serving.store import EVER

CUSTOMERS = "customer_id,age,segment\n1,30,gold\n2,,\n3,51,basic\n4,22,gold\n"
SALES = """customer_id,sold_at,amount
1,2025-01-02T10:00:00Z,0.1
1,2025-05-20T10:00:00Z,0.2
1,2025-05-20T10:00:00Z,0.7
1,2025-05-31T23:59:59.999999Z,0.3
2,2025-02-01T10:00:00Z,
2,2025-01-01T10:00:00Z,5
3,2025-05-30T10:00:00Z,1e300
"""
NOTES = "customer_id,written_at,text\n1,2025-05-01T00:00:00Z,good\n3,2025-05-31T12:00:00Z,bad news\n"
AS_OF = clock.to_micros(clock.parse_moment("2025-06-01"))

customers = Records(
    "customers", Files("customers.csv"), entity="customer_id", columns={"age": Integer(), "segment": Category()}
)
sales = Events("sales", Files("sales.csv"), entity="customer_id", time="sold_at", columns={"amount": Float()})
notes = Events(
    "notes", Files("notes.csv"), entity="customer_id", time="written_at", known_after="1d",
    columns={"text": Text()}, derive={"length": Length("text")},
)  # fmt: skip
FEATURES = [
    sales.amount.sum(last=["7d", "30d"]), sales.count(last="30d"), sales.amount.last(), sales.time_since_last(),
    sales.amount.mean(last="7d") / sales.amount.mean(last="30d"), notes.length.max(last="40d"),
    customers.age, customers.segment,
]  # fmt: skip


def churn(*more):
    return Model(
        "churn",
        observe=Every("1 month", of=customers),
        features=[*FEATURES, *more],
        target=sales.count(next="30d") == 0,
    )


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    root = tmp_path_factory.mktemp("lake")
    for name, content in (("customers", CUSTOMERS), ("sales", SALES), ("notes", NOTES)):
        (root / f"{name}.csv").write_text(content)
    engine, lake = open_engine(1, None), Lake(root / "lake")
    ingest(engine, lake, Place(root, root / "landing", {}), [customers, sales, notes], AS_OF)
    return take(engine, lake, [customers, sales, notes], AS_OF)


@pytest.fixture
def store(tmp_path):
    opened = SQLiteStore(tmp_path / "online.sqlite")
    yield opened
    opened.close()


def same_as_batch(model, snapshot, store, t):
    snapshot = dataclasses.replace(snapshot, as_of=t)  # what was known at t, not when the store was filled
    keys = np.array(["1", "2", "3", "4"], object)
    batch = compute(model.features, snapshot, Observations(keys, np.arange(5), np.full(4, t)))
    online = OnlineFeatures(model, store)
    for place, key in enumerate(keys):
        got = online.features(key, t).columns
        for name, column in batch.items():
            wanted = column[place : place + 1]
            assert got[name].dtype == wanted.dtype, name
            same = (
                got[name].tolist() == wanted.tolist()
                if wanted.dtype == object
                else got[name].tobytes() == wanted.tobytes()
            )
            assert same, (key, name, got[name], wanted)


@pytest.mark.parametrize("later_days", [0, 3])
@pytest.mark.parametrize("more", [(), (sales.amount.std(),)], ids=["windows", "whole past"])
def test_published_features_equal_the_batch_bit_for_bit(snapshot, store, more, later_days):
    model = churn(*more)
    assert publish([model], snapshot, store)["customers"] == 4
    same_as_batch(model, snapshot, store, AS_OF + later_days * clock.DAY)


def test_only_what_windows_reach_and_the_newest_is_kept(snapshot, store):
    counts = publish([churn()], snapshot, store)
    # of 2, the newest row has no amount, so the one before it is kept too; the note of 3 will be known tomorrow
    assert counts == {"customers": 4, "notes": 2, "sales": 6}
    assert store.answers_from() == AS_OF


def test_with_the_whole_past_any_moment_can_be_asked_for(snapshot, store):
    model = Model(
        "all", observe=Every("1 month", of=customers), features=[sales.amount.sum()], target=sales.count(next="1d")
    )
    publish([model], snapshot, store)
    assert store.answers_from() == EVER
    same_as_batch(model, snapshot, store, AS_OF - 40 * clock.DAY)


def test_an_event_posted_after_the_lakes_newest_survives_a_publication(snapshot, store):
    model = churn()
    publish([model], snapshot, store)
    posted = {"customer_id": "2", "sold_at": "2025-06-01T08:00:00Z", "amount": 4}
    for moment in (posted["sold_at"], "2025-05-30T08:00:00Z"):
        store.append(sales, check_row(sales, {**posted, "sold_at": moment}))
    publish([model], snapshot, store)
    found = OnlineFeatures(model, store).features("2", AS_OF + clock.DAY).values()
    # the row of 30 May lies before what the lake holds, so it is in the lake or was never there
    assert found["sales_amount_sum_7d"] == 4.0 and found["sales_count_30d"] == 1.0


def test_tables_of_the_target_make_their_entities_known(snapshot, store):
    model = Model(
        "age", observe=Every("1 month", of=customers), features=[customers.age], target=sales.count(next="1d")
    )
    publish([model], snapshot, store)
    own = {table.name for table in model.tables()}
    assert store.read("3").knows(own) and not store.read("5").knows(own)
    same_as_batch(model, snapshot, store, AS_OF)


def test_a_row_counts_from_when_it_is_known_though_the_store_was_filled_before(snapshot, store):
    model = churn()
    publish([model], snapshot, store)
    online = OnlineFeatures(model, store)
    noted = [online.features("3", AS_OF + hours * clock.HOUR).values()["notes_length_max_40d"] for hours in (11, 13)]
    assert noted == [None, 8.0]


def test_two_definitions_are_covered_while_one_takes_the_place_of_the_other(snapshot, store):
    short, long = churn(), churn(sales.amount.ewm("30d"), sales.amount.max(last="200d"))
    publish([short], snapshot, store)
    with pytest.raises(ServingError, match="the online store does not hold what the version needs of sales") as caught:
        OnlineFeatures(long, store)
    assert "keepfit publish" in caught.value.fix
    publish([long, short], snapshot, store)
    for model in (short, long):
        same_as_batch(model, snapshot, store, AS_OF)


def test_a_record_dated_ahead_counts_from_its_day_on(tmp_path):
    plans = Records("plans", Files("plans.csv"), entity="id", time="since", zone="UTC", columns={"tier": Category()})
    versions = ["1,2025-01-01,free", "1,2025-06-03,paid", "1,2024-01-01,trial", "2,2025-06-02,free"]
    (tmp_path / "plans.csv").write_text("\n".join(["id,since,tier", *versions]) + "\n")
    (tmp_path / "sales.csv").write_text("id,at,amount\n1,2025-05-01T00:00Z,2\n")
    events = Events("sales", Files("sales.csv"), entity="id", time="at", columns={"amount": Float()})
    engine, lake = open_engine(1, None), Lake(tmp_path / "lake")
    ingest(engine, lake, Place(tmp_path, tmp_path / "landing", {}), [plans, events], AS_OF)
    snapshot = take(engine, lake, [plans, events], AS_OF)
    model = Model("m", observe=Every("1 day", of=plans), features=[plans.tier], target=events.count(next="1d"))
    with closing(SQLiteStore(tmp_path / "online.db")) as store:
        publish([model], snapshot, store)
        online = OnlineFeatures(model, store)
        seen = {
            key: [online.features(key, AS_OF + days * clock.DAY).values()["plans_tier"] for days in (0, 1, 2, 3)]
            for key in ("1", "2")
        }
    # known at its day's first instant, so it counts from the instant after
    assert seen == {"1": ["free", "free", "free", "paid"], "2": [None, None, "free", "free"]}
