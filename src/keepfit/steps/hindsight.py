"""Did it help? What became of decisions, once the labels of what was predicted after them are known.

A step that moved the champion, or that rejected a challenger, left one version answering and another one out. Both are held
against each other on the same rows: what the champion predicted from the step on, until the champion moved again or the
probation ended. The ledger is not touched: an outcome is a record of its own, which names the step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keepfit import clock, tables
from keepfit.answers import answers_from
from keepfit.engines.protocol import Observations
from keepfit.errors import KeepfitError
from keepfit.evidence import PROMOTE, REJECT, ROLL_BACK, Entry, Estimate, Outcome
from keepfit.measure.bootstrap import paired_gain
from keepfit.measure.wording import number, signed
from keepfit.project import Project
from keepfit.snapshot import Snapshot, take
from keepfit.spec.model import Model
from keepfit.spec.observe import Every
from keepfit.stages.features.compute import compute
from keepfit.steps.answering import Loaded, comparable, load, measurable
from keepfit.steps.ledger import column_of, entries

MOST_ROWS = 200_000
"""Of more predictions so many are drawn evenly."""
UNKNOWN = "not known yet"


@dataclass(frozen=True)
class Judged:
    """A step that can be judged: by the predictions of `entry.version` with t in `[since, until)`, beside those of `other`."""

    entry: Entry
    other: str
    since: int
    until: int


def judged_steps(model: Model, taken: Sequence[Entry]) -> Iterator[Judged]:
    """Yield the steps of a model's ledger that left one version answering and another one out, in their order."""
    ordered = sorted(taken, key=lambda one: (one.as_of, one.step))
    live: str | None = None
    for place, one in enumerate(ordered):
        before, live = live, one.version or live
        other = before if one.action in (PROMOTE, ROLL_BACK) else one.about if one.action == REJECT else None
        if one.version is None or other is None or other == one.version:
            continue
        since = _first(model, one.as_of)
        moved = [_first(model, step.as_of) for step in ordered[place + 1 :] if step.version != one.version]
        yield Judged(one, other, since, min([since + clock.duration(model.policy.probation), *moved[:1]]))


def _first(model: Model, as_of: int) -> int:
    """Return the first t that the champion after a step of as_of answers."""
    return clock.Grid(model.observe.every).at_or_before(as_of) if isinstance(model.observe, Every) else as_of


def outcomes(project: Project, model: Model, snapshot: Snapshot) -> tuple[Outcome, ...]:
    """Return the outcomes that can be told at as_of and were not told before. A replay tells none.

    Nothing is written; a turn that is run again returns the same.
    """
    if project.is_replay:
        return ()
    known = {one.decision for one in told(project, model.name) if one.as_of < snapshot.as_of}
    due = [one for one in judged_steps(model, entries(project, model.name)) if one.entry.id not in known]
    if not due:
        return ()
    complete = min(snapshot.complete_until(table) for table in model.awaited()) - model.horizon
    return tuple(_outcome(project, model, snapshot, one) for one in due if one.until <= complete + 1)


def told(project: Project, model: str, as_of: int | None = None) -> list[Outcome]:
    """Return the outcomes of a model's steps, those that were told until as_of, if it is given."""
    name = tables.OUTCOMES.name
    if not project.records.exists(name):
        return []
    own = f"model = '{model}'" + ("" if as_of is None else f" and as_of <= make_timestamptz({as_of})")
    rows = project.engine.rows(project.records.parquet_files(name), f"{own} order by as_of, decision_id")
    found = []
    for row in rows:
        known = row["value"] is not None and not math.isnan(row["value"])
        gain = None if not known else Estimate(row["value"], row["low"], row["high"], row["rows"])
        own_ = {key: row[key] for key in ("model", "action", "version", "other", "as_of", "metric", "sentence")}
        found.append(Outcome(row["decision_id"], from_at=row["from"], until_at=row["to"], gain=gain, **own_))
    return found


def write_outcomes(project: Project, found: Sequence[Outcome]) -> None:
    """Append outcomes; once told, each stays as it is."""
    for one in found:
        gain = one.gain
        row = {
            "decision_id": one.decision,
            **{name: getattr(one, name) for name in tables.OUTCOMES.columns if hasattr(one, name)},
            **{name: getattr(gain, name) if gain else math.nan for name in ("value", "low", "high")},
            "rows": gain.rows if gain else 0,
            "from": one.from_at,
            "to": one.until_at,
        }
        columns = {name: column_of([row[name]]) for name in tables.OUTCOMES.columns}
        relation = project.engine.relation(columns, tables.OUTCOMES.columns)
        project.records.append(tables.OUTCOMES.name, relation, transaction=one.decision)


