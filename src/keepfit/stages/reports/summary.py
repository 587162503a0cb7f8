"""What many turns come to: the numbers and the sentences that the pictures and tables of a replay show.

Pure functions from turns to small values. A number that was not measured (NaN, missing) stays NaN here and becomes a
dash on the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keepfit import clock
from keepfit.errors import DefinitionError, did_you_mean
from keepfit.evidence import PROMOTE, REJECT, RETRAIN, ROLL_BACK, Drift, Estimate, Turn
from keepfit.spec.metric import METRICS, Metric

MINUS = "\u2212"
ROW_WORDS = {
    "known": "events known",
    "appended": "events appended",
    "predicted": "observations predicted",
    "quarantined": "rows quarantined",
}


@dataclass(frozen=True)
class Window:
    """One matured window of predictions: the metric and the trivial baseline on the same rows, dated by its middle."""

    at: int
    version: str
    rows: int
    value: float
    baseline: float


@dataclass(frozen=True)
class Training:
    """One training: its test metric with interval, the baseline's, and what was decided on it."""

    at: int
    version: str
    decision: str
    estimate: Estimate
    baseline: float


@dataclass(frozen=True)
class Change:
    """A turn that promoted, rejected or rolled back, with the version it is about."""

    at: int
    version: str
    decision: str


@dataclass(frozen=True)
class Column:
    """The drift of one column over the turns, `(as_of, drift)` in time order; `worst` has the largest finite PSI."""

    name: str
    cells: tuple[tuple[int, Drift], ...]
    worst_at: int
    worst: Drift


def metric_named(name: str) -> Metric:
    """Return the metric of that name, or raise a DefinitionError that lists what exists."""
    if name not in METRICS:
        fix = did_you_mean(name, METRICS, of="keepfit")
        raise DefinitionError(f"Unknown metric {name!r}", where="the metric of a replay report", fix=fix)
    return METRICS[name]


def number(value: float | None) -> str:
    """Return a number as short text with its digits aligned to its size; a dash if there is none."""
    if value is None or not math.isfinite(value):
        return "\u2013"
    if value != 0 and abs(value) < 0.001:
        return f"{value:.1e}".replace("-", MINUS)
    size = abs(value)
    text = f"{value:.3f}" if size < 10 else f"{value:,.1f}" if size < 1000 else f"{value:,.0f}"
    return text.replace("-", MINUS)


def percent(share: float) -> str:
    """Return a share in percent, in three digits: `88.7%`, `90%`; a dash if there is none."""
    return f"{100 * share:.3g}%" if math.isfinite(share) else "\u2013"


def signed(value: float) -> str:
    """Return a difference as short text with its sign."""
    return f"{'+' if value > 0 else ''}{number(value)}"


def duration(seconds: float) -> str:
    """Return seconds as a person says them: `0.4 s`, `12 s`, `3 min 20 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 turn`, `22 turns`, `2 retrainings not done`."""
    return f"{count:,} {counted(count, noun)}"


def counted(count: int, noun: str) -> str:
    """Return a noun as it stands beside its count."""
    head, but, rest = noun.partition(" not ")
    return noun if count == 1 else f"{head}s{but}{rest}"


def version_name(version: str) -> str:
    """Return a version as people say it: `v3` for the registry's `3`."""
    return f"v{version}" if version[:1].isdigit() else version


def matured(turns: Sequence[Turn], metric: str) -> list[Window]:
    """Return each matured window once, in time order; of a window seen in several turns, the latest sight of it."""
    found: dict[tuple[int, int, str], Window] = {}
    for real in (turn.realised for turn in turns if turn.realised):
        value, baseline = real.metrics.get(metric, math.nan), real.baseline.get(metric, math.nan)
        middle = (real.from_at + real.to_at) // 2
        found[middle, real.from_at, real.version] = Window(middle, real.version, real.rows, value, baseline)
    return [found[key] for key in sorted(found)]


def overall(windows: Sequence[Window], metric: str) -> tuple[float, float, int]:
    """Return metric, baseline and rows over all windows: means weighted by rows; for rmse the root mean square."""
    measured = [window for window in windows if math.isfinite(window.value)]
    power = 2 if metric == "rmse" else 1
    value = _mean([(window.value, window.rows) for window in measured], power)
    baseline = _mean([(window.baseline, window.rows) for window in measured], power)
    return value, baseline, sum(window.rows for window in measured)


