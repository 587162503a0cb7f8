"""What Events and Records say of their columns."""

from __future__ import annotations

import copy

import pytest

from keepfit import Boolean, Category, Events, Files, Float, Integer, Length, Lookup, Records, Text, Time, col

sales = Events(
    "sales", Files("s.csv"), entity="id", time="at",
    columns={"id": Integer(source="Customer ID"), "price": Float(), "channel": Category(source="via"), "note": Text()},
    derive={"dear": col("price") > 100, "words": Length("note")},
)  # fmt: skip


def test_features_can_read_declared_and_derived_columns():
    assert sales.column_names() == ["id", "price", "channel", "note", "dear", "words"]
    assert [sales.type_of(name) for name in ("price", "dear", "words", "pric")] == [Float(), Boolean(), Float(), None]


def test_the_key_is_never_null():
    assert sales.key_column() == Integer(source="Customer ID", nullable=False)
    assert Events("other", Files("o.csv"), entity="id", time="at").key_column() == Text(nullable=False)


def test_a_column_knows_its_header_in_the_files():
    assert [sales.header(name) for name in ("channel", "price", "at")] == ["via", "price", "at"]


def test_within_is_a_past_condition():
    active = sales.within("90d")
    assert (active.name, active.is_condition, active.leaves()[0].window.future) == ("sales_count_90d_gt_0", True, False)


def test_an_unknown_column_is_kept_as_written_for_check_to_report():
    assert (sales.amonut.name, sales.amonut.events) == ("amonut", sales)


def test_a_private_name_is_no_column():
    with pytest.raises(AttributeError):
        sales._repr_html_  # noqa: B018 - what a notebook asks of every object
    assert copy.copy(sales).columns is sales.columns


people = Records(
    "people", Files("p.csv"), entity="person", zone="Asia/Kolkata", sentinels=["-"],
    columns={
        "order": Integer(unique=True), "city": Category(nullable=False, source="Town", unit="x"),
        "since": Time(format="%Y"), "paid": Float(decimal=",", min=0, unique=True),
    },
)  # fmt: skip
parcels = Events(
    "parcels", Files("{depot}/p.csv"), entity="person", time="at", known="noticed", zone="UTC", sentinels=["NA", -1],
    columns={
        "order": Integer(aliases=["id", "Order No"], sentinels=[-1, 0]),
        "noticed": Time(source=["day", "hour"], format="%Y%m%d %H", zone="Asia/Tokyo"),
        "depot": Text(),
    },
    lookup=Lookup(people, on="order", take=["person", "city", "since", "paid"]),
)  # fmt: skip


def test_the_contract_has_every_column_of_a_row_with_the_tables_zone_and_sentinels():
    ours = ("NA", -1)
    assert list(parcels.contract().items()) == [
        ("order", Integer(aliases=("id", "Order No"), sentinels=(-1, 0, "NA"))),
        (
            "noticed",
            Time(source=("day", "hour"), format="%Y%m%d %H", zone="Asia/Tokyo", sentinels=ours, nullable=False),
        ),
        ("depot", Text(sentinels=ours)),
        ("at", Time(zone="UTC", sentinels=ours, nullable=False)),
        # as the other table holds them, however its files are written
        ("person", Text(nullable=False)),
        ("city", Category(nullable=False, unit="x")),
        ("since", Time(zone="Asia/Kolkata")),
        ("paid", Float(min=0)),
    ]
    assert parcels.key_column() == parcels.contract()["person"]


def test_a_column_that_is_looked_up_is_read_as_if_the_files_had_it():
    assert parcels.column_names() == ["order", "noticed", "depot", "person", "city", "since", "paid"]
    assert (parcels.type_of("city").kind, parcels.raw_types()["person"]) == ("category", Text())


def test_files_may_head_a_column_in_several_ways():
    assert parcels.headers_of("order") == (("order",), ("id",), ("Order No",))
    assert parcels.headers_of("noticed") == (("day", "hour"),)
    assert (parcels.headers_of("at"), parcels.headers_of("city")) == ((("at",),), ())
    assert (parcels.header("noticed"), parcels.header("city")) == ("day hour", "city")
