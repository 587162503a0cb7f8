"""A Delta table of others: its Parquet files are read as they are appended.

The first listing takes the files that the table holds then; each later one adds those of the versions since. Which files those were
is kept in the landing folder, because a log forgets: OPTIMIZE writes the same rows into other files, which are none of ours, and
VACUUM removes the old ones. A version that changed rows stops the reading there. Where only the newest state counts
(`Place.latest`), as for Records, the whole table is one item instead, and may be rewritten as its owner likes.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from keepfit.connect import commits
from keepfit.connect.commits import Added
from keepfit.connect.copies import PART, copy_of, whole
from keepfit.connect.protocol import Connection, Item, Place
from keepfit.errors import LISTED, SourceError
from keepfit.spec.sources import Delta, Parquet

if TYPE_CHECKING:
    from keepfit.connect.store import Store

ANEW = "declare it under another name, which reads it anew as it is now; for Records the newest state is read by itself"


class Folder(Protocol):
    """Where a table lies."""

    @property
    def uri(self) -> str:
        """What `DeltaTable` opens."""

    @property
    def options(self) -> dict[str, str] | None:
        """What it is opened with."""

    def read(self, path: str) -> bytes | None:
        """Return a small file; None if it is not there."""

    def fetch(self, item: Item, path: str, folder: Path) -> Path:
        """Return a local file; FileNotFoundError if it is not there."""

    def holds(self) -> str:
        """Return in words what is there."""


def open_source(source: Delta, place: Place) -> Connection:
    """Return the files of a Delta table, or the table as one file if only its newest state counts.

    Raises
    ------
    SourceError
        If the address of an object store is refused.
    MissingExtra
        If it lies in an object store, and the library for it is not installed.
    """
    name = source.path.rstrip("/").rpartition("/")[2]
    folder: Folder = _remote(source.path, place) if "://" in source.path else Local(place.data / source.path)
    return Newest(name, folder) if place.latest else Appends(name, folder, place.landing / f"{name}.versions.json")


def _remote(path: str, place: Place) -> Folder:
    # a table in a folder does without the library of object stores
    from keepfit.connect import store

    options = store.settings(path.partition("://")[0].lower(), place)
    if store.allows_http(place):
        options["allow_http"] = "true"
    return Remote(path.rstrip("/"), options, store.Store(path, place))


@dataclass(frozen=True)
class Seen:
    """What has been listed of a table: its id, up to which version, and the files."""

    id: str
    version: int
    files: tuple[Added, ...]


@dataclass(frozen=True)
class Appends:
    """The Parquet files of a table that is only appended to; a connection."""

    name: str
    folder: Folder
    state: Path

    def items(self) -> list[Item]:
        """Return the files that were appended, and an error in place of a version that changed rows."""
        table, before = _opened(self.folder), self._before()
        _check(table, self.folder, before)
        seen, error = self._since(before, table.version()) if before else (_first(table), None)
        if seen != before:
            with whole(self.state, durable=True) as content:
                content.write(json.dumps(dataclasses.asdict(seen)).encode())
        items = [self._item(file) for file in seen.files] + ([error] if error else [])
        if not items:
            raise SourceError("the table holds no rows", where=self.folder.uri, fix="append some, or mend the path")
        return sorted(items, key=lambda item: item.name)

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return a Parquet file of the table, a copy if it is not local."""
        if item.error is not None:
            raise item.error
        path = item.name.removeprefix(f"{self.name}/")
        if "://" in path or path.startswith("/"):
            raise SourceError(
                f"{item.name} belongs to another table",
                where=self.folder.uri,
                fix="read that one; this is its clone",
            )
        return self.folder.fetch(item, path, folder)

    def _before(self) -> Seen | None:
        if not self.state.is_file():
            return None
        said = json.loads(self.state.read_bytes())
        return Seen(said["id"], said["version"], tuple(Added(**file) for file in said["files"]))

    def _since(self, seen: Seen, newest: int) -> tuple[Seen, Item | None]:
        """Return what has been listed with what the versions since appended, and why it ends before the newest one."""
        for version in range(seen.version + 1, newest + 1):
            text = self.folder.read(f"_delta_log/{version:020d}.json")
            if text is None:
                return seen, self._stopped(version, "is not in the log any more, so what it did cannot be told")
            commit = commits.read(text)
            if commit.rewrote:
                return seen, self._stopped(version, f"was {commit.rewrote}: it changed rows that may have been read")
            seen = Seen(seen.id, version, (*seen.files, *commit.added))
        return seen, None

    def _stopped(self, version: int, why: str) -> Item:
        error = SourceError(f"version {version} of {self.name} {why}", where=self.folder.uri, fix=ANEW)
        return Item(f"{self.name}@{version}", str(version), -1, {}, Parquet(), error)

    def _item(self, file: Added) -> Item:
        error = None
        if file.deleted:
            error = SourceError(
                f"{self.name}/{file.path} has a deletion vector: some of its rows are deleted",
                where=self.folder.uri,
                fix="let its owner purge it (REORG TABLE ... APPLY (PURGE)); for Records the newest state is read by itself",
            )
        return Item(f"{self.name}/{file.path}", f"{file.size}-{file.modified}", file.size, file.parts, Parquet(), error)


