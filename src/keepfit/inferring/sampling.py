"""A bounded look at raw files: a few hundred rows of each, from its beginning, its middle and its end."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from keepfit.engines.local import formats
from keepfit.errors import KeepfitError, SourceError
from keepfit.inferring.dialect import Dialect, declared, dialect_of, encoding_of
from keepfit.spec.sources import Csv, Excel, Format, Json, Parquet

ROWS, FEWEST = 15_000, 40  # rows of all files together, and of each at least
TEXT, LEAST = 10 << 20, 24 << 10  # bytes of text that are read of all files together, and of each at least
UNPACKED = 300 << 20  # bytes that are unpacked of all files together, to see their middle and their end
PIECES = 16
LONGEST_TOP = 4 << 20  # bytes in which the header and a few rows must stand
FEW_LINES = 20
PACKED, GZIP = ".gz", 31
LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


@dataclass(frozen=True)
class Sample:
    """What was seen of a file.

    Attributes
    ----------
    path : Path
        Where it is.
    format : Format or None
        As it is declared; None if its suffix says it all.
    header : tuple of str
        Its columns.
    rows : list of list of str or None
        Some of its records.
    """

    path: Path
    format: Format | None
    header: tuple[str, ...]
    rows: list[list[str | None]]


def look_at(paths: Sequence[Path], listen: Callable[[Path], None]) -> tuple[list[Sample], list[SourceError]]:
    """Return a sample of each file, and why others could not be read."""
    share = _Share(
        *(max(least, of_all // len(paths)) for least, of_all in ((FEWEST, ROWS), (LEAST, TEXT), (0, UNPACKED)))
    )
    samples: list[Sample] = []
    errors: list[SourceError] = []
    with ThreadPoolExecutor(2) as pool:
        for path, found in zip(paths, pool.map(partial(_tried, share=share), paths), strict=True):
            listen(path)
            (errors if isinstance(found, SourceError) else samples).append(found)  # type: ignore[arg-type]
    return samples, errors


@dataclass(frozen=True)
class _Share:
    """What is taken of each file: rows, bytes of text, bytes unpacked."""

    rows: int
    text: int
    unpacked: int

    @property
    def piece(self) -> int:
        return self.text // 2 // PIECES


def _tried(path: Path, share: _Share) -> Sample | SourceError:
    try:
        return _sampled(path, share)
    except SourceError as error:
        return error
    except (OSError, zlib.error, EOFError) as error:
        return SourceError(f"{path.name} cannot be read: {error}", where=str(path), fix="send the file again")
    except KeepfitError:
        raise


def _sampled(path: Path, share: _Share) -> Sample:
    format = formats.format_of(path.name)
    if isinstance(format, Parquet | Excel):
        header, found = formats.first_rows(path, format, share.rows)
        return Sample(path, None, header, found)
    pieces = _pieces(path, share)
    encoding = encoding_of(pieces[0])
    texts = [_decoded(piece, encoding) for piece in (pieces if encoding != "utf-16" else pieces[:1])]
    if isinstance(format, Json):
        return _objects(path, texts, encoding, share.rows)
    tab = path.name.lower().endswith((".tsv", ".tsv.gz"))
    dialect = dialect_of(texts[0], encoding, tab)
    if dialect is None:
        raise SourceError(f"{path.name} is empty", where=str(path), fix="leave it out")
    kept = declared(dialect.format, tab)
    return Sample(path, None if kept == Csv() else kept, dialect.header, _spread(_records(dialect, texts), share.rows))


def _records(dialect: Dialect, texts: Sequence[str]) -> list[list[str | None]]:
    found: list[list[str | None]] = []
    for nth, text in enumerate(texts):
        lines = text.lstrip("\ufeff").splitlines(keepends=True)
        # a piece begins and ends within a line
        inner = lines[dialect.above :] if nth == 0 else lines[1:]
        whole = inner if nth == len(texts) - 1 or (inner and inner[-1].endswith(("\n", "\r"))) else inner[:-1]
        found += [[value or None for value in row] for row in dialect.rows(whole)]
    return found


def _spread(rows: list[list[str | None]], most: int) -> list[list[str | None]]:
    if len(rows) <= most:
        return rows
    return [rows[place * len(rows) // most] for place in range(most)]


def _pieces(path: Path, share: _Share) -> list[bytes]:
    """Return the beginning of a text, unpacked, and pieces from all over it."""
    if path.suffix.lower() == PACKED:
        return _of_packed(path, share)
    size = path.stat().st_size
    with path.open("rb") as text:
        if size <= share.text:
            return [text.read()]
        found = [text.read(share.text // 2)]
        while found[0].count(b"\n") < FEW_LINES and len(found[0]) < LONGEST_TOP and (more := text.read(share.text)):
            found[0] += more
        first = len(found[0])
        for nth in range(PIECES):
            text.seek(first + (size - first - share.piece) * (nth + 1) // PIECES)
            found.append(text.read(share.piece))
    return found


def _of_packed(path: Path, share: _Share) -> list[bytes]:
    found, rest, unpacked = b"", [b""], 0
    step = max(share.piece, share.unpacked // PIECES)
    for chunk in _unpacked(path):
        short = found.count(b"\n") < FEW_LINES and len(found) < LONGEST_TOP
        if len(found) < share.text // 2 or short:
            found += chunk
        elif not rest[-1] or unpacked >= step * len(rest):
            rest.append(chunk[: share.piece])
        unpacked += len(chunk)
        if unpacked > share.unpacked and not short:
            break
    return [found, *rest[1:]]


def _unpacked(path: Path) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=GZIP)
    with path.open("rb") as packed:
        while chunk := packed.read(1 << 16):
            while chunk:
                yield member.decompress(chunk, 1 << 16)
                chunk = member.unconsumed_tail
                if member.eof:
                    chunk = member.unused_data.lstrip(b"\0")
                    member = zlib.decompressobj(wbits=GZIP)


def _decoded(piece: bytes, encoding: str) -> str:
    return piece.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")


def _objects(path: Path, texts: Sequence[str], encoding: str, rows: int) -> Sample:
    """Return a sample of JSON: of lines as they come, of arrays as a reader finds them."""
    format = Json(encoding=encoding)
    found = _by_line(texts) if texts[0].lstrip("\ufeff \t\r\n").startswith("{") else []
    if not found or (len(found) == 1 and not path.name.lower().endswith(LINES)):
        return _by_reader(path, format, rows)
    header = tuple(dict.fromkeys(key for one in found for key in one))
    kept = _spread([[_text(one.get(key)) for key in header] for one in found], rows)
    return Sample(path, None if format == Json() else format, header, kept)


def _by_line(texts: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for nth, text in enumerate(texts):
        for line in text.lstrip("\ufeff").splitlines()[nth > 0 :]:
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if isinstance(one, dict):
                found.append(one)
    return found


def _by_reader(path: Path, format: Json, rows: int) -> Sample:
    try:
        header, found = formats.first_rows(path, format, rows)
    except SourceError as error:
        # it may say where the records are
        place = error.fix.partition("records='")[2].partition("'")[0]
        if not place:
            raise
    else:
        # a document on one line reads as one object
        place = _inside(header, found[0]) if len(found) == 1 and not path.name.lower().endswith(LINES) else ""
    if place:
        format = Json(records=place, encoding=format.encoding)
        header, found = formats.first_rows(path, format, rows)
    return Sample(path, None if format == Json() else format, header, found)


def _inside(header: Sequence[str], row: Sequence[str | None]) -> str:
    """Return where the first array of objects stands in a document; nothing if there is none."""
    for key, value in zip(header, row, strict=True):
        with suppress(ValueError):  # texts may begin like one
            if value and value[0] in "{[" and (found := formats.arrays({key: json.loads(value)})):
                return found[0]
    return ""


def _text(value: Any) -> str | None:
    """Return a value of JSON as the text that a reader of formats gives."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if value != value else repr(value).removesuffix(".0")
    return value if isinstance(value, str) else json.dumps(value)
