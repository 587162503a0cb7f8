"""Words of columns, sources, keys, lookups and expectations: each slip is named, once, with the way out."""

from __future__ import annotations

from typing import Any

import pytest

from keepfit import (
    Boolean,
    Category,
    Csv,
    Database,
    Delta,
    Events,
    Every,
    Evolution,
    Excel,
    Expect,
    Files,
    FixedWidth,
    Float,
    Integer,
    Json,
    Key,
    Length,
    Lookup,
    Model,
    Parquet,
    Python,
    Records,
    Text,
    Time,
    col,
)
from keepfit.spec.check import Problem, check

orders = Events(
    "orders", Files("orders.csv"), entity="customer", time="at", known="noticed",
    columns={"order": Integer(), "amount": Float(), "city": Category(), "sent": Time()}, derive={"dear": col("amount") > 9},
)  # fmt: skip


def problems(**changes: Any) -> list[Problem]:
    parts = {"name": "sales", "source": Files("s.csv"), "entity": "id", "time": "at", "columns": {"amount": Float()}}
    return check([orders, Events(**{**parts, **changes})], [])


def one(found: list[Problem]) -> tuple[str, str]:
    (problem,) = found
    assert problem.where == "definitions.py, Events 'sales'"
    return problem.what, problem.fix


def shout(values):
    return values


GOOD: list[dict[str, Any]] = [
    {"columns": {"a": Float(decimal=",", thousands=".", min=0, max=0, unit="kg", sentinels=[-999, "NA"], unique=True)}},
    {"columns": {"a": Category(values=["x"], pattern=r"\w", aliases=["A", "Ä"]), "b": Text(source="c d", pattern=".*")}},
    {"columns": {"at": Time(source=["y", "m"], format="%Y %m", zone="Asia/Kolkata"), "seen": Time()}, "known": "seen"},
    {"columns": {"at": Time(format="%Y%m%d %H:%M:%S%z")}, "sentinels": [-1]},
    {"source": Files("{id}/x_{month:%Y_%m}.csv"), "time": "month", "zone": "UTC"},
    {"source": Files("x_{when:%G_%V}.csv"), "columns": {"at": Time(source="when", zone="UTC")}},
    {"source": Files("x.txt", format=Csv(delimiter="|", quote="", encoding="latin-1", skip=2, names=["id", "at"]))},
    {"source": Files("x", format=FixedWidth({"id": (1, 15), "at": [16, 26], "amount": (16, 20)}, skip=1))},
    {"source": Files("x.json.gz", format=Json(records="data.rows"))},
    {"source": Files("x.xls", format=Excel(sheet="May", skip=3))},
    {"source": Files("https://host/x.parquet", format=Parquet(), sha256="0" * 64)},
    {"source": Files("https://host/years.zip/{year:%Y}.csv", sha256="0" * 64)},
    {"source": Database("env:SHOP", table="orders", cursor="id")},
    {"source": Database("postgresql://reader@host/shop", query="select 1")},
    {"source": Delta("s3://lake/orders")},
    {"key": Key("id", "at", duplicates="last"), "evolution": Evolution("add", "ignore", "ignore")},
    {"key": Key(duplicates="first")},
    {
        "columns": {"order": Integer(), "amount": Float()}, "entity": "customer",
        "lookup": Lookup(orders, on="order", take=["customer", "city", "sent", "at"]), "derive": {"late": col("sent").is_null()},
    },
    {"expect": [Expect.complete("amount", 0.9), Expect.valid(1), Expect.unique(), Expect.fresh("2d", otherwise="warn")]},
    {"expect": [Expect.volume(min=1, max=9), Expect.volume(min=0.5, relative=True)]},
    {"columns": {"start": Time(source=("d", "t"), zone="UTC"), "end": Time(source=("d", "u"))}, "zone": "UTC"},
]  # fmt: skip


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_every_word_has_uses_without_a_problem(changes):
    assert problems(**changes) == []


