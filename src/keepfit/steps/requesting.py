"""Real rows asked of the server: raw events in an online store, features, decision, through the whole application.

The store is filled as of the first of the rows: it holds what their windows reach, and what came after it. The newest event of
some entities is left out of it, and posted. Values that only a request knows are sent for every other row, as the past says them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit import clock
from keepfit.answers import BOUNDED, LABEL, SCORE, SCORES
from keepfit.artifact import Artifact, Pointer
from keepfit.engines.protocol import Column, Observations
from keepfit.engines.quoting import literal, quoted
from keepfit.snapshot import Snapshot
from keepfit.spec.columns import Time
from keepfit.spec.model import Model
from keepfit.spec.tables import Events
from keepfit.stages.features.compute import compute
from keepfit.stages.registry.parity import Answered
from keepfit.stages.serving.coverage import Coverage
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.publish import publish
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.stages.serving.store import EVER

POSTED, SHARE = 20, 4
"""How many entities' newest events are posted at most, and at most one of so many."""
KNOWN = "_known"
Body = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """Events that are kept from the store, and posted.

    Attributes
    ----------
    rows : dict of str to set of (str, int)
        Table -> entity and time of each.
    bodies : list of dict
        What is posted, as a client would send it.
    entities : set of str
        Whose they are.
    """

    rows: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    bodies: list[Body] = field(default_factory=list)
    entities: set[str] = field(default_factory=set)


class Unfilled(SQLiteStore):
    """A store that every publication leaves without some rows."""

    def __init__(self, path: Path, held: Held) -> None:
        super().__init__(path)
        self._held = held

    def replace(
        self,
        table: Events,
        rows: Mapping[str, Column],
        until: int,
        *,
        answers_from: int = EVER,
        coverage: Coverage | None = None,
    ) -> int:
        """Put the lake's rows in their place, but for those held back."""
        own = self._held.rows.get(table.name, set())
        here = zip(rows["entity"].tolist(), rows["time"].tolist(), strict=True) if own else ()
        there = rows if not own else _kept(rows, np.array([one not in own for one in here], bool))
        return super().replace(table, there, until, answers_from=answers_from, coverage=coverage)


def _kept(rows: Mapping[str, Column], mask: NDArray[np.bool_]) -> dict[str, Column]:
    return {name: values[mask] for name, values in rows.items()}


def requested(
    artifact: Artifact, folder: Path, digest: str, snapshot: Snapshot, rows: Observations, batch: Answered
) -> tuple[Answered, NDArray[np.bool_]]:
    """Return what the server answers for rows, and of which of them the newest event was posted, shape (rows,)."""
    from keepfit.stages.serving.app import create_app  # loads a web framework
    from keepfit.stages.serving.asking import ask

    model, entity = artifact.model, rows.keys()
    held, bodies = held_back(model, snapshot, rows), _bodies(model, snapshot, rows)
    posted = np.array([key in held.entities for key in entity.tolist()], bool)
    before, after = np.flatnonzero(~posted).tolist(), np.flatnonzero(posted).tolist()
    asked = [("/predict", bodies[place]) for place in before]
    asked += [("/events", body) for body in held.bodies]
    asked += [("/predict", bodies[place]) for place in after]
    with tempfile.TemporaryDirectory() as temporary:
        beside = Path(temporary)
        pointer = beside / "champion.json"
        artifacts.write_pointer(Pointer(model.name, "candidate", str(folder.resolve()), digest), pointer)
        with closing(Unfilled(beside / "online.db", held)) as store, closing(Outbox(beside / "outbox.db")) as outbox:
            publish([model], replace(snapshot, as_of=int(rows.t.min())), store)
            replies = ask(create_app(pointer, store, outbox, now=lambda: snapshot.as_of), asked)
    taken = replies[len(before) : len(before) + len(held.bodies)]
    lacking = next((str(found.get("what")) for status, found in taken if status != 202), "")
    told: list[Body] = [{}] * len(bodies)
    for place, (status, found) in zip(
        before + after, replies[: len(before)] + replies[len(replies) - len(after) :], strict=True
    ):
        told[place] = found if status == 200 else {"what": found.get("what")}
    for place in after if lacking else ():
        told[place] = {"what": lacking}
    return _told(model, told, batch), posted


