"""What an engine can tell about the rows of one table, whatever they mean: how many, from when, with which values.

An engine that can look answers in a few scans and in bounded memory. What is dear to know exactly is estimated, and every
number says whether it was: quantiles and histograms come from a sample of rows, distinct values from a sketch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

SAMPLE = 200_000
"""Rows that quantiles and histograms are drawn from; of a smaller table, all."""
BINS = 32
LABELS = 12
GAPS = 8


@dataclass(frozen=True)
class Shape:
    """What the columns of a table mean.

    Attributes
    ----------
    entity, time, file : str or None
        The columns that say what a row is about, when it happened, and which raw file it came from.
    keys : tuple of str
        What tells rows apart.
    known : str or None
        The column that says when a row was known; only rows known before a look's as_of are seen.
    hidden : frozenset of str
        Columns that are not described.
    """

    entity: str | None = None
    time: str | None = None
    file: str | None = None
    keys: tuple[str, ...] = ()
    known: str | None = None
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Extent:
    """How many rows there are, and the first and last time among them, microseconds UTC."""

    rows: int
    from_at: int | None = None
    to_at: int | None = None


@dataclass(frozen=True)
class ColumnSummary:
    """The values of one column.

    Attributes
    ----------
    type : str
        As the engine calls it.
    distinct : int
        Values that differ; an estimate within a few percent if the table's summary says so.
    quantiles : tuple of float
        Least, quarter, median, three quarters, greatest: of numbers, of times (microseconds UTC), of the lengths of texts. Least
        and greatest of numbers and times are those of all rows. Empty without any value.
    edges, counts : tuple
        A histogram of the sampled values that are finite; bin i is `[edges[i], edges[i+1])`, the last one closed. The outermost
        bins hold what lies beyond them too.
    labels : tuple of (str, int)
        The most frequent values of a text or boolean and their rows among `labelled` rows.
    missing : tuple of int
        Sampled rows without a value in each period.
    """

    name: str
    type: str
    nulls: int
    distinct: int
    quantiles: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    labels: tuple[tuple[str, int], ...] = ()
    labelled: int = 0
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class Gap:
    """A time without any row: nothing in `[from_at, to_at)`, to the hour, or to the day in a table of many years."""

    from_at: int
    to_at: int


@dataclass(frozen=True)
class Covered:
    """The rows of one entity, or of one file: how many, from when to when, and how many in each period."""

    name: str
    rows: int
    from_at: int | None = None
    to_at: int | None = None
    periods: tuple[int, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The rows of one table.

    Attributes
    ----------
    sampled : int
        Rows that quantiles, histograms and labels of many values were drawn from.
    estimated : bool
        Whether numbers of distinct values are estimates.
    step : str
        What a period is: '1 hour', '1 month' and so on, as a calendar grid; empty without a time.
    starts : tuple of int
        The first moment of each period, microseconds UTC.
    periods, drawn : tuple of int
        Rows in each, and sampled rows in each.
    gaps : tuple of Gap
        The longest times without any row, the longest first.
    entities : int
        How many there are.
    keys : tuple of str
        The columns that tell rows apart.
    most, least : tuple of Covered
        Those with the most rows, and those with the fewest, which come last; if they are few, all are in `most`.
    repeated : int
        Rows that repeat the keys of another row, among `compared` rows; `compared` is less than all in a large table, and even then
        all rows of a key are in or out together.
    """

    extent: Extent
    sampled: int
    estimated: bool
    columns: tuple[ColumnSummary, ...]
    step: str = ""
    starts: tuple[int, ...] = ()
    periods: tuple[int, ...] = ()
    drawn: tuple[int, ...] = ()
    gaps: tuple[Gap, ...] = ()
    entities: int = 0
    most: tuple[Covered, ...] = ()
    least: tuple[Covered, ...] = ()
    keys: tuple[str, ...] = ()
    files: tuple[Covered, ...] = ()
    repeated: int = 0
    compared: int = 0


class Look(Protocol):
    """What can be asked of some Parquet files of one table, as of a moment; see `Engine.look`."""

    def columns(self) -> dict[str, str]:
        """Return the stored columns and their types, as the engine calls them."""

    def extent(self) -> Extent:
        """Return how many rows there are, and their first and last time."""

    def sample(self, rows: int) -> list[dict[str, Any]]:
        """Return that many rows, evenly spread over the table; the same ones each time. Times are aware datetimes."""

    def arrivals(self, moments: Sequence[int]) -> list[tuple[int, int | None]]:
        """Return how many rows were known before each moment, and the last time among them, microseconds UTC.

        Moments ascend, and lie whole hours apart.
        """

    def tally(self, columns: Sequence[str], where: Mapping[str, str]) -> list[tuple[Any, ...]]:
        """Return how many of the rows that have these texts there are of each combination of the columns: (*values, rows)."""

    def summary(self) -> Summary:
        """Return what the rows hold."""
