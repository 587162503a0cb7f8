"""What a watch leaves for others: files for people and their tools, and numbers for Prometheus.

    watch_<as_of>.json        all of the evidence
    drift_summary.csv         the drift of the newest watch, a row for each column
    drift_history.csv         the same of the newest turns, by as_of; written by `keepfit watch`
    input_stats_<date>.json   every feature in numbers, of the reference and now

They lie in `<reports>/watch/<model>/`, each written in one step. The same evidence makes the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from keepfit import artifact, clock
from keepfit.answers import watched as answered
from keepfit.evidence import (
    SEVERITIES,
    Evidence,
    Turn,
    as_data,
    evaluation_from,
    from_data,
)
from keepfit.evidence.watched import Distribution, Measured, Watched
from keepfit.project import Project
from keepfit.spec.model import Model
from keepfit.stages.monitoring.describing import described
from keepfit.stages.monitoring.distributions import distributions
from keepfit.stages.monitoring.reference import Reference
from keepfit.stages.monitoring.summary import summary
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.registry.version import Version
from keepfit.steps.answering import SCORE, Scored
from keepfit.steps.ledger import turns_until

COLUMNS = 200
"""Columns whose drift Prometheus is told, the most important first."""
HISTORY = 60
"""Turns of the past that a page and the history look back on."""
EVALUATION, REALISED, ESTIMATED = "evaluation", "realised", "estimated"


def leave_watched(
    project: Project, model: Model, turn: Turn, champion: Version | None, evidence: Evidence, scored: Scored | None
) -> None:
    """Write what a turn saw where others find it. A replay leaves nothing.

    Parameters
    ----------
    champion : Version or None
        The champion after the turn.
    scored : Scored or None
        What the champion before it answered.
    """
    if project.is_replay:
        return
    note_watched(project, watched_of(model.name, champion, evidence, turn.rows))
    if scored is not None:
        write_files(project, model, evidence, scored)


def leave_blocked(project: Project, turn: Turn) -> None:
    """Write that a turn was blocked: it measured nothing, and what was known stays."""
    if project.is_replay:
        return
    held = _held(_place(project, turn.model)) or Watched(turn.model, turn.as_of)
    note_watched(project, replace(held, as_of=turn.as_of, blocked=True, rows=turn.rows))


def note_watched(project: Project, found: Watched) -> None:
    """Tell the server what the newest turn saw; an older turn than the one that is told changes nothing."""
    path = _place(project, found.model)
    held = _held(path)
    if held is None or held.as_of <= found.as_of:
        artifact.swap(path, _json(as_data(found)))


def _place(project: Project, model: str) -> Path:
    return artifact.watched_of(project.serving(model).pointer)


def _held(path: Path) -> Watched | None:
    if not path.is_file():
        return None
    found: Watched = from_data(Watched, json.loads(path.read_bytes()))
    return found


def watched_of(model: str, champion: Version | None, evidence: Evidence, rows: dict[str, int]) -> Watched:
    """Return what was seen, in numbers. What was measured is of the champion before the turn, by which it is named.

    Parameters
    ----------
    champion : Version or None
        The champion after the turn.
    rows : dict of str to int
        Of the turn; empty without one.
    """
    before, drift = evidence.champion, evidence.drift
    return Watched(
        model=model,
        as_of=evidence.as_of,
        version=champion.number if champion else None,
        trained_at=champion.trained_at if champion else None,
        metrics=(*_evaluated(champion), *_measured(evidence)),
        watched=before.version if before else None,
        columns=len(drift),
        alarms={one: sum(found.severity == one for found in drift) for one in SEVERITIES} if before else {},
        drift=drift[:COLUMNS],
        rows=rows,
        new_labels=evidence.new_labels,
    )


def _evaluated(champion: Version | None) -> list[Measured]:
    found = evaluation_from(evidence_of(champion)) if champion else None
    if champion is None or found is None:
        return []
    own, rows = found.estimate, found.rows["test"]
    return [
        Measured(champion.number, EVALUATION, name, value, rows, own.low, own.high, found.baseline.get(name))
        if name == found.metric
        else Measured(champion.number, EVALUATION, name, value, rows, baseline=found.baseline.get(name))
        for name, value in found.metrics.items()
    ]


def _measured(evidence: Evidence) -> list[Measured]:
    made: list[Measured] = []
    if real := evidence.realised:
        made += [
            Measured(real.version, REALISED, name, value, real.rows, baseline=real.baseline.get(name))
            for name, value in real.metrics.items()
        ]
    if told := evidence.estimated:
        made += [
            Measured(told.version, ESTIMATED, name, one.value, one.rows, one.low, one.high, told.baseline.get(name))
            for name, one in told.metrics.items()
        ]
    return made


def folder_of(project: Project, model: str) -> Path:
    """Return the folder of a model's files."""
    return project.reports / "watch" / model


