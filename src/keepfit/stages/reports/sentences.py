"""The sentences of a replay: each picture's message, its words for those who do not see it, and the lead.

A sentence holds only numbers that the turns hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from keepfit import clock
from keepfit.evidence import KEEP, PROMOTE, REJECT, Evaluation, Turn
from keepfit.spec.metric import Metric
from keepfit.stages.reports.summary import (
    ROW_WORDS,
    Column,
    Training,
    Window,
    counts,
    duration,
    number,
    overall,
    period,
    plural,
    version_name,
)

MARKED = 0.2
MEANINGS = (
    ("Turn", "One pass of the loop at one moment (as of): take in data, predict, watch, decide, and if need be train."),
    (
        "Realised",
        "How predictions turned out once the time they looked ahead to had passed and their labels were known. "
        "Over all windows it is the mean weighted by rows (the root mean square for rmse).",
    ),
    (
        "Baseline",
        "The same score for the trivial prediction, such as always the commonest answer; a model must beat it.",
    ),
    ("Threshold", "How good the team declared the model must stay."),
    ("Champion, challenger", "The version in use, and the newly trained version that asks to replace it."),
    ("Gate", "A condition that a challenger must meet before it is promoted; one that fails rejects it."),
    (
        "Test metric, 90% interval",
        "The score on rows kept from training; nine in ten such intervals hold the true score.",
    ),
    (
        "PSI",
        "Population stability index: how far a column has moved from the data the champion learnt on. "
        "Under 0.1 is calm, from 0.2 on it is usually worth a look.",
    ),
    ("Significant", "Too large a move to be chance, after correcting for the number of columns tested."),
    ("Quarantined", "Rows that broke the declared types or bounds; set aside with the reason, never trained on."),
)


def lead(turns: Sequence[Turn], windows: Sequence[Window], metric: Metric) -> str:
    """Return the whole replay in a few sentences."""
    found = counts(turns)
    trained = f"{plural(found['training'], 'training')}" if found["training"] else "no training"
    did = [plural(found[name], name) for name in ("promotion", "rejection", "roll back") if found[name]]
    ended = f": {' and '.join([', '.join(did[:-1]), did[-1]] if len(did) > 1 else did)}" if did else ""
    when = period(turns)
    text = f"{plural(len(turns), 'turn')} of the loop, {when}, brought {trained}{ended}."
    value, baseline, rows = overall(windows, metric.name)
    if not rows or not math.isfinite(value):
        return f"{text} No prediction has matured yet, so nothing can be said of how well they did."
    against = f"; the trivial baseline had {number(baseline)} on the same rows" if math.isfinite(baseline) else ""
    told = f"Measured on {rows:,} predictions whose labels have matured, {metric.name} was {number(value)}{against}."
    return f"{text} {told}"


def realised_says(windows: Sequence[Window], metric: Metric, threshold: float | None) -> str:
    """Return the message of the picture of realised performance."""
    known = [window for window in windows if math.isfinite(window.value)]
    both = [window for window in known if math.isfinite(window.baseline)]
    won = sum(metric.better(window.value, window.baseline) for window in both)
    beat = f"beat the baseline in {_of(won, len(both))}" if both else "had no baseline to beat"
    if threshold is None:
        return f"{metric.name} {beat} {_windows(len(known))}"
    met = sum(metric.reaches(window.value, threshold) for window in known)
    return f"{metric.name} met {number(threshold)} in {_of(met, len(known))} {_windows(len(known))} and {beat}"


def _of(some: int, every: int) -> str:
    return f"all {every}" if some == every and every > 1 else f"{some} of {every}"


def _windows(count: int) -> str:
    return "window" if count == 1 else "windows"


def realised_alt(windows: Sequence[Window], metric: Metric, threshold: float | None) -> str:
    """Return the picture of realised performance in words."""
    known = [window for window in windows if math.isfinite(window.value)]
    if not known:
        return f"No realised {metric.name} yet."
    low, high = min(known, key=lambda one: one.value), max(known, key=lambda one: one.value)
    bound = f" Threshold {number(threshold)}." if threshold is not None else ""
    return (
        f"Line chart of {metric.name} in {plural(len(known), 'matured window')}, from {number(known[0].value)} on "
        f"{_day(known[0].at)} to {number(known[-1].value)} on {_day(known[-1].at)}; lowest {number(low.value)} on "
        f"{_day(low.at)}, highest {number(high.value)} on {_day(high.at)}.{bound}"
    )


def _day(at: int) -> str:
    return clock.show(at - at % clock.DAY)


def drift_says(columns: Sequence[Column]) -> str:
    """Return the message of the drift picture."""
    worst, moved = columns[0], sum(column.worst.psi >= MARKED for column in columns)
    if not moved:
        return f"No column reached a PSI of {MARKED}; {worst.name} came nearest with {number(worst.worst.psi)}"
    others = f", {plural(moved, 'column')} reached {MARKED}" if moved > 1 else ", the only one to reach " + str(MARKED)
    return f"{worst.name} moved most, to a PSI of {number(worst.worst.psi)} on {_day(worst.worst_at)}{others}"


def drift_alt(columns: Sequence[Column]) -> str:
    """Return the drift picture in words."""
    parts = [f"{one.name} {number(one.worst.psi)} on {_day(one.worst_at)}" for one in columns[:5]]
    return f"Heat map of PSI for {plural(len(columns), 'column')} over the turns. Largest: {'; '.join(parts)}."


def training_says(trainings: Sequence[Training], metric: Metric) -> str:
    """Return the message of the picture of trainings."""
    won = sum(one.decision == PROMOTE for one in trainings)
    lost = sum(one.decision == REJECT for one in trainings)
    last = trainings[-1].estimate
    made = f"{plural(len(trainings), 'training')}: {won} promoted, {lost} rejected"
    return f"{made}; the last reached {metric.name} {number(last.value)} ({interval(last.low, last.high)})"


def interval(low: float, high: float) -> str:
    """Return an interval in words."""
    return f"90% interval {number(low)} to {number(high)}"


def training_alt(trainings: Sequence[Training], metric: Metric) -> str:
    """Return the picture of trainings in words."""
    parts = [
        f"{version_name(one.version) or 'a version'} on {_day(one.at)} {number(one.estimate.value)}, {one.decision}"
        for one in trainings
    ]
    return f"Test {metric.name} with 90% interval at each training: {'; '.join(parts)}."


def rows_says(series: Mapping[str, Sequence[tuple[int, int]]]) -> str:
    """Return the message of the rows per turn."""
    parts = [f"{sum(count for _, count in counts):,} {ROW_WORDS.get(kind, kind)}" for kind, counts in series.items()]
    return ", ".join(parts)


def bars_alt(words: str, counts: Sequence[tuple[int, int]]) -> str:
    """Return a row of bars in words."""
    values = [count for _, count in counts]
    return f"Bars of {words} per turn: {sum(values):,} in all, between {min(values):,} and {max(values):,} in a turn."


def stages_says(seconds: Mapping[str, float], turns: Sequence[Turn]) -> str:
    """Return the message of the time per stage."""
    total, longest = sum(seconds.values()), max(seconds, key=lambda stage: seconds[stage])
    timed = sum(bool(turn.seconds) for turn in turns)
    share = seconds[longest] / total if total else 0.0
    return f"{duration(total)} for {plural(timed, 'turn')}, {share:.0%} of it in {longest}"


def stages_alt(seconds: Mapping[str, float]) -> str:
    """Return the time per stage in words."""
    return f"Bars of time per stage: {', '.join(f'{stage} {duration(spent)}' for stage, spent in seconds.items())}."


def turns_say(turns: Sequence[Turn]) -> str:
    """Return the message of the table of turns."""
    kept = sum(turn.decision == KEEP for turn in turns)
    return f"The champion was kept as it was in {kept} of {plural(len(turns), 'turn')}"


def evaluation_says(turn: Turn, evaluation: Evaluation) -> str:
    """Return the message of the last evaluation."""
    name = version_name(turn.challenger.version) if turn.challenger else "The last version"
    ended = {PROMOTE: "was promoted", REJECT: "was rejected"}.get(turn.decision, "was trained")
    asked = len(turn.verdicts)
    gates = f", {sum(one.passed for one in turn.verdicts)} of {plural(asked, 'gate')} passed" if asked else ""
    value = number(evaluation.estimate.value)
    return f"{name} {ended} on {clock.show(turn.as_of)} with {evaluation.metric} {value}{gates}"


def evaluation_note(evaluation: Evaluation) -> str:
    """Return what the last evaluation was measured on, and how it compares with the champion."""
    one, against = evaluation.estimate, evaluation.against_champion
    rows = ", ".join(f"{count:,} {part}" for part, count in evaluation.rows.items())
    when = f"{clock.show(evaluation.test_from_at)} to {clock.show(evaluation.test_to_at)}"
    text = f"Rows: {rows}. Test rows of {when}. {evaluation.metric} {number(one.value)}, {interval(one.low, one.high)}."
    if against is None:
        return text
    better = f"{number(against.value)} ({interval(against.low, against.high)})"
    return f"{text} Gain over the champion on the same {against.rows:,} rows: {better}; positive is better."
