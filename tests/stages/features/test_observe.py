"""Which (entity, t) there are, and up to where a table is complete."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepfit import EachRow, Events, Every, Files, Float, Integer, Model, Records, clock
from keepfit.engines.protocol import Observations
from keepfit.errors import LakeError
from keepfit.stages.features.observe import current, mature

people = Records("people", Files("people.csv"), entity="who", columns={"age": Integer()})
sales = Events(
    "sales", Files("sales*.csv"), entity="who", time="on", zone="UTC", columns={"amount": Float()}, quiet="3d"
)
SALES = "who,on,amount\na,2025-01-05,1\nb,2025-02-01,2\na,2025-02-10,3\nb,2025-03-20,4\n"


def model(observe, target=None):
    return Model("m", observe, [sales.count(last="30d")], sales.count(next="10d") if target is None else target)


@pytest.fixture
def filled(desk):
    desk.write("people.csv", "who,age\na,30\nb,40\nc,50\n")
    desk.write("sales.csv", SALES)
    desk.ingest(people, sales)
    return desk


def pairs(observations):
    return [(key, clock.show(int(t))) for key, t in zip(observations.keys(), observations.t, strict=True)]


def test_every_record_is_observed_at_each_moment_from_the_first_event_on(filled):
    found = pairs(mature(model(Every("1 month", of=people)), filled.snapshot(people, sales, as_of="2025-03-21")))
    months = ["2025-02-01", "2025-03-01"]
    assert found == [(key, month) for key in "abc" for month in months]


def test_entities_of_events_are_observed_only_after_they_were_seen(filled):
    found = pairs(mature(model(Every("1 month", of=sales)), filled.snapshot(sales, as_of="2025-03-21")))
    # b was first seen at the very moment of the grid, so not before it
    assert found == [("a", "2025-02-01"), ("a", "2025-03-01"), ("b", "2025-03-01")]


def test_only_entities_that_meet_the_condition_at_t_are_observed(filled):
    active = model(Every("1 month", of=people, active=sales.within("20d")))
    found = pairs(mature(active, filled.snapshot(people, sales, as_of="2025-03-21")))
    assert found == [("a", "2025-03-01")]


def test_each_row_is_observed_a_microsecond_after_it_is_known(filled):
    found = mature(model(EachRow(of=sales)), filled.snapshot(sales, as_of="2025-03-21"))
    moments = ["2025-01-05", "2025-02-10", "2025-02-01"]
    assert list(found.keys()) == ["a", "a", "b"]
    assert list(found.t) == [clock.to_micros(clock.parse_moment(moment)) + 1 for moment in moments]


@pytest.mark.parametrize(
    ("as_of", "until"),
    [("2025-03-21", "2025-03-21"), ("2025-03-23", "2025-03-23"), ("2025-03-23T00:00:01Z", "2025-03-20")],
)
def test_a_table_is_complete_up_to_its_newest_row_after_a_silence_longer_than_quiet(filled, as_of, until):
    assert clock.show(filled.snapshot(sales, as_of=as_of).complete_until(sales)) == until


def test_what_is_mature_depends_on_the_tables_of_the_target_alone(filled):
    silent = Events("visits", Files("visits.csv"), entity="who", time="on", zone="UTC")
    filled.write("visits.csv", "who,on\na,2025-01-06\n")
    filled.ingest(people, sales, silent)
    made = Model("m", Every("1 month", of=people), [silent.count(last="30d")], sales.count(next="10d"))
    found = mature(made, filled.snapshot(people, sales, silent, as_of="2025-03-21"))
    assert pairs(found)[-1] == ("c", "2025-03-01")


def test_predictions_are_for_the_newest_moment_of_the_grid_or_each_entity_s_newest_row(filled):
    snapshot = filled.snapshot(people, sales, as_of="2025-03-21")
    assert pairs(current(model(Every("1 month", of=people)), snapshot)) == [(key, "2025-03-01") for key in "abc"]
    newest = current(model(EachRow(of=sales)), snapshot)
    assert list(newest.keys()) == ["a", "b"]
    assert [clock.show(int(t) - 1) for t in newest.t] == ["2025-02-10", "2025-03-20"]


def test_a_table_without_rows_yet_gives_no_observations(desk):
    desk.write("people.csv", "who,age\na,30\n")
    desk.write("sales.csv", SALES)
    desk.ingest(people, sales, as_of="2025-01-01")
    snapshot = desk.snapshot(people, sales, as_of="2025-01-01")
    assert snapshot.span(sales) == (0, 0, 0)
    for observe in (Every("1 month", of=people), Every("1 month", of=sales), EachRow(of=sales)):
        assert len(mature(model(observe), snapshot)) == 0
    assert len(current(model(EachRow(of=sales)), snapshot)) == 0
    assert pairs(current(model(Every("1 month", of=people)), snapshot)) == [("a", "2025-01-01")]


def test_a_table_never_ingested_is_named(desk):
    with pytest.raises(LakeError, match="sales holds no rows yet") as refused:
        desk.snapshot(sales, as_of="2025-01-01")
    assert refused.value.fix == "run `keepfit ingest`"


@given(st.lists(st.lists(st.booleans(), max_size=4), max_size=5))
def test_keep_keeps_entities_that_have_nothing_left(wanted):
    counts = [len(flags) for flags in wanted]
    keys = np.array([f"e{place}" for place in range(len(wanted))], object)
    t = np.array([moment for flags in wanted for moment in range(len(flags))], np.int64)
    mask = np.array([flag for flags in wanted for flag in flags], bool)
    kept = Observations(keys, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), t).keep(mask)
    assert list(kept.entities) == list(keys)
    for place, flags in enumerate(wanted):
        own = kept.t[kept.offsets[place] : kept.offsets[place + 1]]
        assert list(own) == [moment for moment, flag in enumerate(flags) if flag]
