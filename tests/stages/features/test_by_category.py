"""`by=`: one feature for each value of a category, learned on training rows only."""

from __future__ import annotations

import pytest

from keepfit import Category, Events, Every, Files, Float, Model, clock
from keepfit.spec import codec
from keepfit.stages.features.training_set import learn, training_set
from keepfit.stages.training.split import split, trains_until

sales = Events(
    "sales",
    Files("sales.csv"),
    entity="who",
    time="at",
    columns={"amount": Float(), "channel": Category()},
    quiet="99d",
)


def lines():
    """Return a year in which 'web' and 'shop' are sold, and from November on a new channel ten times as often."""
    rows = ["who,at,amount,channel"]
    for day in range(364):
        moment = clock.from_micros(clock.to_micros(clock.parse_moment("2024-01-01")) + day * clock.DAY)
        channels = ["web", "shop", "web"] if day < 305 else ["new app!"] * 30
        rows += [f"{who},{moment.isoformat()},{day % 7},{channel}" for who in "ab" for channel in channels]
    return "\n".join(rows) + "\n"


def model(**options):
    return Model(
        "spend",
        observe=Every("1 month", of=sales),
        features=[sales.amount.sum(last="30d", by="channel", **options), sales.count(last="30d")],
        target=sales.amount.sum(next="30d"),
    )


@pytest.fixture
def snapshot(desk):
    desk.write("sales.csv", lines())
    desk.ingest(sales)
    return desk.snapshot(sales, as_of="2025-01-01")


def test_values_are_learned_from_rows_before_the_validation(snapshot):
    found = training_set(model(top=2), snapshot, trains_until)
    names = ["sales_amount_sum_30d_channel_web", "sales_amount_sum_30d_channel_shop", "sales_count_30d"]
    assert list(found.features) == names
    last = found.t[split(found.t, found.model.horizon).train].max()
    assert learn(model(top=2), snapshot, int(last)).features[0].learned == ("web", "shop")
    # on all rows the new channel would have been the first
    assert learn(model(top=2), snapshot, snapshot.as_of).features[0].learned[0] == "new app!"


def test_each_value_has_the_rows_of_it_and_no_others(snapshot):
    found = training_set(model(values=["web", "shop", "new app!"]), snapshot)
    parts = [found.features[f"sales_amount_sum_30d_channel_{name}"] for name in ("web", "shop", "new_app")]
    whole = training_set(model(values=["none"]), snapshot)
    assert "sales_amount_sum_30d_channel_none" in whole.features
    total = sum(parts)
    assert (total > 0).any()
    again = Model("all", observe=model().observe, features=[sales.amount.sum(last="30d")], target=model().target)
    assert (training_set(again, snapshot).features["sales_amount_sum_30d"] == total).all()


def test_what_was_learned_travels_with_the_version_and_is_no_change_of_the_definition(snapshot):
    learned = learn(model(top=2), snapshot, snapshot.as_of)
    again = codec.decode(codec.encode(learned))
    assert [one.name for one in again.inputs()] == [one.name for one in learned.inputs()]
    assert codec.encode(again.learned({})) == codec.encode(model(top=2))


def test_labels_that_differ_in_signs_only_have_names_of_their_own():
    names = [one.name for one in model(values=["a b", "a-b", "A b", "?"]).inputs()][:4]
    assert len(set(names)) == 4 and all(name.replace("_", "").isalnum() for name in names)
