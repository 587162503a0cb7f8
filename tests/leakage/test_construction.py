"""Leaks that cannot happen: a row is planted that a careless join would see, and the value at t stays what it was.

Each pattern has a control: later, when the row counts, it does change the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from .conftest import micros, moment, training

SALES = 'sales = Events("sales", Files("sales*.csv"), entity="who", time="at", quiet="90d", columns={"amount": Float()}'
FEATURES = "[sales.amount.sum(last='90d'), sales.count(last='90d'), sales.amount.last()]"
BASE = [
    ("a", 1, 1, 10.0),
    ("a", 20, 20, 20.0),
    ("a", 62, 62, 30.0),
    ("a", 120, 120, 40.0),
    ("b", 2, 2, 5.0),
    ("b", 130, 130, 6.0),
]


@dataclass(frozen=True)
class Planted:
    """A row (who, day, day it was noticed, amount), the day from which it may count, and the definitions."""

    row: tuple[str, float, float, float]
    counts_from: float
    options: str = ""
    observe: str = "Every('1 day', of=sales)"


PLANTED = {
    "a late correction of known=": Planted(("a", 25, 70, 999.0), 70, ", known='noticed'"),
    "a row that is known two weeks after": Planted(("a", 25, 25, 999.0), 39, ", known_after='14d'"),
    "a row of the very instant of t": Planted(("a", 25, 25, 999.0), 25),
    "a row of the microsecond after t": Planted(("a", 25 + 1e-9, 25, 999.0), 25),
    "a row noticed at the very instant of t": Planted(("a", 24, 25, 999.0), 25, ", known='noticed'"),
    "a row noticed before it happened": Planted(("a", 25, 10, 999.0), 25, ", known='noticed'"),
}


def csv(rows):
    return "who,at,noticed,amount\n" + "".join(
        f"{who},{moment(at)},{moment(seen)},{amount}\n" for who, at, seen, amount in rows
    )


def definitions(planted):
    return f"{SALES}{planted.options})\nm = Model('m', {planted.observe}, {FEATURES}, sales.count(next='1d'))\n"


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_row_is_not_seen_before_it_was_known(worlds, planted):
    seen = {}
    for name, rows in {"clean": BASE, "planted": [*BASE, planted.row]}.items():
        project = worlds(name).arrive(definitions(planted), [("2025-06-01", {"sales.csv": csv(rows)})])
        seen[name] = training(project, "2025-05-20")
    clean, found = seen["clean"], seen["planted"]
    keep = np.isin(found.t, clean.t)
    assert list(zip(clean.entity, clean.t, strict=True)) == list(zip(found.entity[keep], found.t[keep], strict=True))
    before = clean.t <= micros(moment(planted.counts_from))
    assert before.any()
    for name, values in clean.features.items():
        np.testing.assert_array_equal(values[before], found.features[name][keep][before], err_msg=name)
    changed = clean.features["sales_amount_sum_90d"] != found.features["sales_amount_sum_90d"][keep]
    assert clean.t[changed].min() == micros(moment(np.floor(planted.counts_from) + 1))


def test_each_row_sees_itself_and_nothing_after(world):
    rows = [("a", 1, 1, 1.0), ("a", 2, 2, 2.0), ("a", 2 + 1e-9, 2 + 1e-9, 4.0), ("a", 3, 3, 8.0), ("a", 9, 9, 16.0)]
    planted = Planted(rows[0], 0, observe="EachRow(of=sales)")
    project = world.arrive(definitions(planted), [("2025-06-01", {"sales.csv": csv(rows)})])
    found = training(project, "2025-01-20")
    # the row of day 2 does not see the one that came 86 µs after it
    assert list(found.features["sales_amount_sum_90d"]) == [1, 3, 7, 15, 31]


def test_a_target_sees_its_window_alone(worlds):
    edge, horizon = 40, 30
    inside = [("a", edge, edge, 1.0), ("a", edge + horizon - 1e-9, 0, 2.0)]
    outside = [("a", edge - 1e-9, 0, 100.0), ("a", edge + horizon, 0, 100.0)]
    model = f"{SALES})\nm = Model('m', Every('1 day', of=sales), [sales.count()], sales.amount.sum(next='30d'))\n"
    found = training(
        worlds("one").arrive(model, [("2026-01-01", {"sales.csv": csv([BASE[0], *inside, *outside])})]), "2025-06-01"
    )
    assert found.target[found.t == micros(moment(edge))] == [3.0]


def test_a_version_of_a_record_is_not_seen_before_it_holds(world):
    tables = """
        plans = Records("plans", Files("plans.csv"), entity="who", time="since", columns={"plan": Category()})
        sales = Events("sales", Files("sales.csv"), entity="who", time="at", quiet="90d", columns={"amount": Float()})
        m = Model("m", Every("1 day", of=plans), [plans.plan], sales.count(next="1d"))
    """
    plans = f"who,since,plan\na,{moment(5)},basic\na,{moment(50)},cancelled\n"
    project = world.arrive(tables, [("2025-06-01", {"sales.csv": csv(BASE), "plans.csv": plans})])
    found = training(project, "2025-04-01")
    assert found.t[0] == micros(moment(6))
    assert set(found.features["plans_plan"][found.t <= micros(moment(50))]) == {"basic"}
    assert set(found.features["plans_plan"][found.t > micros(moment(50))]) == {"cancelled"}


def test_an_entity_is_not_observed_before_it_was_seen(world):
    planted = Planted(("a", 0, 0, 0.0), 0, ", known='noticed'")
    rows = [*BASE, ("z", 10, 90, 1.0), ("z", 95, 95, 1.0)]
    project = world.arrive(definitions(planted), [("2025-06-01", {"sales.csv": csv(rows)})])
    found = training(project, "2025-05-20")
    assert found.t[found.entity == "z"].min() == micros(moment(91))


def test_a_target_that_is_not_over_is_not_trained_on(world):
    planted = Planted(("a", 0, 0, 0.0), 0, ", known_after='14d'")
    model = definitions(planted).replace("next='1d'", "next='30d'")
    project = world.arrive(model, [("2025-06-01", {"sales.csv": csv(BASE)})])
    # 30 days of target, and 14 until their rows are known
    assert training(project, moment(100)).t[-1] == micros(moment(100 - 30 - 14))
