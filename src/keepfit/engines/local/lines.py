"""Line ends: DuckDB reads a file whose lines all end alike, and files put together by two programs do not."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

CHUNK = 1 << 20


@contextmanager
def evened(path: Path) -> Iterator[Path]:
    """Give the file, or if its lines end with and without a carriage return, a copy of it whose lines end without.

    A line break inside quotes counts: some programs write CRLF after a record and LF inside a text.
    """
    if not _mixed(path):
        yield path
        return
    with TemporaryDirectory(prefix="keepfit-") as folder:
        copy = Path(folder) / path.name.removesuffix(".gz")
        with copy.open("wb") as target:
            for chunk in _chunks(path):
                target.write(chunk.replace(b"\r\n", b"\n"))
        yield copy


def _mixed(path: Path) -> bool:
    returned = plain = False
    for chunk in _chunks(path):
        both = chunk.count(b"\r\n")
        returned, plain = returned or both > 0, plain or chunk.count(b"\n") > both
        if returned and plain:
            return True
    return False


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the content so that no line end is cut in two."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as content:
        held = b""
        while chunk := content.read(CHUNK):
            chunk, held = held + chunk, b""
            if chunk.endswith(b"\r"):
                chunk, held = chunk[:-1], b"\r"
            yield chunk
        yield held
