"""What Events and Records say of their columns."""

from __future__ import annotations

import copy

import pytest

from keepfit import Boolean, Category, Events, Files, Float, Integer, Length, Text, col

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
