"""The online store: each entity's recent events and its record, written by `publish` and by requests.

A second store (Redis) is a class with the methods of `OnlineStore`; it must pass `tests/stages/serving/test_store.py`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Column
from keepfit.spec.columns import Column as Kind
from keepfit.spec.columns import Value
from keepfit.spec.tables import Events, Records, Table

EntityEvents = tuple[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.float64]]

EVER = -(2**62)
"""Before every moment: what `answers_from` is when the store holds the whole past."""

LAKE, REQUEST = 0, 1
BUSY_S = 30.0


class OnlineStore(Protocol):
    """What one model's server knows of its entities. All methods may be called from any thread."""

    def declare(self, tables: Iterable[Table]) -> None:
        """Make place for these tables and their columns; what is there already stays."""

    def replace(self, table: Events, rows: Mapping[str, Column], until: int, *, answers_from: int = EVER) -> int:
        """Put the lake's rows in the place of all rows before `until` and of the lake's earlier ones, in one step.

        Rows of requests at or after `until` stay. `rows` holds `entity`, `time`, `known` and any columns, sorted by
        (entity, time, order of arrival). Requests about moments before `answers_from` cannot be answered from them.
        Returns the number of rows put.
        """

    def append(self, table: Events, row: Mapping[str, Value]) -> None:
        """Add one row as `keepfit.rows.contract.check_row` returns it."""

    def events(self, table: Events, entity: str, columns: Sequence[str]) -> EntityEvents:
        """Return an entity's (time [n], known [n] or None, values [columns, n]), by time, then order of arrival.

        `known` is None if the table's rows are known when they happen; null is NaN.
        """

    def replace_records(self, table: Records, rows: Mapping[str, Column], *, answers_from: int = EVER) -> int:
        """Put these records (`entity` and any columns) in the place of the table's, and return how many there are."""

    def record(self, table: Records, entity: str) -> dict[str, Value] | None:
        """Return an entity's record, column -> value; None if it has none."""

    def known_entity(self, entity: str) -> bool:
        """Return whether any table holds a row of the entity."""

    def answers_from(self) -> int:
        """Return the earliest moment for which the store holds all that features need."""

    def rows(self) -> dict[str, int]:
        """Return how many rows each table holds."""