COLUMNS = [
    (Float(nullable="no"), "nullable='no' is neither True nor False"),
    (Float(unique=1), "unique=1 is neither True nor False"),
    (Float(source=("a", "b")), "source=('a', 'b') is no header"),
    (Time(source=()), "source=() is no header"),
    (Float(aliases="PM2.5"), "aliases='PM2.5' is no list of headers"),
    (Float(unit=3), "unit=3 is no text"),
    (Float(sentinels=-999), "sentinels=-999 is no list of texts and numbers"),
    (Float(sentinels=[float("nan")]), "sentinels=(nan,) is no list of texts and numbers"),
    (Float(sentinels=[None]), "sentinels=(None,) is no list of texts and numbers"),
    (Float(min="0"), "min='0' is no number"),
    (Integer(max=float("inf")), "max=inf is no number"),
    (Float(min=2, max=1), "is at least 2 and at most 1"),
    (Float(decimal=";"), "decimal=';' is no decimal sign"),
    (Float(thousands="."), "'.' is the decimal sign and the sign between thousands"),
    (Float(thousands="1"), "thousands='1' is no sign between thousands"),
    (Float(thousands="--"), "thousands='--' is no sign between thousands"),
    (Category(values="web"), "values='web' is no list of texts"),
    (Category(values=[1]), "values=(1,) is no list of texts"),
    (Category(values=[" web"]), "' web' has blanks around it"),
    (Category(values=["-"], sentinels=["-"]), "'-' is a value, and means that there is none"),
    (Category(pattern=3), "pattern=3 is no text"),
    (Category(pattern="(?i)web"), "'(?i' at character 1 is not read alike everywhere"),
    (Text(pattern="(a"), "missing ), unterminated subpattern"),
    (Time(format=3), "format=3 is no text"),
    (Time(format="%d.%m", zone="UTC"), "format '%d.%m': it does not tell the year"),
    (Time(format="%Y", zone="Europe/Londn"), "unknown zone 'Europe/Londn'"),
    (Time(format="%d.%m.%Y"), "has times without a zone"),
]


