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
from keepfit.engines.local.probe import LocalProbe
from keepfit.engines.protocol import CheckedFile, Column, Observations, SortedEvents
from keepfit.engines.sql import quoted
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
            f"select {quoted(table.entity)} as _k_key, coalesce(epoch_us(min(_known)), {INT64_MIN}) as _k_known"
            f" from {_source(table, files)} where _known is null or _known < make_timestamptz({as_of}) group by 1 order by 1"
        )
        return found["_k_key"].astype(object), found["_k_known"].astype(np.int64)

    def span(self, table: Events, files: Sequence[str], as_of: int) -> tuple[int, int, int]:
        """Return (rows, first time, last time) of the rows known before `as_of`."""
        time = quoted(table.time or "")
        row = self.connection.execute(
            f"select count(*), epoch_us(min({time})), epoch_us(max({time})) from {_source(table, files)}"
            f" where _known < make_timestamptz({as_of})"
        ).fetchone()
        return row if row and row[0] else (0, 0, 0)

    def each_row(self, table: Events, files: Sequence[str], as_of: int) -> Observations:
        """Return an observation 1 µs after each row became known; rows known at one moment share it."""
        found = self._fetch(
            f"select distinct {quoted(table.entity)} as _k_key, epoch_us(_known) + 1 as _k_t from {_source(table, files)}"
            f" where _known < make_timestamptz({as_of}) order by 1, 2"
        )
        entities, starts = np.unique(found["_k_key"].astype(str), return_index=True)
        offsets = np.append(starts, len(found["_k_t"])).astype(np.int64)
        return Observations(entities.astype(object), offsets, found["_k_t"].astype(np.int64))

    def events(
        self, table: Events, files: Sequence[str], columns: Sequence[str], observations: Observations, as_of: int
    ) -> Iterator[SortedEvents]:
        """Yield the events of the observed entities in runs of whole entities, in order."""
        self._register_keys(observations)
        late = bool(table.known or table.known_after)
        known = ", epoch_us(_known) as _k_known" if late else ""
        values = "".join(f", {_number(table, column)} as _k_{place}" for place, column in enumerate(columns))
        for first, stop in self._runs(table, files, len(observations.entities), as_of):
            found = self._fetch(
                f"select _k_code, epoch_us({quoted(table.time or '')}) as _k_time{known}{values} from {_source(table, files)}"
                f" join keepfit_keys on {quoted(table.entity)} = _k_key where _known < make_timestamptz({as_of})"
                f" and _k_code >= {first} and _k_code < {stop} order by _k_code, _k_time, _order"
            )
            counts = np.bincount(found["_k_code"] - first, minlength=stop - first)
            rows = np.empty((len(columns), len(found["_k_time"])))
            for place in range(len(columns)):
                rows[place] = found[f"_k_{place}"]
            yield SortedEvents(
                first,
                stop,
                found["_k_time"].astype(np.int64, copy=False),
                found["_k_known"].astype(np.int64, copy=False) if late else None,
                rows,
                np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            )

    def attributes(
        self, table: Records, files: Sequence[str], columns: Sequence[str], observations: Observations
    ) -> dict[str, Column]:
        """Return the columns of each observation's record: the newest, or as of t if the table has a time."""
        self._register_keys(observations)
        codes = observations.codes()
        # of two versions that become known at one moment, the one that came last counts
        newest = ", ".join(f"arg_max_null({quoted(name)}, _order) as {quoted(name)}" for name in columns)
        keyed = f"{_source(table, files)} join keepfit_keys on {quoted(table.entity)} = _k_key"
        if table.time is None:
            found = self._fetch(f"select _k_code, {newest} from {keyed} group by 1 order by 1")
            spread = {name: _spread(found[name], found["_k_code"], len(observations.entities)) for name in columns}
            return {name: values[codes] for name, values in spread.items()}
        moments = {"_k_code": codes, "_k_t": observations.t, "_k_place": np.arange(len(codes))}
        self.connection.register("keepfit_moments", moments)
        picked = ", ".join(f"r.{quoted(column)} as {quoted(column)}" for column in columns)
        found = self._fetch(
            f"select o._k_place, {picked} from keepfit_moments o asof left join"
            f" (select _k_code, epoch_us(_known) as _k_known, {newest} from {keyed} group by 1, 2) r"
            f" on o._k_code = r._k_code and o._k_t > r._k_known order by o._k_place"
        )
        return {column: found[column] for column in columns}

    def recent(
        self, table: Events, files: Sequence[str], columns: Sequence[str], since: int | None, as_of: int
    ) -> dict[str, Column]:
        """Return the events with time >= since (all if None), and each entity's newest, for an online store."""
        entity, time = quoted(table.entity), quoted(table.time or "")
        known = f"{_source(table, files)} where _known < make_timestamptz({as_of})"
        wanted = "true"
        if since is not None:
            # not a window function, which would sort the whole table
            last = f"arg_max(_order, row({time}, _order))"
            newest = [last, *(f"{last} filter ({quoted(column)} is not null)" for column in columns)]
            of_each = f"select unnest([{', '.join(newest)}]) from {known} group by {entity}"
            wanted = f"({time} >= make_timestamptz({since}) or _order in ({of_each}))"
        values = "".join(f", {_number(table, column)} as {quoted(column)}" for column in columns)
        found = self._fetch(
            f"select {entity} as _k_entity, epoch_us({time}) as _k_time, epoch_us(_known) as _k_known{values}"
            f" from {known} and {wanted} order by _k_entity, _k_time, _order"
        )
        return {name.removeprefix("_k_"): column for name, column in found.items()}

    def current_records(
        self, table: Records, files: Sequence[str], columns: Sequence[str], as_of: int
    ) -> dict[str, Column]:
        """Return the newest record of each entity: `entity`, and the columns asked for."""
        newest = "_known, _order" if table.time else "_order"
        picked = "".join(f", arg_max_null({quoted(name)}, row({newest})) as {quoted(name)}" for name in columns)
        found = self._fetch(
            f"select {quoted(table.entity)} as _k_entity{picked} from {_source(table, files)}"
            f" where _known is null or _known < make_timestamptz({as_of}) group by 1 order by 1"
        )
        return {name.removeprefix("_k_"): column for name, column in found.items()}

    def together(self, table: Table, checked: Sequence[CheckedFile]) -> duckdb.DuckDBPyRelation:
        """Return the good rows of checked files as one relation."""
        if not checked:
            return self.connection.sql(f"select * from {_source(table, ())}")
        rows: duckdb.DuckDBPyRelation = checked[0].good
        for one in checked[1:]:
            rows = rows.union(one.good)
        return rows.order(contract.clustering(table))

    def missing(self, rows: Any, files: Sequence[str], columns: Sequence[str]) -> duckdb.DuckDBPyRelation:
        """Return those rows that a table does not hold yet, told apart by these columns."""
        alike = ", ".join(map(quoted, columns))
        query = f"select * from keepfit_rows anti join {_parquet(files)} using ({alike})"
        found: duckdb.DuckDBPyRelation = rows.query("keepfit_rows", query)
        return found

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
            value = f"make_timestamptz({quoted(name)})" if kind == "TIMESTAMPTZ" else f"cast({quoted(name)} as {kind})"
            if columns[name].dtype.kind == "f":  # null is NaN in an array, and null in a table
                value = f"case when not isnan({quoted(name)}) then {value} end"
            casts.append(f"{value} as {quoted(name)}")
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
            f"epoch_us({quoted(name)}) as {quoted(name)}" if kind.startswith("TIMESTAMP") else quoted(name)
            for name, kind, *_ in described
        )
        cursor = self.connection.execute(f"select {picked} from {_parquet(files)} where {where}")
        names = [name for name, *_ in described]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def probe(self, table: Table, files: Sequence[str]) -> LocalProbe:
        """Return what tests for leaks ask of these files."""
        return LocalProbe(self.connection, table, _source(table, files))

    def _runs(self, table: Events, files: Sequence[str], entities: int, as_of: int) -> list[tuple[int, int]]:
        total = self.span(table, files, as_of)[0]
        if total <= RUN_ROWS:
            return [(0, entities)]
        pieces = -(-total // RUN_ROWS)
        bounds = np.linspace(0, entities, pieces + 1).astype(int)
        return [(int(a), int(b)) for a, b in pairwise(bounds) if b > a]

    def _register_keys(self, observations: Observations) -> None:
        columns = [_texts(observations.entities), Array.from_numpy(np.arange(len(observations.entities)))]
        self.connection.register("keepfit_keys", ArrowTable.from_arrays(columns, names=["_k_key", "_k_code"]))

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
    nothing = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in types.items())
    return f"(select {nothing} where false)"


def _number(table: Table, column: str) -> str:
    """Return a column as the kernel reads it: a text that is there counts as 1, and cannot be summed."""
    declared = table.type_of(column)
    if declared is not None and declared.numeric:
        return f"cast({quoted(column)} as double)"
    return f"case when {quoted(column)} is not null then 1.0::double end"


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
