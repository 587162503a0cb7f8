"""A look at the rows of one table in DuckDB: a few scans, each in bounded memory, whatever the table's size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np

from keepfit import clock
from keepfit.engines import periods
from keepfit.engines.local import query
from keepfit.engines.local.summary import CHANCE, Cutting, Reading, empty, plain
from keepfit.engines.quoting import literal, quoted
from keepfit.engines.summary import Covered, Extent, Shape, Summary

SHOWN = 6
"""Entities with the most rows, and with the fewest, whose periods are told."""
COMPARED = 2_000_000
"""Keys that are held side by side to find those that come twice."""


class LocalLook:
    """See `keepfit.engines.summary.Look` for what each method promises."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, shape: Shape, files: Sequence[str], as_of: int | None
    ) -> None:
        self.connection, self.shape, self.files = connection, shape, list(files)
        self._where = "true"
        if shape.known is not None and as_of is not None:
            known = quoted(shape.known)
            self._where = f"({known} is null or {known} < make_timestamptz({as_of}))"

    def columns(self) -> dict[str, str]:
        """Return the stored columns and their types."""
        return self._described(self.files) if self.files else {}

    def extent(self) -> Extent:
        """Return how many rows there are, and their first and last time."""
        if not self.files:
            return Extent(0)
        return Extent(*self._all(f"select count(*), {self._bounds} from {self._rows}")[0])

    def sample(self, rows: int) -> list[dict[str, Any]]:
        """Return that many rows, evenly spread over the table; the same ones each time."""
        if not self.files:
            return []
        places = f"select file_index, file_row_number from {self._rows} order by {CHANCE}, 1, 2 limit {rows}"
        types = self.columns()
        return [self._row(self.files[file], place, types) for file, place in sorted(self._all(places))]

    def _row(self, file: str, place: int, types: Mapping[str, str]) -> dict[str, Any]:
        held = self._described([file])  # an older file may lack a column
        picked = [plain(name, kind) if name in held else "null" for name, kind in types.items()]
        found = f"select {', '.join(picked)} from {query.parquet([file])} where file_row_number = {place}"
        return dict(zip(types, self._all(found)[0], strict=True))

    def arrivals(self, moments: Sequence[int]) -> list[tuple[int, int | None]]:
        """Return how many rows were known before each moment, and the last time among them."""
        if not self.files or not moments:
            return [(0, None)] * len(moments)
        known = f"epoch_us({quoted(self.shape.known)})" if self.shape.known else self._time
        width = clock.HOUR if any((at - moments[0]) % clock.DAY for at in moments) else clock.DAY
        bucket = f"({known} - {moments[0] % width}) // {width}"
        found = np.array(
            self._all(f"select {bucket}, count(*), max({self._time}) from {self._rows} group by 1 order by 1")
        )
        if not len(found):
            return [(0, None)] * len(moments)
        before = np.searchsorted(found[:, 0], np.array(moments) // width)
        rows, newest = np.cumsum(found[:, 1]), np.maximum.accumulate(found[:, 2])
        return [(int(rows[at - 1]), int(newest[at - 1])) if at else (0, None) for at in before.tolist()]

    def tally(self, columns: Sequence[str], where: Mapping[str, str]) -> list[tuple[Any, ...]]:
        """Return how many of the rows with these texts there are of each combination of the columns."""
        if not self.files:
            return []
        picked = ", ".join(map(quoted, columns))
        met = " and ".join(["true", *(f"{quoted(name)} = {literal(text)}" for name, text in where.items())])
        return self._all(f"select {picked}, count(*) from {self._rows} and {met} group by all order by all")

    def summary(self) -> Summary:
        """Return what the rows hold."""
        extent, types = self.extent(), self.columns()
        described = {name: kind for name, kind in types.items() if name not in self.shape.hidden}
        if not extent.rows:
            return Summary(extent, 0, False, tuple(empty(name, kind) for name, kind in described.items()))
        cutting = Cutting.of(self._time, extent)
        whole = self.files if self._where == "true" else []
        reading = Reading(self.connection, self._rows, whole, cutting, extent.rows, len(described))
        columns, (at, counts) = reading.columns(described), reading.periods()
        repeated, compared = self._repeated(extent.rows)
        entities, most, least = self._entities(cutting) if self.shape.entity else (0, (), ())
        return Summary(
            extent=extent,
            sampled=reading.sampled,
            estimated=reading.every > 1,
            columns=tuple(columns),
            drawn=reading.drawn,
            step=cutting.step,
            starts=tuple(cutting.starts.tolist()),
            periods=counts,
            gaps=periods.gaps(at, cutting.width) if self._time else (),
            entities=entities,
            most=most,
            least=least,
            keys=self.shape.keys,
            files=self._files(),
            repeated=repeated,
            compared=compared,
        )

    def _repeated(self, rows: int) -> tuple[int, int]:
        """Return (rows that repeat the keys of another, rows compared): of a large table, those of every n-th key."""
        if not self.shape.keys:
            return 0, 0
        keys = ", ".join(map(quoted, self.shape.keys))
        every = -(-rows // COMPARED)
        some = f" and hash({keys}) % {every} = 0" if every > 1 else ""
        each = f"select count(*) as _k_rows from {self._rows}{some} group by {keys}"
        found = self._all(f"select coalesce(sum(_k_rows - 1), 0), coalesce(sum(_k_rows), 0) from ({each})")[0]
        return int(found[0]), int(found[1])

    def _entities(self, cutting: Cutting) -> tuple[int, tuple[Covered, ...], tuple[Covered, ...]]:
        """Return (entities, those with the most rows, those with the fewest); all of them are the first if they are few."""
        each = f"select {self._entity} as _k_key, count(*) as _k_rows, {self._bounds} from {self._rows} group by 1"
        places = ("_k_rows desc, _k_key", "_k_rows, _k_key desc")
        some = " or ".join(f"row_number() over (order by {place}) <= {SHOWN}" for place in places)
        found = self._all(f"select *, count(*) over () from ({each}) qualify {some} order by {places[0]}")
        by_key = self._by_period(cutting, [row[0] for row in found])
        told = [Covered(key, rows, first, last, tuple(by_key.get(key, ()))) for key, rows, first, last, _ in found]
        split = SHOWN if len(told) == 2 * SHOWN and found[0][4] > len(told) else len(told)
        return found[0][4], tuple(told[:split]), tuple(told[split:])

    def _by_period(self, cutting: Cutting, keys: Sequence[str]) -> dict[str, list[int]]:
        """Return each of these entities' rows in each period."""
        if not self._time:
            return {}
        among = ", ".join(map(literal, keys))
        found = self._all(
            f"select {self._entity}, {cutting.bucket}, count(*) from {self._rows} and {self._entity} in ({among}) group by 1, 2"
        )
        told: dict[str, list[tuple[int, int]]] = {key: [] for key in keys}
        for key, at, rows in found:
            told[key].append((at, rows))
        by_key = {key: np.array(own, np.int64).reshape(-1, 2) for key, own in told.items()}
        return {key: periods.gathered(cutting.starts, own[:, 0], own[:, 1]).tolist() for key, own in by_key.items()}

    def _files(self) -> tuple[Covered, ...]:
        if self.shape.file is None:
            return ()
        file = quoted(self.shape.file)
        found = self._all(f"select {file}, count(*), {self._bounds} from {self._rows} group by 1 order by 1")
        return tuple(Covered(*row) for row in found)

    @property
    def _rows(self) -> str:
        """The rows seen, as FROM and WHERE."""
        return f"{query.parquet(self.files)} where {self._where}"

    @property
    def _time(self) -> str:
        """The time in microseconds, as SQL; empty if there is none."""
        return f"epoch_us({quoted(self.shape.time)})" if self.shape.time else ""

    @property
    def _bounds(self) -> str:
        return f"min({self._time}), max({self._time})" if self._time else "null, null"

    @property
    def _entity(self) -> str:
        return f"coalesce(cast({quoted(self.shape.entity or '')} as varchar), '')"

    def _described(self, files: Sequence[str]) -> dict[str, str]:
        return {name: kind for name, kind, *_ in self._all(f"describe select * from {query.parquet(files)}")}

    def _all(self, text: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(text).fetchall()
