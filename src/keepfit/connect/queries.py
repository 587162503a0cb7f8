"""What is asked of an SQL database, through SQLAlchemy: which values a cursor has beyond one, and the rows between two.

Sessions are read-only and in UTC. A password stands in the environment only, and in no error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from keepfit.errors import DefinitionError, MissingExtra, SourceError, did_you_mean
from keepfit.spec.sources import Database

NAMED = "env:"
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
EXTRAS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}
SESSIONS = {
    "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TIME ZONE 'UTC'"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET time_zone = '+00:00'"),
    "sqlite": ("PRAGMA query_only = ON",),
}
SESSIONS["mariadb"] = SESSIONS["mysql"]
# rows that come over the line at once
AT_ONCE = 5_000


@dataclass(frozen=True)
class Rows:
    """What a SELECT gives: its columns, and its rows in chunks as they come over the line."""

    columns: tuple[str, ...]
    chunks: Iterator[Any]


class Queries:
    """The questions that a source asks; each opens a connection of its own, so several threads may ask.

    Parameters
    ----------
    source : Database
        Its `url` is an address, or names an environment variable that holds one.
    data : Path
        What the file of an SQLite address is relative to.

    Raises
    ------
    SourceError
        If the variable is not set, or no such kind of database is known.
    MissingExtra
        If the driver is not installed.
    """

    def __init__(self, source: Database, data: Path, environment: Mapping[str, str]) -> None:
        self.source = source
        self.where = f"{source.url}, {source.table or 'query'}"
        self.engine = _engine(_address(source.url, data, environment), self.where)
        for statement in SESSIONS.get(self.engine.dialect.name, ()):
            sa.event.listen(self.engine, "connect", _saying(statement))

    def bounds(self, beyond: Any, at_most: int) -> list[Any]:
        """Return the cursor's values that end each batch of rows beyond one, in order; the last is the greatest there is.

        A batch ends with a whole value: rows of equal cursors are never parted.

        Raises
        ------
        SourceError
            If a row has no cursor, so that no batch would ever hold it.
        """
        cursor, rows = self._cursor(), self._rows()
        known: tuple[Any, ...] = () if beyond is None else (cursor > beyond,)
        with self._asking() as ask:
            if ask(sa.select(sa.literal(1)).select_from(rows).where(cursor.is_(None)).limit(1)):
                raise self._without_cursor()
            last = ask(sa.select(cursor).select_from(rows).where(*known).order_by(cursor.desc()).limit(1))
            if not last:
                return []
            place = sa.func.row_number().over(order_by=cursor).label("keepfit_place")
            # up to the last one: not what is written between the questions
            numbered = sa.select(cursor, place).select_from(rows).where(*known, cursor <= last[0]).subquery("numbered")
            every = numbered.c.keepfit_place % at_most == 0
            ends = list(dict.fromkeys(ask(sa.select(numbered.c[0]).where(every).order_by(numbered.c[0]))))
        return ends if ends and ends[-1] == last[0] else [*ends, last[0]]

    @contextmanager
    def between(self, beyond: Any, up_to: Any) -> Iterator[Rows]:
        """Open the rows with beyond < cursor <= up_to, by cursor; None is no bound."""
        cursor = self._cursor()
        query: Any = sa.select(sa.literal_column("*")).select_from(self._rows()).order_by(cursor).where(cursor <= up_to)
        with self._opened(query if beyond is None else query.where(cursor > beyond)) as rows:
            yield rows

    @contextmanager
    def everything(self) -> Iterator[Rows]:
        """Open all rows."""
        with self._opened(sa.select(sa.literal_column("*")).select_from(self._rows())) as rows:
            yield rows

    def _cursor(self) -> sa.ColumnClause[Any]:
        return sa.column(self.source.cursor or "")

    def _rows(self) -> Any:
        if self.source.table:
            schema, _, name = self.source.table.rpartition(".")
            return sa.table(name, schema=schema or None)
        query = (self.source.query or "").strip().rstrip(";")
        # a colon in it is its own, not a parameter of ours
        return sa.text(f"({query}\n) keepfit_rows".replace(":", "\\:"))

    @contextmanager
    def _asking(self) -> Iterator[Callable[[Any], list[Any]]]:
        with self._mended(), self.engine.connect() as connection:
            yield lambda query: [row[0] for row in connection.execute(query)]

    def _without_cursor(self) -> SourceError:
        return SourceError(
            f"the cursor {self.source.cursor} is null in some rows, which would never be read",
            where=self.where,
            fix="take a column that is always set, or a query that leaves these rows out",
        )

    @contextmanager
    def _opened(self, query: Any) -> Iterator[Rows]:
        with self._mended(), self.engine.connect() as connection:
            result = connection.execution_options(yield_per=AT_ONCE).execute(query)
            columns = tuple(result.keys())
            if twice := {name for name in columns if columns.count(name) > 1}:
                raise SourceError(
                    f"two columns are named {sorted(twice)[0]}",
                    where=self.where,
                    fix="name them apart in the query: AS other",
                )
            yield Rows(columns, result.partitions())

    @contextmanager
    def _mended(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            raise self._refused(error) from None

    def _refused(self, error: exc.DBAPIError) -> SourceError:
        said = str(error.orig).strip().splitlines()
        what = f"the database refuses: {(said or [type(error.orig).__name__])[0][:300]}"
        return SourceError(
            what, where=self.where, fix=self._way_out() or "check the address, the database and its rights"
        )

    def _way_out(self) -> str:
        """Return what exists, if the table or the cursor does not; empty if that is not it, or the database does not say."""
        try:
            there = sa.inspect(self.engine)
            schema, _, name = (self.source.table or "").rpartition(".")
            names = [*there.get_table_names(schema or None), *there.get_view_names(schema or None)]
            if name and name not in names:
                return did_you_mean(name, names, of="the database")
            columns = [one["name"] for one in there.get_columns(name, schema or None)] if name else []
        except (exc.SQLAlchemyError, NotImplementedError):
            return ""
        known = not self.source.cursor or not columns or self.source.cursor in columns
        return "" if known else did_you_mean(self.source.cursor or "", columns, of=name)


def _address(url: str, data: Path, environment: Mapping[str, str]) -> sa.URL:
    name = url.removeprefix(NAMED) if url.startswith(NAMED) else None
    said = url if name is None else environment.get(name, "")
    if not said:
        raise SourceError(
            f"the environment variable {name} is not set", where=url, fix=f"export {name}=postgresql://host/shop"
        )
    try:
        address = sa.make_url(said)
    except (exc.ArgumentError, ValueError):
        where = "Database(url=...)" if name is None else url
        raise SourceError("this is no address of a database", where=where, fix="write postgresql://host/shop") from None
    if name is None and (address.password is not None or "password" in address.query):
        raise DefinitionError(
            "a password stands in a definition",
            where=f"Database(url=...), {address.get_backend_name()} on {address.host}",
            fix="write url='env:SHOP_DATABASE', and the address into that variable",
        )
    if address.get_backend_name() == "sqlite":
        return _beside(address, data)
    return address.set(drivername=DRIVERS.get(address.drivername, address.drivername))


def _beside(address: sa.URL, data: Path) -> sa.URL:
    path = data / (address.database or "")
    if not path.is_file():
        raise SourceError(
            f"there is no SQLite file {address.database}", where=str(data), fix="put it there or mend the address"
        )
    return address.set(database=str(path))


def _engine(address: sa.URL, where: str) -> sa.Engine:
    try:
        waits = address.get_backend_name() in EXTRAS and "connect_timeout" not in address.query
        return sa.create_engine(address, poolclass=sa.NullPool, connect_args={"connect_timeout": 15} if waits else {})
    except ModuleNotFoundError:
        kind = address.get_backend_name()
        raise MissingExtra(EXTRAS.get(kind, kind), f"a source in {kind}") from None
    except exc.NoSuchModuleError:
        kind = address.get_backend_name()
        raise SourceError(
            f"no kind of database is named {kind}", where=where, fix=did_you_mean(kind, [*DRIVERS, "sqlite"])
        ) from None


def _saying(statement: str) -> Any:
    def say(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        connection.commit()

    return say
