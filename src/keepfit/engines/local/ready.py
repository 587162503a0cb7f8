"""Rows of ready features in files, read in chunks: memory does not grow with the files.

Parquet is read where it lies, by ranges of rows; any other format goes through Parquet files first, that of texts as texts, so that
each row has one place and is read once. A value that is not what its feature is makes its row a wrong one, with the reason; it is
never a null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from arro3.core import RecordBatchReader, Table

from keepfit.engines.local import arrow, query
from keepfit.engines.local.formats import opened
from keepfit.engines.local.formats.facts import Places
from keepfit.engines.local.formats.folds import unfold
from keepfit.engines.local.formats.parquet import text
from keepfit.engines.local.writing import LocalParts
from keepfit.engines.quoting import literal, quoted
from keepfit.engines.ready import Chunk, Ready, Rows, Wrong
from keepfit.errors import KeepfitError, SourceError, full_disk

PARQUET, ARROW = (".parquet", ".pq"), (".arrow", ".arrows", ".feather", ".ipc")
VALUES = 8_000_000
"""Of a chunk, so that it takes about 64 MB, whatever the number of columns."""
LEAST, MOST = 10_000, 250_000
FEW = 10_000
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "UTINYINT", "USMALLINT",
           "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
WHY = "_k_why"
NULL = '"NULL"'  # the type of a column without any value


class LocalReady:
    """See `keepfit.engines.ready.ReadyRows`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, rows: Rows, name: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._cursor, self._folder = connection.cursor(), folder
        self._name, self._unread = name, ""
        files = self._listed(rows)
        self._files = [(file, self._described(file)) for file in files]
        self.types = {name: kind for _, types in reversed(self._files) for name, kind in types.items()}
        counts = self._cursor.execute(
            f"select file_name, num_rows from parquet_file_metadata([{', '.join(map(literal, files))}])"
        )
        self._rows = {name: int(rows) for name, rows in counts.fetchall()} if files else {}

    def unread(self) -> Iterator[Wrong]:
        """Yield what in it is no row."""
        if self._unread:
            found = self._cursor.execute(f"select line, error, raw from {query.parquet([self._unread])} order by line")
            while rows := found.fetchmany(FEW):
                yield from (Wrong(f"line {line}", str(error), str(raw)) for line, error, raw in rows)

    def unfit(self, column: str, ready: Ready) -> bool:
        """Return whether a column's type says that it holds other values than it must."""
        plain = self.types[column].partition("(")[0]
        if plain in ("VARCHAR", NULL):
            return False
        if ready.labels is not None:
            return plain not in ("ENUM", "UUID")
        return plain not in NUMBERS and not (ready.flag and plain == "BOOLEAN")

    def chunks(self, ready: Mapping[str, Ready], carried: Sequence[str]) -> Iterator[Chunk]:
        """Yield all rows in their order."""
        size = max(LEAST, min(MOST, VALUES // (len(ready) + len(carried) + 1)))
        before = 0
        for file, types in self._files:
            rows, columns = self._rows[file], _columns(types, ready)
            columns += [f"{_kept(name, types, self.types)} as {quoted(name)}" for name in carried]
            for first in range(0, max(rows, 1), size):
                part = f"where file_row_number >= {first} and file_row_number < {first + size}"
                found = self._cursor.sql(f"select {', '.join(columns)} from {_read(file)} {part}")
                yield _chunk(RecordBatchReader.from_arrow(found).read_all(), list(ready), carried, before + first)
            before += rows

    def told(self, places: Sequence[int]) -> Iterator[str]:
        """Yield the rows at some places, ascending, as JSON texts."""
        before = 0
        for file, types in self._files:
            own = [str(place - before) for place in places if before <= place < before + self._rows[file]]
            columns = ", ".join(f"{literal(name)}, {quoted(name)}" for name in types)
            for first in range(0, len(own), FEW):
                part = f"where file_row_number in ({', '.join(own[first : first + FEW])}) order by file_row_number"
                found = self._cursor.execute(f"select json_object({columns}) from {_read(file)} {part}")
                yield from (row for (row,) in found.fetchall())
            before += self._rows[file]

    def texts(self) -> Iterator[tuple[str | None, ...]]:
        """Yield all rows in their order, every value as a text file would hold it."""
        for file, types in self._files:
            columns = [text(quoted(name), types[name]) if name in types else "null" for name in self.types]
            found = self._cursor.execute(f"select {', '.join(columns)} from {_read(file)} order by file_row_number")
            while rows := found.fetchmany(MOST):
                yield from rows

    def _listed(self, rows: Rows) -> tuple[str, ...]:
        """Return Parquet files with the rows: they themselves, or a copy."""
        if isinstance(rows, tuple):
            return rows
        if not isinstance(rows, Path):
            return self._copied(lambda: rows)
        suffix = rows.suffix.lower()
        if suffix in ARROW:
            return self._copied(lambda: arrow.reader(rows))
        return (str(rows) if suffix in PARQUET else self._staged(rows),)

    def _copied(self, reader: Callable[[], Any]) -> tuple[str, ...]:
        """Return Parquet files with the rows of an Arrow reader, of which some are held at a time."""
        parts, held, rows = LocalParts(self._cursor, self._folder), list[Any](), 0
        try:
            batches = reader()
            schema = batches.schema
            for batch in batches:
                if rows + batch.num_rows > LEAST:
                    parts.write(Table.from_batches(held, schema=schema))
                    held, rows = [], 0
                held.append(batch)
                rows += batch.num_rows
            parts.write(Table.from_batches(held, schema=schema))
        except KeepfitError:
            raise
        except Exception as error:  # the libraries raise plain ones
            raise full_disk(error, str(self._folder)) or self._broken(error) from None
        return parts.files()

    def _staged(self, path: Path) -> str:
        """Return a Parquet file with a file's rows as texts; what in it is no row is put beside it."""
        found = opened(self._cursor, path, None, path.name, self._folder)
        target, unread = (str(self._folder / f"{name}.parquet") for name in ("rows", "unread"))
        try:
            self._cursor.execute(f"copy (select * from {found.scan({})}) to {literal(target)} (format parquet)")
            if found.rejected is not None:
                self._put_aside(found.rejected(), found.folds, unread)
                self._unread = unread
        except duckdb.Error as error:
            raise full_disk(error, target) or self._broken(error) from None
        finally:
            for name in found.tables():
                self._cursor.execute(f"drop table if exists {quoted(name)}")
        return target

    def _put_aside(
        self, rejected: str, folds: Callable[[], Iterable[tuple[Places, Places]]] | None, target: str
    ) -> None:
        """Write what is no row, with its lines in the file."""
        told = "_k_unread"
        self._cursor.execute(f"create temp table {told} as select line, error, raw from ({rejected})")
        try:
            if folds is not None and self._cursor.execute(f"select 1 from {told} limit 1").fetchone():
                unfold(self._cursor, told, folds())
            self._cursor.execute(f"copy {told} to {literal(target)} (format parquet)")
        finally:
            self._cursor.execute(f"drop table {told}")

    def _described(self, file: str) -> dict[str, str]:
        try:
            found = self._cursor.execute(f"describe select * exclude (file_row_number) from {_read(file)}").fetchall()
        except duckdb.Error as error:
            raise self._broken(error) from None
        return {name: kind for name, kind, *_ in found}

    def _broken(self, error: Exception) -> SourceError:
        said = str(error).partition("\n")[0][:300]
        return SourceError(f"{self._name} cannot be read: {said}", where=self._name, fix="send it again")


def _read(file: str) -> str:
    return f"read_parquet({literal(file)}, file_row_number = true, hive_partitioning = false)"


def _chunk(found: Any, ready: Sequence[str], carried: Sequence[str], first: int) -> Chunk:
    values = {name: found.column(f"_k_{at}").to_numpy() for at, name in enumerate(ready)}
    said = found.column(WHY)
    why = (
        {} if said.null_count == len(said) else {at: one for at, one in enumerate(said.to_pylist()) if one is not None}
    )
    return Chunk(first, found.num_rows, values, {name: found.column(name).combine_chunks() for name in carried}, why)


def _columns(types: Mapping[str, str], ready: Mapping[str, Ready]) -> list[str]:
    """Return the SQL of each feature's value, and of what is wrong with a row."""
    values = [f"{_value(name, types, asked)} as {quoted(f'_k_{at}')}" for at, (name, asked) in enumerate(ready.items())]
    wrong = [
        _wrong(name, asked) for name, asked in ready.items() if types.get(name) == "VARCHAR" and asked.labels is None
    ]
    why = f"nullif(concat_ws('; ', {', '.join(wrong)}), '')" if wrong else "null::VARCHAR"
    return [*values, f"{why} as {WHY}"]


def _kept(name: str, own: Mapping[str, str], types: Mapping[str, str]) -> str:
    return quoted(name) if name in own else f"cast(null as {types[name]})"


def _value(name: str, types: Mapping[str, str], ready: Ready) -> str:
    """Return the SQL of a feature as a number, NaN where it is null or wrong; of a label its code."""
    if name not in types or types[name] == NULL or ready.labels == ():
        return "'nan'::FLOAT"
    column, kind = quoted(name), types[name]
    if ready.labels is not None:
        known = f"try_cast(cast({column} as VARCHAR) as ENUM({', '.join(map(literal, ready.labels))}))"
        return f"coalesce(cast(enum_code({known}) as FLOAT), 'nan'::FLOAT)"
    if kind == "VARCHAR":
        return f"coalesce({_number(column, ready)}, 'nan'::DOUBLE)"
    number = "FLOAT" if kind == "FLOAT" else "DOUBLE"
    return f"coalesce(cast({column} as {number}), 'nan'::{number})"


def _number(column: str, ready: Ready) -> str:
    """Return the SQL of a text as a number; null if it is none."""
    number = f"try_cast({column} as DOUBLE)"
    number = f"case when isfinite({number}) and not contains({column}, '_') then {number} end"
    return (
        f"coalesce(case lower({column}) when 'true' then 1 when 'false' then 0 end, {number})" if ready.flag else number
    )


def _wrong(name: str, ready: Ready) -> str:
    """Return the SQL of what is wrong with a text that is to be a number; null if nothing is."""
    said = f"{literal(f'{name} is not a number: ')} || left({quoted(name)}, 80)"
    return f"case when {quoted(name)} is not null and ({_number(quoted(name), ready)}) is null then {said} end"
