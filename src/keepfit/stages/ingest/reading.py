"""Batches of raw files on their way through the engine: fetched and checked ahead in threads, handed on in order."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from keepfit import tables
from keepfit.connect import Item
from keepfit.engines.protocol import Engine
from keepfit.errors import MAKE_ROOM, SourceError, full_disk
from keepfit.lake import Lake
from keepfit.raw import Checked, CheckedFile, RawFile, identity
from keepfit.spec.sources import Files
from keepfit.spec.tables import Table
from keepfit.stages.ingest.listing import Listed
from keepfit.stages.ingest.pending import Found, batches

CHUNK = 1 << 20
WORKERS = 2  # batches under way at once
AHEAD = 4  # batches checked or under way before one is committed: those that wait lie on disk


@dataclass(frozen=True)
class Read:
    """A batch that was read.

    Attributes
    ----------
    same : tuple of CheckedFile
        Files whose bytes are those that the table holds already; they were not read as rows.
    """

    items: tuple[Item, ...]
    checked: Checked | None
    same: tuple[CheckedFile, ...] = ()
    errors: tuple[SourceError, ...] = ()


@dataclass(frozen=True)
class Reader:
    """Reads a table's raw files.

    Attributes
    ----------
    held : mapping of str to Listed
        Files whose content may be as the table holds it; then they are not read again.
    called : mapping of str to str
        Files that were renamed -> the name that the table knows them by.
    """

    engine: Engine
    lake: Lake
    table: Table
    found: Found
    held: Mapping[str, Listed] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)

    def read(self, items: Sequence[Item], place: int) -> Iterator[Read]:
        """Yield the batches of these files, in order; the next ones are under way meanwhile.

        Parameters
        ----------
        place : int
            How many files the table has read before.
        """
        waiting: deque[Future[Read]] = deque()
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for batch in batches(items):
                    waiting.append(pool.submit(self.one, batch, place))
                    place += len(batch)
                    if len(waiting) >= AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:  # of an error or a stop in between
                for future in waiting:
                    if not future.cancel() and (checked := _result(future)) is not None:
                        self.engine.release(checked)

    def one(self, batch: Sequence[Item], place: int) -> Read:
        """Return one batch, read now."""
        with tempfile.TemporaryDirectory(prefix="keepfit-fetched-") as scratch:
            files: list[RawFile] = []
            same: list[CheckedFile] = []
            errors: list[SourceError] = []
            for number, item in enumerate(batch):
                try:
                    path = self._fetched(item, Path(scratch) / str(number))
                    known = self.held.get(item.name)
                    if known is not None and (digest := _digest(path, item)) == known.digest:
                        same.append(CheckedFile(item.name, digest, known.size, known.header, known.types))
                        continue
                    format_ = self.table.source.format if isinstance(self.table.source, Files) else None
                    files.append(
                        RawFile(
                            path,
                            self.called.get(item.name, item.name),
                            place + number,
                            item.format or format_,
                            item.parts,
                        )
                    )
                except SourceError as error:
                    errors.append(error)
            checked = self._checked(files) if files else None
        return Read(tuple(batch), checked, tuple(same), tuple(errors))

    def digest(self, item: Item) -> str:
        """Return the digest of a file's rows."""
        with tempfile.TemporaryDirectory(prefix="keepfit-fetched-") as scratch:
            return _digest(self._fetched(item, Path(scratch) / "0"), item)

    def _fetched(self, item: Item, folder: Path) -> Path:
        folder.mkdir()
        try:
            return self.found.connection.fetch(item, folder)
        except OSError as error:
            if (full := full_disk(error, str(folder), MAKE_ROOM)) is not None:
                raise full from error
            raise _unreadable(item.name, error) from error

    def _checked(self, files: Sequence[RawFile]) -> Checked:
        folder = self.lake.folder(tables.source(self.table.name))
        return self.engine.check(self.table, files, folder, looked_up_in(self.lake, self.table))


def looked_up_in(lake: Lake, table: Table) -> list[str]:
    """Return the Parquet files of the table that a table looks in."""
    if table.lookup is None or not lake.exists(name := tables.source(table.lookup.of.name)):
        return []
    return lake.parquet_files(name)


def _digest(path: Path, item: Item) -> str:
    try:
        digest = blake3()
        with path.open("rb") as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
        return identity(digest.hexdigest(), item.parts)
    except OSError as error:
        raise _unreadable(item.name, error) from error


def _unreadable(name: str, error: OSError) -> SourceError:
    return SourceError(
        f"{name} cannot be read: {error.strerror or error}",
        where=name,
        fix="see that it is there and may be read, then ingest again",
    )


def _result(future: Future[Read]) -> Checked | None:
    try:
        return future.result().checked
    except Exception:  # it failed as the batch before it did, whose error is under way
        return None
