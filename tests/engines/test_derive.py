"""Python functions over a file: equal to a request, held to one row each, and nothing is ingested that is not right."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

from keepfit import Category, Events, Files, Float, Integer, Python, col
from keepfit.engines.local import derive
from keepfit.errors import SourceError
from keepfit.rows.contract import check_row

NOON = "2025-06-01T12:00:00Z"
ROWS = [("B1", "3.5", "web"), ("7", "", "store"), ("B2", "x", "web"), ("B3", "-1", ""), ("", "1", "web")]
COLUMNS = {"amount": Float(), "channel": Category()}


def risk(amount, channel):
    """Return twice the amount on the web."""
    return np.where(np.asarray(channel) == "web", 2.0, 1.0) * np.asarray(amount)


def size(amount, who):
    """Return a label made of two columns."""
    return [None if one is None else f"{key}{'+' if one > 0 else '-'}" for one, key in zip(amount, who, strict=True)]


def events(**derivations):
    return Events("sales", Files("*.csv"), entity="who", time="at", columns=COLUMNS, derive=derivations)


def written(desk, rows):
    lines = "".join(f"{who},{NOON},{amount},{channel}\n" for who, amount, channel in rows)
    desk.write("a.csv", f"who,at,amount,channel\n{lines}")


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_file_and_a_request_derive_the_same(desk, monkeypatch, batch):
    monkeypatch.setattr(derive, "BATCH_ROWS", batch)
    table = events(
        risk=Python(risk, reads=["amount", "channel"]),
        twice=col("amount") * 2,
        size=Python(size, reads=["amount", "who"], returns=Category()),
    )
    written(desk, ROWS)
    good, bad = desk.check(table, "a.csv")
    assert len(bad) == 2
    sent = [
        check_row(table, {"who": who, "at": NOON, "amount": amount, "channel": channel})
        for who, amount, channel in (ROWS[0], ROWS[1], ROWS[3])
    ]
    names = ("risk", "twice", "size")
    assert [[row[name] for name in names] for row in good] == [[row[name] for name in names] for row in sent]
    assert [row["size"] for row in good] == ["B1+", None, "B3-"]


def test_functions_see_the_rows_of_a_file_in_its_order_whatever_its_header_is_called(desk):
    table = Events("sales", Files("*"), entity="who", time="at", columns={"amount": Float(source="p:risk")},
                   derive={"risk": Python(plain, reads=["amount"], returns=Integer())})  # fmt: skip
    desk.write("a.csv", f"who,at,p:risk,risk\nb,{NOON},1,x\na,{NOON},2,x\n")
    desk.ingest(table)
    assert [(row["who"], row["risk"]) for row in desk.rows(table)] == [("a", 2), ("b", 1)]


def test_a_file_without_a_good_row_has_the_column_too(desk):
    table = events(risk=Python(risk, reads=["amount", "channel"], returns=Float()))
    written(desk, [])
    assert "risk" in desk.engine.check_file(table, desk.data / "a.csv", "a.csv", "f" * 64, 0, 0).good.columns


def plain(amount):
    """Return the column."""
    return np.asarray(amount)


def mean(amount):
    """Look at all rows."""
    return np.asarray(amount) - np.nanmean(np.asarray(amount))


def rank(amount):
    """Look at the order."""
    return np.argsort(np.argsort(np.asarray(amount)))


def shift(amount):
    """Look at the row before."""
    return [None, *amount][: len(amount)]


def guess(amount):
    """Throw dice."""
    return np.random.default_rng().random(len(amount))


def clock(amount):
    """Look at the clock."""
    return [time.time_ns() // 1000 + 0.0] * len(amount)


def backfill(amount):
    """Fill a null from the next row: only rows with a null tell."""
    found = list(amount)
    for place in range(len(found) - 2, -1, -1):
        found[place] = found[place + 1] if found[place] is None else found[place]
    return found


def forward_fill(amount):
    """Fill a null from the row before."""
    return backfill(list(amount)[::-1])[::-1]


def cumulated(amount):
    """Add up."""
    return np.cumsum(np.nan_to_num(np.asarray(amount)))


def standardised(amount):
    """Measure in standard deviations of the batch."""
    values = np.asarray(amount)
    return (values - np.nanmean(values)) / np.nanstd(values)


@pytest.mark.parametrize("function", [backfill, forward_fill], ids=lambda one: one.__name__)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_filling_from_other_rows_is_found_however_rare_its_nulls_are(desk, function, seed):
    table, nulls = events(odd=Python(function, reads=["amount"])), random.Random(seed).sample(range(1, 2999), 5)
    written(desk, [(f"k{place}", "" if place in nulls else str(place % 97), "web") for place in range(3000)])
    with pytest.raises(SourceError, match="looks beyond the row: for amount=None it gives"):
        desk.ingest(table)


BEYOND = [mean, rank, shift, guess, clock, cumulated, standardised]


@pytest.mark.parametrize("function", BEYOND, ids=lambda one: one.__name__)
def test_what_looks_beyond_the_row_is_refused_and_nothing_is_ingested(desk, function):
    table = events(odd=Python(function, reads=["amount"]))
    written(desk, [(f"k{place}", str(place * place), "web") for place in range(500)])
    with pytest.raises(SourceError) as refused:
        desk.ingest(table)
    said = refused.value
    assert f":{function.__name__} looks beyond the row: for amount=" in said.what
    assert said.where == "definitions.py, Events 'sales', derived column 'odd'"
    assert "sales.amount.mean(last='30d')" in said.fix
    assert desk.rows(table) == []


def test_dice_and_clocks_are_found_in_a_file_of_one_row(desk):
    written(desk, ROWS[:1])
    for function in (guess, clock):
        with pytest.raises(SourceError, match="looks beyond the row"):
            desk.check(events(odd=Python(function, reads=["amount"])), "a.csv")


def broken(amount):
    """Fail at one row."""
    return [one / one for one in amount]


def test_an_exception_in_a_function_is_told_with_its_column_and_the_file_waits(desk):
    table = events(odd=Python(broken, reads=["amount"]))
    written(desk, [("a", "1", "web"), ("b", "0", "web")])
    with pytest.raises(SourceError, match="broken raised ZeroDivisionError"):
        desk.ingest(table)
    assert desk.rows(table) == []
    mended = events(odd=Python(plain, reads=["amount"]))
    desk.ingest(mended)
    assert [row["odd"] for row in desk.rows(mended)] == [1.0, 0.0]


def test_an_edited_function_rebuilds_its_table(desk):
    written(desk, [("a", "1", "web"), ("b", "2", "web")])
    desk.ingest(events(odd=Python(plain, reads=["amount"])))
    again = events(odd=Python(double, reads=["amount"]))
    desk.ingest(again)
    assert [row["odd"] for row in desk.rows(again)] == [2.0, 4.0]


def double(amount):
    """Return twice the column."""
    return np.asarray(amount) * 2
