"""Count the columns of any files in given bins: one scan, whose memory does not grow with the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np

from keepfit.engines.local import query
from keepfit.engines.local.summary import is_number, is_time
from keepfit.engines.protocol import Column
from keepfit.engines.quoting import literal, quoted
from keepfit.errors import SourceError
from keepfit.tables import ROW

BLOCK = 256
"""Rows that are drawn together: what lies together is decoded together."""


class LocalTally:
    """Parquet or CSV files, as DuckDB counts them; see `keepfit.engines.protocol.Tally`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: Sequence[str], as_of: int | None) -> None:
        self._connection = connection.cursor()
        self._parquet = all(name.endswith((".parquet", ".pq")) for name in files)
        self._source = query.parquet(files) if self._parquet else _csv(files)
        if as_of is not None:
            self._source, self._parquet = _known(self._source, as_of), False
        self._files = ", ".join(files)
        self._kinds: dict[str, str] = {}
        self._rows: int | None = None

    def kinds(self) -> dict[str, str]:
        """Return each column's kind: 'number', 'label', 'time', or 'nested' for what has no order and no name."""
        if not self._kinds:
            found = self._fetch(f"describe select * from {self._source}")
            self._kinds = {str(name): _kind(str(kind)) for name, kind, *_ in found}
        return self._kinds

    def rows(self) -> int:
        """Return how many rows there are."""
        if self._rows is None:
            self._rows = int(self._fetch(f"select count(*) from {self._source}")[0][0])
        return self._rows

    def sample(self, rows: int, columns: Sequence[str]) -> dict[str, Column]:
        """Return about so many rows, drawn in short runs from everywhere; all if there are no more than that."""
        if not columns:
            return {}
        picked = ", ".join(f"{self._value(name, self.kinds()[name])} as {quoted(name)}" for name in columns)
        if self._parquet:  # how many rows they have is in their footers
            every = max(1, math.ceil(self.rows() / max(1, rows)))
            source = self._source[:-1] + ", file_row_number=true)"
            source += f" where hash(file_row_number // {BLOCK}, file_index) % {every} = 0" if every > 1 else ""
        else:
            source = f"(select * from {self._source} using sample {rows} rows (reservoir, 7))"
        found = self._run(f"select {picked} from {source}").fetchnumpy()
        return {name: query.unmasked(found[name]) for name in columns}

    def count(
        self, edges: Mapping[str, Sequence[float]], labels: Mapping[str, Sequence[str]]
    ) -> dict[str, tuple[int, ...]]:
        """Return each column's counts: nulls, then the bins between edges; or nulls, the labels, and all other labels."""
        asked = [self._bins(name, own) for name, own in edges.items()]
        asked += [piece for name, own in labels.items() for piece in self._labels(name, own)]
        self._rows, *cells = self._one(["count(*)", *asked])
        numbers = dict(zip(edges, cells, strict=False))
        # NaN is below no bound, and so comes with -inf before all numbers: where nothing does, nothing has to be told apart
        odd = [name for name, found in numbers.items() if found and found.get(-math.inf)]
        nans = dict(
            zip(odd, self._one([f"count_if(isnan({self._value(name, 'number')}))" for name in odd]), strict=True)
        )
        texts = iter(cells[len(edges) :])
        found = {name: _numbers(own, self._rows, nans.get(name, 0), numbers[name] or {}) for name, own in edges.items()}
        return found | {name: _texts(own, self._rows, next(texts), next(texts)) for name, own in labels.items()}

    def _bins(self, name: str, edges: Sequence[float]) -> str:
        bounds = dict.fromkeys([-math.inf, *_ends(edges)])
        listed = ", ".join(f"'{bound!r}'::double" for bound in bounds)
        return f"histogram({self._value(name, 'number')}, [{listed}])"

    def _labels(self, name: str, labels: Sequence[str]) -> tuple[str, str]:
        value = self._value(name, "label")
        # it calls all others '', so a label of that name is counted apart
        named = ", ".join(literal(label) for label in labels if label)
        histogram = f"histogram_exact({value}, [{named}])" if named else f"count({value})"
        return f"coalesce(count_if({value} = ''), 0)" if "" in labels else "0", histogram

    def _value(self, name: str, kind: str) -> str:
        """Return a column as numbers or as texts: null where it is none, and where there is no such column."""
        type_ = "double" if kind == "number" else "varchar"
        return f"try_cast({quoted(name)} as {type_})" if name in self.kinds() else f"cast(null as {type_})"

    def _one(self, asked: Sequence[str]) -> tuple[Any, ...]:
        """Return what is asked of all rows, in one scan; nothing is asked without one."""
        return self._fetch(f"select {', '.join(asked)} from {self._source}")[0] if asked else ()

    def _fetch(self, text: str) -> list[tuple[Any, ...]]:
        return self._run(text).fetchall()

    def _run(self, text: str) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(text)
        except duckdb.Error as error:
            what = f"cannot be read: {str(error).splitlines()[0]}"
            raise SourceError(what, where=self._files, fix="name Parquet or CSV files of the same columns") from None


def _known(source: str, as_of: int) -> str:
    """Return the rows of a source table that are known, without what the lake says of where they came from."""
    where = f"_known is null or _known < make_timestamptz({as_of})"
    return f"(select * exclude ({', '.join(ROW)}) from {source} where {where})"


def _csv(files: Sequence[str]) -> str:
    return f"read_csv([{', '.join(map(literal, files))}], union_by_name=true)"


def _kind(kind: str) -> str:
    if is_number(kind) or kind == "BOOLEAN":
        return "number"
    if is_time(kind) or kind.startswith(("TIME", "INTERVAL")):
        return "time"
    return "label" if kind == "VARCHAR" or kind.startswith(("ENUM", "UUID")) else "nested"


def _ends(edges: Sequence[float]) -> list[float]:
    """Return the bounds of DuckDB's bins, which end with them, for ours, which begin with an edge: the doubles before the edges."""
    with np.errstate(over="ignore"):
        return np.nextafter(np.asarray(edges, np.float64), -np.inf).tolist()  # type: ignore[no-any-return]


def _numbers(edges: Sequence[float], total: int, nans: int, found: dict[float, int]) -> tuple[int, ...]:
    present, ends = sum(found.values()) - nans, _ends(edges)
    bins = [found.get(end, 0) for end in ends]
    if bins:
        bins[0] += (found.get(-math.inf, 0) if ends[0] > -math.inf else 0) - nans
    return total - present, *bins, present - sum(bins)


def _texts(labels: Sequence[str], total: int, empty: int, found: dict[str, int] | int | None) -> tuple[int, ...]:
    counts = found if isinstance(found, dict) else {"": found or 0}
    present, own = sum(counts.values()), {**counts, "": empty}
    named = [own.get(label, 0) for label in labels]
    return total - present, *named, present - sum(named)