def stamp(as_of: int) -> str:
    """Return a moment as it stands in a file's name."""
    return clock.show(as_of).replace(":", "")


def write_files(project: Project, model: Model, evidence: Evidence, scored: Scored) -> list[Path]:
    """Write the files of one watch, and return their paths; a summary of something newer stays."""
    folder, at = folder_of(project, model.name), stamp(evidence.as_of)
    newest = max((path.name for path in folder.glob("watch_*.json")), default="")
    files = {
        f"watch_{at}.json": _json({"model": model.name} | as_data(evidence)),
        f"input_stats_{at[:10]}.json": _json(_stats(model, evidence, scored)),
    }
    if newest <= f"watch_{at}.json":
        files["drift_summary.csv"] = _csv(summary(evidence.drift))
    for name, content in files.items():
        artifact.swap(folder / name, content)
    return [folder / name for name in files]


def write_history(project: Project, model: Model, turns: Sequence[Turn]) -> Path:
    """Write the drift of some turns, ascending, a row for each turn and column, and return the file's path."""
    every = [(turn, one) for turn in turns for one in turn.drift]
    rows = {"as_of": [clock.show(turn.as_of) for turn, _ in every], **summary([one for _, one in every])}
    path = folder_of(project, model.name) / "drift_history.csv"
    artifact.swap(path, _csv(rows))
    return path


def _stats(model: Model, evidence: Evidence, scored: Scored) -> dict[str, Any]:
    known = Reference.from_data(scored.by.artifact.profile).stats
    now = described(_columns(scored))
    both = {name: {"reference": known.get(name), "now": one} for name, one in now.items()}
    return {
        "model": model.name,
        "version": scored.by.version.number,
        "as_of": clock.show(evidence.as_of),
        "answer": as_data(both.pop(SCORE)),
        "features": {name: as_data(one) for name, one in both.items()},
    }


def _columns(scored: Scored) -> dict[str, Any]:
    """Return the columns that are watched: the features, and what was answered."""
    return {**scored.features, SCORE: answered(scored.by.artifact.model, scored.answers)}


def distributions_of(scored: Scored) -> tuple[Distribution, ...]:
    """Return how each column is distributed, in the reference and now."""
    before = Reference.from_data(scored.by.artifact.profile).profile
    return distributions(before, before.count(_columns(scored)))


def past(project: Project, model: Model, evidence: Evidence) -> list[Turn]:
    """Return the newest turns of the loop up to what was seen now, ascending; the last one is what was seen now."""
    seen = Turn(
        model.name, evidence.as_of, "watch", (), {}, realised=evidence.realised, estimated=evidence.estimated,
        drift=evidence.drift,
    )  # fmt: skip
    before = turns_until(project, model.name, evidence.as_of, HISTORY)
    if before and before[-1].as_of == evidence.as_of:  # that turn may have made another version the champion
        last = before.pop()
        seen = replace(seen, decision=last.decision, challenger=last.challenger, champion=last.champion)
        seen = replace(seen, realised=seen.realised or last.realised, estimated=seen.estimated or last.estimated)
    return [*before, seen]


def _json(data: Any) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _csv(columns: dict[str, list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()
