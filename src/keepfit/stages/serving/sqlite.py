"""The online store in one SQLite file: for any number of threads and processes on one machine."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from keepfit.engines.protocol import Column
from keepfit.spec.columns import Value
from keepfit.spec.tables import Events, Records
from keepfit.stages.serving import receipts
from keepfit.stages.serving.coverage import Coverage, coverage_from, coverage_text
from keepfit.stages.serving.held import Held, Record
from keepfit.stages.serving.packing import blocks, records
from keepfit.stages.serving.patience import Busy
from keepfit.stages.serving.posted import Kept
from keepfit.stages.serving.receipts import Receipt
from keepfit.stages.serving.store import EVER, Row

BUSY_S, POST_S = 30.0, 5.0
"""How long a publication waits for others to be done with writing, and how long the events of a request do."""
BLOCK, RECORD, STATE = -1, -2, -3
FILLED = ""
"""Stands for the lake itself among the tables whose newest moment is kept."""
SCHEMA = """
create table if not exists covered (name text primary key, rows integer, answers_from integer, coverage text);
create table if not exists reached (name text primary key, at integer);
create table if not exists block (entity text, name text, columns text, events blob, primary key (entity, name));
create table if not exists posted_row (
    id integer primary key, entity text, name text, content text, time integer);
create index if not exists posted_row_by_entity on posted_row (entity);
create table if not exists posted (name text primary key, rows integer);
create table if not exists taken (name text primary key, rows integer);
create table if not exists record (entity text, name text, content text, primary key (entity, name));
"""
# one statement: an answer sees everything from before a publication, or everything from after it. Of the posted rows those
# after ?2 are enough, if none was taken away since ?3
READ = f"""
select {BLOCK}, name, columns, events from block where entity = ?1
union all select {RECORD}, name, content, null from record where entity = ?1
union all select {STATE}, (select total(rows) from taken), (select max(answers_from) from covered), null
union all select id, name, content, null from posted_row
    where entity = ?1 and id > iif((select total(rows) from taken) = ?3, ?2, 0)
