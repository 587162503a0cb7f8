"""Raw files to one Parquet part: read, type, check, derive; bad rows are looked at again, one by one.

The rows of all files go into the part in one streaming query, by a quick look at each value. Where fewer came out than went in,
the files are read a second time for the rows that did not: rule by rule, with every reason, their line and their text. What
cannot be read at all is that file's error, and the others go on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import duckdb
from arro3.core import Table as ArrowTable

from keepfit.engines.local import derive, formats, left, parts, proof, reading, rules
from keepfit.engines.local.work import Work
from keepfit.engines.quoting import literal, quoted
from keepfit.errors import MAKE_ROOM, SourceError, full_disk
from keepfit.raw import Checked, CheckedFile, Part, RawFile, identity
from keepfit.spec.rows import TextNumber
from keepfit.spec.tables import Table

FEW, MANY = 2_000, 50_000  # records that are tried first, where there are many
_numbers = count()


def check(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    files: Sequence[RawFile],
    folder: Path,
    lookup: Sequence[str] = (),
) -> Checked:
    """Return what was found in some raw files, and a part with their good rows; see `Engine.check`."""
    cursor = connection.cursor()
    work = Work(cursor, rules.contract_of(table), folder, f"keepfit_bad_{next(_numbers)}")
    try:
        cursor.execute(f"create table {work.bad} {left.COLUMNS}")
        with _scratch() as scratch:
            return _checked(work, files, scratch, reading.looked_up(table, lookup))
    except BaseException:
        cursor.execute(f"drop table if exists {work.bad}")
        if work.part is not None:
            work.part.path.unlink(missing_ok=True)
        raise
    finally:
        for name in [f"{work.bad}_torn", work.left, *(name for opened in work.opened for name in opened.tables())]:
            cursor.execute(f"drop table if exists {quoted(name)}")


def _checked(work: Work, files: Sequence[RawFile], scratch: Path, lookup: str | None) -> Checked:
    stamps = {file.name: _stamp(file.path) for file in files}
    _open(work, files, scratch, lookup)
    added = _added(work)
    work.part = _written(work, added)
    work.part = left.look_again(work, work.part, added)
    left.count(work)
    _refuse_moving(work, files, stamps)
    work.part = _computed(work, work.part, added)
    found = tuple(work.found[file.name] for file in files)
    return Checked(found, work.part, schema(work.cursor, work.table, added), tuple(added), work.bad)


def schema(connection: duckdb.DuckDBPyConnection, table: Table, added: Sequence[str] = ()) -> object:
    """Return the Arrow schema of a table's parts."""
    types = rules.contract_of(table).types(added)
    columns = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in types.items())
    return ArrowTable.from_arrow(connection.cursor().sql(f"select {columns} where false")).schema


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="keepfit-") as folder:
        yield Path(folder)


def _open(work: Work, files: Sequence[RawFile], scratch: Path, lookup: str | None) -> None:
    for number, file in enumerate(files):
        place = scratch / str(number)  # made when something is written into it
        try:
            work.found[file.name] = CheckedFile(file.name)
            opened = formats.opened(work.cursor, file.path, file.format, file.name, place)
            work.opened.append(opened)
            size = file.path.stat().st_size
            digest = identity(opened.digest, file.parts)
            found = CheckedFile(file.name, digest, size, opened.header, opened.types)
            work.found[file.name] = found
            source = reading.Source(file.name, file.place, opened, file.parts, lookup)
            if (wrong := reading.wrong_columns(work.table, source)) is None:
                work.sources[file.name] = source
            else:
                work.refuse(file.name, wrong, left.begins(work, source))
        except SourceError as error:
            work.refuse(file.name, error)
        except OSError as error:
            if (full := full_disk(error, f"{scratch}, for {file.name}", MAKE_ROOM)) is not None:
                raise full from error
            fix = "send it again, or remove it"
            work.refuse(
                file.name,
                SourceError(f"{file.name} cannot be read: {error.strerror or error}", where=str(file.path), fix=fix),
            )


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what is another one when a file has been written to; nothing if it is gone."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _refuse_moving(work: Work, files: Sequence[RawFile], before: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse the files that were written to while they were read: what was read may be a part of them."""
    for file in files:
        after = _stamp(file.path)
        if file.name in work.sources and after != before[file.name]:
            what = "was written to" if after else "vanished"
            fix = "ingest again when it is whole; move files into the data folder when they are"
            work.refuse(file.name, SourceError(f"{file.name} {what} while it was read", where=file.name, fix=fix))


