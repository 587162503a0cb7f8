"""How results read in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

from keepfit import clock
from keepfit.cli import console
from keepfit.evidence import INFO, PROMOTE, Drift, Estimate, Realised, Tested, Turn, as_data
from keepfit.measure.wording import calibration_told
from keepfit.spec.metric import METRICS

BEST = 5
"""Trials of a search that a terminal shows; all of them are in the page, in --json and in `tuning_results`."""


def line(turn: Turn) -> str:
    """Return one turn in one line, for progress."""
    return f"{clock.show(turn.as_of)}  {turn.decision:<9} {turn.reasons[0] if turn.reasons else ''}"[:150]


def turns(done: Sequence[Turn]) -> None:
    """Print the newest turns, and a line of each that was caught up before them."""
    for one in done:
        if one.as_of < done[-1].as_of:
            left_out = [reason for reason in one.reasons[1:] if "not caught up" in reason]
            console.say("\n  ".join([f"{one.model} {line(one)}", *left_out]))
        else:
            turn(one)


def turn(done: Turn) -> None:
    """Print one turn."""
    rows = ", ".join(f"{count:,} {name}" for name, count in done.rows.items())
    console.say(f"{done.model} as of {clock.show(done.as_of)}: {done.decision}   ({rows})")
    for reason in done.reasons:
        console.say(f"  {reason}")
    for one in done.outcomes:
        console.say(f"  outcome of {one.decision} ({one.action}, version {one.version}): {one.sentence}")
    for rule, count in done.quarantine.items():
        console.say(f"  quarantined: {rule} ({count:,} rows)")
    rival = done.challenger if done.challenger != done.champion else None
    versions = [("champion", done.champion), ("challenger", rival)]
    shown = [
        (role, facts.version, facts.rows.get("test"), name, value, facts.baseline.get(name))
        for role, facts in versions
        if facts is not None
        for name, value in facts.metrics.items()
    ]
    if shown:
        console.table(["", "version", "test rows", "metric", "value", "trivial baseline"], shown)
    for sign in done.signs:
        if sign.severity != INFO:
            console.say(f"{sign.severity}: {sign.sentence}")
    if done.realised:
        console.say(realised(done.realised))
    if done.estimated:
        console.say(f"estimated: version {done.estimated.version}, {done.estimated.sentence}")


def realised(found: Realised) -> str:
    """Return how predictions turned out, in a line."""
    metrics = ", ".join(
        f"{name} {value:.3f} (baseline {found.baseline[name]:.3f})" for name, value in found.metrics.items()
    )
    return f"matured: version {found.version}, {found.rows:,} rows of {clock.show(found.to_at)}: {metrics}"


def replay(turns: Sequence[Turn], metric: str, report: str) -> None:
    """Print the table of turns and the path of the report, which holds every reason."""
    rows = [
        (
            clock.show(done.as_of),
            done.rows["known"],
            done.champion.version if done.champion else None,
            _metric(done, metric),
            _strongest(done.drift),
            done.decision,
            _why(done),
        )
        for done in turns
    ]
    console.table(["as of", "rows", "champion", f"{metric} (baseline)", "strongest drift", "decision", "reason"], rows)
    console.say(f"report: {report}")


def _metric(done: Turn, name: str) -> str | None:
    found = done.realised
    return f"{found.metrics[name]:.3f} ({found.baseline[name]:.3f})" if found else None


def _why(done: Turn) -> str:
    """Return the reason that settled a turn, in one sentence; how many more there are is said."""
    failed = [verdict.reason for verdict in done.verdicts if not verdict.passed]
    reasons = failed or list(done.reasons)
    more = len(done.reasons) - 1
    return f"{reasons[0]} (+{more})" if more else reasons[0]


def _strongest(found: Sequence[Drift]) -> str | None:
    worst = max((item for item in found if item.binned), key=lambda item: item.psi, default=None)
    return f"{worst.psi:.2f} {worst.column}"[:36] if worst else None


def challenge(found: dict[str, Any]) -> None:
    """Print what a training showed."""
    evaluation = found["evaluation"]
    if found["version"] is None:
        console.say(
            f"{found['model']}, a small model of scikit-learn in the place of its estimator; nothing is recorded"
        )
    else:
        name, version, action = found["model"], found["version"], found["conclusion"].action
        told = (
            f"passes its gates; keepfit promote {name} {version} makes it the champion" if action == PROMOTE else action
        )
        console.say(f"{name} version {version}: {told}")
    metrics = [(name, value, evaluation.baseline[name]) for name, value in evaluation.metrics.items()]
    console.table(["metric", f"on {evaluation.rows['test']:,} test rows", "trivial baseline"], metrics)
    if evaluation.folds:
        console.say(f"{len(evaluation.folds)} earlier origins, {evaluation.metric} (trivial baseline):")
        own = [one.metrics[evaluation.metric] for one in evaluation.folds]
        rows = [
            (clock.show(one.from_at), clock.show(one.to_at), one.rows, value, one.baseline[evaluation.metric])
            for one, value in zip(evaluation.folds, own, strict=True)
        ]
        console.table(["from", "to", "rows", evaluation.metric, "trivial baseline"], rows)
        spread = f", standard deviation {stdev(own):.3f}" if len(own) > 1 else ""
        console.say(f"mean {fmean(own):.3f}{spread}")
    if told := calibration_told(evaluation.uncalibrated, evaluation.metrics):
        console.say(told)
    features([as_data(one) for one in evaluation.features])
    verdicts = [
        (verdict.gate, "passed" if verdict.passed else "failed", verdict.reason) for verdict in found["verdicts"]
    ]
    if verdicts:
        console.table(["gate", "", "reason"], verdicts)


def features(notes: Sequence[dict[str, Any]]) -> None:
    """Print the features that there is something to say of."""
    asked = [one for one in notes if one["about"]]
    if asked:
        console.say(f"{len(asked)} of {len(notes)} features to ask about, looked at in the rows that were learnt from:")
        rows = [(one["feature"], one["about"], "" if one["kept"] else "left out", one["reason"]) for one in asked]
        console.table(["feature", "", "", "why"], rows)


def grown(found: dict[str, Any]) -> None:
    """Print what a search found, and the learning curve; nothing of what was not asked for."""
    if search := found["search"]:
        trials = search["trials"]
        turn = -1 if METRICS[search["metric"]].greater_is_better else 1
        complete = sorted((one for one in trials if one["value"] is not None), key=lambda one: turn * one["value"])
        ended = Counter(one["state"] for one in trials)
        said = ", ".join(f"{count} {state}" for state, count in ended.items())
        console.say(
            f"search by {search['method']}: {len(trials)} trials ({said}), {search['metric']} over earlier folds:"
        )
        rows = [(one["number"], one["value"], _parameters(one["parameters"])) for one in complete[:BEST]]
        console.table(["trial", search["metric"], "parameters"], rows)
    if found["learning_curve"]:
        console.say("learning curve, the newest part of the train rows:")
        ends = ("value", "low", "high")
        parts = [
            (f"{one['share']:.0%}", one["rows"], *(one["estimate"][end] for end in ends))
            for one in found["learning_curve"]
        ]
        console.table(["part", "rows", found["metric"], "low", "high"], parts)


def _parameters(found: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in found.items()
    )


def compared(found: dict[str, Any]) -> None:
    """Print versions side by side, each metric with its interval."""
    span = f"{clock.show(found['from_at'])} to {clock.show(found['to_at'])}"
    console.say(f"{found['model']}: {found['rows']:,} rows of {span} that none of these versions was trained on")
    versions = found["versions"]
    header = ["metric", *(f"version {one.version}" for one in versions), "trivial baseline"]
    header[-1:-1] = [f"gain of {one.version} over {versions[0].version}" for one in versions[1:]]
    rows = [
        (
            name,
            *(interval(one.metrics[name]) for one in versions),
            *(interval(one.gains[name], sign=True) for one in versions[1:]),
            found["baseline"].get(name),
        )
        for name in versions[0].metrics
    ]
    console.table(header, rows)


def interval(found: Estimate, *, sign: bool = False) -> str:
    """Return a value with its interval."""
    shape = "+.3f" if sign else ".3f"
    return f"{found.value:{shape}} ({found.low:{shape}} to {found.high:{shape}})"


def reproduced(found: dict[str, Any]) -> None:
    """Print what came out of building a version anew."""
    differences = found["training_set"]["differences"]
    console.say(f"{found['model']} version {found['version']}: {'equal' if found['equal'] else 'NOT equal'}")
    console.say(
        f"  training set: {found['training_set']['rows']:,} rows, {'equal' if not differences else 'different'}"
    )
    for sentence in differences:
        console.say(f"    {sentence}")
    for name, equal in found["files"].items():
        console.say(f"  {name}: {'the same bytes' if equal else 'other bytes'}")
    threshold = found["threshold"]
    console.say(f"  threshold: {threshold['recorded']:.6g} recorded, {threshold['built']:.6g} built")
    console.say(f"  largest difference of a score: {found['largest_score_difference']:.3g}")


def leakage(found: dict[str, Any]) -> None:
    """Print one line for each test for leaks, then what was found."""
    tests: Sequence[Tested] = found["tests"]
    findings = [finding for test in tests for finding in test.findings]
    said = f"{found['alarms']} alarms" if found["alarms"] != 1 else "1 alarm"
    console.say(f"{found['model']} as of {clock.show(found['as_of'])}: {len(tests)} tests, {said}")
    for test in tests:
        result = "ALARM" if test.alarms else "note" if test.findings else "ok"
        console.say(f"  {test.test:<13} {result:<6} {test.compared}")
    for finding in findings:
        console.say(f"{finding.severity}: {finding.what}\n  where: {finding.where}\n  fix:   {finding.fix}")
