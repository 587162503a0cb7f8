"""The rules of gates: each can be passed, can fail, and is declared once. That their metrics exist is a rule of all metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from keepfit.errors import did_you_mean
from keepfit.spec.check.problem import Problem
from keepfit.spec.check.reading import of
from keepfit.spec.features import Attribute
from keepfit.spec.gates import (
    ABSOLUTE,
    APPROVAL,
    BETTER,
    BY_GROUP,
    CHAMPION,
    DOCUMENTS,
    FAIRNESS,
    GAP,
    LATENCY,
    PARITY,
    RELATIVE,
    ROUTES,
    SIZE,
    THRESHOLD,
    Gate,
)
from keepfit.spec.metric import METRICS
from keepfit.spec.model import CLASSIFICATION, MULTICLASS, REGRESSION, Model

WRITTEN = {
    THRESHOLD: "Gate({metric!r}, threshold={bound!r})",
    ABSOLUTE: "Gate.min_absolute_change({bound!r})",
    RELATIVE: "Gate.min_relative_change({bound!r})",
    CHAMPION: "Gate.not_worse_than_champion(margin={bound!r})",
    FAIRNESS: "Gate.fair_across({column!r}, ratio={bound!r})",
    GAP: "Gate.max_fairness_gap({column!r}, gap={bound!r})",
    LATENCY: "Gate.latency(p99_ms={bound!r})",
    SIZE: "Gate.size(megabytes={bound!r})",
    PARITY: "Gate.parity(difference={bound!r})",
    DOCUMENTS: "Gate.documents()",
    APPROVAL: "Gate.approval(people={bound!r})",
}
"""Each kind of gate as a definition writes it."""
UNBOUNDED = ("r2", "lift_10")
"""Metrics whose higher is better, and whose values are no shares."""
AT_MOST_ONE = ("ece", "brier")
"""Metrics whose lower is better, and that are never above 1; of several labels, brier is up to 2."""
MOST_PEOPLE = 20


def gates_are_known(model: Model) -> Iterator[Problem]:
    """A gate is made by a constructor, so that somebody judges it."""
    for gate in model.gates:
        if gate.kind not in WRITTEN:
            what = f"gate kind {gate.kind!r} is unknown"
            yield Problem(what, of(model), did_you_mean(str(gate.kind), WRITTEN))


def gates_have_bounds(model: Model) -> Iterator[Problem]:
    """A bound is a number that a version can reach and can miss."""
    for gate in (one for one in model.gates if one.kind in WRITTEN and one.kind != DOCUMENTS):
        if isinstance(gate.threshold, bool) or not isinstance(gate.threshold, int | float):
            yield Problem(f"{written(gate)} has no bound that is a number", of(model), "write a number: 0.8")
        elif fix := _unreachable(gate, model):
            yield Problem(f"{written(gate)} is no bound that a version can reach and miss", of(model), fix)


def _unreachable(gate: Gate, model: Model) -> str:
    """Return how to mend a bound that every version passes, or none; nothing if it is a bound."""
    bound = gate.threshold
    if not math.isfinite(bound):
        return "use a finite number"
    if gate.kind == THRESHOLD:
        return _beyond(gate.metric or model.metric, bound, model)
    if gate.kind == APPROVAL:
        counted = isinstance(bound, int) and 1 <= bound <= MOST_PEOPLE
        return "" if counted else f"use a whole number from 1 to {MOST_PEOPLE}"
    if gate.kind == FAIRNESS:
        return "" if 0 < bound <= 1 else "use a ratio above 0 and up to 1: 0.8"
    if gate.kind == GAP and model.task == CLASSIFICATION:
        return "" if 0 <= bound < 1 else "use a difference of two rates from 0 and below 1: 0.1"
    if gate.kind == CHAMPION and bound < 0:
        return "use a margin from 0 on; to ask for a gain: Gate.min_absolute_change(0.01)"
    if gate.kind in (CHAMPION, ABSOLUTE) and bound >= 1 and _is_share(model.metric):
        return f"use a number below 1: {model.metric} is a share"
    if gate.kind == PARITY and bound >= 1 and model.task != REGRESSION:
        return "use a difference of probabilities, below 1: 0.0001"
    if gate.kind in (*BETTER, GAP, PARITY):
        return "" if bound >= 0 else "use a number from 0 on"
    return "" if bound > 0 else "use a number above 0"


def _beyond(metric: str, bound: float, model: Model) -> str:
    found = METRICS.get(metric)
    if found is None or metric == "r2":
        return ""
    if bound < 0 or (bound == 0 and found.greater_is_better):
        return f"use a number above 0: {metric} is never below"
    if bound >= 1 and metric in AT_MOST_ONE and not model.labels:
        return f"use a number below 1: {metric} is never above"
    if _is_share(metric) and bound > 1:
        return f"{metric} is a share, from 0 to 1" + (f": {bound / 100:g}" if 2 <= bound <= 100 else "")
    return ""


def _is_share(metric: str) -> bool:
    found = METRICS.get(metric)
    return found is not None and found.greater_is_better and metric not in UNBOUNDED


def gates_by_group_name_an_attribute(model: Model) -> Iterator[Problem]:
    """Groups are those of an attribute among the features, of a model that calls rows positive or predicts a number."""
    attributes = {feature.column for feature in model.features if isinstance(feature, Attribute)}
    for gate in (one for one in model.gates if one.kind in BY_GROUP):
        name = written(gate).partition("(")[0]
        if model.task == MULTICLASS:
            what = f"{name} compares how often groups are called positive, but the target is one of several labels"
            yield Problem(what, of(model), "leave it out, or compare the target: ... > 35.5")
        elif gate.column not in attributes:
            fix = did_you_mean(str(gate.column), attributes, of="the model")
            yield Problem(f"{name}({gate.column!r}): no such attribute among the features", of(model), fix)


def gates_name_routes_that_are_measured(model: Model) -> Iterator[Problem]:
    """A parity gate names ways that a certificate holds against the batch, and leaves decisions to them."""
    for gate in (one for one in model.gates if one.kind == PARITY):
        for name in (one for one in gate.routes if one not in ROUTES):
            what = f"{written(gate)}: no certificate measures {name!r}"
            yield Problem(what, of(model), did_you_mean(str(name), ROUTES))
        if not 0 <= gate.flips < 1:
            yield Problem(
                f"{written(gate)}: flips is a share of rows", of(model), "use a number from 0 and below 1: 0.002"
            )


def gates_are_declared_once(model: Model) -> Iterator[Problem]:
    """Of two gates of one kind on the same number, one says nothing."""
    same: dict[tuple[str, str, str | None, tuple[str, ...]], list[str]] = {}
    for gate in model.gates:
        metric = gate.metric or model.metric if gate.kind == THRESHOLD else ""
        same.setdefault((gate.kind, metric, gate.column, gate.routes), []).append(written(gate))
    for gates in same.values():
        if len(gates) > 1:
            yield Problem(f"{' and '.join(gates)} hold the same number", of(model), "keep the stricter one")


def written(gate: Gate) -> str:
    """Return a gate as a definition writes it."""
    form = WRITTEN.get(gate.kind, f"Gate(kind={gate.kind!r})")
    if gate.routes or gate.flips:
        form = f"Gate.parity(difference={{bound!r}}, routes={list(gate.routes)!r}, flips={gate.flips!r})"
    return form.format(metric=gate.metric, bound=gate.threshold, column=gate.column)


GATE_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    gates_are_known,
    gates_have_bounds,
    gates_by_group_name_an_attribute,
    gates_name_routes_that_are_measured,
    gates_are_declared_once,
)
