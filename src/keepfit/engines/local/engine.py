"""The local engine: one DuckDB connection, UTC, sorting out of core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from arro3.core import Array, DataType
from arro3.core import Table as ArrowTable
from numpy.typing import NDArray

from keepfit import tables
from keepfit.engines import sql
from keepfit.engines.local import contract
from keepfit.engines.protocol import CheckedFile, Column, Observations, SortedEvents
from keepfit.errors import SourceError
from keepfit.rows.text import FUNCTIONS
from keepfit.spec.tables import Events, Records, Table

# events of more rows than this are brought together in several runs of entities, so memory stays bounded
RUN_ROWS = 20_000_000
INT64_MIN = np.iinfo(np.int64).min


class LocalEngine:
    """DuckDB as an engine; see `keepfit.engines.protocol.Engine` for what each method promises.

    Parameters
    ----------
    threads : int or None
        DuckDB's threads; None takes all cores.
    memory : str or None
        DuckDB's memory limit, such as '4GB'; beyond it DuckDB sorts on disk.
    """

    def __init__(self, threads: int | None = None, memory: str | None = None) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone='UTC'")
        self.connection.execute("set enable_progress_bar=false")
        if threads is not None:
            self.connection.execute(f"set threads={threads}")
        if memory is not None:
            self.connection.execute(f"set memory_limit='{memory}'")
        for name, function in FUNCTIONS.items():
            self.connection.create_function(f"keepfit_{name}", function, ["VARCHAR"], "DOUBLE")

    def check_file(self, table: Table, path: Path, name: str, digest: str, order: int, as_of: int) -> CheckedFile:
        """Read one raw file and tell good rows from bad."""
        return contract.check(self.connection, table, path, name, digest, order, as_of)

    def release(self, checked: CheckedFile) -> None:
        """Drop the temporary tables of a checked file."""
        for name in checked.tables:
            self.connection.execute(f'drop table if exists "{name}"')

    def entities(self, table: Table, files: Sequence[str], as_of: int) -> tuple[Column, NDArray[np.int64]]:
        """Return the keys seen before `as_of`, ascending, and the moment each was first known."""
        found = self._fetch(
            f'select "{table.entity}" as key, coalesce(epoch_us(min(_known)), {INT64_MIN}) as known'
            f" from {_source(table, files)} where _known is null or _known < make_timestamptz({as_of}) group by 1 order by 1"
        )
        return found["key"].astype(object), found["known"].astype(np.int64)

    def span(self, table: Events, files: Sequence[str], as_of: int) -> tuple[int, int, int]:
        """Return (rows, first time, last time) of the rows known before `as_of`."""
        row = self.connection.execute(
            f'select count(*), epoch_us(min("{table.time}")), epoch_us(max("{table.time}")) from {_source(table, files)}'
            f" where _known < make_timestamptz({as_of})"
        ).fetchone()
        return row if row and row[0] else (0, 0, 0)

    def each_row(self, table: Events, files: Sequence[str], as_of: int) -> Observations:
        """Return an observation 1 µs after each row became known; rows known at one moment share it."""
        found = self._fetch(
            f'select distinct "{table.entity}" as key, epoch_us(_known) + 1 as t from {_source(table, files)}'
            f" where _known < make_timestamptz({as_of}) order by 1, 2"
        )
        entities, starts = np.unique(found["key"].astype(str), return_index=True)
        offsets = np.append(starts, len(found["t"])).astype(np.int64)
        return Observations(entities.astype(object), offsets, found["t"].astype(np.int64))

    def events(
        self, table: Events, files: Sequence[str], columns: Sequence[str], observations: Observations, as_of: int
    ) -> Iterator[SortedEvents]:
        """Yield the events of the observed entities in runs of whole entities, in order."""
        self._register_keys(observations)
        late = bool(table.known or table.known_after)
        known = ", epoch_us(_known) as known" if late else ""
        values = "".join(f', {_number(table, column)} as "c{place}"' for place, column in enumerate(columns))
        for first, stop in self._runs(table, files, len(observations.entities), as_of):
            found = self._fetch(
                f'select code, epoch_us("{table.time}") as time{known}{values} from {_source(table, files)}'
                f' join keepfit_keys on "{table.entity}" = key'
                f" where _known < make_timestamptz({as_of}) and code >= {first} and code < {stop} order by code, time, _order"
            )
            counts = np.bincount(found["code"] - first, minlength=stop - first)
            rows = np.empty((len(columns), len(found["time"])))
            for place in range(len(columns)):
                rows[place] = found[f"c{place}"]
            yield SortedEvents(
                first,
                stop,
                found["time"].astype(np.int64, copy=False),
                found["known"].astype(np.int64, copy=False) if late else None,
                rows,
                np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            )

    def attributes(
        self, table: Records, files: Sequence[str], columns: Sequence[str], observations: Observations
    ) -> dict[str, Column]:
        """Return the columns of each observation's record: the newest, or as of t if the table has a time."""
        self._register_keys(observations)
        codes = observations.codes()
        if table.time is None:
            picked = ", ".join(f'arg_max_null("{column}", _order) as "{column}"' for column in columns)
            found = self._fetch(
                f"select code, {picked} from {_source(table, files)}"
                f' join keepfit_keys on "{table.entity}" = key group by 1 order by 1'
            )
            return {
                column: _spread(found[column], found["code"], len(observations.entities))[codes] for column in columns
            }
        moments = {"code": codes, "t": observations.t, "place": np.arange(len(codes))}
        self.connection.register("keepfit_moments", moments)
        picked = ", ".join(f'r."{column}" as "{column}"' for column in columns)
        # of two versions that become known at one moment, the one that came last counts
        newest = ", ".join(f'arg_max_null("{column}", _order) as "{column}"' for column in columns)
        found = self._fetch(
            f"select o.place, {picked} from keepfit_moments o asof left join"
            f" (select code, epoch_us(_known) as known, {newest}"
            f' from {_source(table, files)} join keepfit_keys on "{table.entity}" = key group by all) r'
            f" on o.code = r.code and o.t > r.known order by o.place"
        )
        return {column: found[column] for column in columns}

    def recent(
        self, table: Events, files: Sequence[str], columns: Sequence[str], since: int | None, as_of: int
    ) -> dict[str, Column]:
        """Return the events with time >= since (all if None), and each entity's newest, for an online store."""
        newest = [f'last_value(if("{column}" is null, null, _order) ignore nulls) over newest' for column in columns]
        wanted = "true" if since is None else f'"{table.time}" >= make_timestamptz({since})'
        among = ", ".join(f"{expression} as n{place}" for place, expression in enumerate(newest))
        values = "".join(f', {_number(table, column)} as "{column}"' for column in columns)
        return self._fetch(
            f'select "{table.entity}" as entity, epoch_us("{table.time}") as time, epoch_us(_known) as known{values} from ('
            f'  select *, row_number() over (partition by "{table.entity}" order by "{table.time}" desc, _order desc) as rank'
            f"  {', ' + among if among else ''} from {_source(table, files)} where _known < make_timestamptz({as_of})"
            f'  window newest as (partition by "{table.entity}" order by "{table.time}", _order'
            f"  rows between unbounded preceding and unbounded following))"
            f" where {wanted} or rank = 1 {' '.join(f'or _order = n{place}' for place in range(len(columns)))}"
            f" order by entity, time, _order"
        )

    def current_records(
        self, table: Records, files: Sequence[str], columns: Sequence[str], as_of: int
    ) -> dict[str, Column]:
        """Return the newest record of each entity: `entity`, and the columns asked for."""
        newest = "_known, _order" if table.time else "_order"
        picked = ", ".join(f'arg_max_null("{column}", row({newest})) as "{column}"' for column in columns)
        return self._fetch(
            f'select "{table.entity}" as entity{", " + picked if picked else ""} from {_source(table, files)}'
            f" where _known is null or _known < make_timestamptz({as_of}) group by 1 order by 1"
        )

    def relation(self, columns: Mapping[str, Column], types: Mapping[str, str]) -> duckdb.DuckDBPyRelation:
        """Return columns as a relation of the given DuckDB types; int64 columns of type TIMESTAMPTZ are microseconds."""
        arrays = [
            Array.from_numpy(np.ascontiguousarray(column)) if column.dtype != object else _texts(column)
            for column in columns.values()
        ]
        held = ArrowTable.from_arrays(arrays, names=list(columns))
        self.connection.register("keepfit_columns", held)
        casts = []
        for name, kind in ((name, types[name]) for name in columns):
            value = f'make_timestamptz("{name}")' if kind == "TIMESTAMPTZ" else f'cast("{name}" as {kind})'
            if columns[name].dtype.kind == "f":  # null is NaN in an array, and null in a table
                value = f'case when not isnan("{name}") then {value} end'
            casts.append(f'{value} as "{name}"')
        return self.connection.sql(f"select {', '.join(casts)} from keepfit_columns")

    def write_file(self, columns: Mapping[str, Column], types: Mapping[str, str], path: Path) -> None:
        """Write columns to a .parquet or .csv file."""
        writers = {".parquet": "write_parquet", ".csv": "write_csv"}
        if path.suffix not in writers:
            raise SourceError(
                f"cannot write {path.name!r}", where=str(path), fix="name a file that ends in .parquet or .csv"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        getattr(self.relation(columns, types), writers[path.suffix])(str(path))

    def rows(self, files: Sequence[str], where: str = "true") -> list[dict[str, Any]]:
        """Return rows of a small table as dictionaries; times come as int64 microseconds, null as None."""
        if not files:
            return []
        described = self.connection.execute(f"describe select * from {_parquet(files)}").fetchall()
        picked = ", ".join(
            f'epoch_us("{name}") as "{name}"' if kind.startswith("TIMESTAMP") else f'"{name}"'
            for name, kind, *_ in described
        )
        cursor = self.connection.execute(f"select {picked} from {_parquet(files)} where {where}")
        names = [name for name, *_ in described]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _runs(self, table: Events, files: Sequence[str], entities: int, as_of: int) -> list[tuple[int, int]]:
        total = self.span(table, files, as_of)[0]
        if total <= RUN_ROWS:
            return [(0, entities)]
        pieces = -(-total // RUN_ROWS)
        bounds = np.linspace(0, entities, pieces + 1).astype(int)
        return [(int(a), int(b)) for a, b in pairwise(bounds) if b > a]

    def _register_keys(self, observations: Observations) -> None:
        keys = {"key": observations.entities, "code": np.arange(len(observations.entities))}
        self.connection.register(
            "keepfit_keys",
            ArrowTable.from_arrays([_texts(keys["key"]), Array.from_numpy(keys["code"])], names=["key", "code"]),
        )

    def _fetch(self, query: str) -> dict[str, Column]:
        return {name: _unmasked(column) for name, column in self.connection.execute(query).fetchnumpy().items()}


def _parquet(files: Sequence[str]) -> str:
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"read_parquet([{listed}], union_by_name=true)"


def _source(table: Table, files: Sequence[str]) -> str:
    """Return a source table's rows; a table that nothing was appended to yet has no file that tells its columns."""
    if files:
        return _parquet(files)
    kinds = {name: column.kind for name in table.column_names() if (column := table.type_of(name))}
    types = {name: sql.TYPES[kind] for name, kind in kinds.items()} | {table.entity: "VARCHAR", **tables.ROW}
    types |= {table.time: "TIMESTAMPTZ"} if table.time else {}
    nothing = ", ".join(f'cast(null as {kind}) as "{name}"' for name, kind in types.items())
    return f"(select {nothing} where false)"


def _number(table: Table, column: str) -> str:
    """Return a column as the kernel reads it: a text that is there counts as 1, and cannot be summed."""
    declared = table.type_of(column)
    if declared is not None and declared.numeric:
        return f'cast("{column}" as double)'
    return f'case when "{column}" is not null then 1.0::double end'


def _texts(column: Column) -> Array:
    return Array(list(column), type=DataType.utf8())


def _unmasked(column: Any) -> Column:
    """Return a DuckDB column with NaN or None where it is null."""
    mask = np.ma.getmaskarray(column)
    values = np.ma.getdata(column)
    if values.dtype == object:
        texts: Column = values.copy()
        texts[mask] = None
        return texts
    if values.dtype == bool:
        values = values.astype(np.float64)
    if not mask.any():
        return np.asarray(values)
    numbers: Column = values.astype(np.float64)
    numbers[mask] = np.nan
    return numbers


def _spread(values: Column, codes: NDArray[np.int64], size: int) -> Column:
    """Return values placed by code, null where a code has none."""
    spread: Column = np.full(size, None, object) if values.dtype == object else np.full(size, np.nan)
    spread[codes] = values
    return spread
