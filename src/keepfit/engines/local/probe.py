"""What tests for leaks ask of a table's Parquet files, in SQL of its own: copies without the future, and odd histories.

Nothing here uses the engine's as_of filter or the kernel's rule of what is known: a copy has the rows physically deleted.
Derived columns are copied as they are stored; `stored` is the place to compute one again when a function may look beyond
its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from arro3.core import Array, DataType
from arro3.core import Table as ArrowTable
from numpy.typing import NDArray

from keepfit import clock
from keepfit.engines.protocol import Column, Observations
from keepfit.engines.quoting import literal, quoted
from keepfit.spec.tables import Events, Table

ALWAYS = -(2**63)  # a record without time is known since ever
BY_CHANCE = 1e-3  # expected number of twins that an entity has by chance; one with more is not compared


class LocalProbe:
    """Questions to some Parquet files of one table; see `keepfit.engines.protocol.Probe` for what each method promises.

    Parameters
    ----------
    source : str
        The SQL that reads the files.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: Table, source: str) -> None:
        self.connection, self.table, self.source = connection, table, source
        self.key, self.time = quoted(table.entity), f"epoch_us({quoted(table.time)})" if table.time else "null"

    def write_past(self, columns: Sequence[str], observations: Observations, folder: Path) -> tuple[list[str], int]:
        """Write the rows known before the moment of their entity, and return (files, rows deleted)."""
        if self.table.time is None:
            return [self._copy(columns, "true", folder)[0]], 0
        self._register(observations)
        cutoff = f"coalesce(_k_t, {int(observations.t.min())})"
        delay = clock.duration(self._delay) if self._delay else 0
        kept = f"({self.time} + {delay} < {cutoff} and epoch_us(_known) < {cutoff})"
        path, written = self._copy(columns, kept, folder)
        return [path], int(self._one(f"select count(*) from {self.source}")[0]) - written

    def write_window(
        self, columns: Sequence[str], observations: Observations, horizon: int, folder: Path, *, past: bool = False
    ) -> list[str]:
        """Write the rows with t <= time < t + horizon, with `past` those before too; each entity has one observation."""
        self._register(observations)
        t = f"coalesce(_k_t, {int(observations.t.min())})"
        kept = f"{self.time} < {t} + {horizon}" + ("" if past else f" and {self.time} >= {t}")
        return [self._copy(columns, kept, folder)[0]]

    def tempting(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which observations have a row that happened at or before t and was not known before it."""
        self._register(observations)
        # rows known at once can only tempt at their own instant: an equality, so that nothing is multiplied
        return self._marked(
            observations,
            f"select distinct _k_place from keepfit_asked join {self.source} s on {self.key} = _k_key and {self.time} = _k_t"
            f" union select distinct _k_place from keepfit_asked join (select * from {self.source} where _known >"
            f" {quoted(self.table.time or '')}) s on {self.key} = _k_key and {self.time} <= _k_t and epoch_us(_known) >= _k_t",
        )

    def unseen(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which observations are of an entity none of whose rows was known before t."""
        self._register(observations)
        first = f"min(coalesce(epoch_us(_known), {ALWAYS}))"
        return self._marked(
            observations,
            f"select _k_place from keepfit_asked left join (select {self.key} as k, {first} as first from {self.source} group by 1)"
            f" on k = _k_key where first is null or first >= _k_t",
        )

    def strangers(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which observations do not lie 1 µs after a row of their entity became known."""
        self._register(observations)
        return self._marked(
            observations,
            f"select _k_place from keepfit_asked anti join (select {self.key} as k, epoch_us(_known) as known from {self.source})"
            f" on k = _k_key and known = _k_t - 1",
        )

    def updates(self, columns: Sequence[str], now: Sequence[str]) -> dict[str, tuple[int, str | None]]:
        """Return what differs between each entity's first record here and its record in the files `now`."""
        current = "read_parquet([" + ", ".join(literal(file) for file in now) + "], union_by_name=true)"
        newest = "".join(f", arg_max_null({quoted(name)}, _order) as c{n}" for n, name in enumerate(columns))
        first = "".join(f", arg_min_null(c{n}, o) as f{n}" for n in range(len(columns)))
        differs = [("entities", "true"), ("removed", "n.k is null")]
        differs += [(name, f"n.k is not null and f{n} is distinct from c{n}") for n, name in enumerate(columns)]
        counts = ", ".join(f"count(*) filter ({what}), min(e.k) filter ({what})" for _, what in differs)
        found = self._one(
            # of an entity that a file names twice the last line counts, then as now
            f"with r as (select {self.key} as k, min(_order) as o{newest} from {self.source}"
            f" group by {self.key}, _file, _order >> 32),"
            f" e as (select k{first} from r group by 1),"
            f" n as (select {self.key} as k{newest} from {current} group by 1)"
            f" select {counts} from e left join n using (k)"
        )
        return {name: (found[2 * n], found[2 * n + 1]) for n, (name, _) in enumerate(differs)}

    def restated(self, arrivals: Mapping[str, tuple[int, int]], as_of: int) -> list[dict[str, Any]]:
        """Return, for each file that repeats moments of files before it, how many rows it repeats and moments it alters."""
        self._arrived(arrivals)
        return self._dictionaries(
            f"with {self._rows(as_of)}, g as (select k, t, place, batch, count(*) as n, bit_xor(h) as x from s group by all),"
            f" m as (select k, t, max(place) as place, max(batch) > min(batch) as later, arg_max(n, place) as n,"
            f" count(distinct (n, x)) > 1 as altered from g group by 1, 2 having count(*) > 1),"
            f" f as (select place, any_value(file) as file, count(*) as rows from s group by 1)"
            f" select file, any_value(rows) as rows, sum(n)::bigint as repeated, bool_or(later) as later,"
            f" count(*) filter (altered) as altered, min(k) filter (altered) as entity,"
            f" arg_min(t, k) filter (altered) as t from m join f using (place) group by file order by file"
        )

    def late(self, arrivals: Mapping[str, tuple[int, int]], allowance: int, as_of: int) -> list[dict[str, Any]]:
        """Return, for each file of a later batch, its rows and those older than what their entity already had."""
        self._arrived(arrivals)
        before = "order by batch rows between unbounded preceding and 1 preceding"
        behind = f"s.t < w.newest - {allowance} and s.t >= o.oldest"
        return self._dictionaries(
            f"with {self._rows(as_of)}, b as (select k, batch, max(t) as newest, min(t) as oldest from s group by all),"
            f" w as (select k, batch, max(newest) over (partition by k {before}) as newest from b),"
            f" o as (select batch, min(min(oldest)) over ({before}) as oldest from b group by 1)"
            f" select s.file, count(*) as rows, count(*) filter ({behind}) as late,"
            f" coalesce(quantile_disc(w.newest - s.t, 0.99) filter ({behind}), 0) as delay, min(s.k) filter ({behind}) as entity,"
            f" arg_min(s.t, s.k) filter ({behind}) as t"
            f" from s join w using (k, batch) join o using (batch) where batch > 0 group by 1 order by 1"
        )

    def twins(self, least: int, as_of: int) -> tuple[int, Column, NDArray[np.int64]]:
        """Return (entities compared, keys that have a twin, twin group of each): identical histories, not by chance."""
        # how common each row is among the entities tells how likely it is to share all of them by chance
        eligible = (
            f"with s as (select {self.key} as k, hash({', '.join([self.time, *self._values()])}) as h, count(*) as n"
            f" from {self.source} where epoch_us(_known) < {as_of} group by 1, 2),"
            f" p as (select *, count(*) over (partition by h) as shared from s),"
            f" e as (select count(distinct k) as entities from s),"
            f" g as (select k, sum(n) as n, bit_xor(hash(h, n)) as x, sum(ln(greatest(shared - 1.5, 0.5)"
            f" / greatest(entities - 1, 1))) as chance, any_value(entities) as entities from p, e group by k),"
            f" c as (select * from g where n >= {least} and ln(entities) + chance < ln({BY_CHANCE}))"
        )
        if not self._values():
            return 0, np.empty(0, object), np.empty(0, np.int64)
        compared = self._one(f"{eligible} select count(*) from c")[0]
        rows = self._fetched(
            f"{eligible} select k, dense_rank() over (order by n, x) as pair from c"
            f" qualify count(*) over (partition by n, x) > 1 order by k"
        )
        return int(compared), np.array([row[0] for row in rows], object), np.array([row[1] for row in rows], np.int64)

    def _values(self) -> list[str]:
        return [quoted(name) for name in self.table.columns if name != self.table.entity]

    def _rows(self, as_of: int) -> str:
        values = ", ".join(self._values() or ["0"])
        return (
            f"s as (select {self.key} as k, {self.time} as t, hash({values}) as h, _file as file, batch, place from {self.source}"
            f" join keepfit_arrived on _file = _k_file where epoch_us(_known) < {as_of})"
        )

    @property
    def _delay(self) -> str | None:
        return self.table.known_after if isinstance(self.table, Events) else None

    def _copy(self, columns: Sequence[str], kept: str, folder: Path) -> tuple[str, int]:
        """Write the rows that a condition keeps, and return (file, rows)."""
        path = str(folder / f"{self.table.name}.parquet")
        rows = f"{self.source} s"
        if "_k_t" in kept:
            rows += f" left join keepfit_asked on {self.key} = _k_key"
        query = f"select {', '.join(self.stored(columns))} from {rows} where {kept}"
        return path, int(self._one(f"copy ({query}) to {literal(path)} (format parquet)")[0])

    def stored(self, columns: Sequence[str]) -> list[str]:
        """Return the columns of a copy, as SQL: key, time, those asked for, and what reads go by."""
        names = dict.fromkeys(filter(None, (self.table.entity, self.table.time, *columns, "_order", "_known")))
        return [quoted(name) for name in names]

    def _register(self, observations: Observations) -> None:
        keys = Array(list(observations.keys()), type=DataType.utf8())
        moments, places = (Array.from_numpy(values) for values in (observations.t, np.arange(len(observations))))
        held = ArrowTable.from_arrays([keys, moments, places], names=["_k_key", "_k_t", "_k_place"])
        self.connection.register("keepfit_asked", held)

    def _arrived(self, arrivals: Mapping[str, tuple[int, int]]) -> None:
        files = Array(list(arrivals), type=DataType.utf8())
        order = np.array(list(arrivals.values()), np.int64).reshape(-1, 2)
        columns = [files, *(Array.from_numpy(np.ascontiguousarray(order[:, n])) for n in (0, 1))]
        self.connection.register(
            "keepfit_arrived", ArrowTable.from_arrays(columns, names=["_k_file", "batch", "place"])
        )

    def _marked(self, observations: Observations, query: str) -> NDArray[np.bool_]:
        marked = np.zeros(len(observations), bool)
        marked[self.connection.execute(query).fetchnumpy()["_k_place"].astype(np.int64)] = True
        return marked

    def _fetched(self, query: str) -> list[Any]:
        return self.connection.execute(query).fetchall()

    def _one(self, query: str) -> tuple[Any, ...]:
        return self.connection.execute(query).fetchone() or ()

    def _dictionaries(self, query: str) -> list[dict[str, Any]]:
        cursor = self.connection.execute(query)
        names = [name for name, *_ in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