def entries_judged(project: Project, model: Model, as_of: int) -> list[Entry]:
    """Return the steps of a model's ledger until as_of, each with what could be said of its outcome then."""
    taken = entries(project, model.name, as_of)
    known = {one.decision: one.sentence for one in told(project, model.name, as_of)}
    said = {one.entry.id: known.get(one.entry.id, UNKNOWN) for one in judged_steps(model, taken)}
    return [replace(one, outcome=said.get(one.id, "")) for one in taken]


def became(project: Project, model: Model, as_of: int) -> dict[str, str]:
    """Return what is said of the newest step that each version was promoted, put back or rejected in."""
    return {one.about or one.version or "": one.outcome for one in entries_judged(project, model, as_of) if one.outcome}


def _outcome(project: Project, model: Model, snapshot: Snapshot, one: Judged) -> Outcome:
    entry, gain = one.entry, None
    assert entry.version is not None
    try:
        own, other = (load(project.registry.version(model.name, number)) for number in (entry.version, one.other))
        metric = own.artifact.model.metric
        why = _incomparable(own, other)
        if not why:
            gain, why = _gain(project, snapshot, one, own, other)
    except KeepfitError as error:  # files of a version are gone: the turn goes on, and that is said
        metric, why = model.metric, f"cannot be told: {error.what}"
    sentence = why or _sentence(metric, one.other, gain)
    return Outcome(
        entry.id, model.name, entry.action, entry.version, one.other, snapshot.as_of, one.since, one.until, metric,
        gain, sentence,
    )  # fmt: skip


def _incomparable(own: Loaded, other: Loaded) -> str:
    model, before = own.artifact.model, other.artifact.model
    if comparable(before, model) and measurable(before, model.metric, model.training):
        return ""
    return f"cannot be told: version {other.version.number} answers another question"


def _gain(project: Project, snapshot: Snapshot, one: Judged, own: Loaded, other: Loaded) -> tuple[Estimate | None, str]:
    """Return the gain on rows whose labels neither version could learn; or why there is none."""
    model = own.artifact.model
    learnt = max(own.version.trained_at, other.version.trained_at) - model.horizon
    since = max(one.since, learnt + 1)
    origins = "('batch', 'request', 'canary')"
    if model.request_inputs() or other.artifact.model.request_inputs():
        origins = "('batch')"  # nothing but its own answer is known of what a request sent
    where = (
        f"model = '{model.name}' and version = '{own.version.number}' and origin in {origins}"
        f" and t >= make_timestamptz({since}) and t < make_timestamptz({one.until})"
        f" qualify row_number() over (order by md5(request_id)) <= {MOST_ROWS}"
    )
    nothing = f"cannot be told: no prediction from {clock.show(one.since)} to {clock.show(one.until)} has a label"
    name = tables.PREDICTIONS.name
    rows = project.engine.rows(project.records.parquet_files(name), where) if project.records.exists(name) else []
    latest = list({(row["entity"], row["t"]): row for row in sorted(rows, key=lambda row: row["request_id"])}.values())
    if not latest:
        return None, nothing
    observations, order = Observations.grouped(
        np.array([row["entity"] for row in latest], object), np.array([row["t"] for row in latest], np.int64)
    )
    read = {table.name: table for both in (own, other) for table in both.artifact.model.tables()}
    whole = take(project.engine, project.lake, read.values(), snapshot.as_of)
    asked = other.artifact.model.inputs()
    actual = compute([model.target], whole, observations)[model.target.name].astype(np.float64)
    known = ~np.isnan(actual)
    if not known.any():
        return None, nothing
    kept = observations.keep(known)
    gain = paired_gain(
        model.metric,
        actual[known],
        answers_from(model, latest)[order][known],
        own.artifact.threshold,
        other.answer(compute(asked, whole, kept)),
        other.artifact.threshold,
        clusters=kept.codes(),
        seed=project.settings.training.seed,
        said=model.training,
    )
    if not math.isfinite(gain.value):
        return None, f"cannot be told: {model.metric} is undefined on {gain.rows:,} matured rows"
    return gain, ""


def _sentence(metric: str, other: str, gain: Estimate | None) -> str:
    assert gain is not None
    verdict = "helped" if gain.low > 0 else "did harm" if gain.high < 0 else "made no sure difference"
    interval = f"[{number(gain.low)}, {number(gain.high)}]"
    return f"{verdict}: {metric} {signed(gain.value)} {interval} against version {other} on {gain.rows:,} matured rows"
