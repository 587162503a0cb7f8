"""Expressions that are evaluated together, for single rows: the same bits as each by itself, and no part twice."""

from __future__ import annotations

import math

import numpy as np

from keepfit import Category, Events, Files, Float, Input
from keepfit.kernel import evaluate as room
from keepfit.kernel.evaluate import Together, evaluate

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


def test_each_is_what_it_is_by_itself():
    for one, other in ((3.0, 7.0), (1.0, 0.0), (math.nan, 2.0), (0.1, 0.3)):
        leaves = {week.name: np.array([one]), month.name: np.array([other])}
        found = Together(expressions())(leaves)
        assert list(found) == [each.name for each in expressions()]
        for each in expressions():
            assert np.asarray(found[each.name]).tobytes() == np.asarray(evaluate(each, leaves)).tobytes()


def test_what_a_request_sends_stands_for_the_past():
    leaves = {week.name: np.array([3.0]), month.name: np.array([6.0]), "request.basket": np.array([9.0])}
    found = Together([Input("basket", Float(), past=week / month), week / month])(leaves)
    assert [values.tolist() for values in found.values()] == [[9.0], [0.5]]


def test_a_part_is_computed_once(monkeypatch):
    computed, original = [], room._value
    monkeypatch.setattr(room, "_value", lambda node, parts: computed.append(node.name) or original(node, parts))
    Together(expressions())({week.name: np.array([3.0]), month.name: np.array([6.0])})
    assert computed.count((week / month).name) == 1
    assert len(computed) == 11