@pytest.mark.parametrize(("column", "what"), COLUMNS, ids=[what for _, what in COLUMNS])
def test_a_slip_in_a_column(column, what):
    found, fix = one(problems(columns={"it": column}))
    assert found.startswith("column 'it'")
    assert what in found
    assert fix


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"sentinels": "NA"}, "sentinels='NA' is no list of texts and numbers"),
    ({"columns": {"a": Float(aliases=["b"]), "b": Float()}}, "the header 'b' is that of 'a' and 'b'"),
    ({"columns": {"a": Float(aliases=["a"])}}, "column 'a' names the header 'a' twice"),
    ({"columns": {"a": Float(), "A": Float(source="b")}}, "two columns are called 'A', upper and lower case alike"),
    ({"columns": {"id": Time()}}, "the entity 'id' is a time"),
    ({"columns": {"t": Time()}, "derive": {"late": col("t") > 5}}, "'late' reads t, which is a time"),
    ({"columns": {"t": Time()}, "derive": {"t2": col("t")}}, "'t2' reads t, which is a time"),
    ({"columns": {"t": Time()}, "derive": {"filled": col("t").fill("x")}}, "'filled' reads t, which is a time"),
    (
        {"columns": {"t": Time()}, "derive": {"p": Python(shout, reads=["t"])}},
        "derived column 'p' reads 't', which is a time",
    ),
    ({"columns": {"t": Time()}, "derive": {"n": Length("t")}}, "'n' reads 't' as text, but it is time"),
    (
        {"derive": {"p": Python(shout, reads=["amount"], returns=Time())}},
        "derived column 'p' has no type: returns=Time(",
    ),
    ({"source": Files(3)}, "Files: pattern=3 is no text"),
    ({"source": Files("x", format=Csv)}, "is no format"),
    ({"source": Files("x", format=Csv(delimiter="||"))}, "Csv: delimiter='||' is not one character"),
    ({"source": Files("x", format=Csv(delimiter='"'))}, "Csv: '\"' quotes and delimits"),
    ({"source": Files("x", format=Csv(quote="\n"))}, "Csv: quote='\\n' is not one character"),
    ({"source": Files("x", format=Csv(encoding="utf-99"))}, "Csv: encoding='utf-99' is no codec"),
    ({"source": Files("x", format=Csv(skip=-1))}, "Csv: skip=-1 is no number of lines"),
    ({"source": Files("x", format=Csv(names="id"))}, "Csv: names='id' is no list of columns"),
    ({"source": Files("x", format=Csv(names=["id", "ID"]))}, "Csv: names= has 'id' 2 times"),
    ({"source": Files("x", format=FixedWidth())}, "FixedWidth: columns={} places no columns"),
    (
        {"source": Files("x", format=FixedWidth({"id": 3}))},
        "column 'id' stands at 3, which are no first and last character",
    ),
    ({"source": Files("x", format=FixedWidth({"id": (5, 4)}))}, "column 'id' stands at (5, 4)"),
    ({"source": Files("x", format=Json(records=1))}, "Json: records=1 is no text"),
    ({"source": Files("x", format=Excel(sheet=1))}, "Excel: sheet=1 is no text"),
    ({"source": Files("x_{month.csv")}, "'{month.csv' in 'x_{month.csv' is no column in braces"),
    ({"source": Files("x}.csv")}, "'}' in 'x}.csv' is no column in braces"),
    ({"source": Files("{a b}.csv")}, "'{a b}' in '{a b}.csv' is no column in braces"),
    ({"source": Files("{m:%Y}/{m:%y}.csv")}, "column 'm' stands in '{m:%Y}/{m:%y}.csv' in two forms"),
    ({"source": Files("{m:%Q %Y}.csv")}, "{m:%Q %Y} in '{m:%Q %Y}.csv' is no time"),
    ({"source": Files("{m:%m}.csv")}, "{m:%m} in '{m:%m}.csv' is no time"),
    ({"source": Files("{_file}.csv")}, "'_file' begins with an underscore"),
    (
        {"source": Files("{id}.csv", format=Csv(names=["ID", "at"]))},
        "column 'id' stands in the files and in their names",
    ),
    ({"source": Files("{at:%Y}.csv")}, "column 'at' has times without a zone"),
    (
        {"source": Files("{at:%Y}.csv"), "columns": {"at": Time(format="%Y")}, "zone": "UTC"},
        "column 'at': {at:%Y} is read as a time already",
    ),
    ({"source": Files("x.csv", sha256="0" * 64)}, "sha256 is not that of 'x.csv'"),
    ({"source": Files("https://host/x.csv", sha256="00")}, "sha256='00' is no SHA-256"),
    ({"source": Files("https://me:secret@host/x.csv")}, "Files: a password stands in the address of host"),
    (
        {"source": Database("postgresql://me:secret@host/shop", table="t")},
        "Database: a password stands in the address of host",
    ),
    (
        {"source": Database("mysql://host/shop?password=secret", table="t")},
        "Database: a password stands in the address of host",
    ),
    ({"source": Delta("s3://key:secret@lake/orders")}, "Delta: a password stands in the address of lake"),
    ({"source": Database("env:SHOP")}, "Database names no table"),
    ({"source": Database("env:SHOP", table="t", query="q")}, "Database names a table and a query"),
    ({"source": Database("shop.db", table="t")}, "Database: 'shop.db' is no address"),
    ({"source": Database(None, table="t")}, "Database: url=None is no text"),
    ({"source": Delta("")}, "Delta: path='' is no text"),
    ({"key": "id"}, "key='id' is no key"),
    ({"key": Key(["id"])}, "is no key"),
    ({"key": Key("id", duplicates="latest")}, "Key: unknown duplicates='latest'"),
    ({"key": Key("order")}, "Key: unknown column 'order' of sales"),
    ({"key": Key("id", "id")}, "Key names 'id' 2 times"),
    ({"key": Key("n"), "columns": {"n": Integer(unique=True)}}, "column 'n' is the key, and unique"),
    ({"lookup": orders}, "lookup=orders looks in no table"),
    ({"lookup": Lookup("orders", on="id", take=["city"])}, "looks in no table"),
    ({"lookup": Lookup(orders, on="id", take="city")}, "Lookup(on='id', take='city') names no columns"),
    ({"evolution": "add"}, "evolution='add' is no Evolution"),
    ({"evolution": Evolution(appear="ad")}, "Evolution: unknown appear='ad'"),
    ({"evolution": Evolution(vanish="add")}, "Evolution: unknown vanish='add'"),
    ({"expect": Expect.valid(0.9)}, "is no list of expectations"),
    ({"expect": [0.9]}, "expect=(0.9,) is no list of expectations"),
    ({"expect": [Expect("complete", min=0.9)]}, "Expect: unknown dimension 'complete'"),
    ({"expect": [Expect.valid(99)]}, "Expect validity: 99 is not a share from 0 to 1"),
    ({"expect": [Expect.valid("0.9")]}, "Expect validity: '0.9' is not a share from 0 to 1"),
    ({"expect": [Expect.volume()]}, "Expect volume has no bound"),
    ({"expect": [Expect.volume(min=9, max=1)]}, "Expect volume: at least 9 and at most 1"),
    ({"expect": [Expect.volume(min=-1)]}, "Expect volume: -1 is not a number from 0"),
    ({"expect": [Expect.fresh("2 days")]}, "Expect timeliness: '2 days' is not a duration"),
    ({"expect": [Expect.fresh(2)]}, "Expect timeliness: 2 is no duration"),
    ({"expect": [Expect.complete("amonut", 0.9)]}, "Expect completeness: unknown column 'amonut' of sales"),
    ({"expect": [Expect.valid(0.9, otherwise="stop")]}, "Expect validity: unknown otherwise='stop'"),
]


