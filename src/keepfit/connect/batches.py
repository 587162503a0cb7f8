"""Rows of a database as files: gzipped CSV that takes its name when it is whole, with a note of what it holds beside it.

A batch counts once its note stands; a kill before that leaves nothing, and the same rows are read again.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from keepfit.connect.copies import whole
from keepfit.connect.queries import Rows
from keepfit.errors import SourceError

SUFFIX = ".csv.gz"
NOTE = ".json"
# rows are mostly new to the page cache and read once or twice: the fastest packing pays
PACKED = 1

# a cursor's value as a note keeps it: its type and an exact text
Kept = tuple[str, str]


@dataclass(frozen=True)
class Batch:
    """The note of a landed batch.

    Attributes
    ----------
    number : int
        Its place in the order of landing.
    cursor : str
        The column it was read by.
    beyond, up_to : (str, str) or None
        The cursor's bounds, without and with the value itself; None is no bound.
    rows : int
        Rows in it.
    """

    number: int
    cursor: str
    beyond: Kept | None
    up_to: Kept
    rows: int


READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "str": str,
    "float": float,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "Decimal": Decimal,
    "UUID": UUID,
    "bytes": bytes.fromhex,
}


def keep(value: Any, where: str) -> Kept:
    """Return a cursor's value as a note keeps it.

    Raises
    ------
    SourceError
        If it has no exact text.
    """
    kind = type(value).__name__
    if kind not in READ:
        raise SourceError(
            f"a cursor cannot be a {kind}",
            where=where,
            fix=f"take a column of one of: {', '.join(READ)}; or read without a cursor",
        )
    return kind, str(_texts([value])[0])


def kept(text: Kept | None) -> Any:
    """Return the value that a note keeps."""
    return None if text is None else READ[text[0]](text[1])


def notes(folder: Path) -> list[Batch]:
    """Return the batches that have landed in a folder, in order."""
    found = []
    for path in sorted(folder.glob(f"[0-9]*{NOTE}")) if folder.is_dir() else []:
        said = json.loads(path.read_bytes())
        bounds = {name: None if said[name] is None else tuple(said[name]) for name in ("beyond", "up_to")}
        found.append(Batch(**(said | bounds)))
    return sorted(found, key=lambda batch: batch.number)


def note(folder: Path, batch: Batch) -> None:
    """Keep that a batch has landed."""
    with whole(folder / f"{batch.number:06d}{NOTE}", durable=True) as content:
        content.write(json.dumps(asdict(batch)).encode())


def write(path: Path, rows: Rows) -> int:
    """Write rows as gzipped CSV and return how many there are."""
    return sum(len(lines) for lines in _written(path, rows))


def digested(path: Path, rows: Rows) -> tuple[int, str]:
    """Write rows as gzipped CSV and return how many there are, and a digest of them whatever their order."""
    count, total = 0, 0
    for lines in _written(path, rows):
        count += len(lines)
        total += sum(int.from_bytes(hashlib.blake2b(line.encode(), digest_size=16).digest()) for line in lines)
    head = hashlib.sha256(json.dumps(rows.columns).encode()).hexdigest()[:16]
    return count, f"{head}-{count}-{total % (1 << 128):032x}"


def _written(path: Path, rows: Rows) -> Iterator[list[str]]:
    """Write the rows and yield each chunk's lines after they have been written."""
    with whole(path, durable=True) as content, gzip.GzipFile("", "wb", PACKED, content, mtime=0) as packed:
        packed.write("".join(_lines([rows.columns])).encode())
        for chunk in rows.chunks:
            lines = _lines(chunk)
            packed.write("".join(lines).encode())
            yield lines


def _lines(rows: Iterable[Sequence[Any]]) -> list[str]:
    lines: list[str] = []
    csv.writer(SimpleNamespace(write=lines.append)).writerows([_texts(row) for row in rows])
    return lines


def _texts(row: Sequence[Any]) -> list[Any]:
    return [form(value) if (form := FORMS.get(type(value))) else value for value in row]


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


# what csv does not write as the contract reads it; null is an empty text
FORMS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    float: lambda value: "" if value != value else repr(value),
    Decimal: lambda value: "" if value.is_nan() else str(value),
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    bytes: bytes.hex,
    bytearray: bytearray.hex,
    memoryview: memoryview.hex,
    dict: _json,
    list: _json,
    tuple: _json,
}
