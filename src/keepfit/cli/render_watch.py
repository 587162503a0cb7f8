"""How what is watched reads in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keepfit import clock
from keepfit.cli import console, render
from keepfit.evidence import Drift, Estimated, Evidence, Realised, Sign
from keepfit.evidence.sign import FRESHNESS, VOLUME
from keepfit.measure.wording import number


def evidence(found: Evidence) -> None:
    """Print what is known about the champion."""
    champion = found.champion
    if champion:
        console.say(
            f"champion: version {champion.version}, trained {clock.show(champion.trained_at)},"
            f" promoted {clock.show(champion.promoted_at)}"
        )
    console.say(
        render.realised(found.realised)
        if found.realised
        else "no labels of the champion's predictions have matured yet"
    )
    if found.estimated:
        estimated(found.estimated, found.realised)
    drift(found.drift)
    signs(found.signs)


def signs(found: Sequence[Sign]) -> None:
    """Print the signs beside metrics and drift, each with what is usual."""
    if found:
        unit = {FRESHNESS: "freshness (days)", VOLUME: "volume (rows)"}
        rows = [(one.severity, unit.get(one.kind, one.kind), one.about, *_values(one), one.chance) for one in found]
        console.table(["", "sign", "of", "value", "usually", "at least", "at most", "chance"], rows)


def _values(one: Sign) -> list[str | None]:
    return [None if value is None else number(value) for value in (one.value, one.usual, one.low, one.high)]


def watched(found: Evidence, told: dict[str, Any]) -> None:
    """Print what is known about the champion and its data, and where it is written."""
    evidence(found)
    for one in told["symptoms"]:
        console.say(f"{one.severity}: {one.sentence}")
    console.say(f"files: {', '.join(Path(path).name for path in told['files'])}")
    console.say(f"report: {told['report']}")


def drift(found: Sequence[Drift], least: float | None = None) -> None:
    """Print drift, what matters most first, and what an alarm is: without a past also a PSI of `least`."""
    rows = [(one.severity, one.column, _effect(one), _psi(one), one.test, one.statistic, _chance(one)) for one in found]
    console.table(["", "column", "effect on loss", "psi", "test", "statistic", "chance"], rows)
    if found and found[0].bound is not None:
        bound = f"{found[0].bound:.2g}" + ("" if least is None else f" with a psi of {least:g} or more")
        console.say(f"an alarm is a chance below {bound}: the budget of false alarms, shared by what is tested")


def _psi(one: Drift) -> float | None:
    return one.psi if one.binned else None


def _chance(one: Drift) -> str | None:
    return None if one.chance is None else f"{one.chance:.3f}" if one.chance >= 0.0005 else "<0.001"


def _effect(item: Drift) -> str | None:
    return None if item.relative_effect is None else f"{item.relative_effect:+.1%}"


def estimated(found: Estimated, matured: Realised | None) -> None:
    """Print what is to be expected of predictions without labels, beside what was of those that have matured."""
    console.say(f"estimated before labels mature: version {found.version}, {found.sentence}")
    before = matured.estimated if matured else {}
    rows = [
        (name, render.interval(one), found.baseline.get(name))
        + ((render.interval(before[name]), matured.metrics[name]) if matured and name in before else ("", None))
        for name, one in found.metrics.items()
    ]
    header = ["metric", f"estimated of {found.rows:,} rows", "on test rows", "estimated of matured rows", "realised"]
    console.table(header, rows)