@dataclass(frozen=True)
class Newest:
    """A table's newest version as one Parquet file; a connection."""

    name: str
    folder: Folder

    def items(self) -> list[Item]:
        """Return the table as one file; every version is another identity."""
        table = _opened(self.folder)
        return [Item(f"{self.name}.parquet", f"{table.metadata().id!s}@{table.version()}", -1, {}, Parquet())]

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return the version's rows as one Parquet file below `folder`."""
        path = copy_of(item, folder)
        part = path.with_name(f".{path.name}{PART}")
        table = _opened(self.folder, int(item.identity.rpartition("@")[2]))
        try:
            rows = QueryBuilder().register("of_others", table).execute("SELECT * FROM of_others")
            with duckdb.connect() as connection:
                connection.from_arrow(rows).write_parquet(str(part))
        except (DeltaError, duckdb.Error, OSError) as error:
            part.unlink(missing_ok=True)
            raise SourceError(
                f"{item.name} cannot be read: {str(error).splitlines()[0][:300]}",
                where=self.folder.uri,
                fix="ingest again",
            ) from None
        return part.replace(path)


@dataclass(frozen=True)
class Local:
    """A table in a folder."""

    path: Path
    options: None = None

    @property
    def uri(self) -> str:
        """The folder's path."""
        return str(self.path)

    def read(self, path: str) -> bytes | None:
        """Return a small file; None if it is not there."""
        return (self.path / path).read_bytes() if (self.path / path).is_file() else None

    def fetch(self, item: Item, path: str, folder: Path) -> Path:
        """Return the file itself."""
        if not (self.path / path).is_file():
            raise _vacuumed(item.name, self.uri)
        return self.path / path

    def holds(self) -> str:
        """Return in words what is there."""
        if not self.path.is_dir():
            return "the folder does not exist"
        return f"there is: {', '.join(sorted(path.name for path in self.path.iterdir())[:LISTED]) or 'nothing'}"


@dataclass(frozen=True)
class Remote:
    """A table in an object store."""

    uri: str
    options: dict[str, str] | None
    store: Store

    def read(self, path: str) -> bytes | None:
        """Return a small object; None if it is not there."""
        return self.store.read_if_there(self._key(path))

    def fetch(self, item: Item, path: str, folder: Path) -> Path:
        """Return a copy below `folder`."""
        return self.store.copy(self._key(path), "", copy_of(item, folder))

    def holds(self) -> str:
        """Return in words what is there."""
        with self.store.mended():
            return self.store.holds(self.store.path.rstrip("/"))

    def _key(self, path: str) -> str:
        return f"{self.store.path.rstrip('/')}/{path}".lstrip("/")


def _opened(folder: Folder, version: int | None = None) -> DeltaTable:
    try:
        return DeltaTable(folder.uri, version=version, storage_options=folder.options)
    except TableNotFoundError:
        raise SourceError("there is no Delta table", where=folder.uri, fix=f"mend the path; {folder.holds()}") from None
    except (DeltaError, OSError) as error:
        said = str(error).partition("\n")[0][:300]
        raise SourceError(
            f"the Delta table cannot be read: {said}", where=folder.uri, fix="check the path and the rights"
        ) from None


def _check(table: DeltaTable, folder: Folder, before: Seen | None) -> None:
    if before is not None and str(table.metadata().id) != before.id:
        raise SourceError("another table stands at this path than the one that was read", where=folder.uri, fix=ANEW)
    if table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none":
        raise SourceError(
            "the table maps its columns, so that its files do not hold their names",
            where=folder.uri,
            fix="let its owner set delta.columnMapping.mode to none; for Records the newest state is read by itself",
        )


def _first(table: DeltaTable) -> Seen:
    return Seen(str(table.metadata().id), table.version(), tuple(commits.snapshot(table)))


def _vacuumed(name: str, where: str) -> SourceError:
    return SourceError(
        f"{name} has gone since it was appended: it was vacuumed, or removed", where=where, fix="restore it; or " + ANEW
    )
