"""What an engine must do, and the arrays it speaks in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.summary import Look, Shape
from keepfit.spec.rows import RowExpression
from keepfit.spec.tables import Events, Records, Table

Column = NDArray[Any]  # float64 with NaN for null, or objects: text and None


@dataclass(frozen=True)
class Observations:
    """Observations sorted by (entity, t).

    Attributes
    ----------
    entities : object array [entities]
        Keys as text, ascending.
    offsets : int64 array [entities + 1]
        Entity e owns observations offsets[e] to offsets[e+1].
    t : int64 array [observations]
        Microseconds UTC, ascending inside an entity.
    """

    entities: Column
    offsets: NDArray[np.int64]
    t: NDArray[np.int64]

    @classmethod
    def grouped(cls, keys: Column, t: NDArray[np.int64]) -> tuple[Observations, NDArray[np.int64]]:
        """Return the observations of keys at moments, in order, and the row that each of them comes from."""
        names = keys.astype(str)
        order = np.lexsort((t, names))
        entities, starts = np.unique(names[order], return_index=True)
        offsets = np.append(starts, len(order)).astype(np.int64)
        return cls(entities.astype(object), offsets, t[order]), order

    def __len__(self) -> int:
        return len(self.t)

    def codes(self) -> NDArray[np.int64]:
        """Return each observation's position in `entities`."""
        return np.repeat(np.arange(len(self.entities)), np.diff(self.offsets))

    def keys(self) -> Column:
        """Return each observation's entity key."""
        return np.repeat(self.entities, np.diff(self.offsets))

    def keep(self, mask: NDArray[np.bool_]) -> Observations:
        """Return the observations where `mask` is true; entities left without any stay, with an empty range."""
        counts = np.add.reduceat(np.append(mask, False), self.offsets[:-1]) if len(self.entities) else np.zeros(0)
        counts = np.where(np.diff(self.offsets) > 0, counts, 0)
        return Observations(self.entities, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), self.t[mask])


@dataclass(frozen=True)
class SortedEvents:
    """A run of entities' events, sorted by (entity, time, order of arrival).

    Attributes
    ----------
    first, stop : int
        The entities of the run: positions in the observations' `entities`.
    time : int64 array [events]
        Microseconds UTC.
    known : int64 array [events] or None
        When each row became known; None if every row was known when it happened.
    values : float64 array [columns, events]
        NaN for null.
    offsets : int64 array [stop - first + 1]
        Where each entity of the run begins.
    """

    first: int
    stop: int
    time: NDArray[np.int64]
    known: NDArray[np.int64] | None
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]


@dataclass(frozen=True)
class CheckedFile:
    """A raw file read under its contract, kept by the engine until `release`.

    Attributes
    ----------
    rows : int
        Records in the file.
    reasons : dict of str to int
        Broken rule -> rows; a row that breaks several counts once for each.
    quarantined : int
        Rows that broke a rule.
    first_time : int or None
        The earliest time of a good row; None for Records without time, or if no row is good.
    good, bad : object
        What the lake can append: good rows in the table's columns, bad rows in the quarantine's.
    empty : object
        The columns of `good` without rows, to begin a table whose files all lie in the future.
    tables : tuple of str
        What the engine holds for it until `release`.
    """

    rows: int
    reasons: dict[str, int]
    quarantined: int
    first_time: int | None
    good: Any
    bad: Any
    empty: Any = None
    tables: tuple[str, ...] = ()


