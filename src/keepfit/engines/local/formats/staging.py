"""A raw file made ready for its reader: unpacked, in UTF-8, with lines that end in one way, and nothing that a parser loses.

The file itself is what is read if it is all that already; else a copy in the scratch folder. Its bytes are gone through once,
and never more than a block of them is held; only what is mended is gone through again.
"""

from __future__ import annotations

import codecs
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from blake3 import blake3

from keepfit.engines.local.formats.facts import LONGEST_LINE, Facts
from keepfit.engines.local.formats.mending import mend
from keepfit.errors import MAKE_ROOM, SourceError, full_disk

CHUNK = 1 << 17  # fits a core's cache
PIECE = 1 << 20
PATTERN = frozenset("*?[{")
PACKED = ".gz"
GZIP = 31  # as zlib calls it
UTF_8 = ("utf-8", "utf-8-sig")
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class Staged:
    """A file as its reader reads it.

    Attributes
    ----------
    path : Path
        The file itself, or its copy in the scratch folder.
    digest : str
        BLAKE3 of the bytes as they came, as hex.
    size : int
        How many they are.
    copied : bool
        Whether it is a copy.
    cut : Path or None
        What was taken out because it is no record, as JSON lines: place, error, raw; see `mending`.
    """

    path: Path
    digest: str
    size: int
    copied: bool = False
    cut: Path | None = None


def stage(path: Path, name: str, folder: Path) -> Staged:
    """Return a file that is no text: unpacked if it was packed.

    Raises
    ------
    SourceError
        If it cannot be read, or is packed and corrupt.
    """
    return _through(path, name, folder, "utf-8", None)


def stage_text(path: Path, name: str, folder: Path, facts: Facts, encoding: str = "utf-8") -> Staged:
    """Return a text: unpacked, in UTF-8. `facts` then tells what it looks like.

    Raises
    ------
    SourceError
        If it cannot be read, is packed and corrupt, or is not in its encoding.
    """
    return _through(path, name, folder, codec(encoding, name), facts)


def mended(staged: Staged, facts: Facts, folder: Path, skip: int, columns: int) -> tuple[Staged, Facts]:
    """Return a staged text whose records a parser can be trusted with, and the facts of it.

    Lines end in one way, and what is no record is cut out and kept beside it.

    Parameters
    ----------
    facts : Facts
        What was seen when it was staged.
    skip : int
        Lines at its top that are no records.
    columns : int
        How many values a record has; 0 takes it from the first.
    """
    first = staged
    if facts.newlines == 0 and facts.returns:
        staged, facts = _rewritten(staged, folder, facts, b"\r")
    if facts.suspicious or _quoted(staged.path, facts.quote, skip):
        whole = facts.again()
        target, cut = (fresh(folder, suffix) for suffix in (".mended", ".cut"))
        mend(staged.path, target, cut, whole, skip, columns)
        whole.plain = facts.plain
        staged, facts = replace(staged, path=target, cut=cut, copied=True), whole
    elif facts.mixed:
        staged, facts = _rewritten(staged, folder, facts, b"\r\n")
    if first.copied and first.path != staged.path:
        first.path.unlink()
    return staged, facts


def fresh(folder: Path, suffix: str) -> Path:
    """Return a new file in the folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(suffix, dir=folder)
    os.close(handle)
    return Path(path)


def codec(encoding: str, name: str) -> str:
    """Return the codec's own name.

    Raises
    ------
    SourceError
        If there is no such codec.
    """
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        fix = "declare one that Python has, such as 'utf-8', 'latin-1', 'cp1252' or 'utf-16'"
        raise SourceError(f"there is no encoding {encoding!r}", where=name, fix=fix) from None


def blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a text in blocks of whole lines; a line that is longer than a block comes in pieces."""
    held = b""
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield held + chunk[:end]
            held = chunk[end:]
        elif len(held) < PIECE:
            held += chunk
        else:
            yield held
            held = chunk
    if held:
        yield held


