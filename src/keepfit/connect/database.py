"""Rows of an SQL database, landed as files: PostgreSQL, MySQL, MariaDB, SQLite, and what else SQLAlchemy has a dialect for.

With a cursor each batch holds the rows between two of its values and never changes: a kill at any moment loses and doubles
nothing, because a batch counts once its note stands and the next one begins where the last note ends. What is not read yet is
listed too; its fetch lands it. Rows that come later with a cursor at or below one that has landed are never seen: take a column
that only grows, in the order in which rows are committed. Without a cursor all rows are read at each listing, and are another
version if any of them changed, whatever their order.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from keepfit.connect import batches
from keepfit.connect.batches import Batch, Kept
from keepfit.connect.copies import PART, Landed
from keepfit.connect.protocol import Connection, Item, Place
from keepfit.connect.queries import Queries
from keepfit.errors import SourceError
from keepfit.spec.sources import Csv, Database

# rows of a batch; more only where they have one cursor's value
BATCH = 1_000_000


def open_source(source: Database, place: Place) -> Connection:
    """Return the rows of a table or a query, as batches beyond a cursor or as one file.

    Raises
    ------
    SourceError
        If the address cannot be read, or names a variable that is not set.
    MissingExtra
        If the driver is not installed.
    """
    queries = Queries(source, place.data, place.environment)
    stem = re.sub(r"[^A-Za-z0-9_.-]|^\.+", "_", source.table or "query")
    if source.cursor:
        return Batches(queries, place.landing, stem)
    return Snapshot(queries, Landed(place.landing / f"{stem}{batches.SUFFIX}"))


@dataclass(frozen=True)
class Batches:
    """The rows of a database in batches that only grow in number; a connection.

    Attributes
    ----------
    landing : Path
        Where batches land, in a folder named `stem`.
    """

    queries: Queries
    landing: Path
    stem: str

    @property
    def folder(self) -> Path:
        """Where the batches and their notes lie."""
        return self.landing / self.stem

    def items(self) -> list[Item]:
        """Return the batches that have landed, and those to land for the rows beyond."""
        landed = batches.notes(self.folder)
        self._check(landed)
        items = {batch.number: self._landed(batch) for batch in landed}
        before: Batch | None = None
        for batch in landed:  # a batch that another thread was to land when the process died
            number = before.number + 1 if before else 0
            if number < batch.number:
                items[number] = self._pending(number, before.up_to if before else None, batch.beyond)
            before = batch
        beyond, number = (before.up_to, before.number + 1) if before else (None, 0)
        for value in self.queries.bounds(batches.kept(beyond), BATCH):
            up_to = batches.keep(value, self.queries.where)
            items[number] = self._pending(number, beyond, up_to)
            beyond, number = up_to, number + 1
        if not items:
            raise _empty(self.queries)
        return [items[number] for number in sorted(items)]

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return the landed batch; a pending one is landed first."""
        path = self.landing / item.name
        number = int(path.name.partition(".")[0])
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            landed = {batch.number: batch for batch in batches.notes(self.folder)}
            if number in landed and self._identity(landed[number]) != item.identity:
                raise SourceError(f"{item.name} was landed with other bounds", where=str(path), fix="ingest again")
            if number in landed and not path.is_file():
                raise SourceError(f"{item.name} has gone since it was landed", where=str(path), fix=f"restore {path}")
            if number not in landed:
                self._land(number, item, path)
        return path

    def _land(self, number: int, item: Item, path: Path) -> None:
        for left in self.folder.glob(f".*{PART}"):  # by a process that was killed; this one holds the lock
            left.unlink()
        beyond, up_to = (None if bound is None else (bound[0], bound[1]) for bound in json.loads(item.identity))
        with self.queries.between(batches.kept(beyond), batches.kept(up_to)) as rows:
            count = batches.write(path, rows)
        assert up_to is not None
        batches.note(self.folder, Batch(number, self.queries.source.cursor or "", beyond, up_to, count))

    def _check(self, landed: list[Batch]) -> None:
        cursor = self.queries.source.cursor
        other = next((batch.cursor for batch in landed if batch.cursor != cursor), None)
        if other is not None:
            raise SourceError(
                f"{self.stem} was landed by the cursor {other}, not {cursor}",
                where=str(self.folder),
                fix=f"declare cursor={other!r}, or give the table another name to read everything again",
            )

    def _landed(self, batch: Batch) -> Item:
        path = self.folder / f"{batch.number:06d}{batches.SUFFIX}"
        size = path.stat().st_size if path.is_file() else -1
        return Item(f"{self.stem}/{path.name}", self._identity(batch), size, {}, Csv())

    def _pending(self, number: int, beyond: Kept | None, up_to: Kept | None) -> Item:
        return Item(f"{self.stem}/{number:06d}{batches.SUFFIX}", json.dumps([beyond, up_to]), -1, {}, Csv())

    @staticmethod
    def _identity(batch: Batch) -> str:
        return json.dumps([batch.beyond, batch.up_to])


@dataclass(frozen=True)
class Snapshot:
    """All rows of a database as one file, another version whenever any of them changed; a connection."""

    queries: Queries
    landed: Landed

    def items(self) -> list[Item]:
        """Read all rows and return them as one file; the file that has landed stays if they are the same."""
        path = self.landed.path
        new = path.with_name(f".{path.name}.new{PART}")
        with self.landed.alone():
            with self.queries.everything() as rows:
                count, digest = batches.digested(new, rows)
            if count == 0:
                new.unlink()
                raise _empty(self.queries)
            if self.landed.version == digest:
                new.unlink()
            else:
                new.replace(path)
                self.landed.keep(digest)
        return [Item(path.name, digest, path.stat().st_size, {}, Csv())]

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return the landed file."""
        if self.landed.version != item.identity:
            raise SourceError(
                f"{item.name} has changed or gone since it was listed", where=str(self.landed.path), fix="ingest again"
            )
        return self.landed.path


def _empty(queries: Queries) -> SourceError:
    return SourceError(
        "there are no rows", where=queries.where, fix="check the table, the query, and which database it is"
    )
