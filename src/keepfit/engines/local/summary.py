"""The values of each column of a table, in two scans of DuckDB.

A sample first: quantiles, histograms, labels, nulls by period. Then all rows: nulls, least and greatest, and a sketch of how
many values differ for the columns in which the sample did not see them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from keepfit.engines import periods
from keepfit.engines.histogram import differing, histogram, labels, quartiles
from keepfit.engines.local.footers import MOMENT, NUMBER, footers
from keepfit.engines.quoting import quoted
from keepfit.engines.summary import SAMPLE, ColumnSummary, Extent

CHANCE = "hash(file_row_number, file_index)"
"""What decides which rows are drawn: the same ones for the same files, and no rhythm of the rows can meet it."""
CELLS = 20_000_000
"""A table of very many columns has a smaller sample, so that memory stays bounded."""
TOGETHER = 200
"""Columns that are read in one scan."""
LETTERS = 80
"""Longer texts are compared and shown by their beginning."""
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
NUMERIC = (*INTEGERS, *(f"U{kind}" for kind in INTEGERS), "FLOAT", "DOUBLE", "DECIMAL")

Whole = NDArray[np.int64]


def is_time(kind: str) -> bool:
    """Return whether a type is one of moments."""
    return kind.startswith(("TIMESTAMP", "DATE"))


def is_number(kind: str) -> bool:
    """Return whether a type is one of numbers."""
    return kind.startswith(NUMERIC) and not kind.endswith("]")


def plain(name: str, kind: str) -> str:
    """Return a column as numbers and texts that need no library: times as microseconds, what is nested as text."""
    column = quoted(name)
    if is_time(kind):
        return f"epoch_us({column})"
    return column if is_number(kind) or kind in ("VARCHAR", "BOOLEAN") else f"cast({column} as varchar)"


def empty(name: str, kind: str) -> ColumnSummary:
    """Return the summary of a column without rows."""
    return ColumnSummary(name, kind, 0, 0)


@dataclass(frozen=True)
class Cutting:
    """How a table's time is cut.

    Attributes
    ----------
    bucket : str
        The first moment of a row's hour or day (microseconds), as SQL; '0' without a time.
    width : int
        Of such a bucket, microseconds.
    step, starts
        See `keepfit.engines.periods.cut`.
    """

    bucket: str
    width: int
    step: str
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, time: str, extent: Extent) -> Cutting:
        """Return the cutting that suits a table's extent; `time` is its moment as SQL, empty if it has none."""
        if not time or extent.from_at is None or extent.to_at is None:
            return cls("0", 1, "", np.zeros(0, np.int64))
        width = periods.bucket_of(extent.from_at, extent.to_at)
        bucket = f"cast(floor({time} / {width}) as bigint) * {width}"
        return cls(bucket, width, *periods.cut(extent.from_at, extent.to_at))


@dataclass(frozen=True)
class Exact:
    """What all rows tell of a column: nulls, least and greatest of a number or a moment, and a sketch of how many values differ."""

    nulls: int
    least: float | None
    greatest: float | None
    distinct: int


@dataclass(frozen=True)
class Drawn:
    """The sampled values of one column that are not null.

    Attributes
    ----------
    values : float64 array
        Numbers, moments, or the lengths of texts, finite.
    missing : tuple of int
        Sampled rows without a value in each period.
    sure : bool
        Whether there are hardly other values than those seen.
    """

    values: NDArray[np.float64]
    labels: tuple[tuple[str, int], ...]
    labelled: int
    distinct: int
    sure: bool
    missing: tuple[int, ...]


