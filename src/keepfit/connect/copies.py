"""Copies of items: a path of their own whatever the item's name, and whole or not there at all."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock

from keepfit.connect.protocol import Item

# a file system's names are at most 255 bytes; the suffixes at the end tell the format
LONGEST = 100
PART = ".part"


def copy_of(item: Item, folder: Path) -> Path:
    """Return where a copy of an item lies; two items never share a path, and a name cannot lead out of the folder."""
    digest = hashlib.sha256(f"{item.name}\0{item.identity}".encode()).hexdigest()[:16]
    last = item.name.rpartition("/")[2]
    readable = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in last[-LONGEST:])
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{digest}-{readable.encode('ascii', 'replace').decode().replace('?', '_')}"


@dataclass(frozen=True)
class Landed:
    """A file that is kept, with a note beside it that says which version it is.

    Attributes
    ----------
    path : Path
        Where it lies, or will.
    """

    path: Path

    @property
    def version(self) -> str | None:
        """Which version lies there; None if there is none, or it was touched since."""
        try:
            note, stat = json.loads(self._beside("json").read_bytes()), self.path.stat()
        except (OSError, ValueError):
            return None
        same = note["size"] == stat.st_size and note["mtime_ns"] == stat.st_mtime_ns
        return str(note["version"]) if same else None

    def keep(self, version: str) -> None:
        """Note which version lies there now."""
        stat = self.path.stat()
        note = {"version": version, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        with whole(self._beside("json"), durable=True) as content:
            content.write(json.dumps(note).encode())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the file against other threads and processes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._beside("lock")):
            for left in self.path.parent.glob(f".{self.path.name}.*{PART}"):  # by a process that was killed
                left.unlink()
            yield

    def _beside(self, what: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{what}")


@contextmanager
def whole(path: Path, *, durable: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that takes its name only when it is whole; `durable`: also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # names of two processes or threads differ, so that neither renames the other's half
    part = path.with_name(f".{path.name.lstrip('.')}.{os.getpid()}-{threading.get_ident()}{PART}")
    try:
        with part.open("wb") as content:
            yield content
            if durable:
                content.flush()
                os.fsync(content.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if durable:
        _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
