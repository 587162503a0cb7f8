"""Python functions over a file: equal to a request, held to one row each, and nothing is ingested that is not right."""

from __future__ import annotations

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
    assert "risk" in desk.checked(table, "a.csv").schema.names


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


@pytest.mark.parametrize("function", [mean, rank, shift, guess, clock], ids=lambda one: one.__name__)
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


def forward(amount):
    """Fill from the row before."""
    known, filled = None, []
    for one in amount:
        known = known if one is None else one
        filled.append(known)
    return filled


def backward(amount):
    """Fill from the row after."""
    return forward(list(amount)[::-1])[::-1]


def next_alone(amount):
    """Look at the next row."""
    return [*list(amount)[1:], None]


def neighbours(amount):
    """Look at both sides alike, so that the reversed order gives the same."""
    values = [0.0 if one is None else one for one in amount]
    return [max(three) for three in zip([0.0, *values[:-1]], values, [*values[1:], 0.0], strict=True)]


def interpolate(amount):
    """Fill from both sides alike."""
    values = np.asarray(amount)
    known = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(len(values)), known, values[known]) if len(known) else values


def total(amount):
    """Look at all rows before."""
    return np.nancumsum(np.asarray(amount))


def z_score(amount):
    """Look at all rows."""
    values = np.asarray(amount)
    return (values - np.nanmean(values)) / (np.nanstd(values) or 1.0)


def same_dice(amount):
    """Throw dice that fall alike in each call."""
    return np.random.default_rng(0).random(len(amount))


FILLS = [forward, backward, interpolate]
OVER_ROWS = [*FILLS, next_alone, neighbours, total, z_score, same_dice, mean, rank, shift, guess, clock]


def few_nulls(desk, seed, rows=3_000, share=0.003):
    drawn = np.random.default_rng(seed)
    values, null = drawn.random(rows).round(6), drawn.random(rows) < share
    null[rows // 2] = True
    written(desk, [(f"k{place}", "" if null[place] else str(values[place]), "web") for place in range(rows)])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("function", OVER_ROWS, ids=lambda one: one.__name__)
def test_what_looks_beyond_the_row_is_refused_with_few_nulls_too(desk, function, seed):
    few_nulls(desk, seed)
    with pytest.raises(SourceError, match=f":{function.__name__} looks beyond the row"):
        desk.check(events(odd=Python(function, reads=["amount"])), "a.csv")


@pytest.mark.parametrize("function", [one for one in OVER_ROWS if one is not interpolate], ids=lambda one: one.__name__)
def test_the_order_and_the_parts_refuse_it_without_a_row_alone(desk, function, monkeypatch):
    monkeypatch.setattr(derive, "_telling", lambda column: iter(()))
    monkeypatch.setattr(derive, "_evenly", lambda places, many: iter(()))
    few_nulls(desk, 5)
    with pytest.raises(SourceError, match=f":{function.__name__} looks beyond the row"):
        desk.check(events(odd=Python(function, reads=["amount"])), "a.csv")


@pytest.mark.parametrize("function", FILLS, ids=lambda one: one.__name__)
def test_one_null_is_enough_in_whatever_batch(desk, function, monkeypatch):
    monkeypatch.setattr(derive, "BATCH_ROWS", 1_000)
    rows = [(f"k{place}", "" if place == 2_345 else str(place * place), "web") for place in range(3_000)]
    written(desk, rows)
    with pytest.raises(SourceError, match=r"for amount=None it gives .* and None for the row alone"):
        desk.check(events(odd=Python(function, reads=["amount"])), "a.csv")


def logs(amount, channel):
    """Compute with numpy alone."""
    values = np.asarray(amount)
    return np.where(np.asarray(channel) == "web", np.log1p(values) * np.sqrt(values), np.exp(-values) + np.sin(values))


def clipped(amount, channel):
    """Compute row by row, null for null."""
    return [
        None if one is None else min(one, 0.5) / (1 + len(key or "")) for one, key in zip(amount, channel, strict=True)
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("function", [logs, clipped], ids=lambda one: one.__name__)
def test_honest_functions_pass_whatever_the_batch(desk, function, seed, monkeypatch):
    monkeypatch.setattr(derive, "BATCH_ROWS", 1_234)
    few_nulls(desk, seed, share=0.1)
    good, bad = desk.check(events(odd=Python(function, reads=["amount", "channel"])), "a.csv")
    assert (len(good), len(bad)) == (3_000, 0)


def test_a_column_without_a_value_passes(desk):
    written(desk, [(f"k{place}", "", "") for place in range(200)])
    good, _ = desk.check(events(odd=Python(clipped, reads=["amount", "channel"])), "a.csv")
    assert {row["odd"] for row in good} == {None}


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
