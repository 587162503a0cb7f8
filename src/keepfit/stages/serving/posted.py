"""Events that requests posted, of one entity: decoded when they are first read, and kept so for the reads that follow.

A store keeps them as they were sent, since the next version may read other columns of them. Between two publications they
only grow, so that a read asks for those after the last it has seen; a publication that takes some away is told by a mark.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.rows.evaluate import evaluate
from keepfit.spec.columns import Value
from keepfit.spec.rows import RowExpression

Block = NDArray[np.int64]  # [2 + columns, events]: time, known, the bits of each value column
MOST = 100_000
"""Events that are kept decoded, of all entities: some 30 MB. Those of the entity asked for last are, however many."""


class Posted:
    """The posted events of one entity up to one of them, in order of arrival.

    Attributes
    ----------
    mark : int
        How often events had been taken away before.
    last : int
        The arrival of the last of them; 0 if there is none.
    """

    def __init__(self, mark: int = 0, last: int = 0, texts: Mapping[str, Sequence[str]] | None = None) -> None:
        self.mark, self.last = mark, last
        self._texts = dict(texts or {})
        self._blocks: dict[tuple[str, tuple[str, ...]], Block] = {}

    def __len__(self) -> int:
        """Return the number of events."""
        return sum(map(len, self._texts.values()))

    @property
    def tables(self) -> Iterable[str]:
        """The tables that events are of."""
        return self._texts

    def block(self, table: str, columns: Mapping[str, RowExpression]) -> Block | None:
        """Return the events of a table as a run, by time, then order of arrival; None if there are none.

        Conditions and codes are computed as the engine does for a file.
        """
        texts = self._texts.get(table)
        if texts is None:
            return None
        key = table, tuple(columns)
        found = self._blocks.get(key)
        done = 0 if found is None else found.shape[1]
        if found is None or done < len(texts):
            more = _decoded(texts[done:], columns.values())
            self._blocks[key] = found = by_time([more] if found is None else [found, more])
        return found

    def extended(self, mark: int, found: Sequence[tuple[int, str, str]]) -> Posted:
        """Return these events and those that a read found after them: (arrival, table, text), in order of arrival.

        All that was found, if events were taken away meanwhile.
        """
        same = mark == self.mark
        if not found:
            return self if same else NONE
        texts = {name: list(each) for name, each in self._texts.items()} if same else {}
        for _, name, text in found:
            texts.setdefault(name, []).append(text)
        more = Posted(mark, found[-1][0], texts)
        if same:
            more._blocks = self._blocks.copy()
        return more


NONE = Posted()


class Kept:
    """What is decoded of the entities asked for lately; from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._held, self._lock = most, 0, threading.Lock()
        self._entities: dict[str, Posted] = {}  # who was asked for last is at the end

    def of(self, entity: str) -> Posted:
        """Return what is kept of an entity, maybe nothing."""
        return self._entities.get(entity, NONE)

    def keep(self, entity: str, found: Posted) -> None:
        """Keep an entity's events in the place of what was kept, and of entities that nobody has asked for lately."""
        with self._lock:
            self._held -= len(self._entities.pop(entity, NONE))
            if len(found):
                self._entities[entity] = found
                self._held += len(found)
            while self._held > self._most and len(self._entities) > 1:
                self._held -= len(self._entities.pop(next(iter(self._entities))))


def by_time(runs: Sequence[Block]) -> Block:
    """Return runs of events, in order of arrival, as one in order of time."""
    found = np.concatenate(runs, axis=1)
    return np.ascontiguousarray(found[:, np.argsort(found[0], kind="stable")])


def _decoded(texts: Sequence[str], columns: Iterable[RowExpression]) -> Block:
    """Return posted rows as a run of events."""
    rows: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    moments = [np.array([row[name] for row in rows], np.int64) for name in ("time", "known")]
    values = [np.array([_number(evaluate(column, row)) for row in rows], np.float64) for column in columns]
    return np.stack([*moments, *(each.view(np.int64) for each in values)])


def _number(value: Value) -> float:
    return math.nan if value is None else float(value)
