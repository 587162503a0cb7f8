"""Names, trees and windows of features and targets."""

from __future__ import annotations

import pytest

from keepfit import Calendar, Category, Events, Files, Float, Integer, Records
from keepfit.clock import DAY, HOUR
from keepfit.spec.features import Aggregate, Combined, Compared
from keepfit.spec.window import Window

sales = Events(
    "sales", Files("s.csv"), entity="id", time="at",
    columns={"amount": Float(), "count": Float(), "sum": Float(), "channel": Category()},
)  # fmt: skip
people = Records("people", Files("p.csv"), entity="id", columns={"age": Integer(), "count": Integer()})
stores = Records("stores", Files("r.csv"), entity="id", columns={"county": Category()})


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        (sales.count(last="30d"), "sales_count_30d"),
        (sales.count(), "sales_count"),
        (sales.amount.sum(last="30 d"), "sales_amount_sum_30d"),
        (sales.amount.std(), "sales_amount_std"),
        (sales.time_since_last(), "sales_time_since_last"),
        (sales.amount.time_since_last(last="90d"), "sales_amount_time_since_last_90d"),
        (sales.amount.mean(next="7d"), "sales_amount_mean_next_7d"),
        (sales.amount.lag("24h", tolerance="1h"), "sales_amount_lag_24h_within_1h"),
        (sales.amount.at("24h", tolerance="1h"), "sales_amount_at_24h_within_1h"),
        (sales.count(next="30d") == 0, "sales_count_next_30d_eq_0"),
        (sales.amount.mean(last="7d", via=stores.county), "sales_amount_mean_7d_via_stores_county"),
        (sales.time_to_next("90d"), "sales_time_to_next_90d"),
        (sales.time_to_next("90d", via=stores.county), "sales_time_to_next_90d_via_stores_county"),
        (sales.time_to_next("90d", where=sales.channel == "web"), "sales_time_to_next_90d_where_channel_eq_web"),
        (sales.count(by="channel"), "sales_count_channel"),
        (sales.count(by="channel").named("visits"), "visits"),
        (sales.amount.mean(last="1d") / sales.amount.mean(last="9d"), "sales_amount_mean_1d_over_sales_amount_mean_9d"),
        (1.5 - people.age, "1p5_minus_people_age"),
        (people.age * -2, "people_age_times_minus_2"),
        (people.age.named("years"), "years"),
        (Calendar("hour"), "hour"),
        (Calendar("hour", zone="Europe/London"), "hour_europe_london"),
    ],
)
def test_a_name_says_what_is_computed(expression, name):
    assert expression.name == name


def test_a_list_of_windows_makes_a_list_of_aggregates():
    assert [one.name for one in sales.amount.max(last=["7d", "30d"])] == ["sales_amount_max_7d", "sales_amount_max_30d"]
    assert [one.window.future for one in sales.count(next=["7d", "30d"])] == [True, True]


def test_a_window_lies_before_or_after_t():
    with pytest.raises(TypeError, match="sales: give last= or next=, not both"):
        sales.amount.sum(last="7d", next="7d")


@pytest.mark.parametrize(
    ("window", "offsets", "future"),
    [
        (Window(last="30d"), (-30 * DAY, 0), False),
        (Window(next="30d"), (0, 30 * DAY), True),
        (Window(lag="24h", tolerance="1h"), (-25 * HOUR, -24 * HOUR), False),
        (Window(at="24h", tolerance="1h"), (23 * HOUR, 24 * HOUR), True),
        (Window(), (None, 0), False),
    ],
)
def test_a_window_is_half_open_around_t(window, offsets, future):
    assert (window.offsets(), window.future) == (offsets, future)


@pytest.mark.parametrize(
    ("window", "label"),
    [
        (Window(last=" 30 d "), "30d"),
        (Window(next="1w"), "next_1w"),
        (Window(lag="24h", tolerance="1h"), "lag_24h_within_1h"),
        (Window(at="24h", tolerance="1h"), "at_24h_within_1h"),
        (Window(), ""),
    ],
)
def test_a_window_is_a_part_of_the_name(window, label):
    assert window.label == label


def test_a_column_named_like_a_method_is_reached_by_item_access():
    assert sales["count"].sum(last="7d").name == "sales_count_sum_7d"
    assert sales["sum"].sum(last="7d").column == "sum"
    assert sales.count(last="7d").column is None
    assert people["count"].name == "people_count"


def test_a_tree_lists_its_leaves_from_left_to_right():
    ratio = (sales.count(last="1d") / people.age - Calendar("day")).named("ratio")
    assert [leaf.name for leaf in ratio.leaves()] == ["sales_count_1d", "people_age", "day"]


def test_a_renamed_comparison_is_still_a_condition():
    assert (sales.count(next="30d") == 0).named("churned").is_condition
    assert not sales.count(next="30d").named("bought").is_condition


def test_operators_build_the_tree_they_read_as():
    less = people.age <= 3
    assert (type(less), less.op, less.left.name, less.right.value) == (Compared, "<=", "people_age", 3)
    minus = 3 - people.age
    assert (type(minus), minus.op, minus.left.value, minus.right.name) == (Combined, "-", 3, "people_age")


def test_an_expression_has_no_truth_value():
    with pytest.raises(TypeError, match="'people_age_gt_3' has no truth value before it is computed"):
        bool(people.age > 3)
    with pytest.raises(TypeError, match="has no truth value"):
        sales.count(last="1d") > 0 and people.age > 3


@pytest.mark.parametrize("other", ["3", True, None, sales.amount])
def test_a_feature_combines_with_features_and_numbers_only(other):
    with pytest.raises(TypeError, match="a feature cannot be combined with"):
        people.age + other


def test_a_time_to_next_reaches_events_of_another_entity():
    (leaf,) = (one for one in sales.time_to_next("90d", via=stores.county).leaves() if isinstance(one, Aggregate))
    assert leaf.via is not None
    assert leaf.via.name == "stores_county"


@pytest.mark.parametrize("narrowed", [{"by": "channel"}, {"values": ["web"]}, {"top": 3}, {"wehre": None}])
def test_a_time_to_next_is_one_value(narrowed):
    (name,) = narrowed
    with pytest.raises(TypeError, match=rf"sales\.time_to_next takes next, where and via, not '{name}'"):
        sales.time_to_next("90d", **narrowed)


def test_a_time_to_next_takes_a_duration():
    with pytest.raises(TypeError, match=r"sales\.time_to_next\(90\): 90 is no duration; write time_to_next\('90d'\)"):
        sales.time_to_next(90)


@pytest.mark.parametrize(("first", "second", "ago"), [("7d", "7d", "14d"), ("1d", "12h", "36h"), ("x", "7d", "x")])
def test_earlier_and_earlier_adds_up(first, second, ago):
    assert sales.count(last="7d").ago(first).ago(second).window == Window(last="7d", ago=ago)


def test_what_looks_ahead_cannot_lie_earlier():
    with pytest.raises(TypeError, match="sales: count looks ahead; only a past window can lie earlier"):
        sales.count(next="7d").ago("7d")


def test_a_chosen_name_begins_the_names_of_a_categorys_features():
    features = sales.count(by="channel", values=["web", "store"]).named("visits")
    assert [one.name for one in features.expand()] == ["visits_web", "visits_store"]
