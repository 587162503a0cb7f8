"""A table whose declaration was edited: its files are read again, and its rows exchanged in one commit.

A crash before the commit leaves the old table. The commit names the files, which the next ingest lists if a crash came
before they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from keepfit import tables
from keepfit.connect import Item
from keepfit.errors import SourceError
from keepfit.raw import Checked, Part
from keepfit.stages.ingest import listing
from keepfit.stages.ingest.listing import Listed, Row, Standing, list_files
from keepfit.stages.ingest.pending import changed
from keepfit.stages.ingest.quarantine import quarantine
from keepfit.stages.ingest.reading import Read, Reader
from keepfit.stages.ingest.said import Ingested


def belonging(reader: Reader, held: Mapping[str, Listed], data: Path) -> dict[str, Item]:
    """Return the files that a table holds and its declaration still matches, in the order in which they were read.

    Keys are the names that the table knows them by: of a file that was renamed, the old one.

    Raises
    ------
    SourceError
        If one of them is gone.
    """
    by_name = {item.name: item for item in reader.found.items}
    strangers = [item for item in reader.found.items if item.name not in held]
    by_digest: dict[str, Item] = {}
    files: dict[str, Item] = {}
    for name, listed in held.items():
        if (item := by_name.get(name)) is not None:
            files[name] = item
            continue
        by_digest = by_digest or {reader.digest(item): item for item in strangers}
        if (item := by_digest.get(listed.digest)) is not None:
            files[name] = item
        elif not (data / name).is_file():  # else it is there, and no longer matches
            raise SourceError(
                f"{reader.table.name} is declared differently since its files were ingested, and {name} is gone",
                where=name,
                fix="put it back, or restore the declaration",
            )
    return files


@dataclass
class Rebuilding:
    """The parts of a rebuilt table, before the one commit that makes them its rows."""

    reader: Reader
    items: Mapping[str, Item]
    held: Mapping[str, Listed]
    exchange: frozenset[str]
    as_of: int
    result: Ingested
    parts: list[Part] = field(default_factory=list)
    listed: list[Row] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)
    schema: object = None

    def take(self, read: Read) -> None:
        """Judge a batch and keep its part.

        Raises
        ------
        SourceError
            If one of its files cannot be read, or does not fit the declaration.
        """
        for error in read.errors:
            raise error
        if (checked := read.checked) is None:
            return
        kept: tuple[Part, ...] = ()
        try:
            names = [file.name for file in checked.files if not self._copy(file.digest)]
            for file in checked.files:
                self._require(checked, file.name)
            engine, lake, table = self.reader.engine, self.reader.lake, self.reader.table
            settled = engine.settle(table, checked, names, [str(part.path) for part in self.parts])
            kept = settled.parts
            self.parts += kept
            for file in settled.files:
                if file.error is not None:
                    raise file.error
            quarantine(engine, lake, table, checked, settled.files, self.as_of)
            old = set(settled.old)
            for part in [part for part in self.parts if str(part.path) in old]:
                self.parts.remove(part)
                part.path.unlink()
            self.schema = _wider(self.schema, checked)
            copies = [
                replace(file, rows=0, quarantined=0, repeated=0) for file in checked.files if file.name not in names
            ]
            self.result = self.result.added(settled.files, checked, settled).named(
                *(file.name for file in checked.files)
            )
            for file in (*settled.files, *copies):
                self.listed.append(listing.listing(table, self.items[file.name], file, self.as_of))
        finally:
            self.reader.engine.release(checked, kept)

    def _copy(self, digest: str) -> bool:
        seen = digest in self.digests
        self.digests.add(digest)
        return seen

    def _require(self, checked: Checked, name: str) -> None:
        (file,) = checked.named([name])
        error = file.error or listing.wrong_file(self.reader.table, file)
        if error is None and (known := self.held.get(name)) is not None and known.digest != file.digest:
            error = changed(self.reader.table, self.items[name], self.exchange)
        if error is not None:
            raise error


def rebuild(
    reader: Reader,
    held: Mapping[str, Listed],
    exchange: frozenset[str],
    data: Path,
    now: Standing,
    as_of: int,
) -> tuple[Ingested, list[Row], Standing]:
    """Put the rows of a table's files, read as it is declared now, in the place of all its rows.

    Returns what was read, how it was listed, and how the table stands. A file is read whatever as_of is: the table held it
    already.

    Raises
    ------
    SourceError
        If a file is gone, changed or does not fit the declaration; the table is then as it was.
    """
    table, lake = reader.table, reader.lake
    files = belonging(reader, held, data)
    after = Standing(listing.declaration(table), now.rebuilt + 1, now.place + len(files))
    reader = replace(reader, called={item.name: name for name, item in files.items()})
    work = Rebuilding(reader, files, held, exchange, as_of, Ingested(table.name))
    target = tables.source(table.name)
    with lake.keeping(target, work.parts):
        for read in reader.read(list(files.values()), now.place):
            work.take(read)
        notes = listing.notes(table, after, as_of, work.listed)
        schema = work.schema or reader.engine.schema(table)
        version = lake.commit(target, schema, work.parts, old=None, notes=notes)
    rows = [{**row, "version": version} for row in work.listed]
    list_files(reader.engine, lake, rows)
    return work.result, rows, after


def _wider(schema: object, checked: Checked) -> object:
    """Return the schema of all batches so far: one may hold columns that others lack."""
    if schema is None:
        return checked.schema
    there = set(schema.names)  # type: ignore[attr-defined]
    wider = schema
    for field_ in checked.schema:
        if field_.name not in there:
            wider = wider.append(field_)  # type: ignore[attr-defined]
    return wider
