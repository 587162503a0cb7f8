"""The prediction log on its way to the lake: what was answered, until the loop has moved it.

What is promised: an answer that a client received is in the file even if the process is killed (`kill -9`) right
after. Each row is committed to SQLite's write-ahead log before the answer is sent, with `synchronous=NORMAL`: the
operating system has it, the disk may not. A power cut or a crash of the machine can lose the newest rows; it damages
neither the file nor older rows. With `durable=True` each row is forced to disk (`synchronous=FULL`), an fsync each.

`drain` seals a batch: until it is forgotten, it returns the same rows under the same transaction id, so that a loop
that is killed between the two adds nothing twice to the lake. Both hold the file's write lock for moments only: answers
are logged in between. An answer that cannot be logged is not given.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepfit.stages.serving.patience import Busy
from keepfit.stages.serving.sqlite import connect, waiting, writing
from keepfit.tables import PREDICTIONS

COLUMNS = tuple(PREDICTIONS.columns)
SCHEMA = (
    f"create table if not exists outbox (id integer primary key, {', '.join(COLUMNS)});"
    "create table if not exists sealed (first integer, last integer, name text)"
)
CHECKPOINT_PAGES = 20_000
SLICE = 500
"""Rows that are dropped in one transaction."""


@dataclass(frozen=True)
class Batch:
    """Rows of `tables.PREDICTIONS` to be appended to the lake in one transaction, then forgotten.

    Attributes
    ----------
    transaction : str
        What makes the append idempotent.
    rows : list of dict
        Column -> value, in order of answering; `t` in microseconds UTC, `positive` as bool or None.
    """

    transaction: str
    rows: list[dict[str, Any]]


class Outbox:
    """Where a server logs its answers.

    Parameters
    ----------
    path : Path
        The SQLite file; made with its folder if it is not there. Several processes may share it.
    durable : bool
        Whether a row also survives a power cut.
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self.path = path
        self._connection = _open(path)
        self._connection.execute("pragma busy_timeout = 0")  # who logs holds the loop of requests: it comes again
        self._lock = threading.Lock()
        if durable:
            self._connection.execute("pragma synchronous = full")
        # moving the log into the file costs an fsync: `settle` does it beside the requests, this is the last resort
        self._connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self._insert = f"insert into outbox ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})"

    def append(self, row: Mapping[str, Any]) -> None:
        """Log one answer, a row of `tables.PREDICTIONS` with `t` in microseconds; it is committed on return.

        A column that is missing is null.

        Raises
        ------
        Busy
            If others are writing; the answer must not be given then.
        """
        with self._lock, waiting(_moving):
            self._connection.execute(self._insert, [row.get(column) for column in COLUMNS])

    def append_all(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Log several answers in one transaction: all of them are in the log, or none; raises what `append` does."""
        values = [[row.get(column) for column in COLUMNS] for row in rows]
        with self._lock, writing(self._connection, _moving):
            self._connection.executemany(self._insert, values)

    def backlog(self) -> int:
        """Return how many answers wait to be moved."""
        with closing(connect(self.path)) as connection:
            (count,) = connection.execute("select count(*) from outbox").fetchone()
        return int(count)

    def oldest(self) -> int | None:
        """Return when the oldest answer that waits was given, microseconds UTC; None if none waits."""
        with closing(connect(self.path)) as connection:
            found = connection.execute("select request_id from outbox order by id limit 1").fetchone()
        # an id begins with its moment
        return None if found is None else int(found[0][:14], 16)

    def settle(self) -> None:
        """Move the write-ahead log into the file; to be called now and then, on a thread of its own."""
        with closing(connect(self.path)) as connection:
            connection.execute("pragma wal_checkpoint(passive)")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def drain(path: Path, limit: int = 10_000) -> Batch | None:
    """Return the oldest answers not yet forgotten, at most `limit`; None if there are none.

    Called again before `forget`, it returns the same batch.
    """
    if not path.exists():
        return None
    with closing(_open(path)) as connection:
        connection.execute("begin immediate")
        sealed = connection.execute("select first, last, name from sealed").fetchone() or _seal(connection, limit)
        connection.execute("commit")
        if sealed is None:
            return None
        query = f"select {', '.join(COLUMNS)} from outbox where id between ? and ? order by id"
        found = connection.execute(query, sealed[:2]).fetchall()
    return Batch(sealed[2], [_typed(dict(zip(COLUMNS, row, strict=True))) for row in found])


def forget(path: Path, transaction: str) -> int:
    """Drop the batch that was drained under this transaction id and return its rows; an unknown id drops nothing."""
    dropped = 0
    with closing(_open(path)) as connection:
        while found := connection.execute("select first, last from sealed where name = ?", (transaction,)).fetchone():
            dropped += _drop(connection, transaction, *found)
    return dropped


def _drop(connection: sqlite3.Connection, transaction: str, first: int, last: int) -> int:
    """Drop some rows of a batch, and with the last of them its seal: killed in between, the rest is the batch."""
    some = "select id from outbox where id between ? and ? order by id limit ?"
    with writing(connection, _moving):
        dropped = connection.execute(f"delete from outbox where id in ({some})", (first, last, SLICE)).rowcount
        if dropped < SLICE:
            connection.execute("delete from sealed where name = ?", (transaction,))
    return dropped


def _moving() -> Busy:
    what = "the prediction log is being written by others, and an answer that is not logged is not given"
    return Busy(what, where="prediction log", fix="ask again in some seconds")


def _seal(connection: sqlite3.Connection, limit: int) -> tuple[int, int, str] | None:
    query = "select min(id), max(id) from (select id from outbox order by id limit ?)"
    first, last = connection.execute(query, (limit,)).fetchone()
    if first is None:
        return None
    (request_id,) = connection.execute("select request_id from outbox where id = ?", (first,)).fetchone()
    name = f"outbox/{request_id}"
    connection.execute("insert into sealed values (?, ?, ?)", (first, last, name))
    return first, last, name


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "positive": None if row["positive"] is None else bool(row["positive"])}


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = connect(path)
    connection.executescript(SCHEMA)
    for column in set(COLUMNS) - _held(connection):  # the file of an earlier keepfit
        try:
            connection.execute(f"alter table outbox add column {column}")
        except sqlite3.OperationalError:
            if column not in _held(connection):  # another process was not faster: it is wrong
                raise
    return connection


def _held(connection: sqlite3.Connection) -> set[str]:
    return {name for _, name, *_ in connection.execute("pragma table_info(outbox)")}
