"""Unchanged features are taken from the last training set; what is computed anew is what may have changed."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit import Category, Events, Every, Files, Float, Model, Records, clock
from keepfit.stages.features import reuse
from keepfit.stages.features.reuse import Stored, compute_new, fingerprints
from keepfit.stages.features.training_set import training_set

sales = Events(
    "sales", Files("sales_*.csv"), entity="who", time="at", known="seen", columns={"amount": Float()}, quiet="99d"
)
people = Records("people", Files("people.csv"), entity="who", columns={"town": Category()})
TOTAL, COUNT, MEAN = sales.amount.sum(last="60d"), sales.count(last="60d"), sales.amount.mean(last="60d")


def model(*features):
    return Model("spend", observe=Every("1 week", of=sales), features=features, target=sales.amount.sum(next="7d"))


def row(who, day, amount, seen=None):
    moments = (
        clock.from_micros(clock.to_micros(clock.parse_moment("2025-01-01")) + one * clock.DAY)
        for one in (day, seen or day)
    )
    return f"{who},{','.join(moment.isoformat() for moment in moments)},{amount}\n"


@pytest.fixture
def sold(desk):
    desk.write(
        "sales_1.csv", "who,at,seen,amount\n" + "".join(row(who, day, day / 7) for who in "ab" for day in range(90))
    )
    desk.write("people.csv", "who,town\na,Rome\nb,\n")
    desk.ingest(sales, people)
    return desk


@pytest.fixture
def computed(monkeypatch):
    """Count what is computed: (names of the features, observations)."""
    calls = []
    real = reuse.compute

    def spy(features, snapshot, observations):
        calls.append(([one.name for one in features], len(observations)))
        return real(features, snapshot, observations)

    monkeypatch.setattr(reuse, "compute", spy)
    return calls


def stored(found, snapshot):
    columns = {"entity": found.entity, "t": found.t, **found.features}
    return Stored(fingerprints(found.model.inputs()), dict(snapshot.versions), columns)


def same(one, other):
    return all(np.array_equal(one.features[name], other.features[name], equal_nan=one.features[name].dtype != object)
               for name in one.features)  # fmt: skip


def test_nothing_is_computed_twice(sold, computed):
    snapshot = sold.snapshot(sales, people, as_of="2025-04-01")
    first = training_set(model(TOTAL, people.town), snapshot)
    again = training_set(model(TOTAL, people.town), snapshot, stored=stored(first, snapshot))
    assert computed == [] and same(first, again) and len(again) > 10


def test_a_new_feature_is_computed_and_the_others_are_kept(sold, computed):
    snapshot = sold.snapshot(sales, people, as_of="2025-04-01")
    first = training_set(model(TOTAL, people.town), snapshot)
    more = training_set(model(TOTAL, MEAN, people.town), snapshot, stored=stored(first, snapshot))
    assert computed == [(["sales_amount_mean_60d"], len(more))]
    assert same(more, training_set(model(TOTAL, MEAN, people.town), snapshot))


def test_a_changed_definition_of_one_name_is_computed(sold, computed):
    snapshot = sold.snapshot(sales, people, as_of="2025-04-01")
    first = training_set(model(TOTAL.named("x"), COUNT), snapshot)
    changed = training_set(model(MEAN.named("x"), COUNT), snapshot, stored=stored(first, snapshot))
    assert [names for names, _ in computed] == [["x"]]
    assert same(changed, training_set(model(MEAN.named("x"), COUNT), snapshot))


def test_rows_after_what_came_are_computed_and_those_before_are_kept(sold, computed):
    first = training_set(model(TOTAL, COUNT), before := sold.snapshot(sales, as_of="2025-04-01"))
    # of these rows one is of an old time, but was seen late
    sold.write(
        "sales_2.csv",
        "who,at,seen,amount\n" + row("a", 20, 99, seen=85) + "".join(row("a", day, 1) for day in range(90, 120)),
    )
    sold.ingest(sales)
    after = sold.snapshot(sales, as_of="2025-05-01")
    again = training_set(model(TOTAL, COUNT), after, stored=stored(first, before))
    ((names, rows),) = computed
    assert names == ["sales_amount_sum_60d", "sales_count_60d"] and 0 < rows < len(again) / 2
    assert same(again, training_set(model(TOTAL, COUNT), after))


def test_a_table_whose_rows_were_exchanged_is_computed(sold, computed):
    first = training_set(model(COUNT, people.town), before := sold.snapshot(sales, people, as_of="2025-04-01"))
    sold.write("people.csv", "who,town\na,Bonn\nb,Wien\n")
    sold.ingest(people, replace=("people.csv",))
    again = training_set(
        model(COUNT, people.town), sold.snapshot(sales, people, as_of="2025-04-01"), stored=stored(first, before)
    )
    assert set(again.features["people_town"]) == {"Bonn", "Wien"}


def test_nothing_stored_computes_everything(sold, computed):
    snapshot = sold.snapshot(sales, as_of="2025-04-01")
    observations = training_set(model(COUNT), snapshot)
    assert len(observations)
    from keepfit.engines.protocol import Observations

    one, _ = Observations.grouped(observations.entity, observations.t)
    assert list(compute_new([COUNT], snapshot, one, None)) == ["sales_count_60d"]
    assert len(computed) == 1
