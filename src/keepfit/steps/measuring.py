"""What a turn measured, as rows of the table `metrics`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from keepfit.evidence import CONCEPT, MULTIVARIATE, SEVERITIES, Drift, Turn

NAN = math.nan


def measurements(turn: Turn) -> list[dict[str, Any]]:
    """Return a row for each number that a turn measured."""
    found = [*_evaluated(turn), *_realised(turn), *_estimated(turn), *_drifted(turn), *_signs(turn)]
    for row in found:
        identity = f"{turn.model}/{turn.as_of}/{row['stage']}/{row['version']}/{row['name']}"
        row |= {"evidence_id": identity, "as_of": turn.as_of, "model": turn.model}
    return found


def _row(
    stage: str,
    version: str,
    name: str,
    value: float,
    baseline: float,
    rows: int,
    span: tuple[int, int],
    interval: tuple[float, float] = (NAN, NAN),
) -> dict[str, Any]:
    told = {"stage": stage, "version": version, "name": name, "value": value, "baseline": baseline, "rows": rows}
    return {**told, "from": span[0], "to": span[1], "low": interval[0], "high": interval[1]}


def _evaluated(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.evaluation is None or turn.challenger is None:
        return
    found, version = turn.evaluation, turn.challenger.version
    span = (found.test_from_at, found.test_to_at)
    for name, value in found.metrics.items():
        yield _row("evaluation", version, name, value, found.baseline[name], found.rows["test"], span)


def _realised(turn: Turn) -> Iterator[dict[str, Any]]:
    if (found := turn.realised) is None:
        return
    span = (found.from_at, found.to_at)
    for name, value in found.metrics.items():
        yield _row("realised", found.version, name, value, found.baseline[name], found.rows, span)


def _estimated(turn: Turn) -> Iterator[dict[str, Any]]:
    if (found := turn.estimated) is None:
        return
    span = (found.from_at, found.to_at)
    for name, one in found.metrics.items():
        baseline, interval = found.baseline[name], (one.low, one.high)
        yield _row("estimated", found.version, name, one.value, baseline, one.rows, span, interval)


def _drifted(turn: Turn) -> Iterator[dict[str, Any]]:
    span = (turn.as_of, turn.as_of)
    for moved in turn.drift:
        for name, value in _numbers(moved).items():
            held = NAN if moved.bound is None or name != "chance" else moved.bound
            yield _row("drift", "", f"{name}:{moved.column}", value, held, moved.rows, span)


def _numbers(moved: Drift) -> dict[str, float]:
    """Return all that was measured of how far a column has moved, by name; the severity as 0, 1 or 2."""
    # of what inputs mean, and of all columns together, there are no two samples in bins
    whole = {CONCEPT: "surprise", MULTIVARIATE: "auc"}.get(moved.kind)
    first = {whole: moved.statistic} if whole else {"psi": moved.psi}
    found = {**first, **moved.measures, "chance": moved.chance, "effect": moved.effect}
    found |= {"relative_effect": moved.relative_effect, "unseen": moved.unseen}
    known = {name: one for name, one in found.items() if one is not None and math.isfinite(one)}
    return known | {"severity": float(SEVERITIES.index(moved.severity))}


def _signs(turn: Turn) -> Iterator[dict[str, Any]]:
    span = (turn.as_of, turn.as_of)
    for sign in turn.signs:
        usual, low, high = (NAN if end is None else end for end in (sign.usual, sign.low, sign.high))
        yield _row("sign", "", f"{sign.kind}:{sign.about}", sign.value, usual, sign.rows, span, (low, high))
