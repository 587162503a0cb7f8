"""Half the precision, posted events, values that only a request knows: each is a way of its own, and a fault in it shows there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keepfit import clock
from keepfit.evidence import Parity, Route
from keepfit.spec.gates import Gate
from keepfit.stages.registry.export import float16, trees
from keepfit.stages.registry.gates import judge
from keepfit.stages.serving import events, requested
from keepfit.steps.judging import candidate

from .conftest import Certified, made, trained

pytestmark = pytest.mark.slow
Patch = pytest.MonkeyPatch
FLOAT16 = Gate.parity(0.2, routes=["float16"], flips=0.02)


def held(world: Certified, gate: Gate, found: Parity) -> bool:
    seen = dataclasses.replace(candidate(world.project, world.version, world.snapshot.as_of), parity=found)
    return judge([gate], seen)[0].passed


# half the precision


def test_half_the_precision_is_a_way_that_only_a_gate_by_name_judges(churn: Certified) -> None:
    found = churn.certificate()
    assert 1e-4 < found.routes["float16"].largest_difference < 0.2
    assert held(churn, Gate.parity(), found)
    assert held(churn, FLOAT16, found)
    assert not held(churn, Gate.parity(routes=["float16"]), found)


def coarse(values: Any, *more: Any) -> Any:
    found, *rest = rounded(values, *more)
    return (found.round(0), *rest)


rounded = trees.rounded


def test_leaves_that_are_rounded_too_far_are_found(churn: Certified, monkeypatch: Patch) -> None:
    monkeypatch.setattr(trees, "rounded", coarse)
    found = churn.certificate()
    assert not held(churn, FLOAT16, found)
    assert found.routes["float16"].largest_difference > 0.2
    # no other way has it
    assert held(churn, Gate.parity(), found)


def test_a_half_file_of_another_version_is_found(churn: Certified, older: Path, monkeypatch: Patch) -> None:
    stale = float16.quantised((older / "model.onnx").read_bytes())
    monkeypatch.setattr(float16, "quantised", lambda content: stale)
    found = churn.certificate()
    assert not held(churn, FLOAT16, found)
    assert held(churn, Gate.parity(), found)


# events that are posted


def changed(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., Any]:
    return lambda table, raw: change(dict(check_row(table, raw)))


check_row = events.check_row
PLANTED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another unit": lambda row: row | {"amount": row["amount"] * 100},
    "local times taken for UTC": lambda row: row | {"time": row["time"] - 8 * clock.HOUR},
    "known at once": lambda row: row | {"known": row["time"] - clock.DAY},
    "another entity": lambda row: row | {"who": f" {row['who']}"},
    "a null for a zero": lambda row: row | {"price": None},
    "a label in capitals": lambda row: row | {"shop": row["shop"].upper()},
    "cut to whole days": lambda row: row | {"time": row["time"] // clock.DAY * clock.DAY},
}


@pytest.mark.parametrize("change", PLANTED.values(), ids=PLANTED)
def test_a_skew_of_posted_events_is_found(churn: Certified, monkeypatch: Patch, change: Any) -> None:
    monkeypatch.setattr(events, "check_row", changed(change))
    found = churn.certificate()
    assert found.routes["events"].concerned > 0
    assert found.routes["events"].skewed
    assert not held(churn, Gate.parity(), found)
    # rows of which nothing was posted have it not
    assert found.routes["request"] == Route(found.routes["request"].rows, 0.0, 0)


def test_an_event_that_is_refused_says_why(churn: Certified, monkeypatch: Patch) -> None:
    def refusing(table: Any, raw: Any) -> Any:
        return check_row(table, {**raw, "amount": "much"})

    monkeypatch.setattr(events, "check_row", refusing)
    found = churn.certificate()
    assert found.routes["events"].refused == "amount is not a number"
    assert found.routes["events"].flipped == found.routes["events"].rows > 0
    assert found.routes["request"].refused == ""


# values that only a request knows


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """Return a model that a request may send a value to."""
    declared = """m = Model("m", observe, [Input("basket", Float(min=5), past=sales.amount.last()), sales.count(last="7d")],
                     sales.amount.sum(next="7d") > 60, estimator=XGBoost(n_estimators=60))"""
    return trained(made(tmp_path_factory.mktemp("parity") / "asked", declared), "m")


def test_values_of_the_past_are_sent_for_every_other_row(asked: Certified, monkeypatch: Patch) -> None:
    assert asked.verdict(asked.certificate()).passed

    def sent(scorer: Any, body: Any) -> Any:
        return {name: value + 1 for name, value in original(scorer, body).items()}

    original = requested._sent
    monkeypatch.setattr(requested, "_sent", sent)
    found = asked.certificate()
    assert not asked.verdict(found).passed
    both = [found.routes[name] for name in ("request", "events")]
    assert {name for one in both for name in one.skewed} == {"basket"}
    # below its bound or not known, it is not sent
    assert 300 < sum(one.skewed["basket"] for one in both) < 500
