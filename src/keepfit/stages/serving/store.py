"""The online store: each entity's recent events and its record, written by `publish` and by requests.

A second store (Redis) is a class with the methods of `OnlineStore`; it must pass `tests/stages/serving/test_store.py`.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Column
from keepfit.rows.evaluate import evaluate
from keepfit.spec.columns import Value
from keepfit.spec.rows import RowExpression
from keepfit.spec.tables import Events, Records

EntityEvents = tuple[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.float64]]
Record = dict[str, Value]
Block = NDArray[np.int64]  # [2 + columns, events]: time, known, the bits of each value column

EVER = -(2**62)
"""Before every moment: what `answers_from` is when the store holds the whole past."""

BUSY_S = 30.0
BLOCK, RECORD = -1, -2
SCHEMA = """
create table if not exists published (name text primary key, rows integer, answers_from integer);
create table if not exists block (entity text, name text, columns text, events blob, primary key (entity, name));
create table if not exists posted_row (
    id integer primary key, entity text, name text, content text, time integer);
create index if not exists posted_row_by_entity on posted_row (entity);
create table if not exists record (entity text, name text, content text, primary key (entity, name));
"""
# one statement: an answer sees everything from before a publication, or everything from after it
READ = """
select -1, name, columns, events from block where entity = ?1
union all select id, name, content, null from posted_row where entity = ?1
union all select -2, name, content, null from record where entity = ?1
"""


class Held:
    """What a store holds of one entity at one moment.

    Parameters
    ----------
    blocks : dict of str to list of (columns, bytes)
        Events table -> runs of events in order of arrival: int64 time [n], int64 known [n], float64 [columns, n].
    posted : dict of str to list of str
        Events table -> rows that requests posted since, as JSON, in order of arrival.
    records : dict of str to dict
        Records table -> column -> value.
    """

    def __init__(
        self,
        blocks: dict[str, list[tuple[tuple[str, ...], bytes]]],
        posted: dict[str, list[str]],
        records: dict[str, Record],
    ) -> None:
        self._blocks, self._posted, self._records = blocks, posted, records

    def knows(self, tables: Collection[str]) -> bool:
        """Whether one of these tables holds a row of the entity."""
        return any(name in tables for name in (*self._blocks, *self._posted, *self._records))

    def events(self, table: Events, columns: Sequence[RowExpression]) -> EntityEvents:
        """Return (time [n], known [n] or None, values [columns, n]), by time, then order of arrival.

        `known` is None if the table's rows are known when they happen; null, and a column never stored, is NaN.
        """
        names = tuple(map(str, columns))
        blocks = [_block(content, stored, names) for stored, content in self._blocks.get(table.name, ())]
        blocks += [_posted_block(text, columns) for text in self._posted.get(table.name, ())]
        block = blocks[0] if len(blocks) == 1 else _merged(blocks, len(columns))
        late = table.known or table.known_after
        return block[0], block[1] if late else None, block[2:].view(np.float64)

    def record(self, table: Records) -> Record | None:
        """Return the entity's record, column -> value; None if it has none."""
        return self._records.get(table.name)


class OnlineStore(Protocol):
    """What one model's server knows of its entities. All methods may be called from any thread."""

    def replace(self, table: Events, rows: Mapping[str, Column], until: int, *, answers_from: int = EVER) -> int:
        """Put the lake's rows in the place of all rows before `until` and of the lake's earlier ones, in one step.

        Rows of requests at or after `until` stay. `rows` holds `entity`, `time`, `known` and any columns, sorted by
        (entity, time, order of arrival). Requests about moments before `answers_from` cannot be answered from them.
        Returns the number of rows put.
        """

    def append(self, table: Events, row: Mapping[str, Value]) -> None:
        """Add one row as `keepfit.rows.contract.check_row` returns it."""

    def replace_records(self, table: Records, rows: Mapping[str, Column], *, answers_from: int = EVER) -> int:
        """Put these records (`entity` and any columns) in the place of the table's, and return how many there are."""

    def read(self, entity: str) -> Held:
        """Return all that is held of an entity, as of one moment."""

    def answers_from(self) -> int:
        """Return the earliest moment for which the store holds all that features need."""

    def rows(self) -> dict[str, int]:
        """Return how many rows each table holds."""


