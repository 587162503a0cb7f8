"""Append what is new: batches of whole files, one commit each.

The order of writes makes a crash harmless: quarantine first, then the source table, then the list of files. Quarantined rows
are marked by their file's digest, a commit names the files in it, and what it names is listed by the next ingest if a
crash came between. A table that is declared differently since its files were read is rebuilt from them first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from keepfit import clock, tables
from keepfit.connect import Item, Place
from keepfit.engines.protocol import Engine
from keepfit.errors import SourceError, full_disk
from keepfit.lake import Lake
from keepfit.raw import Checked, Part, Settled
from keepfit.spec.tables import Events, Table
from keepfit.stages.ingest import listing
from keepfit.stages.ingest.listing import Listed, Row, Standing, held, list_files, listings, standing
from keepfit.stages.ingest.pending import changed, discover, in_order, pending
from keepfit.stages.ingest.quality import Load, Quality, require_known
from keepfit.stages.ingest.quarantine import quarantine
from keepfit.stages.ingest.reading import Read, Reader
from keepfit.stages.ingest.rebuild import belonging, rebuild
from keepfit.stages.ingest.release import release_again
from keepfit.stages.ingest.said import Ingested, Progress, Waiting

Listener = Callable[[Progress], None]


def ingest(
    engine: Engine,
    lake: Lake,
    place: Place,
    declared: Sequence[Table],
    as_of: int,
    *,
    exchange: Sequence[str] = (),
    accept: Sequence[str] = (),
    waiting: Waiting | None = None,
    listen: Listener = lambda progress: None,
) -> list[Ingested]:
    """Append every new file of the declared tables and return what was done, a value for each table.

    Parameters
    ----------
    place : Place
        Where sources are: the data folder, a folder for what is fetched to be kept, the environment.
    as_of : int
        Microseconds UTC; a file whose every row lies at or after it is left for later.
    exchange : sequence of str
        Events files, by name, that changed and whose rows are to be exchanged.
    accept : sequence of str
        Tables that are taken as they are now, whatever was expected of them.
    waiting : Waiting, optional
        Memory between the turns of one process, so that a file of the future is read once.
    listen : callable
        Told how far it is.
    """
    turn = Turn(engine, lake, place, as_of, frozenset(exchange), Waiting() if waiting is None else waiting, listen)
    require_known(accept, declared)
    done: dict[str, Ingested] = {}
    try:
        with lake.alone():
            known, quality = listings(engine, lake, declared, mend=True), Quality.of(engine, lake, as_of)
            for table in in_order(declared):
                load = turn.table(table, known.get(table.name, []))
                if not load.result.errors:
                    release_again(engine, lake, table, as_of)
                done[table.name] = quality.judged(load, accepted=table.name in accept)
            quality.keep()
    except Exception as error:
        if (full := full_disk(error, str(lake.root))) is not None:
            raise full from error
        raise
    return [done[table.name] for table in declared]


@dataclass
class Turn:
    """One ingest, and what it was asked for."""

    engine: Engine
    lake: Lake
    place: Place
    as_of: int
    exchange: frozenset[str]
    waiting: Waiting
    listen: Listener

    def table(self, table: Table, history: list[Listed]) -> Load:
        """Ingest what is new of one table."""
        load = Load(table, Ingested(table.name), history, held(history))
        now = standing(self.lake, table)
        try:
            found = discover(table, self.place)
            if now.differs(table, history):
                reader = Reader(self.engine, self.lake, table, found)
                result, rows, now = rebuild(reader, load.holds, self.exchange, self.place.data, now, self.as_of)
                holds = held([*history, *(listing.listed(row) for row in rows)])
                load = replace(load, result=result, holds=holds, rebuilt=True)
            items, errors = pending(found, load.holds)
        except SourceError as error:
            return replace(load, result=load.result.failed(error))
        ready = [item for item in items if not self._waits(table, item)]
        late = [item.name for item in items if self._waits(table, item)]
        again = frozenset(item.name for item in ready if item.name in load.holds)
        batch = Batches(
            self,
            table,
            dict(load.holds),
            again,
            now,
            load.result.failed(*errors).deferred(*late),
            Progress(table.name, files=len(ready), bytes=_bytes(ready)),
        )
        for read in Reader(self.engine, self.lake, table, found, dict(load.holds)).read(ready, now.place):
            batch.take(read)
        return replace(load, result=batch.result, holds=batch.holds)

    def _waits(self, table: Table, item: Item) -> bool:
        return self.waiting.get((table.name, item.name, item.identity), self.as_of - 1) >= self.as_of


@dataclass
class Batches:
    """The batches of one table, each judged, committed and listed.

    Attributes
    ----------
    again : frozenset of str
        Files that the table holds and that are read again: what it holds of them is about to go.
    """

    turn: Turn
    name: Table
    holds: dict[str, Listed]
    again: frozenset[str]
    now: Standing
    result: Ingested
    progress: Progress

    def take(self, read: Read) -> None:
        """Commit what may be committed of a batch, and list it."""
        table, engine, lake = self.name, self.turn.engine, self.turn.lake
        self.result = self.result.failed(*read.errors)
        items = {item.name: item for item in read.items}
        listed = [listing.listing(table, items[file.name], file, self.turn.as_of) for file in read.same]
        self.now = replace(self.now, place=self.now.place + len(read.items))
        target = tables.source(table.name)
        version = lake.version(target) if lake.exists(target) else 0
        if read.checked is not None:
            kept: tuple[Part, ...] = ()
            try:
                names, waits = self._judged(read.checked, items)
                copies = [name for name in names if self._copy(read.checked, name, names)]
                taken = [name for name in names if name not in copies]
                if names or waits:
                    lake.begin(target, read.checked.schema, notes=listing.notes(table, self.now, self.turn.as_of))
                    settled = engine.settle(
                        table,
                        read.checked,
                        taken,
                        lake.parquet_files(target),
                        [name for name in taken if name in self.holds],
                    )
                    kept = settled.parts
                    with lake.keeping(target, kept):
                        version, more = self._committed(read.checked, settled, items)
                    listed += more
                self.result = replace(self.result, copies=(*self.result.copies, *copies))
                blank = [replace(file, rows=0, quarantined=0, repeated=0) for file in read.checked.named(copies)]
                listed += [listing.listing(table, items[file.name], file, self.turn.as_of) for file in blank]
            finally:
                engine.release(read.checked, kept)
        rows = [{**row, "version": version} for row in listed]
        read_now = {str(row["path"]) for row in rows} - {file.name for file in read.same}
        self.result = self.result.named(*(item.name for item in read.items if item.name in read_now))
        list_files(engine, lake, rows)
        for row in rows:
            self.again -= {str(row["path"])}
            self.holds.pop(str(row["path"]), None)
            self.holds[str(row["path"])] = listing.listed(row)
        self.progress = self.progress.further(read.items, self.result)
        self.turn.listen(self.progress)

    def _judged(self, checked: Checked, items: dict[str, Item]) -> tuple[list[str], bool]:
        """Return the files that are taken, and whether others wait; others are refused."""
        names, waits = [], False
        for file in checked.files:
            item = items[file.name]
            error = file.error or listing.wrong_file(self.name, file)
            if error is None and file.name in self.holds and self.holds[file.name].digest != file.digest:
                error = changed(self.name, item, self.turn.exchange)
            if file.first_time is not None and file.first_time >= self.turn.as_of:
                self.turn.waiting[self.name.name, item.name, item.identity] = file.first_time
                self.result, waits = self.result.deferred(file.name), waits or error is None
            elif error is not None:
                self.result = self.result.failed(error)
            else:
                names.append(file.name)
        return names, waits

    def _copy(self, checked: Checked, name: str, names: Sequence[str]) -> bool:
        """Return whether a file has the content of another one that the table holds or that comes before it."""
        (file,) = checked.named([name])
        if name in self.holds:
            return False
        before = [one.digest for one in checked.named(names[: names.index(name)])]
        stays = [listed.digest for path, listed in self.holds.items() if path not in self.again]
        return file.digest in before or file.digest in stays

    def _committed(self, checked: Checked, settled: Settled, items: dict[str, Item]) -> tuple[int, list[Row]]:
        """Write bad rows to quarantine and good ones to the table; return its version, and how the files are listed."""
        table, lake, target = self.name, self.turn.lake, tables.source(self.name.name)
        taken = [file for file in settled.files if file.error is None]
        self.result = self.result.failed(*(file.error for file in settled.files if file.error is not None))
        quarantine(self.turn.engine, lake, table, checked, taken, self.turn.as_of)
        rows = [listing.listing(table, items[file.name], file, self.turn.as_of) for file in taken]
        version = lake.version(target)
        if settled.parts or settled.old:
            marks = [f"{table.name}/{file.digest}" for file in taken]
            # the list of files stands in the commit that brings their rows, and in none before it
            lake.widen(target, checked.schema, notes=listing.notes(table, self.now, self.turn.as_of))
            notes = listing.notes(table, self.now, self.turn.as_of, rows)
            version = lake.commit(
                target, checked.schema, settled.parts, old=settled.old, transactions=marks, notes=notes
            )
        self.result = self.result.added(taken, checked, settled)
        return version, rows


def unread(engine: Engine, lake: Lake, place: Place, declared: Sequence[Table]) -> dict[str, list[str]]:
    """Return the files that an ingest would read, by table; nothing is read."""
    known = listings(engine, lake, declared)
    names: dict[str, list[str]] = {}
    for table in declared:
        history = known.get(table.name, [])
        holds, found = held(history), discover(table, place)
        items, errors = pending(found, holds)
        if errors:
            raise errors[0]
        reader = Reader(engine, lake, table, found)
        again = belonging(reader, holds, place.data) if standing(lake, table).differs(table, history) else {}
        names[table.name] = list(dict.fromkeys([*again, *(item.name for item in items)]))
    return names


def begins(engine: Engine, lake: Lake, place: Place, declared: Sequence[Table]) -> int | None:
    """Return where a replay begins: the earliest first time of each table's first file with rows; None without any event."""
    first: list[int] = []
    for table in (table for table in declared if table.time):
        found = discover(table, place)
        for item in found.items:
            read = Reader(engine, lake, table, found).one([item], 0)
            if read.errors:
                raise read.errors[0]
            if read.checked is not None:
                engine.release(read.checked)
                if times := [file.first_time for file in read.checked.files if file.first_time is not None]:
                    first += times
                    break
    return min(first, default=None)


