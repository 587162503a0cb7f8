"""Values of another kind than their parameter takes: all of them are reported, none of them ends in a traceback."""

from __future__ import annotations

import math
from typing import Any

import pytest

from keepfit import (
    Boolean,
    Calendar,
    Category,
    Events,
    Every,
    Files,
    Float,
    Holiday,
    Input,
    Integer,
    Model,
    Records,
    col,
)
from keepfit.spec.check import Problem, check, models

stores = Records(
    "stores", Files("r.csv"), entity="id",
    columns={"county": Category(), "segment": Category(), "age": Integer(), "height": Float()},
)  # fmt: skip
sales = Events(
    "sales", Files("s.csv"), entity="id", time="sold_at",
    columns={"amount": Float(), "ok": Boolean(), "channel": Category(values=("web", "store")), "free": Category()},
    derive={"large": col("amount") > 100},
)  # fmt: skip
weather = Events("weather", Files("w.csv"), entity="county", time="at", columns={"temp": Float()})
TABLES = [stores, sales, weather]
IS_NO_VALUE = "is not a value at t"


def problems(*features: Any, **changes: Any) -> list[Problem]:
    parts = {"observe": Every("1 month", of=stores), "target": sales.count(next="30d") == 0}
    return check(TABLES, [Model("m", features=[sales.count(), *features], **{**parts, **changes})])


def one(found: list[Problem]) -> tuple[str, str]:
    (problem,) = found
    assert problem.where == "definitions.py, Model 'm'"
    return problem.what, problem.fix


# what no name can be built from


@pytest.mark.parametrize(
    ("feature", "what", "fix"),
    [
        (sales.count(where="chan == web"), "Feature: sales.count: where='chan == web' is no condition", "compare a column"),
        (sales.count(where=stores.age > 3), "where= compares values at t, not rows of sales", "compare a column"),
        (sales.count(where=sales.count() > 3), "where= compares values at t, not rows of sales", "compare a column"),
        (sales.count(where=True), "where=True is no condition", "compare a column"),
        (weather.count(via="county"), "weather.count: via='county' is no attribute", "write via=bridges.county"),
        (weather.count(via=sales.amount), "via=sales.amount is no attribute", "write via=bridges.county"),
        (sales.count(by=sales.channel), "by=sales.channel is no text", "name the category: by='channel'"),
        (sales.count(by=3), "by=3 is no text", "name the category"),
        (sales.count(by="channel").named(3), "3 is no name", "give a text"),
        (sales.count(last=7), "Feature: sales.count: last=7 is no duration", "write last='7d'"),
        (sales.amount.sum(last=2.5), "sales.amount.sum: last=2.5 is no duration", "write last='30d'"),
        (sales.amount.lag(24, tolerance="1h"), "lag=24 is no duration", "write lag='24d'"),
        (sales.amount.lag(None, tolerance="1h"), "a lag has a duration and a tolerance", "lag('24h', tolerance='1h')"),
        (sales.amount.lag("24h", tolerance=None), "a lag has a duration and a tolerance", "lag('24h', tolerance='1h')"),
        (sales.count(last="7d").ago(7), "ago=7 is no duration", "write ago='7d'"),
        (sales.count(last="7d").ago(7).ago("7d"), "ago=7 is no duration", "write ago='7d'"),
        (sales.amount.quantile(sales.amount), "sales.amount is no constant", "write a finite number"),
        (sales[3].sum(), "3 is no column", "sales['<column>']"),
        (stores[3], "stores: 3 is no column", "stores['<column>']"),
        (sales.count().named(3), "3 is no name", "give a text"),
        (Input("b", Float(), past=3), f"past=3 {IS_NO_VALUE}", "aggregate a column"),
        (Input("b", Float(), past=sales.amount), f"past=sales.amount {IS_NO_VALUE}", "aggregate a column"),
        (Input(3, Float(), past=stores.age), "3 is no name", "Input('basket_value', ...)"),
        (Calendar("hour", zone=None), "Calendar: zone=None is no zone", "write zone='Europe/London'"),
        (Calendar(3), "Calendar(3) is no part of the calendar", "write Calendar('hour')"),
        (Holiday(None), "Holiday(None) names no country", "Holiday('GB')"),
        (Holiday("GB", 3), "Holiday('GB', 3) names no part of the country", "Holiday('DE', 'BY')"),
        (stores.age.fill(None), ".fill(None) fills in no value", "a finite number"),
        (stores.age.fill(math.nan), ".fill(nan) fills in no value", "a finite number"),
        (stores.age.clip("a"), ".clip() takes no bound 'a'", "give finite numbers"),
        (stores.age.clip("a", 3), ".clip() takes no bound 'a'", "give finite numbers"),
        (stores.age * math.inf, "computes with inf", "use a finite number"),
        (stores.age - math.nan, "computes with nan", "use a finite number"),
        (stores.age * 10**400, "computes with a number of 1329 bits", "use a finite number"),
    ],
)  # fmt: skip
def test_what_no_name_can_be_built_from(feature, what, fix):
    for wrapped in (feature, *([] if hasattr(feature, "by") else [(feature / 2).log1p()])):
        found, way_out = one(problems(wrapped))
        assert what in found
        assert fix in way_out


