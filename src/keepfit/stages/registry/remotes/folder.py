"""A folder, such as a mounted share or a disk that is carried: `/mnt/models`, `../models`, `file:///mnt/models`."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlparse

from keepfit.stages.registry.remotes.blobs import Blobs
from keepfit.stages.registry.remotes.protocol import Site


def open_remote(address: str, site: Site) -> Blobs:
    """Return the versions in a folder; it is made when the first is sent."""
    path = unquote(urlparse(address).path) if address.startswith("file://") else address
    return Blobs(Folder((site.folder / Path(path).expanduser()).resolve()))


class Folder:
    """Files below a folder."""

    def __init__(self, root: Path) -> None:
        self._root, self.where = root, str(root)

    def names(self, prefix: str) -> list[str]:
        """Return the files below a prefix."""
        folder = self._root / prefix
        there = sorted(folder.iterdir()) if folder.is_dir() else []
        return [f"{prefix}{path.name}" for path in there if not path.name.startswith(".")]

    def holds(self, name: str) -> bool:
        """Return whether there is a file."""
        return (self._root / name).is_file()

    def read(self, name: str) -> bytes | None:
        """Return a file's content; None if there is no such file."""
        path = self._root / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        """Write a file beside, make sure that it is on the disk, and put it in its place."""
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
