"""Which files are there, and which of them are new, changed or already in the lake."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from keepfit.errors import SourceError
from keepfit.spec.sources import Files
from keepfit.spec.tables import Events, Table


@dataclass(frozen=True)
class Found:
    """A raw file: its path, its name below the data folder, its content's SHA-256, its size in bytes."""

    path: Path
    name: str
    digest: str
    size: int


def discover(table: Table, folder: Path) -> list[Found]:
    """Return the files that a table's source matches, by name.

    Raises
    ------
    SourceError
        If there are none.
    """
    pattern = _pattern(table)
    paths = sorted(path for path in folder.glob(pattern) if path.is_file()) if folder.is_dir() else []
    if not paths:
        others = sorted(path.name for path in folder.iterdir())[:12] if folder.is_dir() else []
        holds = (
            f"it holds: {', '.join(others)}" if others else "it is empty" if folder.is_dir() else "it does not exist"
        )
        raise SourceError(
            f"no file matches {pattern!r} of {table.name}",
            where=str(folder),
            fix=f"put the files there or mend the pattern; {holds}",
        )
    return [_found(path, folder) for path in paths]


def _pattern(table: Table) -> str:
    if isinstance(table.source, Files):
        return table.source.pattern
    what = f"{table.name} is read from {type(table.source).__name__}, which nothing reads yet"
    raise SourceError(what, where=table.name, fix="write Files('...')")


def _found(path: Path, folder: Path) -> Found:
    stat = path.stat()
    return Found(path, path.relative_to(folder).as_posix(), _digest(path, stat.st_mtime_ns, stat.st_size), stat.st_size)


@lru_cache(maxsize=100_000)
def _digest(path: Path, _modified_ns: int, _size: int) -> str:
    # a replay looks at the same files at every turn: a file that has not been touched is hashed once a process
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def pending(
    table: Table, found: list[Found], ingested: Mapping[str, str], replace: frozenset[str]
) -> tuple[list[Found], list[SourceError]]:
    """Return the files still to be read, given the digest each name was ingested with, and why others are refused.

    A record file that changed is read again in place of the old one. An events file must not change, unless its name
    is in `replace`: its rows may be in training sets already.
    """
    unread = [file for file in found if ingested.get(file.name) != file.digest]
    refused = [
        file for file in unread if isinstance(table, Events) and file.name in ingested and file.name not in replace
    ]
    errors = [
        SourceError(
            f"{file.name} has changed after it was ingested into {table.name}",
            where=str(file.path),
            fix=f"restore it and send corrections in a new file, or exchange its rows: keepfit ingest --replace {file.name}",
        )
        for file in refused
    ]
    return [file for file in unread if file not in refused], errors
