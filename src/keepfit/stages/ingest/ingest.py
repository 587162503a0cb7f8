"""Append what is new. Each file is one commit, marked by its content's hash.

The order of writes makes a crash harmless: quarantine first, then the source table, then the list of files. Each
carries a transaction made of the file's digest, so that the next ingest completes what is missing and repeats nothing.
A table that is declared differently since its files were read is rebuilt from them first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keepfit import tables
from keepfit.engines.protocol import CheckedFile, Engine
from keepfit.errors import SourceError
from keepfit.lake import Lake
from keepfit.spec.tables import Table
from keepfit.stages.ingest.discover import Found, discover, pending
from keepfit.stages.ingest.listing import (
    Listed,
    Row,
    held,
    list_files,
    listing,
    listings,
    refuse_wrong_file,
    standing,
)
from keepfit.stages.ingest.rebuild import Read, belonging, rebuild


@dataclass(frozen=True)
class Ingested:
    """What one ingest did to one table.

    Attributes
    ----------
    files : tuple of str
        The files read now.
    waiting : tuple of str
        Files whose every row lies at or after as_of: they have not happened yet, and wait for a later turn.
    reasons : dict of str to int
        Broken rule -> rows in quarantine.
    """

    table: str
    files: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    rows_read: int = 0
    appended: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """A file, the digest it was ingested with before, whether the table holds its content already, its transaction and notes."""

    file: Found
    before: str | None
    copy: bool
    mark: str
    notes: dict[str, str]


def _mark(table: Table, file: Found, history: Sequence[Listed], rebuilt: int) -> str:
    # content that was exchanged for other content may come back, so its digest alone does not tell an append apart
    times = sum(listed.digest == file.digest for listed in history)
    return f"{table.name}/{file.digest}/{times}" + (f"/{rebuilt}" if rebuilt else "")


class Waiting(dict[tuple[str, str], int]):
    """The first time in each file read so far that lay in the future: (table, digest) -> microseconds."""


def ingest(
    engine: Engine,
    lake: Lake,
    folder: Path,
    declared: Sequence[Table],
    as_of: int,
    *,
    replace: Sequence[str] = (),
    waiting: Waiting | None = None,
    listen: Callable[[str], None] = lambda line: None,
) -> list[Ingested]:
    """Append every new file of the declared tables and return what was done, a value for each table.

    Parameters
    ----------
    folder : Path
        The data folder that the sources' patterns are relative to.
    as_of : int
        Microseconds UTC; a file whose every row lies at or after it is left for later.
    replace : sequence of str
        Events files, by name, that changed and whose rows are to be exchanged.
    waiting : Waiting, optional
        Memory between the turns of one process, so that a file of the future is read once.
    listen : callable
        Told a line for each file that was read.

    Raises
    ------
    SourceError
        For the first file that cannot be read, after every other file has been ingested.
    """
    turn = _Turn(engine, lake, folder, as_of, frozenset(replace), Waiting() if waiting is None else waiting, listen)
    known = listings(engine, lake)
    done = [result for table in declared if (result := turn.table(table, known.get(table.name, []))) is not None]
    # a crash before this line costs a second reading, not a second append: the source table knows the digests
    list_files(engine, lake, turn.listed)
    if turn.errors:
        raise _first(turn.errors)
    return done


@dataclass
class _Turn:
    """One ingest: what it was asked for, what is to be listed at its end, and what went wrong."""

    engine: Engine
    lake: Lake
    folder: Path
    as_of: int
    replace: frozenset[str]
    waiting: Waiting
    listen: Callable[[str], None]
    listed: list[Row] = field(default_factory=list)
    errors: list[SourceError] = field(default_factory=list)

    def table(self, table: Table, history: list[Listed]) -> Ingested | None:
        """Ingest what is new of one table; None if nothing of it can be read."""
        holds = held(history)
        now = standing(self.lake, table)
        try:
            found = discover(table, self.folder)
            files, refused = pending(table, found, holds, self.replace)
            self.errors += refused
            result = Ingested(table.name)
            if now.differs(table, history):
                if refused:  # what the table holds of them is nowhere else, so it stays as it is
                    return None
                again = belonging(table, self.folder, found, holds)
                read, listed = rebuild(self.engine, self.lake, table, again, self.as_of)
                result, now = _reported(table, read), standing(self.lake, table)
                for name in result.files:
                    self.listen(f"{table.name}: {name}")
                holds = {str(row["path"]): str(row["digest"]) for row in listed}
                files = [file for file in files if holds.get(file.name) != file.digest]
        except SourceError as error:
            self.errors.append(error)
            return None
        before = {file.name: holds.pop(file.name, None) for file in files}
        for file in files:
            mark = _mark(table, file, history, now.rebuilt)
            place = _Place(file, before[file.name], file.digest in holds.values(), mark, now.notes(table))
            try:
                result = _one(self, table, place, result)
                if file.name in result.files:
                    holds[file.name] = file.digest
                self.listen(f"{table.name}: {file.name}")
            except SourceError as error:
                self.errors.append(error)
        return result


def _first(errors: list[SourceError]) -> SourceError:
    first = errors[0]
    if len(errors) > 1:
        first = SourceError(
            f"{first.what} (and {len(errors) - 1} more files with errors)", where=first.where, fix=first.fix
        )
    return first


def _reported(table: Table, read: Read) -> Ingested:
    result = Ingested(table.name)
    for file, checked in read:
        result = _added(result, file, checked) if checked else _named(result, file)
    return result


def _named(result: Ingested, file: Found) -> Ingested:
    return dataclasses.replace(result, files=(*result.files, file.name))


def _added(result: Ingested, file: Found, checked: CheckedFile, *, copy: bool = False) -> Ingested:
    reasons = dict(result.reasons)
    for reason, rows in checked.reasons.items():
        reasons[reason] = reasons.get(reason, 0) + rows
    return dataclasses.replace(
        _named(result, file),
        rows_read=result.rows_read + checked.rows,
        appended=result.appended + (0 if copy else checked.rows - checked.quarantined),
        quarantined=result.quarantined + checked.quarantined,
        reasons=reasons,
    )


def _one(turn: _Turn, table: Table, place: _Place, result: Ingested) -> Ingested:
    file, lake, target = place.file, turn.lake, tables.source(table.name)
    if place.copy and place.before is None:
        turn.listed.append(listing(table, file, (0, 0, 0), lake.version(target), turn.as_of))
        return _named(result, file)
    if turn.waiting.get((table.name, file.digest), turn.as_of - 1) >= turn.as_of:
        return dataclasses.replace(result, waiting=(*result.waiting, file.name))
    order = (lake.version(target) + 1 if lake.exists(target) else 0) << 32
    checked = turn.engine.check_file(table, file.path, file.name, file.digest, order, turn.as_of)
    try:
        if checked.first_time is not None and checked.first_time >= turn.as_of:
            turn.waiting[table.name, file.digest] = checked.first_time
            if not lake.exists(target):
                lake.append(target, checked.empty, notes=place.notes)
            return dataclasses.replace(result, waiting=(*result.waiting, file.name))
        refuse_wrong_file(table, file, checked)
        version = _write(lake, table, place, checked)
        good = 0 if place.copy else checked.rows - checked.quarantined
        turn.listed.append(listing(table, file, (checked.rows, good, checked.quarantined), version, turn.as_of))
        return _added(result, file, checked, copy=place.copy)
    finally:
        turn.engine.release(checked)


def _write(lake: Lake, table: Table, place: _Place, checked: CheckedFile) -> int:
    file, mark = place.file, place.mark
    notes = {"keepfit.file": file.name, "keepfit.digest": file.digest, **place.notes}
    if checked.quarantined:
        lake.append(tables.QUARANTINE.name, checked.bad, transaction=mark, notes=notes)
    target = tables.source(table.name)
    if place.before is not None:
        name = file.name.replace("'", "''")
        rows = checked.empty if place.copy else checked.good
        return lake.replace(target, rows, where=f"_file = '{name}'", transaction=mark, notes=notes)
    return lake.append(target, checked.good, transaction=mark, notes=notes)


def unread(engine: Engine, lake: Lake, folder: Path, declared: Sequence[Table]) -> dict[str, list[str]]:
    """Return the files that an ingest would read, by table; nothing is read."""
    known = listings(engine, lake)
    found: dict[str, list[str]] = {}
    for table in declared:
        history = known.get(table.name, [])
        holds, there = held(history), discover(table, folder)
        files, refused = pending(table, there, holds, frozenset())
        if refused:
            raise _first(refused)
        again = belonging(table, folder, there, holds) if standing(lake, table).differs(table, history) else []
        found[table.name] = list(dict.fromkeys(file.name for file in (*again, *files)))
    return found


def begins(engine: Engine, folder: Path, declared: Sequence[Table]) -> int | None:
    """Return the first time in the first file of each table, the earliest of them; None without any event.

    That is where a replay begins when nothing has been ingested: reading one file a table tells it well enough.
    """
    first = []
    for table in (table for table in declared if table.time):
        file = discover(table, folder)[0]
        checked = engine.check_file(table, file.path, file.name, file.digest, 0, 0)
        engine.release(checked)
        if checked.first_time is not None:
            first.append(checked.first_time)
    return min(first, default=None)