def _added(work: Work) -> list[str]:
    """Return the columns that nobody declared and that are kept all the same."""
    if work.table.evolution.appear != "add":
        return []
    found = [name for source in work.sources.values() for name in reading.unknown(work.table, source)]
    # a column of the table may stand under another header, or be looked up
    taken = {name.lower() for name in (*work.table.contract(), *work.table.derive)}
    return sorted(name for name in set(found) if not name.startswith("_") and name.lower() not in taken)


def _written(work: Work, added: Sequence[str]) -> Part | None:
    """Write the part of the rows that a quick look lets in; a file that stops the query is refused, and the others are written."""
    while work.sources:
        try:
            if not added and (part := _tried(work)) is not None:
                return part
            rows = reading.quick(work.contract, list(work.sources.values()), added)
            return parts.write(work.cursor, work.table, rows, work.folder)
        except duckdb.Error as error:
            if not _culprits(work):
                raise SourceError(
                    f"{work.table.name}: {str(error).splitlines()[0]}",
                    where=", ".join(work.sources),
                    fix="look at these files; nothing of them was appended",
                ) from error
    return None


def _tried(work: Work) -> Part | None:
    """Write the part without asking each number, if that may do; None if it does not prove that every record is good."""
    sources, hint = list(work.sources.values()), work.contract.hint
    slow = any(isinstance(one, TextNumber) for one in work.table.derive.values())  # not to be computed twice
    if slow or any(source.opened.lines is None for source in sources):
        return None
    many = sum(source.opened.lines or 0 for source in sources) > MANY
    # files of a table are alike
    if many and not (hint["proven"] if "proven" in hint else _begins_well(work, sources[0])):
        return None
    try:
        part = _proven(work, sources)
    except duckdb.Error:  # what is wrong is told by the look at texts
        part = None
    hint["proven"] = part is not None
    return part


def _proven(work: Work, sources: Sequence[reading.Source]) -> Part | None:
    lines = sum(source.opened.lines or 0 for source in sources)
    return parts.write(
        work.cursor,
        work.table,
        reading.swift(work.contract, sources),
        work.folder,
        lambda statistics, rows: rows == lines and proof.holds(work.contract, statistics, rows),
    )


def _begins_well(work: Work, source: reading.Source) -> bool:
    """Return whether the first records of a file are good."""
    few = min(source.opened.lines or 0, FEW)
    return work.only(reading.sample(work.contract, source, few)) == few


def _culprits(work: Work) -> list[str]:
    """Refuse the files that cannot be read even alone."""
    found = []
    for name, source in list(work.sources.items()):
        try:
            work.cursor.execute(
                f"select * from ({reading.quick(work.contract, [source])}) where _record < 0"
            ).fetchall()
        except duckdb.Error as error:
            message = str(error).splitlines()[0]
            fix = "send the file again; say in format= how it is written, if it is not as its suffix says"
            work.refuse(name, SourceError(f"{name} cannot be read: {message}", where=name, fix=fix))
            found.append(name)
    return found


def _computed(work: Work, part: Part | None, added: Sequence[str]) -> Part | None:
    """Return the part with the columns that Python computes; a file whose rows it cannot compute is refused."""
    names = derive.python_names(work.table)
    if part is None or not names:
        return part
    target = f"keepfit_computed_{next(_numbers)}"
    try:
        return _with_computed(work, part, added, target)
    finally:
        work.cursor.execute(f"drop table if exists {target}")


def _with_computed(work: Work, part: Part, added: Sequence[str], target: str) -> Part | None:
    names = derive.python_names(work.table)
    derive.begin(work.cursor, work.table, target)
    for name, source in list(work.sources.items()):
        try:
            derive.python_columns(work.cursor, work.table, part.path, source.place, target)
        except SourceError as error:
            work.refuse(name, error)
    columns = ", ".join(f"c.{quoted('p:' + name)} as {quoted(name)}" for name in names)
    refused = ", ".join([literal(name) for name, found in work.found.items() if found.error] or ["null"])
    rows = (
        f"select {parts.columns(list(work.contract.types(added)))} from (select p.*, {columns}"
        f" from read_parquet({literal(str(part.path))}) p join {target} c using (_order))"
        f" where coalesce(_file not in ({refused}), true)"
    )
    computed = parts.write(work.cursor, work.table, rows, work.folder)
    part.path.unlink()
    return computed
