"""Definitions survive being written down, and their fingerprint tells every change."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path

import pytest

import keepfit
from keepfit import (
    Boolean,
    Calendar,
    Category,
    Csv,
    Database,
    Delta,
    EachRow,
    Estimator,
    Events,
    Every,
    Evolution,
    Excel,
    Expect,
    Files,
    FixedWidth,
    Float,
    Gate,
    Integer,
    Json,
    Key,
    Length,
    Lookup,
    Model,
    Parquet,
    Policy,
    Records,
    Sentiment,
    Text,
    Time,
    Watch,
    XGBoost,
    col,
    when,
)
from keepfit.project import load_definitions
from keepfit.spec import codec
from keepfit.spec.check import check

SHOP = Path(keepfit.__file__).parent / "templates" / "shop"
(churn,) = load_definitions(SHOP).models

stations = Records(
    "stations", Files("stations.csv"), entity="station", columns={"height": Float(source="Height, m")}, time="since"
)
readings = Events(
    "readings", Files("air_*.csv.gz"), entity="station", time="at", known="arrived", zone="Europe/London", quiet="3h",
    columns={
        "no2": Float(min=0, max=1000, nullable=False), "valid": Boolean(), "level": Integer(),
        "sensor": Category(values=("a", "b")), "note": Text(),
    },
    derive={"excess": (col("no2") - 40) / col("level"), "high": col("no2") > 40, "mine": col("sensor").startswith("a"),
            "mood": Sentiment("note"), "words": Length("note")},
)  # fmt: skip
air = Model(
    "air",
    observe=EachRow(of=readings),
    features=[
        readings.no2.lag("24h", tolerance="1h"),
        readings.excess.std(last=["1d", "7d"]),
        (readings.high.sum(last="7d") / 7 - 1.5).named("dirty_days"),
        Calendar("hour", zone="Europe/London"),
        stations.height,
        readings.count(last="7d", by="sensor", values=["a", "b"]).named("seen"),
        readings.mine.last() != 0,
    ],
    target=readings.no2.at("24h", tolerance="1h"),
    estimator=XGBoost(max_depth=3, eval_metric=["mae", "rmse"], monotone_constraints={"f0": 1}),
    gates=[Gate("r2", threshold=0.5), Gate.not_worse_than_champion(0.1)],
    policy=Policy(retrain=when.drift(0.3) & (when.older_than("30d") | when.never()), cooldown="7d", probation="14d"),
    watch=Watch(alarms="2 per week", every="6 hours"),
)


def through_json(model: Model) -> Model:
    return codec.decode(json.loads(json.dumps(codec.encode(model), sort_keys=True)))


@pytest.mark.parametrize("model", [churn, air], ids=lambda model: model.name)
def test_a_model_survives_being_written_down(model):
    again = through_json(model)
    written = json.dumps(codec.encode(model), sort_keys=True)
    assert json.dumps(codec.encode(again), sort_keys=True) == written
    assert check(again.tables(), [again]) == []
    assert [one.name for one in again.expressions()] == [one.name for one in model.expressions()]
    assert (again.task, again.metric, again.horizon) == (model.task, model.metric, model.horizon)


def test_the_fingerprint_is_that_of_what_was_read_back():
    for model in (churn, air):
        assert codec.fingerprint(codec.encode(through_json(model))) == codec.fingerprint(codec.encode(model))


def test_a_chosen_name_of_a_categorys_features_survives_being_written_down():
    names = [[one.name for one in model.inputs()] for model in (air, through_json(air))]
    assert names[0] == names[1]
    assert {"seen_a", "seen_b"} <= set(names[1])


def test_every_reference_to_a_table_is_the_same_table_again():
    again = through_json(churn)
    (customers,) = again.records()
    assert again.observe.of is customers
    assert again.features[-1].records is customers


def test_a_contract_survives_being_written_down():
    table = through_json(air).events()[0]
    assert table.columns["no2"] == Float(min=0, max=1000, nullable=False)
    assert table.columns["sensor"].values == ("a", "b")
    assert table.derive["excess"].columns() == {"no2", "level"}
    assert (table.zone, table.known, table.quiet) == ("Europe/London", "arrived", "3h")


def test_columns_and_parameters_may_be_called_like_the_words_of_the_format():
    words = {"is": Float(), "table": Float(), "map": Category()}
    for columns in (words, *({name: column} for name, column in words.items())):
        table = Events("e", Files("e.csv"), entity="id", time="at", columns=columns)
        model = Model(
            "m", Every("1 day", of=table), [table.count()], table.count(next="1d"), Estimator("x", {"is": {"table": 1}})
        )
        again = through_json(model)
        assert dict(again.tables()[0].columns) == columns
        assert again.estimator.parameters == {"is": {"table": 1}}


def test_decoding_runs_nothing_but_keepfits_own_specs():
    data = codec.encode(churn)
    data["model"]["estimator"] = {"is": "Popen", "args": ["true"]}
    with pytest.raises(KeyError, match="Popen"):
        codec.decode(data)


def shop_with(tmp_path: Path, old: str, new: str) -> str:
    """Return the fingerprint of the shop with one text of its definitions exchanged."""
    text = (SHOP / "definitions.py").read_text()
    assert old in text
    (tmp_path / "definitions.py").write_text(text.replace(old, new, 1))
    (model,) = load_definitions(tmp_path).models
    return codec.fingerprint(codec.encode(model))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('Files("sales_*.csv")', 'Files("sold_*.csv")'),
        ('"amount": Float(min=0)', '"amount": Float(min=1)'),
        ('"amount": Float(min=0)', '"amount": Float(min=0, nullable=False)'),
        ('"channel": Category()', '"channel": Category(values=["web"])'),
        ('time="sold_at"', 'time="paid_at"'),
        ('time="sold_at"', 'time="sold_at", known_after="2d"'),
        ('time="sold_at"', 'time="sold_at", zone="Europe/London"'),
        ('Sentiment("text")', 'Sentiment("words")'),
        ('"churn",', '"leaving",'),
        ('Every("1 month"', 'Every("1 week"'),
        ('within("90d")', 'within("60d")'),
        ('["7d", "30d", "90d"]', '["7d", "30d"]'),
        ("sales.amount.sum", "sales.amount.max"),
        ("sales.time_since_last()", "sales.time_since_last().named('silence')"),
        ('next="30d") == 0', 'next="30d") == 1'),
        ('next="30d") == 0', 'next="30d") < 0'),
        ("XGBoost()", "XGBoost(max_depth=3)"),
        ('metric="f1"', 'metric="auc"'),
        ("threshold=0.80", "threshold=0.81"),
        ("ratio=0.75", "ratio=0.76"),
        ("when.drift()", "when.drift(psi=0.1)"),
        ('cooldown="14d"', 'cooldown="15d"'),
    ],
)
def test_the_fingerprint_tells_every_declared_thing(tmp_path, old, new):
    assert shop_with(tmp_path, old, new) != codec.fingerprint(codec.encode(churn))


def test_the_fingerprint_ignores_what_is_not_declared(tmp_path):
    own = codec.fingerprint(codec.encode(churn))
    assert shop_with(tmp_path, "customers = ", "# the people\ncustomers = ") == own
    assert (
        shop_with(
            tmp_path, "churn = Model", "unused = Events('unused', Files('u.csv'), entity='x', time='t')\nchurn = Model"
        )
        == own
    )
    assert shop_with(tmp_path, "churn = Model(", "renamed = Model(") == own
    assert codec.fingerprint(codec.encode(copy.copy(churn))) == own


def test_the_fingerprint_ignores_the_order_of_the_tables(tmp_path):
    text = (SHOP / "definitions.py").read_text()
    blocks = text.split("\n\n")
    places = [place for place, block in enumerate(blocks) if "customers = Records" in block]
    assert len(places) == 1
    tables = blocks[places[0]]
    first, second = tables.index("sales = Events"), tables.index("feedback = Events")
    blocks[places[0]] = tables[second:] + "\n" + tables[first:second] + tables[:first]
    (tmp_path / "definitions.py").write_text("\n\n".join(blocks))
    (model,) = load_definitions(tmp_path).models
    assert [table.name for table in load_definitions(tmp_path).tables] == ["feedback", "sales", "customers"]
    assert codec.fingerprint(codec.encode(model)) == codec.fingerprint(codec.encode(churn))


# loading: every word survives, and the fingerprint of rows tells what decides them

zones = Records("a_zones", Delta("zones"), entity="zone", columns={"name": Text(pattern=".+")})
orders = Events(
    "z_orders", Database("env:SHOP", query="select 1", cursor="id"), entity="customer", time="at",
    columns={"order": Integer(unique=True), "zone": Category()}, lookup=Lookup(zones, on="zone", take=["name"]),
)  # fmt: skip
parcels = Events(
    "parcels", Files("{month:%Y_%m}.txt", format=FixedWidth({"order": (1, 9), "weight": [10, 14]}, skip=1)),
    entity="customer", time="at", zone="Asia/Kolkata", sentinels=["NA", -1],
    columns={
        "at": Time(source=["day", "hour"], format="%d.%m.%Y %H", nullable=False), "order": Integer(thousands=".", decimal=","),
        "weight": Float(unit="kg", decimal=",", aliases=["Weight (kg)"], sentinels=[-999]), "due": Time(zone="UTC"),
    },
    key=Key("order", "at", duplicates="last"), lookup=Lookup(orders, on="order", take=["customer"]),
    evolution=Evolution("add", "ignore"), expect=[Expect.complete("weight", 0.9), Expect.fresh("2d", otherwise="warn")],
)  # fmt: skip
heavy = Model("heavy", Every("1 day", of=parcels), [parcels.weight.sum(last="7d")], parcels.count(next="1d"))


def written(model: Model) -> str:
    return json.dumps(codec.encode(model), sort_keys=True)


def test_all_that_a_load_must_meet_survives_being_written_down():
    assert check([zones, orders, parcels], [heavy]) == []
    again = through_json(heavy)
    (table,) = again.tables()
    for name in ("source", "key", "evolution", "expect", "columns", "sentinels"):
        assert getattr(table, name) == getattr(parcels, name)
    assert (table.lookup.of.name, table.lookup.of.lookup.of.name) == ("z_orders", "a_zones")
    assert table.contract() == parcels.contract()
    assert written(again) == written(heavy)


def test_tables_that_are_looked_up_are_written_down_before_those_that_look():
    assert [table["name"] for table in codec.encode(heavy)["tables"]] == ["a_zones", "z_orders", "parcels"]


@pytest.mark.parametrize(
    "format",
    [
        Csv(";", "'", "latin-1", 2, ["a", "b"]), FixedWidth({"is": (1, 2), "map": (3, 4)}), Json("data.rows"), Parquet(),
        Excel("May", 1), None,
    ],
)  # fmt: skip
def test_formats_survive_being_written_down(format):
    table = Events("e", Files("e", format, sha256=None), entity="id", time="at")
    again = through_json(Model("m", Every("1 day", of=table), [table.count()], table.count(next="1d")))
    assert again.tables()[0].source == table.source


def rows_of(table, **changes):
    return codec.fingerprint(codec.encode_rows(dataclasses.replace(table, **changes)))


def test_the_fingerprint_of_rows_leaves_out_what_changes_none():
    weighed = {**parcels.columns, "weight": dataclasses.replace(parcels.columns["weight"], unit="g")}
    silent = dataclasses.replace(orders, quiet="9d", expect=[Expect.valid(0.5)])
    for changes in (
        {"quiet": "9d"}, {"expect": ()}, {"columns": weighed}, {"lookup": dataclasses.replace(parcels.lookup, of=silent)}
    ):  # fmt: skip
        assert rows_of(parcels, **changes) == rows_of(parcels)
    (one,) = heavy.features
    other = dataclasses.replace(parcels, expect=()).weight.sum(last="7d")
    assert codec.feature_fingerprint(one) == codec.feature_fingerprint(other)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": Key("order", "at")}, {"evolution": Evolution()}, {"sentinels": ["NA"]}, {"lookup": None}, {"zone": "UTC"},
        {"lookup": dataclasses.replace(parcels.lookup, of=dataclasses.replace(orders, zone="UTC"))},
        {"columns": {**parcels.columns, "due": Time(zone="UTC", format="%Y")}},
        {"columns": {**parcels.columns, "due": Time(zone="UTC", unique=True)}},
        {"columns": {**parcels.columns, "due": Time(zone="UTC", aliases=["d"])}},
    ],
)  # fmt: skip
def test_the_fingerprint_of_rows_tells_what_decides_them(changes):
    assert rows_of(parcels, **changes) != rows_of(parcels)