class SQLiteStore:
    """An online store in one SQLite file (WAL), for any number of threads and processes on one machine.

    Each Events table is clustered by (entity, time, origin, arrival), so that an entity's events are neighbours on
    disk. Readers never wait: they see the rows before a publication, or those after it. Value columns have no declared
    type, because SQLite writes -0.0 as 0.0 to a REAL one, and online features equal the batch's bit for bit.

    Parameters
    ----------
    path : Path
        The file; made with its folder if it is not there. One file serves one model.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._reader, self._writer = connect(path), connect(path)
        self._reading, self._writing = threading.Lock(), threading.Lock()
        self._queries: dict[tuple[str, tuple[str, ...]], str] = {}
        with self._transaction() as writer:
            writer.execute("create table if not exists published (name text primary key, answers_from integer)")

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()

    def declare(self, tables: Iterable[Table]) -> None:
        """Make place for these tables and their columns."""
        for table in tables:
            name, wanted = _name(table), {_value(column) for column in table.column_names()}
            with self._reading:
                there = {row[1] for row in self._reader.execute(f"pragma table_info({_quoted(name)})")}
            if there and wanted <= there:
                continue
            with self._transaction() as writer:
                writer.execute(f"create table if not exists {_quoted(name)} ({_keys(table)}) without rowid")
                there = {row[1] for row in writer.execute(f"pragma table_info({_quoted(name)})")}
                for column in sorted(wanted - there):
                    writer.execute(f"alter table {_quoted(name)} add column {_quoted(column)}")

    def replace(self, table: Events, rows: Mapping[str, Column], until: int, *, answers_from: int = EVER) -> int:
        """Put the lake's rows in the place of all rows before `until` and of the lake's earlier ones."""
        self.declare([table])
        values = [name for name in rows if name not in ("entity", "time", "known")]
        count = len(rows["time"])
        columns = [rows["entity"], rows["time"], np.full(count, LAKE), np.arange(count), rows["known"]]
        names = ["entity", "time", "origin", "seq", "known", *map(_value, values)]
        with self._transaction() as writer:
            writer.execute(f"delete from {_quoted(_name(table))} where time < ? or origin = ?", (until, LAKE))
            _insert(writer, table, names, [*columns, *(rows[name] for name in values)])
            writer.execute("insert or replace into published values (?, ?)", (table.name, answers_from))
        return count

    def append(self, table: Events, row: Mapping[str, Value]) -> None:
        """Add one row of a request."""
        self.declare([table])
        name, values = _quoted(_name(table)), table.column_names()
        names = ", ".join(_quoted(_value(column)) for column in values)
        marks = ", ?" * len(values)
        seq = f"(select coalesce(max(seq), 0) + 1 from {name} where entity = ?1 and time = ?2 and origin = {REQUEST})"
        statement = (
            f"insert into {name} (entity, time, known, origin, seq{', ' + names if names else ''})"
            f" values (?1, ?2, ?, {REQUEST}, {seq}{marks})"
        )
        numbers = [_number(row.get(column), table.type_of(column)) for column in values]
        with self._transaction() as writer:
            writer.execute(statement, (row[table.entity], row["time"], row["known"], *numbers))

    def events(self, table: Events, entity: str, columns: Sequence[str]) -> EntityEvents:
        """Return an entity's (time, known or None, values), by time, then order of arrival."""
        late = bool(table.known or table.known_after)
        with self._reading:
            rows = self._reader.execute(self._query(table, tuple(columns), late), (entity,)).fetchall()
        if not rows:
            nothing = np.empty(0, np.int64)
            return nothing, nothing if late else None, np.empty((len(columns), 0))
        time, *others = zip(*rows, strict=True)
        known = np.array(others.pop(0), np.int64) if late else None
        values = np.array(others, np.float64) if others else np.empty((0, len(time)))
        return np.array(time, np.int64), known, values

    def replace_records(self, table: Records, rows: Mapping[str, Column], *, answers_from: int = EVER) -> int:
        """Put these records in the place of the table's."""
        self.declare([table])
        values = [name for name in rows if name != "entity"]
        with self._transaction() as writer:
            writer.execute(f"delete from {_quoted(_name(table))}")
            _insert(writer, table, ["entity", *map(_value, values)], [rows["entity"], *(rows[name] for name in values)])
            writer.execute("insert or replace into published values (?, ?)", (table.name, answers_from))
        return len(rows["entity"])

    def record(self, table: Records, entity: str) -> dict[str, Value] | None:
        """Return an entity's record."""
        names = tuple(table.column_names())
        with self._reading:
            row = self._reader.execute(self._query(table, names, False), (entity,)).fetchone()
        return None if row is None else dict(zip(names, row[1:], strict=True))

    def known_entity(self, entity: str) -> bool:
        """Return whether any table holds a row of the entity."""
        with self._reading:
            return any(
                self._reader.execute(f"select 1 from {_quoted(name)} where entity = ? limit 1", (entity,)).fetchone()
                for name in self._tables()
            )

    def answers_from(self) -> int:
        """Return the earliest moment for which the store holds all that features need."""
        with self._reading:
            (moment,) = self._reader.execute("select max(answers_from) from published").fetchone()
        return EVER if moment is None else int(moment)

    def rows(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        with self._reading:
            counts = {
                name: self._reader.execute(f"select count(*) from {_quoted(name)}").fetchone()[0]
                for name in self._tables()
            }
        return {name.partition("_")[2]: count for name, count in counts.items()}

    def _tables(self) -> list[str]:
        found = self._reader.execute("select name from sqlite_master where type = 'table' order by name").fetchall()
        return [name for (name,) in found if name.startswith(("events_", "records_"))]

    def _query(self, table: Table, columns: tuple[str, ...], late: bool) -> str:
        key = (_name(table), columns)
        if key not in self._queries:
            first = ["time"] if isinstance(table, Events) else ["entity"]
            picked = [*first, *(["known"] if late else []), *(_quoted(_value(column)) for column in columns)]
            order = " order by time, origin, seq" if isinstance(table, Events) else ""
            self._queries[key] = f"select {', '.join(picked)} from {_quoted(key[0])} where entity = ?{order}"
        return self._queries[key]

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


def _insert(writer: sqlite3.Connection, table: Table, names: list[str], columns: list[Column]) -> None:
    marks = ", ".join("?" * len(names))
    statement = f"insert into {_quoted(_name(table))} ({', '.join(map(_quoted, names))}) values ({marks})"
    writer.executemany(statement, zip(*(np.asarray(column).tolist() for column in columns), strict=True))


def _number(value: Value, column: Kind | None) -> float | None:
    """Return a value as the kernel reads it: a number, or 1.0 for a text, which can only be counted."""
    if value is None:
        return None
    return float(value) if column is not None and column.numeric else 1.0


def _keys(table: Table) -> str:
    if isinstance(table, Events):
        key = "primary key (entity, time, origin, seq)"
        return f"entity text, time integer, origin integer, seq integer, known integer, {key}"
    return "entity text, primary key (entity)"


def _name(table: Table) -> str:
    return f"{'events' if isinstance(table, Events) else 'records'}_{table.name}"


def _value(column: str) -> str:
    """Return a column's name in SQLite; the prefix keeps it apart from ours."""
    return f"value_{column}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