def ends(
    engine: Engine, lake: Lake, place: Place, declared: Sequence[Events], as_of: int, waiting: Waiting | None = None
) -> int | None:
    """Return when the newest event before `as_of` was known, in the lake or in files that are still to be read; None without any.

    Files that are not in the lake are read for it; `waiting` learns when each begins, so that the ingests to come need not.
    """
    known, newest, waiting = listings(engine, lake, declared), list[int](), Waiting() if waiting is None else waiting
    for table in declared:
        after = clock.duration(table.known_after) if table.known_after else 0
        if lake.exists(tables.source(table.name)):
            rows, _, last = engine.span(table, lake.parquet_files(tables.source(table.name)), as_of)
            newest += [last + after] if rows else []
        found = discover(table, place)
        items, errors = pending(found, held(known.get(table.name, [])))
        if errors:
            raise errors[0]
        of = {item.name: item for item in items}
        for read in Reader(engine, lake, table, found).read(items, 0):
            if read.errors:
                raise read.errors[0]
            if read.checked is None:
                continue
            engine.release(read.checked)
            for file in read.checked.files:
                if file.first_time is not None and file.last_time is not None:
                    waiting[table.name, file.name, of[file.name].identity] = file.first_time
                    newest.append(file.last_time + after)
    return min(max(newest), as_of) if newest else None


def _bytes(items: Sequence[Item]) -> int:
    return sum(max(item.size, 0) for item in items)
