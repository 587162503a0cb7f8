"""Expressions of one row of plain numbers: the same bits as a column of each by itself, and no part twice."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepfit import Category, Events, Files, Float, Input, Records
from keepfit.kernel import one_row as room
from keepfit.kernel.evaluate import evaluate
from keepfit.kernel.one_row import OneRow, column

sales = Events("sales", Files("sales.csv"), entity="who", time="at", columns={"amount": Float(), "shop": Category()})
week, month = sales.amount.sum(last="7d"), sales.amount.sum(last="30d")


def expressions():
    """Return expressions that share parts without sharing objects, as a definition does that was read from a version."""
    share = lambda: sales.amount.sum(last="7d") / sales.amount.sum(last="30d")  # noqa: E731
    return [
        share(),
        share() + share(),
        share() * 2.0 - 0.5,
        share() - 2.0,
        share().fill(0.0),
        share().fill(1.0),
        share().clip(0.1, 0.4),
        (share() > 0.3).named("above"),
        Input("basket", Float(), past=share()),
        week,
    ]


ODD = (0.0, -0.0, 1.0, -1.0, 0.1, 0.3, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan)


@pytest.mark.parametrize("one", ODD)
@pytest.mark.parametrize("other", ODD)
def test_each_is_what_it_is_by_itself(one, other):
    found = OneRow(expressions())({week.name: one, month.name: other})
    columns = {week.name: np.array([one]), month.name: np.array([other])}
    assert list(found) == [each.name for each in expressions()]
    for each in expressions():
        wanted = evaluate(each, columns).item()
        same = (
            math.isnan(wanted)
            if math.isnan(found[each.name])
            else column(found[each.name]).tobytes() == column(wanted).tobytes()
        )
        assert same, (each.name, found[each.name], wanted)


def test_a_label_is_handed_through_and_filled():
    shop = Records("people", Files("p.csv"), entity="who", columns={"shop": Category()}).shop
    row = OneRow([shop, shop.fill("none").named("filled")])
    assert row({shop.name: None}) == {shop.name: None, "filled": "none"}
    assert row({shop.name: "north"}) == {shop.name: "north", "filled": "north"}


def test_what_a_request_sends_stands_for_the_past():
    row = OneRow([Input("basket", Float(), past=week / month), week / month])
    leaves = {week.name: 3.0, month.name: 6.0}
    assert list(row(leaves | {"request.basket": 9.0}).values()) == [9.0, 0.5]
    assert list(row(leaves).values()) == [0.5, 0.5]


def test_a_part_is_computed_once(monkeypatch):
    made, original = [], room._step
    monkeypatch.setattr(room, "_step", lambda node, parts: made.append(node.name) or original(node, parts))
    OneRow(expressions())
    assert made.count((week / month).name) == 1
    assert len(made) == 16
