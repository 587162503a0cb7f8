"""Zip archives: each member is a raw file of its own, named 'archive.zip/member.csv'."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from keepfit.connect.copies import copy_of, whole
from keepfit.connect.names import Parts
from keepfit.connect.protocol import Item
from keepfit.errors import LISTED, MAKE_ROOM, SourceError, full_disk
from keepfit.spec.sources import Format

SUFFIX = ".zip"
# what a member's format can be told by; of others the source declares it
KNOWN = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx")
MEMBER = "zip:"
# the archive of a pattern that reaches into one: 'years.zip/{year}.csv'
INTO_ARCHIVE = re.compile(rf"[^/]*{re.escape(SUFFIX)}(?=/)", re.I)
BLOCK = 1 << 20


def is_archive(name: str) -> bool:
    """Return whether a file of this name is read member by member."""
    return name.lower().endswith(SUFFIX)


def archive_of(item: Item) -> tuple[Item, str] | None:
    """Return the archive that an item is a member of, and the member's name in it; None if it is a file of its own."""
    if not item.identity.startswith(MEMBER):
        return None
    _, length, _, identity = item.identity.split(":", 3)
    place = len(item.name) - int(length)
    return Item(item.name[: place - 1], identity, -1, item.parts), item.name[place:]


def members(
    archive: Item,
    content: Path | IO[bytes],
    form: Format | None,
    parts: Parts | None = None,
) -> list[Item]:
    """Return the members of an archive that can be read; a broken archive is one item with its error.

    Parameters
    ----------
    archive : Item
        The archive as it was listed.
    content : Path or file
        Its bytes.
    form : Format or None
        As declared; then every member is taken, else those whose suffix tells it.
    parts : callable, optional
        The columns that a member's whole name holds, None if it does not match; default: all match and have the archive's.
    """
    try:
        with zipfile.ZipFile(content) as opened:
            infos = {info.filename: info for info in opened.infolist() if _is_file(info)}
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        return [_broken(archive, f"{archive.name} is no whole zip archive: {error}", "fetch or copy it again")]
    found = list(_taken(archive, infos, form, parts))
    if not found:
        return [_without(archive, infos)]
    return found


def extract(archive: Path | IO[bytes], item: Item, folder: Path) -> Path:
    """Return a copy below `folder` of a member of an archive, given as a path or an opened file.

    Raises
    ------
    SourceError
        If the archive is broken, has changed, or the member is encrypted or does not add up to its checksum.
    """
    whole_archive, member = archive_of(item) or (item, "")
    name = whole_archive.name
    target = copy_of(item, folder)
    try:
        with zipfile.ZipFile(archive) as opened:
            info = opened.getinfo(member)
            _check(info, item, name, folder)
            with opened.open(info) as packed, whole(target) as unpacked:
                shutil.copyfileobj(packed, unpacked, BLOCK)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError, NotImplementedError) as error:
        if (full := full_disk(error, f"{folder}, for {item.name}", MAKE_ROOM)) is not None:
            raise full from None
        raise SourceError(
            f"{item.name} cannot be unpacked: {error}", where=name, fix="fetch or copy the archive again"
        ) from None
    return target


def _check(info: zipfile.ZipInfo, item: Item, name: str, folder: Path) -> None:
    if info.flag_bits & 1:
        raise SourceError(f"{item.name} is encrypted", where=name, fix="unpack it into the data folder")
    if shutil.disk_usage(folder).free < info.file_size:
        raise SourceError(
            f"{item.name} unpacks to {info.file_size:,} bytes", where=str(folder), fix="free that much disk"
        )


def _is_file(info: zipfile.ZipInfo) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in info.filename.split("/"))
    return not info.is_dir() and not hidden


def _taken(
    archive: Item,
    infos: dict[str, zipfile.ZipInfo],
    form: Format | None,
    parts: Parts | None,
) -> Iterator[Item]:
    for member, info in infos.items():
        if form is None and not member.lower().removesuffix(".gz").endswith(KNOWN):
            continue
        name = f"{archive.name}/{member}"
        held = archive.parts if parts is None else parts(name)
        if held is not None:
            identity = f"{MEMBER}{len(member)}:{info.CRC:08x}-{info.file_size}:{archive.identity}"
            yield Item(name, identity, info.file_size, held)


def _broken(archive: Item, what: str, fix: str) -> Item:
    error = SourceError(what, where=archive.name, fix=fix)
    return Item(archive.name, archive.identity, archive.size, archive.parts, error=error)


def _without(archive: Item, infos: dict[str, zipfile.ZipInfo]) -> Item:
    names = sorted(infos)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    holds = f"it holds: {', '.join(names[:LISTED])}{more}" if names else "it is empty"
    return _broken(
        archive,
        f"{archive.name} holds no file to read",
        f"{holds}; format= says how files without a known suffix are written",
    )
