"""The example over a Brazilian marketplace: rows find their customer through two tables, and reviews keep their line breaks."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.examples.conftest import ROOT, Copy, needs

DATA = "olist_sample"
pytestmark = needs(DATA)


@pytest.fixture(scope="module")
def done(example: Callable[..., Copy]) -> tuple[Copy, list[dict[str, dict[str, Any]]]]:
    copy = example("olist", DATA)
    return copy, [copy.ingest() for _ in range(2)]


def published(name: str) -> list[dict[str, str]]:
    with (Path(ROOT or "") / DATA / f"olist_{name}_dataset.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_published_row_is_in_its_table_and_orders_that_never_arrived_are_no_deliveries(
    done: tuple[Copy, list[dict[str, dict[str, Any]]]],
) -> None:
    _, (first, second) = done
    files = {"customers": "customers", "orders": "orders", "promises": "orders", "items": "order_items"}
    for table, name in (files | {"payments": "order_payments", "reviews": "order_reviews"}).items():
        rows = len(published(name))
        assert (first[table]["rows_read"], first[table]["appended"], first[table]["quarantined"]) == (rows, rows, 0)
    arrived = sum(row["order_delivered_customer_date"] != "" for row in published("orders"))
    assert first["deliveries"]["appended"] == arrived == 3_590
    assert first["deliveries"]["reasons"] == {"arrived is missing": 5_685 - arrived}
    assert [(one["files"], one["appended"]) for one in second.values()] == [([], 0)] * 7


def test_an_item_has_the_customer_and_the_time_of_its_order(
    done: tuple[Copy, list[dict[str, dict[str, Any]]]],
) -> None:
    copy, _ = done
    people = {row["customer_id"]: row["customer_unique_id"] for row in published("customers")}
    orders = {row["order_id"]: row for row in published("orders")}
    expected = [
        (people[order["customer_id"]], order["order_purchase_timestamp"], float(row["price"]))
        for row in published("order_items")
        for order in [orders[row["order_id"]]]
    ]
    rows = copy.rows("items")  # noqa: F841 - SQL reads it
    local = "strftime(timezone('America/Sao_Paulo', order_purchase_timestamp), '%Y-%m-%d %H:%M:%S')"
    assert sorted(duckdb.sql(f"select customer_unique_id, {local}, price from rows").fetchall()) == sorted(expected)


def test_a_review_keeps_its_line_breaks_and_quotes(done: tuple[Copy, list[dict[str, dict[str, Any]]]]) -> None:
    copy, _ = done
    texts = [row["review_comment_message"].strip(" \t\r\n\v\f") for row in published("order_reviews")]
    found = copy.rows("reviews").filter("message is not null").project("message").fetchall()
    # a line end of two characters inside quotes may have become one
    even = [text.replace("\r\n", "\n") for text in texts if text]
    assert sorted(message.replace("\r\n", "\n") for (message,) in found) == sorted(even)
    assert sum("\n" in text for text in even) > 100
    assert sum('"' in text for text in even) > 10


def test_a_model_judged_on_the_last_weeks_beats_the_trivial_baseline(
    done: tuple[Copy, list[dict[str, dict[str, Any]]]],
) -> None:
    copy, _ = done
    found = copy.turn("--as-of", "2018-11-01")["evaluation"]
    assert 0.55 < found["metrics"]["auc"] < 0.8
    assert found["metrics"]["log_loss"] < found["baseline"]["log_loss"]
    assert found["test_from_at"] > "2018-06-01"