def read(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in chunks."""
    with path.open("rb") as content:
        while chunk := content.read(CHUNK):
            yield chunk


def _through(path: Path, name: str, folder: Path, encoding: str, facts: Facts | None) -> Staged:
    packed = PACKED in (path.suffix.lower(), Path(name).suffix.lower())
    foreign = encoding not in UTF_8
    target = fresh(folder, ".unpacked") if packed or foreign else path
    seal = _Seal()
    try:
        chunks = seal.read(path)
        chunks = _unpacked(chunks) if packed else chunks
        chunks = _recoded(chunks, encoding, name) if foreign else _utf_8(chunks, name) if facts else chunks
        with target.open("wb") if target != path else nullcontext() as copy:
            for block in blocks(chunks) if facts else chunks:
                if facts:
                    facts.see(block)
                if copy:
                    copy.write(block)
    except (OSError, EOFError, zlib.error) as error:
        if (full := full_disk(error, f"{folder}, for {name}", MAKE_ROOM)) is not None:
            raise full from error
        raise SourceError(f"{name} cannot be read: {error}", where=str(path), fix="send the file again") from error
    if target == path and PATTERN.intersection(str(path)):
        # a database would take its name for a pattern
        target = fresh(folder, ".link")
        target.unlink()
        target.symlink_to(path.absolute())
    return Staged(target, seal.digest.hexdigest(), seal.size, copied=target != path)


def _quoted(path: Path, quote: bytes, skip: int) -> bool:
    """Return whether there is a quote in the lines above the header, which a parser would take for one of a record."""
    with path.open("rb") as lines:
        return bool(quote) and any(quote in lines.readline(LONGEST_LINE) for _ in range(skip))


class _Seal:
    """Adds up what is read of a file."""

    def __init__(self) -> None:
        self.digest = blake3()
        self.size = 0

    def read(self, path: Path) -> Iterator[bytes]:
        for chunk in read(path):
            self.digest.update(chunk)
            self.size += len(chunk)
            yield chunk


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what gzip packed; each of its members is held against its checksum."""
    member, begun, done = zlib.decompressobj(wbits=GZIP), False, False
    for chunk in chunks:
        # members may be padded
        rest = chunk if begun or not done else chunk.lstrip(b"\0")
        while rest:
            begun = True
            if content := member.decompress(rest, CHUNK):
                yield content
            rest = member.unconsumed_tail
            if member.eof:
                rest = member.unused_data.lstrip(b"\0")
                member, begun, done = zlib.decompressobj(wbits=GZIP), False, True
    if begun or not done:
        raise EOFError("its end is missing")


def _utf_8(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the same, unless the text shows at its beginning that it is in another encoding."""
    first = next(chunks, b"")
    odd, even = first[1:200:2], first[:200:2]
    wide = len(first) > 3 and (not any(odd) or not any(even))
    if wide or first.startswith(tuple(MARKS)):
        raise SourceError(f"{name} is not UTF-8 but UTF-16", where=name, fix="declare encoding='utf-16'")
    yield first
    yield from chunks


def _recoded(chunks: Iterator[bytes], encoding: str, name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for chunk, final in _with_last(chunks):
        try:
            text = decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode(encoding, "replace")
            raise SourceError(
                f"{name} is not in {encoding}: line {line + good.count(chr(10))} holds bytes that are no text in it",
                where=f"{name}, line {line + good.count(chr(10))}",
                fix="declare the encoding that the file is in: encoding='cp1252', 'latin-1', 'utf-16', ...",
            ) from None
        line += text.count("\n")
        yield text.encode()


def _with_last(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    for chunk in chunks:
        yield chunk, False
    yield b"", True


def _rewritten(staged: Staged, folder: Path, facts: Facts, ends: bytes) -> tuple[Staged, Facts]:
    """Return a copy whose lines end in a line feed alone, and the facts of it."""
    seen = facts.again()
    target = fresh(folder, ".even")
    with target.open("wb") as copy:
        # the blocks of a text without any line feed end anywhere, and so may those of returns
        for block in blocks(piece.replace(ends, b"\n") for piece in blocks(read(staged.path))):
            seen.see(block)
            copy.write(block)
    return replace(staged, path=target, copied=True), seen
