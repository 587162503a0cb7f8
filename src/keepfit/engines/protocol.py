"""What an engine must do, and the arrays it speaks in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.ready import Parts, ReadyRows, Rows
from keepfit.engines.summary import Look, Shape
from keepfit.raw import Checked, Part, RawFile, Settled
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


class Tally(Protocol):
    """What can be counted of the columns of any files, those of a user too."""

    def kinds(self) -> dict[str, str]:
        """Return each column's kind: 'number', 'label', 'time', or 'nested'."""

    def rows(self) -> int:
        """Return how many rows there are."""

    def sample(self, rows: int, columns: Sequence[str]) -> dict[str, Column]:
        """Return about so many rows, drawn from everywhere; all if there are no more than that."""

    def count(
        self, edges: Mapping[str, Sequence[float]], labels: Mapping[str, Sequence[str]]
    ) -> dict[str, tuple[int, ...]]:
        """Count in one scan, in memory that does not grow with the rows, and return each column's counts.

        Of numbers: nulls (NaN too), then the bins that ascending edges separate, each with its lower edge and without its
        upper one. Of labels: nulls, each label, and all others. What is not there, or no number, is null.
        """


class Engine(Protocol):
    """Where rows are computed.

    All reads take the Parquet files of a table version, so that what is read is fixed by the caller, and `as_of`, so
    that a row known at or after it is not seen.
    """

    def check(self, table: Table, files: Sequence[RawFile], folder: Path, lookup: Sequence[str] = ()) -> Checked:
        """Read raw files under a table's contract; good rows go into a part in the folder, sorted as source tables are.

        May be called from several threads at once. What cannot be read is an error of its file, and the others go on.

        Parameters
        ----------
        lookup : sequence of str
            The Parquet files of the table that the table's `Lookup` looks in.

        Raises
        ------
        LakeError
            If the part cannot be written.
        """

    def schema(self, table: Table) -> Any:
        """Return the Arrow schema of a table's parts."""

    def settle(
        self, table: Table, checked: Checked, names: Sequence[str], held: Sequence[str], gone: Sequence[str] = ()
    ) -> Settled:
        """Return what is to be committed of checked files: those named, without the rows that repeat a key.

        Parameters
        ----------
        held : sequence of str
            The Parquet files of the table as it is.
        gone : sequence of str
            Raw files whose rows the table is to hold no longer.
        """

    def bad_rows(self, checked: Checked, names: Sequence[str], stamps: Mapping[str, str | int]) -> Any:
        """Return the bad rows of some files in the quarantine's columns; stamps are its constant ones, times in microseconds."""

    def renumbered(self, table: Table, checked: Checked, records: Mapping[str, Sequence[int]]) -> Checked:
        """Return checked files whose n-th record, good or bad, is called by the n-th number; the old part is gone."""

    def reasons(self, checked: Checked) -> dict[tuple[str, int], str]:
        """Return why each bad record is bad: (file, record) -> all reasons in one text."""

    def release(self, checked: Checked, kept: Sequence[Part] = ()) -> None:
        """Forget checked files, and remove their part if it is not kept."""

    def entities(self, table: Table, files: Sequence[str], as_of: int) -> tuple[Column, NDArray[np.int64]]:
        """Return the keys seen before `as_of`, ascending, and the moment each was first known."""

    def span(self, table: Table, files: Sequence[str], as_of: int) -> tuple[int, int, int]:
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

    def relation(self, columns: Mapping[str, Column], types: Mapping[str, str]) -> Any:
        """Return columns as something the lake can append; times are int64 microseconds."""

    def ready(self, rows: Rows, name: str, folder: Path) -> ReadyRows:
        """Return rows to be answered, called by a name in errors; the folder takes copies.

        Raises
        ------
        SourceError
            If it cannot be read, or its format is not known.
        """

    def parts(self, folder: Path) -> Parts:
        """Return what takes columns batch by batch, and gives all of them; the folder takes the batches."""

    def save(self, relation: Any, path: Path) -> None:
        """Write a relation to a .parquet or .csv file, which is there whole or not at all."""

    def rows(
        self, files: Sequence[str], where: str = "true", columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Return rows of a small table of keepfit's own as dictionaries, some columns or all; times come as int64 microseconds."""

    def probe(self, table: Table, files: Sequence[str]) -> Probe:
        """Return what tests for leaks ask of these files."""

    def tally(self, files: Sequence[str], as_of: int | None = None) -> Tally:
        """Return what can be counted of the columns of files; with `as_of`, of those of a source table, as then known."""

    def look(self, shape: Shape, files: Sequence[str], as_of: int | None = None) -> Look:
        """Return what can be asked of any table's files for a reader; only rows known before `as_of` are seen."""