class Reading:
    """The scans of one summary.

    Parameters
    ----------
    source : str
        The rows as FROM and WHERE.
    files : sequence of str
        The files, if all of their rows are meant: their footers then save a scan. Empty if not.
    rows, columns : int
        How many there are.

    Attributes
    ----------
    every : int
        One of so many rows is in the sample.
    drawn : tuple of int
        Sampled rows in each period; `sampled` are those of all.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: str,
        files: Sequence[str],
        cutting: Cutting,
        rows: int,
        columns: int,
    ) -> None:
        self.connection, self.source, self.files, self.cutting, self.rows = connection, source, files, cutting, rows
        self.every = -(-rows // min(SAMPLE, CELLS // max(columns, 1)))
        self.sampled = 0
        self.drawn: tuple[int, ...] = ()

    def periods(self) -> tuple[Whole, tuple[int, ...]]:
        """Return the buckets of time that hold rows, and the rows of each period."""
        found = self._arrays(
            f"select {self.cutting.bucket} as a, count(*) as n from {self.source} group by 1 order by 1"
        )
        at, rows = found["a"].astype(np.int64), found["n"].astype(np.int64)
        return at, self._by_period(at, rows)

    def columns(self, types: Mapping[str, str]) -> list[ColumnSummary]:
        """Return the columns."""
        found: list[ColumnSummary] = []
        for names in _runs(list(types), TOGETHER):
            some = {name: types[name] for name in names}
            drawn = self._sample(some)
            exact = self._exactly(some, {name for name in names if self.every > 1 and not drawn[name].sure})
            found += [_summary(name, types[name], drawn[name], exact[name]) for name in names]
        return found

    def _sample(self, types: Mapping[str, str]) -> dict[str, Drawn]:
        some = f" and {CHANCE} % {self.every} = 0" if self.every > 1 else ""
        values = [f"{_sampled(name, kind)} as {quoted(name)}" for name, kind in types.items()]
        found = self._arrays(
            f"select {', '.join([f'{self.cutting.bucket} as _k_at', *values])} from {self.source}{some}"
        )
        at = found.pop("_k_at").astype(np.int64)
        self.sampled, self.drawn = len(at), self._by_period(at, np.ones(len(at), np.int64))
        told = {}
        for name, kind in types.items():
            missing = self._by_period(at, np.ma.getmaskarray(found[name]).astype(np.int64))
            told[name] = _drawn(kind, found.pop(name), missing)
        return told

    def _exactly(self, types: Mapping[str, str], unsure: Set[str]) -> dict[str, Exact]:
        measures = {name: _in_footer(kind) for name, kind in types.items()}
        told = footers(self.connection, self.files, measures) if self.files else {}
        bounds = {name: _measured(name, kind) for name, kind in types.items() if name not in told}
        picked = ["count(*)"]
        for name, value in bounds.items():
            picked += [f"count({quoted(name)})", f"min({value})", f"max({value})"]
        picked += [f"approx_count_distinct({quoted(name)})" for name in unsure]
        found: list[Any] = [self.rows]
        if len(picked) > 1:
            found = list(self.connection.execute(f"select {', '.join(picked)} from {self.source}").fetchone() or ())
        told |= {name: tuple(found[3 * place + 1 : 3 * place + 4]) for place, name in enumerate(bounds)}
        distinct = dict(zip(unsure, found[3 * len(bounds) + 1 :], strict=True))
        return {
            name: Exact(self.rows - held, least, greatest, distinct.get(name, 0))
            for name, (held, least, greatest) in told.items()
        }

    def _by_period(self, at: Whole, counts: Whole) -> tuple[int, ...]:
        cutting = self.cutting
        return tuple(periods.gathered(cutting.starts, at, counts).tolist()) if cutting.step else ()

    def _arrays(self, text: str) -> dict[str, Any]:
        return dict(self.connection.execute(text).fetchnumpy())


def _measured(name: str, kind: str) -> str:
    return f"cast({plain(name, kind)} as double)" if is_number(kind) or is_time(kind) else "null"


def _in_footer(kind: str) -> str | None:
    return NUMBER if is_number(kind) else MOMENT if is_time(kind) else None


def _sampled(name: str, kind: str) -> str:
    value = plain(name, kind)
    return f"left({value}, {LETTERS})" if not is_number(kind) and not is_time(kind) and kind != "BOOLEAN" else value


def _drawn(kind: str, values: Any, missing: tuple[int, ...]) -> Drawn:
    mask, held = np.ma.getmaskarray(values), np.ma.getdata(values)
    if is_number(kind) or is_time(kind):
        numbers = held[~mask].astype(np.float64)
        numbers = numbers[np.isfinite(numbers)]
        return Drawn(numbers, (), 0, *differing(numbers), missing)
    texts = [str(value).lower() if kind == "BOOLEAN" else str(value) for value in held[~mask].tolist()]
    most, distinct, sure = labels(texts)
    lengths = np.array([len(text) for text in texts], np.float64)
    return Drawn(lengths, most, len(texts), distinct, sure, missing)


def _summary(name: str, kind: str, drawn: Drawn, exact: Exact) -> ColumnSummary:
    distinct = max(drawn.distinct, exact.distinct)
    one = ColumnSummary(
        name, kind, exact.nulls, distinct, labels=drawn.labels, labelled=drawn.labelled, missing=drawn.missing
    )
    if not len(drawn.values):
        return one
    # of texts, and beside values that are not finite, the sample tells the bounds too
    least, greatest = float(drawn.values.min()), float(drawn.values.max())
    least, greatest = min(least, _or(exact.least, least)), max(greatest, _or(exact.greatest, greatest))
    edges, counts = histogram(drawn.values, least, greatest)
    quantiles = (least, *quartiles(drawn.values), greatest)
    return replace(one, quantiles=quantiles, edges=edges, counts=counts)


def _or(value: float | None, otherwise: float) -> float:
    return value if value is not None and math.isfinite(value) else otherwise


def _runs(names: Sequence[str], length: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), length):
        yield names[start : start + length]
