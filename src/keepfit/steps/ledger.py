"""The ledger of decisions: every step is one row that is never changed, with the measurements it was based on beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from keepfit import clock, tables
from keepfit.engines.protocol import Column
from keepfit.errors import RegistryError
from keepfit.evidence import (
    PROMOTE,
    ROLL_BACK,
    Entry,
    Standing,
    Turn,
    VersionFacts,
    as_data,
    evaluation_from,
    from_data,
)
from keepfit.project import Project
from keepfit.spec.model import Model
from keepfit.stages.registry.aliases import CHALLENGER, CHAMPION
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.registry.ledger import standing
from keepfit.stages.registry.version import Version
from keepfit.steps.measuring import measurements

LISTED = (
    "decision_id",
    "step",
    "as_of",
    "model",
    "action",
    "version",
    "challenger",
    "reasons",
    "by",
    "evidence",
    "overridden",
)


def facts(version: Version | None) -> VersionFacts | None:
    """Return a version as `run` reports it."""
    if version is None:
        return None
    evidence = evidence_of(version)
    return VersionFacts(
        version.number, evidence.get("metrics", {}), evidence.get("baseline", {}), evidence.get("rows", {})
    )


def entries(project: Project, model: str, as_of: int | None = None) -> list[Entry]:
    """Return the steps of a model's ledger as they were taken; those until as_of, if it is given."""
    name = tables.DECISIONS.name
    if not project.records.exists(name):
        return []
    own = f"model = '{model}'" + ("" if as_of is None else f" and as_of <= make_timestamptz({as_of})")
    rows = project.engine.rows(project.records.parquet_files(name), f"{own} order by step", LISTED)
    return [
        Entry(
            id=row["decision_id"],
            step=row["step"],
            as_of=row["as_of"],
            model=row["model"],
            action=row["action"],
            version=row["version"],
            about=row["challenger"],
            by=row.get("by"),
            reasons=tuple(json.loads(row["reasons"])),
            evidence=row.get("evidence") or "",
            overridden=tuple(json.loads(row.get("overridden") or "[]")),
        )
        for row in rows
    ]


def stood(project: Project, model: str, as_of: int) -> Standing:
    """Return what stood at a moment, as the ledger tells."""
    return standing(entries(project, model, as_of))


def aliases_at(project: Project, model: str, as_of: int) -> dict[str, str]:
    """Return alias -> version at a moment: now as the registry says, before as the ledger does."""
    every = entries(project, model)
    before = [one for one in every if one.as_of <= as_of]
    if len(before) == len(every):
        return project.registry.aliases.of(model)
    found = standing(before)
    told = {CHAMPION: found.live and found.live.version, CHALLENGER: found.challenger}
    return {alias: number for alias, number in told.items() if number}


def turn_of(project: Project, entry: Entry) -> dict[str, Any]:
    """Return all that was written down of a step, as plain data."""
    files = project.records.parquet_files(tables.DECISIONS.name)
    (row,) = project.engine.rows(files, f"decision_id = '{entry.id}'", ["turn"])
    found: dict[str, Any] = json.loads(row["turn"])
    return found


def turns_until(project: Project, model: str, as_of: int, most: int) -> list[Turn]:
    """Return the newest turns of the loop until as_of, at most so many, ascending."""
    name = tables.DECISIONS.name
    if not project.records.exists(name):
        return []
    own = f"model = '{model}' and \"by\" is null and as_of <= make_timestamptz({as_of}) order by step desc limit {most}"
    rows = project.engine.rows(project.records.parquet_files(name), own, ["step", "turn"])
    return [from_data(Turn, json.loads(row["turn"])) for row in sorted(rows, key=lambda row: int(row["step"]))]


def require_newest(project: Project, model: str, as_of: int) -> None:
    """Refuse a step by hand that lies before the newest one: it would change what was live then.

    Raises
    ------
    RegistryError
        If it does.
    """
    _require_last(model, as_of, [one.as_of for one in entries(project, model)])


def require_no_later_move(project: Project, model: str, as_of: int) -> None:
    """Refuse a turn or a training before a promotion or a roll back: the champion that it would find was not there yet.

    Raises
    ------
    RegistryError
        If there is one.
    """
    if not project.is_replay:
        moves = [one.as_of for one in entries(project, model) if one.action in (PROMOTE, ROLL_BACK)]
        _require_last(model, as_of, moves)


def _require_last(model: str, as_of: int, steps: Sequence[int]) -> None:
    newest = max(steps, default=as_of)
    if as_of < newest:
        raise RegistryError(
            f"the ledger of {model} goes on until {clock.show(newest)}, and what was live before stays as it was",
            where=f"--as-of {clock.show(as_of)}",
            fix=f"give --as-of {clock.show(newest)} or a later moment",
        )


def complete_ledger(project: Project, model: Model, champion: Version | None) -> None:
    """Enter a champion that the ledger does not know: a run was cut off after its promotion, or the alias moved by hand.

    Its evidence is in its artifact, so nothing is lost.
    """
    if champion is None:
        return
    steps = entries(project, model.name)
    moves = [one for one in steps if one.action in (PROMOTE, ROLL_BACK)]
    if moves and moves[-1].version == champion.number:
        return
    reason = (
        f"version {champion.number} is the champion and the ledger did not know: a run was cut off, or the alias moved"
    )
    known = facts(champion)
    evaluation = evaluation_from(evidence_of(champion))
    # a promotion knows its moment; of an alias that others moved it is only known that the newest step came before
    cut_off = not moves or champion.promoted_at > moves[-1].as_of
    as_of = champion.promoted_at if cut_off else max(one.as_of for one in steps)
    entry = Turn(model.name, as_of, PROMOTE, (reason,), {}, known, known, evaluation)
    write_ledger(project, entry)


def write_ledger(project: Project, turn: Turn) -> None:
    """Append a turn's measurements and its decision to the ledger."""
    measured = measurements(turn)
    if measured:
        columns = {name: column_of([row[name] for row in measured]) for name in tables.METRICS.columns}
        # the same measurement of the same turn is one row, however often the turn is run
        versions = [one.version if one else "" for one in (turn.champion, turn.challenger, turn.realised)]
        mark = f"{turn.model}/{turn.as_of}/{turn.decision}/{'/'.join(versions)}"
        relation = project.engine.relation(columns, tables.METRICS.columns)
        project.records.append(tables.METRICS.name, relation, transaction=mark)
    name = tables.DECISIONS.name
    step = project.records.version(name) + 1 if project.records.exists(name) else 0
    about = turn.challenger or turn.champion
    told = project.registry.version(turn.model, about.version) if about else None
    entry = {
        "decision_id": f"{turn.model}/{step}",
        "step": step,
        "as_of": turn.as_of,
        "model": turn.model,
        "action": turn.decision,
        "version": turn.champion.version if turn.champion else None,
        "challenger": turn.challenger.version if turn.challenger else None,
        "reasons": json.dumps(turn.reasons),
        "turn": json.dumps(as_data(turn) | {"files": told.files if told else {}}),
        "by": turn.by,
        "evidence": told.evidence if told else "",
        "overridden": json.dumps(turn.overridden),
        "inputs": json.dumps(turn.inputs),
        "definition": turn.definition,
    }
    columns = {name: column_of([value]) for name, value in entry.items()}
    project.records.append(name, project.engine.relation(columns, tables.DECISIONS.columns))


def column_of(values: list[Any]) -> Column:
    """Return values as a column: whole numbers, numbers or texts, as the first that is not null."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, int):
        return np.array(values, np.int64)
    return np.array(values, np.float64 if isinstance(first, float) else object)