class SQLiteStore:
    """An online store in one SQLite file (WAL), for any number of threads and processes on one machine.

    The lake's events of an entity are one block of bytes as the kernel reads them, so that 500 events cost a request
    little more than 5, and doubles keep their bits (SQLite writes -0.0 as 0.0). Events that requests post are rows
    beside it until a publication takes their place. Readers never wait for a publication.

    Parameters
    ----------
    path : Path
        The file; made with its folder if it is not there. One file serves one model.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._reader, self._writer = connect(path), connect(path)
        self._reading, self._writing = threading.Lock(), threading.Lock()
        self._writer.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()

    def replace(self, table: Events, rows: Mapping[str, Column], until: int, *, answers_from: int = EVER) -> int:
        """Put the lake's rows in the place of all rows before `until` and of the lake's earlier ones."""
        with self._transaction() as writer:
            writer.execute("delete from block where name = ?", (table.name,))
            writer.execute("delete from posted_row where name = ? and time < ?", (table.name, until))
            writer.executemany(
                "insert into block (entity, name, columns, events) values (?, ?, ?, ?)", _blocks(table, rows)
            )
            _note(writer, table.name, len(rows["time"]), answers_from)
        return len(rows["time"])

    def append(self, table: Events, row: Mapping[str, Value]) -> None:
        """Add one row of a request."""
        statement = "insert into posted_row (entity, name, content, time) values (?, ?, ?, ?)"
        with self._transaction() as writer:
            writer.execute(statement, (row[table.entity], table.name, json.dumps(row), row["time"]))

    def replace_records(self, table: Records, rows: Mapping[str, Column], *, answers_from: int = EVER) -> int:
        """Put these records in the place of the table's."""
        names = [name for name in rows if name != "entity"]
        entities, *values = (np.asarray(rows[name]).tolist() for name in ("entity", *names))
        contents = (json.dumps(dict(zip(names, map(_plain, each), strict=True))) for each in zip(*values, strict=True))
        written = contents if values else ["{}"] * len(entities)
        found = ((entity, table.name, content) for entity, content in zip(entities, written, strict=True))
        with self._transaction() as writer:
            writer.execute("delete from record where name = ?", (table.name,))
            writer.executemany("insert into record (entity, name, content) values (?, ?, ?)", found)
            _note(writer, table.name, len(entities), answers_from)
        return len(entities)

    def read(self, entity: str) -> Held:
        """Return all that is held of an entity, by one statement."""
        blocks: dict[str, list[tuple[tuple[str, ...], bytes]]] = {}
        posted: dict[str, list[str]] = {}
        records: dict[str, Record] = {}
        for arrival, name, text, content in sorted(self._read(READ, entity)):
            if arrival == RECORD:
                records[name] = json.loads(text)
            elif arrival == BLOCK:
                blocks.setdefault(name, []).append((_names(text), content))
            else:
                posted.setdefault(name, []).append(text)
        return Held(blocks, posted, records)

    def answers_from(self) -> int:
        """Return the earliest moment for which the store holds all that features need."""
        ((moment,),) = self._read("select max(answers_from) from published")
        return EVER if moment is None else int(moment)

    def rows(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        each = "select name, rows from published union all select name, count(*) from posted_row group by name"
        return dict(self._read(f"select name, sum(rows) from ({each}) group by name order by name"))

    def _read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self._reading:
            return self._reader.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._writer.execute("begin immediate")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("rollback")
                raise
            self._writer.execute("commit")


def connect(path: Path) -> sqlite3.Connection:
    """Open a SQLite file in WAL mode with `synchronous=NORMAL`, committing each statement unless told otherwise."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    return connection


def _blocks(table: Events, rows: Mapping[str, Column]) -> Iterator[tuple[str, str, str, bytes]]:
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


def _note(writer: sqlite3.Connection, name: str, rows: int, answers_from: int) -> None:
    writer.execute("insert or replace into published values (?, ?, ?)", (name, rows, answers_from))


@lru_cache(maxsize=1000)
def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _block(content: bytes, stored: tuple[str, ...], columns: Sequence[str]) -> Block:
    """Return what a row of `block` or `posted` holds, with the columns asked for."""
    held = np.frombuffer(content, np.int64).reshape(2 + len(stored), -1)
    if stored == columns:
        return held
    picked = np.full((2 + len(columns), held.shape[1]), np.float64(np.nan).view(np.int64))
    picked[:2] = held[:2]
    for place, name in enumerate(columns, start=2):
        if name in stored:
            picked[place] = held[2 + stored.index(name)]
    return picked


def _posted_block(text: str, columns: Sequence[RowExpression]) -> Block:
    """Return a posted row as a run of one event; conditions and codes are computed as the engine does for a file."""
    row = json.loads(text)
    numbers = np.array([_number(evaluate(column, row)) for column in columns], np.float64)
    return np.concatenate([np.array([row["time"], row["known"]], np.int64), numbers.view(np.int64)])[:, np.newaxis]


def _number(value: Value) -> float:
    return math.nan if value is None else float(value)


def _merged(blocks: list[Block], columns: int) -> Block:
    """Return blocks, in order of arrival, as one sorted by time."""
    if not blocks:
        return np.empty((2 + columns, 0), np.int64)
    found = np.concatenate(blocks, axis=1)
    return np.ascontiguousarray(found[:, np.argsort(found[0], kind="stable")])


def _plain(value: Any) -> Value:
    return None if value != value else value