def _mean(pairs: Iterable[tuple[float, int]], power: int) -> float:
    finite = [(value, max(rows, 0)) for value, rows in pairs if math.isfinite(value)]
    weight = sum(rows for _, rows in finite)
    if not weight:
        return math.nan
    mean = math.fsum(value**power * rows for value, rows in finite) / weight
    return math.sqrt(mean) if power == 2 else mean


def trainings(turns: Sequence[Turn]) -> list[Training]:
    """Return the trainings that left an evaluation, in time order."""
    return [
        Training(
            turn.as_of,
            turn.challenger.version if turn.challenger else "",
            turn.decision,
            turn.evaluation.estimate,
            turn.evaluation.baseline.get(turn.evaluation.metric, math.nan),
        )
        for turn in turns
        if turn.evaluation
    ]


def changes(turns: Sequence[Turn]) -> list[Change]:
    """Return the turns that promoted, rejected or rolled back, with the version concerned."""
    found = []
    for turn in turns:
        facts = turn.champion if turn.decision == ROLL_BACK else turn.challenger or turn.champion
        if turn.decision in (PROMOTE, REJECT, ROLL_BACK):
            found.append(Change(turn.as_of, facts.version if facts else "", turn.decision))
    return found


def columns(turns: Sequence[Turn], most: int = 15) -> list[Column]:
    """Return the columns that drifted furthest, the one with the largest PSI first."""
    cells: dict[str, list[tuple[int, Drift]]] = {}
    for turn in turns:
        for drift in turn.drift:
            if drift.binned and math.isfinite(drift.psi):
                cells.setdefault(drift.column, []).append((turn.as_of, drift))
    found = []
    for name, seen in cells.items():
        at, worst = max(seen, key=lambda cell: cell[1].psi)
        found.append(Column(name, tuple(seen), at, worst))
    return sorted(found, key=lambda column: (-column.worst.psi, column.name))[:most]


def row_counts(turns: Sequence[Turn]) -> dict[str, list[tuple[int, int]]]:
    """Return for each kind of row that turns move the counts `(as_of, rows)`; a stock (known) is left out."""
    present = dict.fromkeys(kind for turn in turns for kind in turn.rows if kind != "known")
    kinds = sorted(present, key=lambda kind: [*ROW_WORDS, kind].index(kind))
    return {kind: [(turn.as_of, turn.rows.get(kind, 0)) for turn in turns] for kind in kinds}


def stage_seconds(turns: Sequence[Turn]) -> dict[str, float]:
    """Return the seconds of each stage, summed over the turns, in the order in which stages first appear."""
    total: dict[str, float] = {}
    for turn in turns:
        for stage, seconds in turn.seconds.items():
            total[stage] = total.get(stage, 0.0) + (seconds if math.isfinite(seconds) else 0.0)
    return total


def moment_text(at: int) -> str:
    """Return a moment as a reader says it, in UTC: a date if it is midnight, else to the minute."""
    text = clock.show(at)
    return f"{text[:16].replace('T', ' ')} UTC" if "T" in text else text


def period(turns: Sequence[Turn]) -> str:
    """Return the first and last as_of as text."""
    first, last = clock.show(turns[0].as_of), clock.show(turns[-1].as_of)
    return first if first == last else f"{first} to {last}"


def counts(turns: Sequence[Turn]) -> dict[str, int]:
    """Return how often each thing happened, for the headline."""
    made = sum(turn.challenger is not None or turn.evaluation is not None for turn in turns)
    asked = sum(turn.decision == RETRAIN and turn.challenger is None for turn in turns)
    of = {name: sum(turn.decision == name for turn in turns) for name in (PROMOTE, REJECT, ROLL_BACK)}
    found = {"turn": len(turns), "training": made, "promotion": of[PROMOTE], "rejection": of[REJECT]}
    found["roll back"] = of[ROLL_BACK]
    return {**found, "retraining not done": asked} if asked else found
