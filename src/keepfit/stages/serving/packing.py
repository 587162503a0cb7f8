"""Rows of the lake as an online store keeps them: a block of bytes for an entity's events, its records' versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from keepfit.engines.protocol import Column
from keepfit.spec.columns import Value
from keepfit.spec.tables import Events
from keepfit.stages.serving.held import Record


def blocks(table: Events, rows: Mapping[str, Column]) -> Iterator[tuple[str, str, str, bytes]]:
    """Yield a row of `block` for each entity."""
    names = [name for name in rows if name not in ("entity", "time", "known")]
    entity, held = np.asarray(rows["entity"], object), np.empty((2 + len(names), len(rows["time"])), np.int64)
    held[0], held[1] = rows["time"], rows["known"]
    for place, name in enumerate(names, start=2):
        held[place] = np.asarray(rows[name], np.float64).view(np.int64)
    bounds = [0, *(np.flatnonzero(entity[1:] != entity[:-1]) + 1).tolist(), len(entity)]
    columns = json.dumps(names)
    for first, stop in pairwise(bounds):
        if stop > first:
            yield entity[first], table.name, columns, held[:, first:stop].tobytes()


def versions(rows: Mapping[str, Column]) -> Iterator[tuple[str, int | None, Record]]:
    """Yield (entity, known, record) of each row."""
    names = [name for name in rows if name not in ("entity", "known")]
    entities = np.asarray(rows["entity"]).tolist()
    known = np.asarray(rows["known"]).tolist() if "known" in rows else [None] * len(entities)
    values = [np.asarray(rows[name]).tolist() for name in names]
    for place, (entity, moment) in enumerate(zip(entities, known, strict=True)):
        yield entity, moment, {name: _plain(column[place]) for name, column in zip(names, values, strict=True)}


def records(rows: Mapping[str, Column]) -> dict[str, list[tuple[int | None, Record]]]:
    """Return entity -> its versions, each with when it became known."""
    found: dict[str, list[tuple[int | None, Record]]] = {}
    for entity, known, record in versions(rows):
        found.setdefault(entity, []).append((known, record))
    return found


def _plain(value: Any) -> Value:
    return None if value != value else value
