"""What the lake held at one moment: fixed table versions, read as of t. All of a turn reads through one snapshot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from keepfit import clock, tables
from keepfit.engines.protocol import Engine
from keepfit.errors import LakeError
from keepfit.lake import Lake
from keepfit.spec.tables import Events, Table

T = TypeVar("T")


class Made:
    """What was made of a snapshot, each once: who asks while another thread makes it waits for that."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}
        self._making: dict[Hashable, threading.Lock] = {}
        self._alone = threading.Lock()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is there under a key, made if nothing is; an error of `make` leaves nothing there."""
        with self._alone:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if key not in self._found:
                self._found[key] = make()
            found: T = self._found[key]
            return found


@dataclass(frozen=True)
class Snapshot:
    """Table versions and an as_of: reading through the same snapshot gives the same rows for ever.

    Attributes
    ----------
    versions : dict of str to int
        Source table -> version of it.
    as_of : int
        Microseconds UTC; rows known at or after it are not seen.
    made : Made
        What was made of it once; see `once`.
    """

    engine: Engine
    lake: Lake
    versions: dict[str, int]
    as_of: int
    made: Made = field(default_factory=Made, init=False, repr=False, compare=False)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is made of the snapshot, made at the first call.

        Parameters
        ----------
        key : hashable
            All that decides what is made, beside the rows that are read through the snapshot.
        """
        return self.made.once(key, make)

    def through(self, engine: Engine, lake: Lake) -> Snapshot:
        """Return the same snapshot, read by another engine: what is made of one is made of both.

        An engine serves one thread at a time, so that threads which share a snapshot have an engine each.
        """
        other = replace(self, engine=engine, lake=lake)
        object.__setattr__(other, "made", self.made)  # `replace` gives it an own one, for it may be of another as_of
        return other

    def files(self, table: Table, version: int | None = None) -> list[str]:
        """Return the Parquet files of the table's version, or of an earlier one."""
        return self.lake.parquet_files(
            tables.source(table.name), self.versions[table.name] if version is None else version
        )

    def span(self, table: Events) -> tuple[int, int, int]:
        """Return (rows, first time, last time) of the rows known."""
        return self.once(("span", table.name), lambda: self.engine.span(table, self.files(table), self.as_of))

    def complete_until(self, table: Events) -> int:
        """Return the moment up to which the table is complete: as_of less its delay, or its newest row if it went silent.

        What happened in the last `known_after` before as_of is not known yet. Beyond that, a silence no longer than the
        table's `quiet` is normal; after a longer one nobody knows what is missing.
        """
        until = self.as_of - (clock.duration(table.known_after) if table.known_after else 0)
        _, _, newest = self.span(table)
        return until if until - newest <= clock.duration(table.quiet) else newest


def take(engine: Engine, lake: Lake, declared: Iterable[Table], as_of: int) -> Snapshot:
    """Return a snapshot of the newest versions of these tables.

    Raises
    ------
    LakeError
        If one of them has never been ingested.
    """
    versions = {}
    for table in declared:
        name = tables.source(table.name)
        if not lake.exists(name):
            raise LakeError(f"{table.name} holds no rows yet", where=str(lake.root), fix="run `keepfit ingest`")
        versions[table.name] = lake.version(name)
    return Snapshot(engine, lake, versions, as_of)