def test_they_are_found_in_a_target_and_in_a_condition_too():
    found, fix = one(problems(target=sales.count(next=30) == 0))
    assert (found, fix) == ("Target: sales.count: next=30 is no duration", "write next='30d'")
    found, _ = one(problems(observe=Every("1 month", of=stores, active=sales.within(90))))
    assert found == "Condition: sales.count: last=90 is no duration"
    assert one(problems(target=sales.amount.drop(next=7)))[0].endswith("next=7 is no duration")


def test_all_of_them_are_reported_at_once():
    found = problems(
        sales.count(last=[7, "30d", None, 8]), sales.amount.sum(where="x", last=7), Calendar("hour", zone=3)
    )
    assert [problem.what for problem in found] == [
        "Feature: sales.count: last=7 is no duration",
        "Feature: sales.count: last=8 is no duration",
        "Feature: sales.amount.sum: last=7 is no duration",
        "Feature: sales.amount.sum: where='x' is no condition",
        "Feature: Calendar: zone=3 is no zone",
    ]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"zone": 3}, "zone=3 is no text"),
        ({"name": 3}, "name=3 is no text"),
        ({"entity": None}, "entity=None is no text"),
        ({"time": 3}, "time=3 is no text"),
        ({"quiet": 3}, "quiet: 3 is no duration"),
        ({"columns": ["amount"]}, "columns=['amount'] names no columns"),
        ({"derive": None}, "derive=None names no columns"),
    ],
)
def test_a_table_of_values_of_another_kind(changes, what):
    table = Events(**{"name": "e", "source": Files("e.csv"), "entity": "id", "time": "at", **changes})
    assert what in [problem.what for problem in check([table], [])]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"name": 3}, "name=3 is no text"),
        ({"metric": 3}, "metric=3 is no text"),
        ({"observe": Every(3, of=stores)}, "observe: "),
    ],
)
def test_a_model_of_values_of_another_kind(changes, what):
    parts = {"name": "m", "observe": Every("1 month", of=stores), "features": [stores.age]}
    (found,) = check(TABLES, [Model(**{**parts, "target": sales.count(next="30d") == 0, **changes})])
    assert found.what.startswith(what)


def test_a_rule_that_stumbles_is_a_problem_and_the_other_rules_still_speak(monkeypatch):
    def stumbles(model):
        yield Problem("seen before", "here", "mend it")
        raise AttributeError("'int' object has no attribute 'slug'")

    monkeypatch.setattr("keepfit.spec.check.MODEL_RULES", (stumbles, stumbles, *models.MODEL_RULES))
    before, stumbled, after = problems(stores.agee)
    assert before.what == "seen before"
    assert stumbled.what == "Model 'm' cannot be checked: AttributeError: 'int' object has no attribute 'slug'"
    assert stumbled.where == "definitions.py, Model 'm'"
    assert "unknown column 'agee'" in after.what


# what would compute something else than it says


@pytest.mark.parametrize(
    ("column", "past", "what"),
    [
        (Category(), stores.age, "Input 'b' is a category, and its past 'stores_age' a number"),
        (Float(), stores.segment, "Input 'b' is a number, and its past 'stores_segment' a category"),
        (Boolean(), stores.segment.fill("x"), "Input 'b' is a number, and its past 'stores_segment_fill_x' a category"),
    ],
)
def test_an_input_and_its_past_are_of_one_type(column, past, what):
    found, fix = one(problems(Input("b", column, past=past)))
    assert found == what
    assert "send what the past says" in fix


def test_an_input_of_the_type_of_its_past_passes():
    assert problems(Input("a", Category(), past=stores.segment), Input("b", Boolean(), past=stores.age > 3)) == []
    assert "unknown column" in one(problems(Input("a", Category(), past=stores.segmnt)))[0]


@pytest.mark.parametrize(
    ("feature", "what", "fix"),
    [
        (stores.age.fill("a"), "Feature 'stores_age_fill_a' fills a number with 'a'", "fill in a number"),
        (sales.count().fill("a") / 2, "fills a number with 'a'", "fill in a number"),
        (stores.segment.fill(3), "Feature 'stores_segment_fill_3' fills a category with 3", "fill in a text"),
        (stores.age.clip(10, 0), "is held above 10 and below 0", "give low <= high"),
    ],
)
def test_a_constant_that_does_not_fit(feature, what, fix):
    found, way_out = one(problems(feature))
    assert what in found
    assert fix in way_out


