"""Append what is new. Each file is one commit, marked by its content's hash.

The order of writes makes a crash harmless: quarantine first, then the source table, then the list of files. Each
carries a transaction made of the file's digest, so that the next ingest completes what is missing and repeats nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keepfit import tables
from keepfit.engines.protocol import CheckedFile, Engine
from keepfit.errors import SourceError
from keepfit.lake import Lake
from keepfit.spec.tables import Table
from keepfit.stages.ingest.discover import Found, discover, pending

# a file in which more than this share of rows breaks its contract is the wrong file, not a file with bad rows
WRONG_FILE_SHARE = 0.5


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
    """A file, the digest it was ingested with before, whether the table holds its content already, and its transaction."""

    file: Found
    before: str | None
    copy: bool
    mark: str


def _mark(table: Table, file: Found, history: Sequence[tuple[str, str]]) -> str:
    # content that was exchanged for other content may come back, so its digest alone does not tell an append apart
    return f"{table.name}/{file.digest}/{sum(digest == file.digest for _, digest in history)}"


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
    waiting = Waiting() if waiting is None else waiting
    known = _ingested(engine, lake)
    done: list[Ingested] = []
    errors: list[SourceError] = []
    listed: list[dict[str, str | int]] = []
    for table in declared:
        history = known.get(table.name, [])
        held = dict(history)
        try:
            files, refused = pending(table, discover(table, folder), held, frozenset(replace))
        except SourceError as error:
            errors.append(error)
            continue
        errors += refused
        result = Ingested(table.name)
        before = {file.name: held.pop(file.name, None) for file in files}
        for file in files:
            place = _Place(file, before[file.name], file.digest in held.values(), _mark(table, file, history))
            try:
                result = _one(engine, lake, table, place, as_of, result, waiting, listed)
                if file.name in result.files:
                    held[file.name] = file.digest
                listen(f"{table.name}: {file.name}")
            except SourceError as error:
                errors.append(error)
        done.append(result)
    _list_files(engine, lake, listed)
    if errors:
        raise _first(errors)
    return done


def _first(errors: list[SourceError]) -> SourceError:
    first = errors[0]
    if len(errors) > 1:
        first = SourceError(
            f"{first.what} (and {len(errors) - 1} more files with errors)", where=first.where, fix=first.fix
        )
    return first


def _ingested(engine: Engine, lake: Lake) -> dict[str, list[tuple[str, str]]]:
    """Return the (path, digest) listed for each table, in the order of the ingests."""
    known: dict[str, list[tuple[str, str]]] = {}
    if lake.exists(tables.FILES.name):
        rows = engine.rows(lake.parquet_files(tables.FILES.name))
        for row in sorted(rows, key=lambda row: (row["version"], row["as_of"])):
            known.setdefault(row["table"], []).append((row["path"], row["digest"]))
    return known


def _one(
    engine: Engine,
    lake: Lake,
    table: Table,
    place: _Place,
    as_of: int,
    result: Ingested,
    waiting: Waiting,
    listed: list[dict[str, str | int]],
) -> Ingested:
    file = place.file
    if place.copy and place.before is None:
        listed.append(_listing(table, file, (0, 0, 0), lake.version(tables.source(table.name)), as_of))
        return dataclasses.replace(result, files=(*result.files, file.name))
    if waiting.get((table.name, file.digest), as_of - 1) >= as_of:
        return dataclasses.replace(result, waiting=(*result.waiting, file.name))
    target = tables.source(table.name)
    order = (lake.version(target) + 1 if lake.exists(target) else 0) << 32
    checked = engine.check_file(table, file.path, file.name, file.digest, order, as_of)
    try:
        if checked.first_time is not None and checked.first_time >= as_of:
            waiting[table.name, file.digest] = checked.first_time
            if not lake.exists(target):
                lake.append(target, checked.empty)
            return dataclasses.replace(result, waiting=(*result.waiting, file.name))
        _refuse_wrong_file(table, file, checked)
        version = _write(lake, table, place, checked)
        good = 0 if place.copy else checked.rows - checked.quarantined
        listed.append(_listing(table, file, (checked.rows, good, checked.quarantined), version, as_of))
    finally:
        engine.release(checked)
    reasons = dict(result.reasons)
    for reason, rows in checked.reasons.items():
        reasons[reason] = reasons.get(reason, 0) + rows
    return Ingested(
        table.name,
        (*result.files, file.name),
        result.waiting,
        result.rows_read + checked.rows,
        result.appended + good,
        result.quarantined + checked.quarantined,
        reasons,
    )


def _refuse_wrong_file(table: Table, file: Found, checked: CheckedFile) -> None:
    if checked.quarantined > WRONG_FILE_SHARE * checked.rows:
        reason, rows = max(checked.reasons.items(), key=lambda item: item[1])
        raise SourceError(
            f"{file.name} does not fit {table.name}: {rows:,} of {checked.rows:,} rows break the rule: {reason}",
            where=str(file.path),
            fix=f"mend the file, or the columns declared for {table.name}; nothing of it was appended",
        )


def _write(lake: Lake, table: Table, place: _Place, checked: CheckedFile) -> int:
    file, mark = place.file, place.mark
    notes = {"keepfit.file": file.name, "keepfit.digest": file.digest}
    if checked.quarantined:
        lake.append(tables.QUARANTINE.name, checked.bad, transaction=mark, notes=notes)
    target = tables.source(table.name)
    if place.before is not None:
        name = file.name.replace("'", "''")
        rows = checked.empty if place.copy else checked.good
        return lake.replace(target, rows, where=f"_file = '{name}'", transaction=mark, notes=notes)
    return lake.append(target, checked.good, transaction=mark, notes=notes)


def _listing(table: Table, file: Found, counts: tuple[int, int, int], version: int, as_of: int) -> dict[str, str | int]:
    return {
        "table": table.name,
        "path": file.name,
        "digest": file.digest,
        "bytes": file.size,
        **dict(zip(("rows_read", "appended", "quarantined"), counts, strict=True)),
        "version": version,
        "as_of": as_of,
    }


def _list_files(engine: Engine, lake: Lake, listed: list[dict[str, str | int]]) -> None:
    # a crash before this line costs a second reading, not a second append: the source table knows the digests
    if listed:
        lake.append(tables.FILES.name, engine.relation(columns_of(listed), tables.FILES.columns))


def unread(engine: Engine, lake: Lake, folder: Path, declared: Sequence[Table]) -> dict[str, list[str]]:
    """Return the files that an ingest would read, by table; nothing is read."""
    known = _ingested(engine, lake)
    found: dict[str, list[str]] = {}
    for table in declared:
        files, refused = pending(table, discover(table, folder), dict(known.get(table.name, [])), frozenset())
        if refused:
            raise _first(refused)
        found[table.name] = [file.name for file in files]
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


def columns_of(rows: Sequence[Mapping[str, str | int]]) -> dict[str, np.ndarray]:
    """Return rows as columns: int64 or text."""
    return {
        name: np.array([row[name] for row in rows], object if isinstance(first, str) else np.int64)
        for name, first in rows[0].items()
    }
