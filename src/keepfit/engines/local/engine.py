"""The local engine: one DuckDB connection, UTC, sorting out of core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from arro3.core import Array
from arro3.core import Table as ArrowTable
from numpy.typing import NDArray

from keepfit.engines.local import footers, query, writing
from keepfit.engines.protocol import Column, Observations, Probe, SortedEvents, Tally
from keepfit.engines.quoting import quoted
from keepfit.engines.ready import Parts, ReadyRows, Rows
from keepfit.engines.summary import Look, Shape
from keepfit.raw import Checked, Part, RawFile, Settled
from keepfit.rows.text import FUNCTIONS
from keepfit.spec.rows import RowExpression
from keepfit.spec.tables import Events, Records, Table

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
        self.connection.execute("set global TimeZone='UTC'")  # of all cursors
        self.connection.execute("set enable_progress_bar=false")
        self.connection.execute("set disabled_optimizers='common_subexpressions'")  # planning took minutes
        if threads is not None:
            self.connection.execute(f"set threads={threads}")
        if memory is not None:
            self.connection.execute(f"set memory_limit='{memory}'")
        for name, function in FUNCTIONS.items():
            self.connection.create_function(f"keepfit_{name}", function, ["VARCHAR"], "DOUBLE")

    def check(self, table: Table, files: Sequence[RawFile], folder: Path, lookup: Sequence[str] = ()) -> Checked:
        """Read raw files under a table's contract; good rows go into a part in the folder."""
        from keepfit.engines.local import check  # only here, since it loads a compiler of SQL

        return check.check(self.connection, table, files, folder, lookup)

    def schema(self, table: Table) -> Any:
        """Return the Arrow schema of a table's parts."""
        from keepfit.engines.local import check

        return check.schema(self.connection, table)

    def settle(
        self, table: Table, checked: Checked, names: Sequence[str], held: Sequence[str], gone: Sequence[str] = ()
    ) -> Settled:
        """Return what is to be committed of checked files."""
        from keepfit.engines.local import settle

        return settle.settle(self.connection, table, checked, names, held, gone)

    def bad_rows(
        self, checked: Checked, names: Sequence[str], stamps: Mapping[str, str | int]
    ) -> duckdb.DuckDBPyRelation:
        """Return the bad rows of some files in the quarantine's columns."""
        from keepfit.engines.local import settle

        return settle.bad_rows(self.connection, checked, names, stamps)

    def renumbered(self, table: Table, checked: Checked, records: Mapping[str, Sequence[int]]) -> Checked:
        """Return checked files whose records are called by other numbers."""
        from keepfit.engines.local import renumber

        return renumber.renumbered(self.connection, table, checked, records)

    def reasons(self, checked: Checked) -> dict[tuple[str, int], str]:
        """Return why each bad record is bad."""
        from keepfit.engines.local import renumber

        return renumber.reasons(self.connection, checked)

    def release(self, checked: Checked, kept: Sequence[Part] = ()) -> None:
        """Forget checked files, and remove their part if it is not kept."""
        self.connection.execute(f"drop table if exists {checked.bad}")
        if checked.part is not None and checked.part not in kept:
            checked.part.path.unlink(missing_ok=True)

    def entities(self, table: Table, files: Sequence[str], as_of: int) -> tuple[Column, NDArray[np.int64]]:
        """Return the keys seen before `as_of`, ascending, and the moment each was first known."""
        found = self._fetch(
            f"select {quoted(table.entity)} as _k_key, coalesce(epoch_us(min(_known)), {INT64_MIN}) as _k_known"
            f" from {query.source(table, files)} where _known is null or _known < make_timestamptz({as_of}) group by 1 order by 1"
        )
        return found["_k_key"].astype(object), found["_k_known"].astype(np.int64)

    def span(self, table: Table, files: Sequence[str], as_of: int) -> tuple[int, int, int]:
        """Return (rows, first time, last time) of the rows known before `as_of`."""
        told = footers.span(self.connection, files, table.time or "", as_of)
        return told or query.span(self.connection, table, files, as_of)

    def each_row(self, table: Events, files: Sequence[str], as_of: int) -> Observations:
        """Return an observation 1 µs after each row became known; rows known at one moment share it."""
        found = self._fetch(
            f"select distinct {quoted(table.entity)} as _k_key, epoch_us(_known) + 1 as _k_t from {query.source(table, files)}"
            f" where _known < make_timestamptz({as_of}) order by 1, 2"
        )
        entities, starts = np.unique(found["_k_key"].astype(str), return_index=True)
        offsets = np.append(starts, len(found["_k_t"])).astype(np.int64)
        return Observations(entities.astype(object), offsets, found["_k_t"].astype(np.int64))

    def events(
        self,
        table: Events,
        files: Sequence[str],
        columns: Sequence[RowExpression],
        observations: Observations,
        as_of: int,
    ) -> Iterator[SortedEvents]:
        """Yield the events of the observed entities in runs of whole entities, in order; conditions are 1 and 0."""
        from keepfit.engines.local import together  # only here, since it loads the compiler

        self._register_keys(observations)
        reading = together.Reading(
            source=query.source(table, files),
            key=quoted(table.entity),
            time=quoted(table.time or ""),
            late=bool(table.known or table.known_after),
            values=tuple(query.number(table, column) for column in columns),
            as_of=as_of,
        )
        yield from together.runs(self.connection, reading, len(observations.entities))

    def attributes(
        self, table: Records, files: Sequence[str], columns: Sequence[str], observations: Observations
    ) -> dict[str, Column]:
        """Return the columns of each observation's record: the newest, or as of t if the table has a time."""
        self._register_keys(observations)
        codes = observations.codes()
        # of two versions that become known at one moment, the one that came last counts
        newest = ", ".join(f"arg_max_null({quoted(name)}, _order) as {quoted(name)}" for name in columns)
        keyed = f"{query.source(table, files)} join keepfit_keys on {quoted(table.entity)} = _k_key"
        if table.time is None:
            found = self._fetch(f"select _k_code, {newest} from {keyed} group by 1 order by 1")
            spread = {name: query.spread(found[name], found["_k_code"], len(observations.entities)) for name in columns}
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
        self,
        table: Events,
        files: Sequence[str],
        columns: Sequence[RowExpression],
        newest: Sequence[Sequence[RowExpression]],
        since: int | None,
        as_of: int,
    ) -> dict[str, Column]:
        """Return the events with time >= since (all if None), for an online store, and each entity's newest."""
        entity, time = quoted(table.entity), quoted(table.time or "")
        source, now = query.source(table, files), f"make_timestamptz({as_of})"
        wanted = "true"
        if since is not None:
            # not a window function, which would sort the whole table
            last = f"arg_max(_order, row({time}, _order))"
            met = [" and ".join(f"({query.row(table, one)})" for one in each) for each in newest if each]
            of_each = f"select unnest([{', '.join([last, *(f'{last} filter ({one})' for one in met)])}]) from {source}"
            older = f"_order in ({of_each} where _known < {now} group by {entity})"
            wanted = f"({time} >= make_timestamptz({since}) or _known >= {now} or {older})"
        values = "".join(f", {query.number(table, column)} as _k_{place}" for place, column in enumerate(columns))
        found = self._fetch(
            f"select {entity} as _k_entity, epoch_us({time}) as _k_time, epoch_us(_known) as _k_known{values}"
            f" from {source} where {wanted} order by _k_entity, _k_time, _order"
        )
        named = {name: found[f"_k_{name}"] for name in ("entity", "time", "known")}
        return named | {str(column): found[f"_k_{place}"] for place, column in enumerate(columns)}

    def top_values(self, table: Events, files: Sequence[str], column: str, top: int, before: int) -> list[str]:
        """Return a category's most frequent labels among the rows known before a moment."""
        value = quoted(column)
        found = self.connection.execute(
            f"select {value} from {query.source(table, files)} where _known < make_timestamptz({before})"
            f" and {value} is not null group by 1 order by count(*) desc, 1 limit {top}"
        ).fetchall()
        return [str(label) for (label,) in found]

    def current_records(
        self, table: Records, files: Sequence[str], columns: Sequence[str], as_of: int
    ) -> dict[str, Column]:
        """Return the newest record of each entity and its versions to come."""
        source, entity = query.source(table, files), quoted(table.entity)
        # of two versions that become known at one moment, the one that came last counts
        picked = "".join(f", arg_max_null({quoted(name)}, _order) as _k_{n}" for n, name in enumerate(columns))
        versions = f"select {entity} as _k_entity, _known{picked} from {source} group by all"
        newest = (
            f"coalesce(_known, '-infinity') >= coalesce(max(_known) filter (_known < make_timestamptz({as_of})) over"
        )
        found = self._fetch(
            f"select * exclude (_known), epoch_us(_known) as _k_known from ({versions})"
            f" qualify {newest} (partition by _k_entity), '-infinity') order by _k_entity, _k_known"
        )
        records = {"entity": found["_k_entity"]} | {name: found[f"_k_{n}"] for n, name in enumerate(columns)}
        return records | ({"known": found["_k_known"]} if table.time else {})

    def relation(self, columns: Mapping[str, Column], types: Mapping[str, str]) -> duckdb.DuckDBPyRelation:
        """Return columns as a relation of the given DuckDB types; int64 columns of type TIMESTAMPTZ are microseconds."""
        arrays = [
            Array.from_numpy(np.ascontiguousarray(column)) if column.dtype != object else query.texts(column)
            for column in columns.values()
        ]
        held = ArrowTable.from_arrays(arrays, names=list(columns))
        self.connection.register("keepfit_columns", held)
        casts = ", ".join(query.typed(name, values, types[name]) for name, values in columns.items())
        return self.connection.sql(f"select {casts} from keepfit_columns")

    def ready(self, rows: Rows, name: str, folder: Path) -> ReadyRows:
        """Return rows to be answered; the name is for errors."""
        from keepfit.engines.local.ready import LocalReady

        return LocalReady(self.connection, rows, name, folder)

    def parts(self, folder: Path) -> Parts:
        """Return what takes columns batch by batch."""
        return writing.LocalParts(self.connection, folder)

    save = staticmethod(writing.save)

    def first_known(self, files: Sequence[str]) -> int | None:
        """Return when the first row of these files was known."""
        text = f"select epoch_us(min(_known)) from {query.parquet(files)}"
        found = self.connection.execute(text).fetchone() if files else None
        return found[0] if found else None

    def columns(self, files: Sequence[str]) -> dict[str, Column]:
        """Return the columns of a table of keepfit's own as arrays; times come as int64 microseconds."""
        return self._fetch(f"select {self._picked(files)} from {query.parquet(files)}") if files else {}

    def rows(
        self, files: Sequence[str], where: str = "true", columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Return rows of a small table as dictionaries; times come as int64 microseconds, null as None."""
        if not files:
            return []
        cursor = self.connection.execute(
            f"select {self._picked(files, columns)} from {query.parquet(files)} where {where}"
        )
        names = [name for name, *_ in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _picked(self, files: Sequence[str], columns: Sequence[str] | None = None) -> str:
        described = self.connection.execute(f"describe select * from {query.parquet(files)}").fetchall()
        return ", ".join(
            f"epoch_us({quoted(name)}) as {quoted(name)}" if kind.startswith("TIMESTAMP") else quoted(name)
            for name, kind, *_ in described
            if columns is None or name in columns
        )

    def probe(self, table: Table, files: Sequence[str]) -> Probe:
        """Return what tests for leaks ask of these files."""
        from keepfit.engines.local.probe import LocalProbe

        return LocalProbe(self.connection, table, query.source(table, files))

    def tally(self, files: Sequence[str], as_of: int | None = None) -> Tally:
        """Return what can be counted of the columns of these files."""
        from keepfit.engines.local.counting import LocalTally

        return LocalTally(self.connection, files, as_of)

    def look(self, shape: Shape, files: Sequence[str], as_of: int | None = None) -> Look:
        """Return what can be asked of these files for a reader."""
        from keepfit.engines.local.look import LocalLook

        return LocalLook(self.connection, shape, files, as_of)

    def _register_keys(self, observations: Observations) -> None:
        columns = [query.texts(observations.entities), Array.from_numpy(np.arange(len(observations.entities)))]
        self.connection.register("keepfit_keys", ArrowTable.from_arrays(columns, names=["_k_key", "_k_code"]))

    def _fetch(self, text: str) -> dict[str, Column]:
        return {name: query.unmasked(column) for name, column in self.connection.execute(text).fetchnumpy().items()}