"""


class SQLiteStore:
    """An online store in one SQLite file (WAL), for any number of threads and processes on one machine.

    The lake's events of an entity are one block of bytes as the kernel reads them, so that 500 events cost a request
    little more than 5, and doubles keep their bits (SQLite writes -0.0 as 0.0). Events that requests post are rows
    beside it until a publication takes their place. Readers never wait for a publication.

    Parameters
    ----------
    path : Path
        The file; made with its folder if it is not there. One file serves one model.
    post_s : float
        How long events wait for a publication, seconds.
    """

    remote = False

    def __init__(self, path: Path, post_s: float = POST_S) -> None:
        self._post_s = post_s
        path.parent.mkdir(parents=True, exist_ok=True)
        self._reader, self._teller, self._writer = connect(path), connect(path), connect(path)
        # what tells of the store's state has a connection of its own: an answer never waits for a scrape
        self._reading, self._telling, self._writing = threading.Lock(), threading.Lock(), threading.Lock()
        self._posted = Kept()
        self._prepare()

    def close(self) -> None:
        """Close the file."""
        for connection in (self._reader, self._teller, self._writer):
            connection.close()

    def replace(
        self,
        table: Events,
        rows: Mapping[str, Column],
        until: int,
        *,
        answers_from: int = EVER,
        coverage: Coverage | None = None,
    ) -> int:
        """Put the lake's rows in the place of all rows before `until` and of the lake's earlier ones."""
        with self._transaction() as writer:
            writer.execute("delete from block where name = ?", (table.name,))
            gone = writer.execute("delete from posted_row where name = ? and time < ?", (table.name, until)).rowcount
            _count(writer, "posted", table.name, -gone)
            _count(writer, "taken", table.name, gone)
            writer.executemany(
                "insert into block (entity, name, columns, events) values (?, ?, ?, ?)", blocks(table, rows)
            )
            _note(writer, table.name, len(rows["time"]), answers_from, coverage)
            times = np.asarray(rows["time"])
            if (times < until).any():  # a row dated ahead says nothing about what has come
                _reach(writer, table.name, int(times[times < until].max()))
        return len(rows["time"])

    def append(self, table: Events, row: Mapping[str, Value]) -> None:
        """Add one row of a request."""
        self.append_all([(table, row)])

    def append_all(self, rows: Sequence[Row], receipt: Receipt | None = None) -> bool:
        """Add all rows of a request, once.

        Raises
        ------
        Busy
            If others write for too long; nothing is added then.
        """
        statement = "insert into posted_row (entity, name, content, time) values (?, ?, ?, ?)"
        values = [(row[table.entity], table.name, json.dumps(row), row["time"]) for table, row in rows]
        with self._transaction(self._post_s) as writer:
            if receipt is not None and not receipts.is_new(writer, receipt):
                return False
            writer.executemany(statement, values)
            for name, many in Counter(table.name for table, _ in rows).items():
                _count(writer, "posted", name, many)
            for table, row in rows:
                _reach(writer, table.name, int(cast("int", row["time"])))
        return True

    def replace_records(
        self,
        table: Records,
        rows: Mapping[str, Column],
        *,
        answers_from: int = EVER,
        coverage: Coverage | None = None,
    ) -> int:
        """Put these records in the place of the table's."""
        contents = records(rows)
        found = ((entity, table.name, json.dumps(each)) for entity, each in contents.items())
        with self._transaction() as writer:
            writer.execute("delete from record where name = ?", (table.name,))
            writer.executemany("insert into record (entity, name, content) values (?, ?, ?)", found)
            _note(writer, table.name, len(contents), answers_from, coverage)
        return len(contents)

    def coverage(self, name: str) -> Coverage | None:
        """Return what was published of a table; None if nothing was."""
        found = self._tell("select coverage from covered where name = ?", name)
        return coverage_from(found[0][0]) if found else None

    def read(self, entity: str) -> Held:
        """Return all that is held of an entity, by one statement."""
        events: dict[str, list[tuple[tuple[str, ...], bytes]]] = {}
        posted: list[tuple[int, str, str]] = []
        held: dict[str, list[tuple[int, Record]]] = {}
        before, mark, moment = self._posted.of(entity), 0, EVER
        for arrival, name, text, content in self._read(READ, entity, before.last, before.mark):
            if arrival == RECORD:
                held[name] = [(EVER if known is None else known, record) for known, record in json.loads(text)]
            elif arrival == BLOCK:
                events.setdefault(name, []).append((_names(text), content))
            elif arrival == STATE:
                mark, moment = int(name), EVER if text is None else text
            else:
                posted.append((arrival, name, text))
        posted.sort()
        now = before.extended(mark, posted)
        if now is not before:
            self._posted.keep(entity, now)
        return Held(events, now, held, moment)

    def answers_from(self) -> int:
        """Return the earliest moment for which the store holds all that features need."""
        ((moment,),) = self._read("select max(answers_from) from covered")
        return EVER if moment is None else int(moment)

    def rows(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        each = "select name, rows from covered union all select name, rows from posted where rows > 0"
        return dict(self._tell(f"select name, sum(rows) from ({each}) group by name order by name"))

    def newest(self) -> dict[str, int]:
        """Return when the newest event of each table happened, microseconds UTC."""
        return dict(self._tell("select name, at from reached where name != ?", FILLED))

    def note_filled(self, as_of: int) -> None:
        """Note as of which moment the lake filled the store."""
        with self._transaction() as writer:
            writer.execute("insert or replace into reached values (?, ?)", (FILLED, as_of))

    def filled(self) -> int | None:
        """Return as of which moment the lake filled the store last; None if it never did."""
        found = self._tell("select at from reached where name = ?", FILLED)
        return int(found[0][0]) if found else None

    def _read(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        with self._reading:
            return self._reader.execute(query, values).fetchall()

    def _tell(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self._telling:
            return self._teller.execute(query, values).fetchall()

    def _prepare(self) -> None:
        self._writer.executescript(receipts.SCHEMA)
        if not self._counted():  # the file is new, or of an earlier keepfit
            with self._transaction() as writer:
                if not self._counted():  # another process was not faster
                    for statement in SCHEMA.split(";"):
                        writer.execute(statement)
                    writer.execute("insert into posted select name, count(*) from posted_row group by name")
        self._writer.executescript(SCHEMA)

    def _counted(self) -> bool:
        return self._writer.execute("select 1 from sqlite_master where name = 'posted'").fetchone() is not None

    @contextmanager
    def _transaction(self, wait_s: float = BUSY_S) -> Iterator[sqlite3.Connection]:
        if not self._writing.acquire(timeout=wait_s):
            raise publishing()
        try:
            self._writer.execute(f"pragma busy_timeout = {int(1000 * wait_s)}")
            with writing(self._writer, publishing):
                yield self._writer
        finally:
            self._writing.release()


@contextmanager
def writing(connection: sqlite3.Connection, busy: Callable[[], Busy]) -> Iterator[None]:
    """Write in one transaction: all of it, or nothing; raises `busy()` if others write for too long."""
    with waiting(busy):
        connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


@contextmanager
def waiting(busy: Callable[[], Busy]) -> Iterator[None]:
    """Raise `busy()` where SQLite says that others write."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise busy() from None


def publishing() -> Busy:
    """Return the refusal of events that waited for too long."""
    what = "the online store is being written by others, such as a publication"
    return Busy(what, where="online store", fix="send it again in some seconds; an Idempotency-Key makes that safe")


def connect(path: Path) -> sqlite3.Connection:
    """Open a SQLite file in WAL mode with `synchronous=NORMAL`, committing each statement unless told otherwise."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    return connection


def _note(writer: sqlite3.Connection, name: str, rows: int, answers_from: int, coverage: Coverage | None) -> None:
    values = (name, rows, answers_from, coverage_text(coverage))
    writer.execute("insert or replace into covered values (?, ?, ?, ?)", values)


def _count(writer: sqlite3.Connection, what: str, name: str, more: int) -> None:
    """Keep how many posted rows there are, which takes long to count, and how many were taken away: ids may be given again."""
    statement = f"insert into {what} values (?, ?) on conflict (name) do update set rows = rows + excluded.rows"
    writer.execute(statement, (name, more))


def _reach(writer: sqlite3.Connection, name: str, at: Value) -> None:
    statement = "insert into reached values (?, ?) on conflict (name) do update set at = max(at, excluded.at)"
    writer.execute(statement, (name, at))


@lru_cache(maxsize=1000)
def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
