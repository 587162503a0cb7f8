"""Answers for (entity, t) that a file names, at moments of the past or now: what a request asks, of many at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.engines.protocol import Column, Observations
from keepfit.engines.ready import ReadyRows, Wrong
from keepfit.errors import KeepfitError, SourceError, did_you_mean
from keepfit.kernel.plan import Plan, compile_plan
from keepfit.rows.contract import entity_key
from keepfit.snapshot import Snapshot
from keepfit.spec.columns import Value
from keepfit.spec.model import Model
from keepfit.stages.features.compute import leaves
from keepfit.stages.serving.unknown import nothing_known, stand_ins

AT = "at"
Row = tuple[str, int, dict[str, Value]]
Told = Mapping[str, str | None]


PIECE = 100_000
"""Rows whose features are computed at a time."""


@dataclass(frozen=True)
class Asked:
    """What some rows ask, one item for each in their order; and the rows that ask for nothing that can be answered."""

    entities: Column
    t: NDArray[np.int64]
    sent: tuple[Mapping[str, Value], ...]
    wrong: tuple[Wrong, ...]

    def __len__(self) -> int:
        return len(self.t)


def pieces(model: Model, snapshot: Snapshot, read: ReadyRows, name: str) -> Iterator[Asked]:
    """Yield what rows ask, piece by piece, at least one.

    Columns are the entity's, `at` (without it, all are as of the snapshot) and request-time inputs by their names.

    Raises
    ------
    SourceError
        If they have no column for the entity, or one that nothing is asked with.
    """
    key, inputs, header = model.observe.of.entity, model.request_inputs(), tuple(read.types)
    if key not in header:
        raise SourceError(f"{name} has no column {key!r}", where=name, fix=did_you_mean(key, header, of=name))
    for column in header:
        if column not in (key, AT, *inputs):
            fix = did_you_mean(column, (key, AT, *inputs))
            raise SourceError(f"nothing is asked with a column {column!r}", where=name, fix=fix)
    known, rows, before = _known(model, snapshot), read.texts(), 0
    while (piece := list(islice(rows, PIECE))) or not before:
        yield _piece(model, snapshot.as_of, known, [dict(zip(header, row, strict=True)) for row in piece], before)
        if len(piece) < PIECE:
            return
        before += len(piece)


def _piece(model: Model, as_of: int, known: frozenset[str], rows: Sequence[Told], before: int) -> Asked:
    found, wrong, needed = list[Row](), list[Wrong](), stand_ins(model)
    for place, told in enumerate(rows, start=before + 1):
        try:
            row = _row(model, told, as_of)
            if row[0] not in known and not (needed is not None and needed <= row[2].keys()):
                raise nothing_known(model, row[0], needed, row[2])
            found.append(row)
        except KeepfitError as error:
            wrong.append(Wrong(f"row {place}", error.what, json.dumps(told, ensure_ascii=False)))
    return Asked(
        np.array([row[0] for row in found], object),
        np.array([row[1] for row in found], np.int64),
        tuple(row[2] for row in found),
        tuple(wrong),
    )


def features_of(model: Model, snapshot: Snapshot, asked: Asked) -> dict[str, Column]:
    """Return the features of each row, in the order they were asked; inputs that were sent stand in for their past."""
    plan = compile_plan(model.inputs())
    found = _leaves(plan, snapshot, asked)
    for name, sent in model.request_inputs().items():
        if len(asked) and name in asked.sent[0]:  # as in every row: it is a column
            found[sent.key] = _column([row[name] for row in asked.sent], label=sent.is_category)
    return plan.evaluate(found)


def _leaves(plan: Plan, snapshot: Snapshot, asked: Asked) -> dict[str, Column]:
    """Return the leaves, each (entity, t) computed once."""
    pairs, order = Observations.grouped(asked.entities, asked.t)
    if not len(pairs):
        return leaves(plan, snapshot, pairs)
    codes = pairs.codes()
    new = np.concatenate([[True], (codes[1:] != codes[:-1]) | (pairs.t[1:] != pairs.t[:-1])])
    back = np.empty(len(order), np.int64)
    back[order] = np.cumsum(new) - 1
    return {name: values[back] for name, values in leaves(plan, snapshot, pairs.keep(new)).items()}


def _row(model: Model, told: Told, as_of: int) -> Row:
    entity = entity_key(model.observe.of, told[model.observe.of.entity])
    sent = {}
    for name, declared in model.request_inputs().items():
        if name in told:
            try:
                sent[name] = declared.column.parse(told[name])
            except ValueError as error:
                raise SourceError(f"{name} {error}") from None
    return entity, _moment(told.get(AT), as_of), sent


def _moment(text: str | None, as_of: int) -> int:
    if text is None:
        return as_of
    try:
        t = clock.to_micros(clock.parse_moment(text))
    except (ValueError, OverflowError) as error:
        raise SourceError(f"at: {error}") from None
    if t > as_of:
        raise SourceError(f"at {clock.show(t)} lies ahead of {clock.show(as_of)}; what happens until then is not known")
    return t


def _known(model: Model, snapshot: Snapshot) -> frozenset[str]:
    """Return the entities that any table about them has a row of."""
    own = [table for table in model.tables() if table.entity == model.observe.of.entity]
    return frozenset(
        key
        for table in own
        for key in snapshot.engine.entities(table, snapshot.files(table), snapshot.as_of)[0].tolist()
    )


def _column(values: list[Value], *, label: bool) -> Column:
    if label:
        return np.array(values, object)
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)
