"""Rows that take columns from another table, by a key whose values agree."""

from __future__ import annotations

import pytest

from keepfit import Events, Evolution, Files, Float, Integer, Records, Text, tables
from keepfit.errors import SourceError
from keepfit.spec.loading import Lookup

ORDERS = Records("orders", Files("orders*"), entity="order", columns={"order": Integer(), "who": Text()})
BLUE = "order,who\n7,ann\n12,bob\n"


def paid(order=None, **changes):
    columns = {"order": order or Integer(), "amount": Float()}
    said = {"evolution": Evolution(retype="ignore"), "lookup": Lookup(ORDERS, on="order", take=["who"]), **changes}
    return Events("paid", Files("paid*"), entity="who", time="at", columns=columns, **said)


def taken(desk, table):
    return [(row["order"], row["who"]) for row in sorted(desk.rows(table), key=lambda row: row["_record"])]


def bad(desk):
    return [(row["line"], row["reason"]) for row in sorted(desk.rows(tables.QUARANTINE), key=lambda row: row["line"])]


def test_a_key_is_found_by_its_value_and_not_by_how_it_is_written(desk):
    desk.write("orders.csv", BLUE)
    desk.write(
        "paid.csv", "order,at,amount\n007,2025-01-01T00:00Z,1\n 12 ,2025-01-02T00:00Z,2\n7.0,2025-01-03T00:00Z,3\n"
    )
    desk.ingest(ORDERS, paid())
    assert taken(desk, paid()) == [(7, "ann"), (12, "bob"), (7, "ann")]


def test_a_key_of_text_is_found_without_the_blanks_around_it_and_in_its_own_case_alone(desk):
    orders = Records("orders", Files("orders*"), entity="order", columns={"who": Text()})
    table = paid(Text(), lookup=Lookup(orders, on="order", take=["who"]))
    desk.write("orders.csv", "order,who\n 07 ,ann\nA1,bob\n")
    desk.write("paid.csv", "order,at,amount\n07 ,2025-01-01T00:00Z,1\na1,2025-01-02T00:00Z,2\n7,2025-01-02T00:00Z,2\n")
    desk.ingest(orders, table)
    assert taken(desk, table) == [("07", "ann")]
    assert bad(desk) == [(3, "who is missing; order is not in orders"), (4, "who is missing; order is not in orders")]


def test_the_key_may_stand_under_another_header_in_either_table(desk):
    orders = Records(
        "orders", Files("orders*"), entity="order", columns={"order": Integer(source="Order No"), "who": Text()}
    )
    table = paid(Integer(source="Bestellung", aliases=["Pedido"]), lookup=Lookup(orders, on="order", take=["who"]))
    desk.write("orders.csv", BLUE.replace("order,", "Order No,"))
    desk.write("paid_1.csv", "Bestellung,at,amount\n7,2025-01-01T00:00Z,1\n")
    desk.write("paid_2.csv", "amount,at,Pedido\n2,2025-01-01T00:00Z,12\n")
    desk.ingest(orders, table)
    assert sorted(taken(desk, table)) == [(7, "ann"), (12, "bob")]


def test_a_key_that_several_headers_make_up_is_looked_up_as_they_are_joined(desk):
    orders = Records("orders", Files("orders*"), entity="order", columns={"who": Text()})
    table = paid(Text(source=("shop", "number")), lookup=Lookup(orders, on="order", take=["who"]))
    desk.write("orders.csv", "order,who\nA 1,ann\n")
    desk.write("paid.csv", "shop,number,at,amount\n A,1 ,2025-01-01T00:00Z,1\n")
    desk.ingest(orders, table)
    assert taken(desk, table) == [("A 1", "ann")]


@pytest.mark.parametrize("appear", ["ignore", "add"])
def test_what_is_looked_up_stands_above_a_column_of_the_file_with_its_name(desk, appear):
    table = paid(evolution=Evolution(appear=appear, retype="ignore"))
    desk.write("orders.csv", BLUE)
    desk.write("paid.csv", "order,who,who_,at,amount\n7,eve,x,2025-01-01T00:00Z,1\n")
    desk.ingest(ORDERS, table)
    assert taken(desk, table) == [(7, "ann")]


def test_a_key_that_means_missing_or_is_no_number_is_not_looked_up(desk):
    table = paid(Integer(sentinels=[12]))
    desk.write("orders.csv", BLUE)
    desk.write("paid.csv", "order,at,amount\n7,2025-01-01T00:00Z,1\n12,2025-01-02T00:00Z,2\nx,2025-01-02T00:00Z,2\n")
    desk.ingest(ORDERS, table)
    assert taken(desk, table) == [(7, "ann")]
    assert [line for line, _ in bad(desk)] == [3, 4]


def test_a_file_without_the_key_is_refused_by_the_header_that_it_lacks(desk):
    table = paid(Integer(source="Bestellung"), evolution=Evolution(vanish="ignore"))
    desk.write("orders.csv", BLUE)
    desk.write("paid.csv", "Bestelung,at,amount\n7,2025-01-01T00:00Z,1\n")
    with pytest.raises(SourceError) as refused:
        desk.ingest(ORDERS, table)
    assert "has no column 'Bestellung', which paid looks up" in refused.value.what
    assert "did you mean 'Bestelung'?" in refused.value.fix