def test_constants_that_fit_pass():
    assert problems(stores.age.fill(0).clip(0, 10), stores.segment.fill("none"), stores.height.clip(high=2)) == []


@pytest.mark.parametrize(
    ("narrowed", "what", "fix"),
    [
        ({"values": "web"}, "values='web' is no list", "write a list: values=['web']"),
        ({"values": 3}, "values=3 is no list", "write a list"),
        ({"values": []}, "by='channel' has no values", "values=[...]"),
        ({"values": ["wbe"]}, "'wbe' is no value of 'channel'", "did you mean 'web'?"),
        ({"values": ["web", "web"]}, "values= names 'web' 2 times", "name each value once"),
        ({"values": [3]}, "3 is no value of 'channel'", "write the values as texts"),
        ({"top": "3"}, "top='3' says not how many values count", "give a whole number from 1"),
        ({"top": None}, "top=None says not how many", "give a whole number from 1"),
        ({"top": 0}, "top=0 says not how many", "give a whole number from 1"),
        ({"top": 2.5}, "top=2.5 says not how many", "give a whole number from 1"),
        ({"top": True}, "top=True says not how many", "give a whole number from 1"),
    ],
)
def test_values_of_a_category_that_do_not_fit(narrowed, what, fix):
    found, way_out = one(problems(sales.count(by="channel", **narrowed)))
    assert found.startswith(f"Feature 'sales_count_channel': {what}")
    assert fix in way_out


def test_values_of_a_category_that_fit_pass():
    assert problems(sales.count(by="channel", values=["web"]), sales.count(last="7d", by="free", values=("a",))) == []


# conditions


def test_a_boolean_column_is_a_condition():
    assert (
        problems(sales.count(where=sales.ok), sales.amount.sum(where=col("ok")), sales.count(where=col("large"))) == []
    )
    assert problems(sales.count(where=sales.ok, by="channel", values=["web"])) == []


@pytest.mark.parametrize("where", [sales.amount, sales.channel, col("amount") + 1])
def test_a_number_or_a_text_is_no_condition(where):
    found, fix = one(problems(sales.count(where=where)))
    assert found.endswith(f"where={where!s} is no condition")
    assert "where=sales.channel == 'web'" in fix


def test_a_condition_on_an_unknown_column():
    assert "where reads unknown column 'okk'" in one(problems(sales.count(where=sales.okk)))[0]


# names


def test_two_categories_of_one_name_can_be_renamed():
    first, second = (sales.count(by="channel", last=window) for window in ("7d", "7 d"))
    assert ".named('...')" in one(problems(first, second))[1]
    assert problems(first, second.named("recently")) == []


def test_two_attributes_that_events_are_reached_through_are_told_apart():
    home = Records("home", Files("h.csv"), entity="id", columns={"store_id": Category()})
    home_store = Records("home_store", Files("i.csv"), entity="id", columns={"id": Category()})
    features = [weather.count(via=home.store_id), weather.temp.max(via=home_store["id"])]
    model = Model("m", Every("1 month", of=stores), features, sales.count(next="30d") == 0)
    assert one(check([*TABLES, home, home_store], [model]))[0] == "two different values are called 'home_store_id'"
    model = Model("m", Every("1 month", of=stores), [features[0], home_store["id"]], sales.count(next="30d") == 0)
    assert one(check([*TABLES, home, home_store], [model]))[0] == "two different values are called 'home_store_id'"


def test_two_ways_of_one_column_name_have_two_names():
    homes = Records("homes", Files("h.csv"), entity="id", columns={"county": Category()})
    features = [weather.temp.mean(last="7d", via=stores.county), weather.temp.mean(last="7d", via=homes.county)]
    model = Model("m", Every("1 month", of=stores), features, sales.count(next="30d") == 0)
    assert check([*TABLES, homes], [model]) == []


def test_a_condition_reads_columns_of_its_own_table():
    other = Events("visits", Files("v.csv"), entity="id", time="at", columns={"amount": Float()})
    model = Model(
        "m", observe=Every("1 month", of=sales), target=sales.count(next="7d"),
        features=[sales.count(last="7d", where=other.amount > 3)],
    )  # fmt: skip
    (problem,) = check([sales, other], [model])
    assert "where= reads visits.amount, a column of another table" in problem.what


def test_a_table_is_no_list_of_its_columns():
    with pytest.raises(TypeError, match="not iterable"):
        Model("m", observe=Every("1 month", of=sales), features=sales, target=sales.count(next="7d"), gates=sales)
