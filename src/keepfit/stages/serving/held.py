"""What an online store holds of one entity, as the kernel reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import ServingError
from keepfit.spec.columns import Value
from keepfit.spec.rows import RowExpression
from keepfit.spec.tables import Events, Records
from keepfit.stages.serving.posted import Block, Posted, by_time

EntityEvents = tuple[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.float64]]
Record = dict[str, Value]


class Held:
    """What a store holds of one entity at one moment.

    Parameters
    ----------
    blocks : dict of str to list of (columns, bytes)
        Events table -> runs of events in order of arrival: int64 time [n], int64 known [n], float64 [columns, n].
    posted : Posted
        Events that requests posted since.
    records : dict of str to list of (known, record)
        Records table -> its versions, column -> value each, by when they became known (microseconds).
    answers_from : int
        The earliest moment that can be answered from it, microseconds UTC.
    """

    def __init__(
        self,
        blocks: dict[str, list[tuple[tuple[str, ...], bytes]]],
        posted: Posted,
        records: dict[str, list[tuple[int, Record]]],
        answers_from: int,
    ) -> None:
        self._blocks, self._posted, self._records, self.answers_from = blocks, posted, records, answers_from

    def knows(self, tables: Collection[str]) -> bool:
        """Whether one of these tables holds a row of the entity."""
        return any(name in tables for name in (*self._blocks, *self._posted.tables, *self._records))

    def events(self, table: Events, columns: Mapping[str, RowExpression]) -> EntityEvents:
        """Return (time [n], known [n] or None, values [columns, n]), by time, then order of arrival.

        `columns` are by their texts, under which a store keeps them. `known` is None if the table's rows are known when they
        happen; null is NaN.

        Raises
        ------
        ServingError
            If a column was not published.
        """
        names = tuple(columns)
        blocks = [_block(content, stored, names) for stored, content in self._blocks.get(table.name, ())]
        posted = self._posted.block(table.name, columns)
        if posted is not None:
            blocks.append(posted)
        if not blocks:
            blocks.append(np.empty((2 + len(columns), 0), np.int64))
        block = blocks[0] if len(blocks) == 1 else by_time(blocks)
        late = table.known or table.known_after
        return block[0], block[1] if late else None, block[2:].view(np.float64)

    def record(self, table: Records, t: int) -> Record | None:
        """Return the entity's record at t, column -> value: the newest that was known before; None if there is none."""
        found = None
        for known, record in self._records.get(table.name, ()):
            if known >= t:
                break
            found = record
        return found


def _block(content: bytes, stored: tuple[str, ...], columns: tuple[str, ...]) -> Block:
    """Return what a row of `block` holds, with the columns asked for."""
    held = np.frombuffer(content, np.int64).reshape(2 + len(stored), -1)
    if stored == columns:
        return held
    missing = [name for name in columns if name not in stored]
    if missing:
        what = f"the online store does not hold {missing[0]!r}"
        raise ServingError(what, where="online store", fix="run `keepfit publish`")
    return np.ascontiguousarray(held[[0, 1, *(2 + stored.index(name) for name in columns)]])
