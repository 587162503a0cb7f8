"""What a turn measured, as rows of the table `metrics`."""

from __future__ import annotations

import math
from typing import Any

from keepfit.evidence import CONCEPT, MULTIVARIATE, SEVERITIES, Drift, Turn


def measurements(turn: Turn) -> list[dict[str, Any]]:
    """Return the rows of the table `metrics` that a turn makes: one measured number each."""
    rows = []

    def add(
        stage: str,
        version: str,
        name: str,
        value: float,
        baseline: float,
        count: int,
        span: tuple[int, int],
        interval: tuple[float, float] = (math.nan, math.nan),
    ) -> None:
        identity = f"{turn.model}/{turn.as_of}/{stage}/{version}/{name}"
        first, last = span
        rows.append(
            {
                "evidence_id": identity,
                "as_of": turn.as_of,
                "model": turn.model,
                "version": version,
                "stage": stage,
                "name": name,
                "value": value,
                "baseline": baseline,
                "rows": count,
                "from": first,
                "to": last,
                "low": interval[0],
                "high": interval[1],
            }
        )

    if turn.evaluation and turn.challenger:
        found = turn.evaluation
        for name, value in found.metrics.items():
            span = (found.test_from_at, found.test_to_at)
            add("evaluation", turn.challenger.version, name, value, found.baseline[name], found.rows["test"], span)
    if turn.realised:
        for name, value in turn.realised.metrics.items():
            span = (turn.realised.from_at, turn.realised.to_at)
            add("realised", turn.realised.version, name, value, turn.realised.baseline[name], turn.realised.rows, span)
    if turn.estimated:
        told = turn.estimated
        for name, one in told.metrics.items():
            span = (told.from_at, told.to_at)
            add("estimated", told.version, name, one.value, told.baseline[name], one.rows, span, (one.low, one.high))
    for moved in turn.drift:
        for name, value in _numbers(moved).items():
            held = math.nan if moved.bound is None or name != "chance" else moved.bound
            add("drift", "", f"{name}:{moved.column}", value, held, moved.rows, (turn.as_of, turn.as_of))
    for sign in turn.signs:
        usual, low, high = (math.nan if end is None else end for end in (sign.usual, sign.low, sign.high))
        span = (turn.as_of, turn.as_of)
        add("sign", "", f"{sign.kind}:{sign.about}", sign.value, usual, sign.rows, span, (low, high))
    return rows


def _numbers(moved: Drift) -> dict[str, float]:
    """Return all that was measured of how far a column has moved, by name; the severity as 0, 1 or 2."""
    # of what inputs mean, and of all columns together, there are no two samples in bins
    whole = {CONCEPT: "surprise", MULTIVARIATE: "auc"}.get(moved.kind)
    first = {whole: moved.statistic} if whole else {"psi": moved.psi}
    found = {**first, **moved.measures, "chance": moved.chance, "effect": moved.effect}
    found |= {"relative_effect": moved.relative_effect, "unseen": moved.unseen}
    known = {name: one for name, one in found.items() if one is not None and math.isfinite(one)}
    return known | {"severity": float(SEVERITIES.index(moved.severity))}
