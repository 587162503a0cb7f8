"""Files of Arrow's own format (IPC, Feather): the one home of `arro3.io`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keepfit.errors import MissingExtra, SourceError

FILE, STREAM = b"ARROW1", b"\xff\xff\xff\xff"
"""How a file begins that has an index of its batches, and one that has none."""


def reader(path: Path) -> Any:
    """Return an Arrow reader of a file's batches.

    Raises
    ------
    SourceError
        If it begins otherwise.
    MissingExtra
        If the library that reads it is not installed.
    """
    try:
        from arro3 import io
    except ImportError:
        raise MissingExtra("arrow", path.name) from None
    with path.open("rb") as content:
        begin = content.read(len(FILE))
    if begin == FILE:
        return io.read_ipc(str(path))
    if begin.startswith(STREAM):
        return io.read_ipc_stream(str(path))
    fix = "write it as Arrow IPC (Feather version 2)"
    raise SourceError(f"{path.name} cannot be read: it is no Arrow file", where=str(path), fix=fix)