@pytest.mark.parametrize(("changes", "what"), CHANGES, ids=[what for _, what in CHANGES])
def test_a_slip_in_a_table(changes, what):
    found, fix = one(problems(**changes))
    assert what in found
    assert fix


LOOKUPS: list[tuple[dict[str, Any], str]] = [
    ({"on": "ordr"}, "Lookup goes by 'ordr', which sales does not declare"),
    ({"on": "amount"}, "Lookup goes by 'amount', which is float in sales"),
    ({"on": "city"}, "Lookup goes by 'city', which is integer in sales and text in orders"),
    ({"take": ["customer", "zip"]}, "Lookup takes unknown column 'zip' of orders"),
    ({"take": ["noticed"]}, "Lookup takes unknown column 'noticed' of orders"),
    ({"take": ["dear"]}, "Lookup takes 'dear', a derived column of orders"),
    ({"take": ["customer", "customer"]}, "Lookup takes 'customer' 2 times"),
    ({"take": []}, "Lookup takes nothing from orders"),
    ({"take": ["amount"]}, "column 'amount' is declared and looked up"),
    ({"take": ["sent"]}, "column 'sent' is derived and looked up"),
]


@pytest.mark.parametrize(("changes", "what"), LOOKUPS, ids=[what for _, what in LOOKUPS])
def test_a_slip_in_a_lookup(changes, what):
    lookup = Lookup(orders, **{"on": "order", "take": ["customer"], **changes})
    columns = {"order": Integer(), "amount": Float(), "city": Integer(), "it": Boolean()}
    found = problems(entity="it2", columns=columns, lookup=lookup, derive={"sent": col("it")})
    assert [problem.what for problem in found if problem.what.startswith(what)], found
    of_the_other_side = {
        "Lookup goes by 'ordr', which orders does not declare",
        "Lookup goes by 'amount', which is float in orders",
    }
    assert len([problem for problem in found if problem.what not in of_the_other_side]) == 1


def test_a_lookup_in_a_table_that_is_not_at_the_top_level():
    table = Records(
        "r", Files("r.csv"), entity="customer", columns={"order": Integer()}, lookup=Lookup(orders, "order", ["city"])
    )
    (problem,) = check([table], [])
    assert problem.what == "'r' looks columns up in 'orders', which is not at the top level"


def test_a_time_that_is_looked_up_must_be_one():
    columns = {"order": Integer()}
    found = problems(time="city", columns=columns, lookup=Lookup(orders, on="order", take=["city"]))
    assert [problem.what for problem in found] == ["'city' is the time of sales, but declared as category"]


def test_records_without_a_time_are_never_fresh():
    table = Records("r", Files("r.csv"), entity="id", expect=[Expect.fresh("1d")])
    assert [problem.what for problem in check([table], [])] == ["Expect timeliness: r has no time"]


def test_features_read_no_times():
    shops = Records("shops", Files("r.csv"), entity="customer", columns={"since": Time(zone="UTC")})
    model = Model(
        "m", Every("1 month", of=orders), [orders.sent.count(), shops.since, orders.count(where=orders.sent.is_null())],
        orders.count(next="1d"),
    )  # fmt: skip
    found = [problem.what for problem in check([orders, shops], [model])]
    assert found == [
        "Feature 'orders_sent_count' reads 'sent', which is a time",
        "Feature 'shops_since' reads 'since', which is a time",
    ]