class Probe(Protocol):
    """What a proof against leaks asks of some Parquet files of one table.

    It reads the stored rows as they are, and shares no query with the reads of `Engine`, so that a mistake there is seen.
    """

    def write_past(self, columns: Sequence[str], observations: Observations, folder: Path) -> tuple[list[str], int]:
        """Write the rows known before the moment of their entity, and return (files, rows deleted).

        An entity has one moment, that of its observation; one without, the earliest. Records without time stay whole.
        """

    def write_window(
        self, columns: Sequence[str], observations: Observations, horizon: int, folder: Path, *, past: bool = False
    ) -> list[str]:
        """Write the rows with t <= time < t + horizon, with `past` those before too; each entity has one observation."""

    def tempting(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which observations have a row that happened at or before t and was not known before it."""

    def unseen(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which observations are of an entity none of whose rows was known before t."""

    def strangers(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which observations do not lie 1 µs after a row of their entity became known."""

    def updates(self, columns: Sequence[str], now: Sequence[str]) -> dict[str, tuple[int, str | None]]:
        """Return what differs between each entity's first record here and its record in the files `now`.

        For each column, and for `entities` (all there ever were) and `removed` (not there now): (entities, one of them).
        """

    def restated(self, arrivals: Mapping[str, tuple[int, int]], as_of: int) -> list[dict[str, Any]]:
        """Return, for each file that repeats moments of files before it, how many rows it repeats and moments it alters.

        `arrivals` says of each file: (batch, place), both ascending in the order of arrival.
        """

    def late(self, arrivals: Mapping[str, tuple[int, int]], allowance: int, as_of: int) -> list[dict[str, Any]]:
        """Return, for each file of a later batch, its rows and those older than what their entity already had."""

    def twins(self, least: int, as_of: int) -> tuple[int, Column, NDArray[np.int64]]:
        """Return (entities compared, keys that have a twin, twin group of each): identical histories, not by chance."""


class Engine(Protocol):
    """Where rows are computed.

    All reads take the Parquet files of a table version, so that what is read is fixed by the caller, and `as_of`, so
    that a row known at or after it is not seen.
    """

    def check_file(self, table: Table, path: Path, name: str, digest: str, order: int, as_of: int) -> CheckedFile:
        """Read one raw file and tell good rows from bad."""

    def release(self, checked: CheckedFile) -> None:
        """Forget a checked file."""

    def entities(self, table: Table, files: Sequence[str], as_of: int) -> tuple[Column, NDArray[np.int64]]:
        """Return the keys seen before `as_of`, ascending, and the moment each was first known."""

    def span(self, table: Events, files: Sequence[str], as_of: int) -> tuple[int, int, int]:
        """Return (rows, first time, last time) of the rows known before `as_of`; (0, 0, 0) if there are none."""

    def each_row(self, table: Events, files: Sequence[str], as_of: int) -> Observations:
        """Return an observation 1 µs after each row became known."""

    def events(
        self,
        table: Events,
        files: Sequence[str],
        columns: Sequence[RowExpression],
        observations: Observations,
        as_of: int,
    ) -> Iterator[SortedEvents]:
        """Yield the events of the observed entities in runs of whole entities, in order; conditions are 1 and 0."""

    def attributes(
        self, table: Records, files: Sequence[str], columns: Sequence[str], observations: Observations
    ) -> dict[str, Column]:
        """Return the columns of each observation's record: the newest, or as of t if the table has a time."""

    def recent(
        self,
        table: Events,
        files: Sequence[str],
        columns: Sequence[RowExpression],
        newest: Sequence[Sequence[RowExpression]],
        since: int | None,
        as_of: int,
    ) -> dict[str, Column]:
        """Return the events with time >= since (all if None), for an online store, and each entity's newest.

        Columns: `entity`, `time` and `known` (int64 microseconds), and those asked for as float64 under their texts;
        sorted by (entity, time, order of arrival). For each list of conditions in `newest`, an entity's newest row that
        meets them all is among them, of those known before `as_of`, and so is its newest row. All rows that become known
        at `as_of` or later are among them.
        """

    def top_values(self, table: Events, files: Sequence[str], column: str, top: int, before: int) -> list[str]:
        """Return a category's most frequent labels among the rows known before a moment; of equals the first by name."""

    def current_records(
        self, table: Records, files: Sequence[str], columns: Sequence[str], as_of: int
    ) -> dict[str, Column]:
        """Return each entity's newest record known before `as_of`: `entity`, and the columns asked for.

        Of a table with a time also the versions that become known later, and `known` (int64 microseconds); sorted by
        (entity, known).
        """

    def first_known(self, files: Sequence[str]) -> int | None:
        """Return when the first row of these files was known, in microseconds; None if they hold none."""

    def columns(self, files: Sequence[str]) -> dict[str, Column]:
        """Return the columns of a table of keepfit's own as arrays; times come as int64 microseconds."""

    def together(self, table: Table, checked: Sequence[CheckedFile]) -> Any:
        """Return the good rows of checked files as one relation, without rows if there are no files."""

    def missing(self, rows: Any, files: Sequence[str], columns: Sequence[str]) -> Any:
        """Return those rows of a relation that a table does not hold yet, told apart by these columns."""

    def relation(self, columns: Mapping[str, Column], types: Mapping[str, str]) -> Any:
        """Return columns as something the lake can append; times are int64 microseconds."""

    def write_file(self, columns: Mapping[str, Column], types: Mapping[str, str], path: Path) -> None:
        """Write columns to a .parquet or .csv file."""

    def rows(self, files: Sequence[str], where: str = "true") -> list[dict[str, Any]]:
        """Return rows of a small table of keepfit's own as dictionaries; times come as int64 microseconds."""

    def probe(self, table: Table, files: Sequence[str]) -> Probe:
        """Return what tests for leaks ask of these files."""

    def look(self, shape: Shape, files: Sequence[str], as_of: int | None = None) -> Look:
        """Return what can be asked of any table's files for a reader; only rows known before `as_of` are seen."""