def held_back(model: Model, snapshot: Snapshot, rows: Observations) -> Held:
    """Return the newest event before t of some of the rows' entities, of each table that is about them.

    One that a client could not send as it stands in the lake is not held back, nor one of several at one instant: which of them
    came first is not for a request to say.
    """
    count = min(POSTED, len(rows) // SHARE)
    places = np.unique(np.linspace(0, len(rows) - 1, count).astype(np.int64)) if count else np.array([], np.int64)
    before = dict(zip(rows.keys()[places].tolist(), rows.t[places].tolist(), strict=True))
    held = Held()
    for table in model.events() if before else ():
        if table.entity != model.observe.of.entity:
            continue
        for row in _newest(table, snapshot, before):
            body = as_sent(table, row)
            if body is not None:
                entity = str(row[table.entity])
                held.rows.setdefault(table.name, set()).add((entity, row[table.time or ""]))
                held.bodies.append(body)
                held.entities.add(entity)
    return held


def _newest(table: Events, snapshot: Snapshot, before: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the newest row of each entity before its moment, where it is alone at its instant."""
    keys = ", ".join(map(literal, before))
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    where = f"{quoted(table.entity)} in ({keys})"
    for row in snapshot.engine.rows(snapshot.files(table), where, [*table.contract(), KNOWN]):
        entity, time = row[table.entity], row[table.time or ""]
        if time < before[entity]:
            found.setdefault((entity, time), []).append(row)
    last = dict(sorted(found))
    return [found[one][0] for one in last.items() if len(found[one]) == 1]


def as_sent(table: Events, row: Mapping[str, Any]) -> Body | None:
    """Return a row of the lake as a client sends it; None if that would not come out as the same row."""
    body: Body = {"table": table.name}
    delay = clock.duration(table.known_after) if table.known_after else 0
    # when a row became known is kept with the table's delay in it, and under a name of its own
    held = {**row, table.known: row[KNOWN] - delay} if table.known and table.known != table.time else row
    for name, column in table.contract().items():
        value = held[name]
        sent = _written(column, value) if isinstance(column, Time) and value is not None else value
        try:
            parsed = column.parse(sent)
        except ValueError:
            return None
        # the lake holds an entity as text
        if (str(parsed) if name == table.entity else parsed) != value:
            return None
        body[name] = sent
    return body


def _written(column: Time, micros: int) -> str:
    moment: datetime = clock.from_micros(micros)
    if column.format is None:
        return moment.isoformat()
    return moment.astimezone(ZoneInfo(column.zone or "UTC")).strftime(column.format)


def _bodies(model: Model, snapshot: Snapshot, rows: Observations) -> list[Body]:
    """Return what is asked of each row; every other one sends the values that only a request knows, as the past says them."""
    key, inputs = model.observe.of.entity, model.request_inputs()
    past = compute([one.past for one in inputs.values()], snapshot, rows) if inputs else {}
    known = {name: past[one.past.name].tolist() for name, one in inputs.items()}
    bodies = []
    for place, (entity, t) in enumerate(zip(rows.keys().tolist(), rows.t.tolist(), strict=True)):
        sent = {name: values[place] for name, values in known.items() if place % 2}
        fitting = {name: value for name, value in sent.items() if _fits(inputs[name].column, value)}
        bodies.append({key: entity, "at": clock.from_micros(t).isoformat(), **fitting})
    return bodies


def _fits(column: Any, value: Any) -> bool:
    """Return whether a value meets the contract of what is sent, and comes out as it is."""
    try:
        return value is not None and bool(column.parse(value) == value)
    except ValueError:
        return False


def _told(model: Model, replies: Sequence[dict[str, Any]], batch: Answered) -> Answered:
    """Return the answers of a server as a batch has them; of a row that it refused, nothing but that."""
    answers = np.full(batch.answers.shape, np.nan)
    refused, decisions = "", None if batch.decisions is None else np.full(len(replies), -1)
    for place, reply in enumerate(replies):
        if SCORE not in reply:
            refused = refused or str(reply["what"])
            continue
        answers[place] = _numbers(model, reply)
        if decisions is not None:
            decisions[place] = model.labels.index(reply[LABEL]) if model.labels else reply["positive"]
    sent = [reply.get("features") for reply in replies]
    there = [name for name in batch.features if all(one is None or name in one for one in sent)]
    features = {name: _column(name, sent, batch.features[name]) for name in there}
    return Answered(answers, decisions, features, refused)


def _numbers(model: Model, reply: dict[str, Any]) -> Any:
    if model.labels:
        return [_number(reply[SCORES][label]) for label in model.labels]
    if model.training.interval is None:
        return _number(reply[SCORE])
    return [_number(reply[name]) for name in BOUNDED]


def _column(name: str, sent: Sequence[dict[str, Any] | None], batch: Column) -> Column:
    """Return a feature as a server computed it; of a row that it refused, the batch's value: it computed none."""
    values = [batch[place] if one is None else one[name] for place, one in enumerate(sent)]
    if batch.dtype == object or any(isinstance(value, str) for value in values):
        return np.array(values, object)
    return np.array([_number(value) for value in values], np.float64)


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
