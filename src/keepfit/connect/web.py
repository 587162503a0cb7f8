"""One file at a web address, kept in the landing folder, so that it is fetched once and a rebuild finds it.

It is fetched again when the server tells another ETag (or, without one, Last-Modified and length). With `sha256` declared the
content cannot change: once it has landed, nobody is asked any more.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from keepfit.connect import names
from keepfit.connect.archives import INTO_ARCHIVE, archive_of, extract, is_archive, members
from keepfit.connect.copies import Landed
from keepfit.connect.downloads import download, look, shown
from keepfit.connect.protocol import Item, Place
from keepfit.errors import DefinitionError, SourceError
from keepfit.spec.sources import Files

PINNED = "sha256:"


def open_source(source: Files, place: Place) -> WebFile:
    """Return the file at a web address.

    Raises
    ------
    DefinitionError
        If the address holds a pattern or a password.
    """
    return WebFile(source, place)


class WebFile:
    """The file at a web address, or the members of an archive there; a connection.

    Parameters
    ----------
    source : Files
        An address such as 'https://host/file.csv.gz', or 'https://host/years.zip/{year}.csv' for members of an archive.
    """

    def __init__(self, source: Files, place: Place) -> None:
        self.source = source
        self.address, self.inner = _split(source.pattern)
        split = urlsplit(self.address)
        if re.search(r"[{}*]", self.address) or split.username or split.password:
            raise DefinitionError(
                "a web address is one file, without a pattern or a password",
                where=f"Files({shown(source.pattern)!r})",
                fix="declare each file, or put them into the data folder or an object store",
            )
        last = unquote(split.path.rstrip("/").rpartition("/")[2]) or split.netloc
        self.name = re.sub(r"[/\\\x00-\x1f]|^\.+", "_", last)
        self.landed = Landed(place.landing / self.name)

    def items(self) -> list[Item]:
        """Return the file, or an archive's members; an archive is fetched to see them."""
        item = self._item()
        if not is_archive(self.name):
            return [item]
        try:
            path = self._land(item)
        except SourceError as error:
            return [Item(item.name, item.identity, item.size, {}, error=error)]
        missed: list[str] = []
        inner = None if self.inner is None else names.noting(self.inner, missed)
        return sorted(members(item, path, self.source.format, inner), key=lambda member: member.name)

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return the landed file, or a member unpacked below `folder`."""
        if item.error is not None:
            raise item.error
        inside = archive_of(item)
        if inside is None:
            return self._land(item)
        return extract(self._land(inside[0]), item, folder)

    def _item(self) -> Item:
        pinned = PINNED + self.source.sha256.lower() if self.source.sha256 is not None else None
        if pinned and self.landed.version == pinned:
            return Item(self.name, pinned, self.landed.path.stat().st_size, {})
        told = look(self.address)
        if not pinned and not told.identity:
            return self._told_by_content()
        return Item(self.name, pinned or told.identity, -1 if told.packed else told.size, {})

    def _told_by_content(self) -> Item:
        # a server that gives nothing to tell versions by is asked for the whole file at each listing
        with self.landed.alone():
            download(self.address, self.landed.path)
            identity = PINNED + _digest(self.landed.path)
            self.landed.keep(identity)
        return Item(self.name, identity, self.landed.path.stat().st_size, {})

    def _land(self, item: Item) -> Path:
        with self.landed.alone():
            if self.landed.version != item.identity:
                download(self.address, self.landed.path)
                self._check_sum()
                self.landed.keep(item.identity)
        return self.landed.path

    def _check_sum(self) -> None:
        declared = (self.source.sha256 or "").lower()
        if not declared:
            return
        found = _digest(self.landed.path)
        if found != declared:
            self.landed.path.unlink()
            raise SourceError(
                f"{self.name} does not add up to what is declared: its SHA-256 is {found}",
                where=shown(self.address),
                fix=f"if the file was exchanged on purpose, declare that instead of {declared}; if not, do not use it",
            )


def _split(text: str) -> tuple[str, names.Pattern | None]:
    """Return the address, and the pattern of members if it reaches into an archive."""
    inside = INTO_ARCHIVE.search(text)
    rest = text[inside.end() + 1 :] if inside else ""
    if inside is None or not re.search(r"[{*\[]", rest):
        return text, None
    archive = inside[0]
    return text[: inside.end()], names.read(f"{archive}/{rest}")


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
