"""Files below the data folder, by a pattern of names; zip archives member by member.

A folder of 100,000 files is listed with one look at each name and one `stat` of each file that matches.
"""

from __future__ import annotations

import os
from pathlib import Path

from keepfit.connect import names
from keepfit.connect.archives import INTO_ARCHIVE, archive_of, extract, is_archive, members
from keepfit.connect.protocol import Item, Place
from keepfit.connect.walking import Entry, walk
from keepfit.errors import LISTED, SourceError
from keepfit.spec.sources import Files


def open_source(source: Files, place: Place) -> LocalFiles:
    """Return the files of the data folder that match a pattern."""
    return LocalFiles(source, place.data)


class LocalFiles:
    """The files below a folder whose names match; a connection.

    Parameters
    ----------
    source : Files
        A pattern such as 'stations/{station}.csv.gz', or 'years.zip/{year}.csv' for members of an archive.
    folder : Path
        What the pattern is relative to.
    """

    def __init__(self, source: Files, folder: Path) -> None:
        self.source, self.folder = source, folder
        self.pattern = names.read(source.pattern)
        inside = INTO_ARCHIVE.search(source.pattern)
        self.outer = names.read(source.pattern[: inside.end()]) if inside else self.pattern

    def items(self) -> list[Item]:
        """Return the files that match, by name."""
        found: dict[str, Item] = {}
        missed: list[str] = []
        outer = names.noting(self.outer, missed)
        for name, entry in walk(self.folder, self.outer.steps):
            parts = outer(name)
            if parts is None or name in found:
                continue
            item = _item(name, entry, parts)
            if is_archive(name) and item.error is None:
                found.update((member.name, member) for member in self._members(item, missed))
            else:
                found[item.name] = item
        if not found:
            raise self._nothing(missed)
        return [found[name] for name in sorted(found)]

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return the file itself, or a member unpacked below `folder`."""
        if item.error is not None:
            raise item.error
        archive, member = archive_of(item) or (item, "")
        path = self.folder / archive.name
        if not path.is_file():
            raise SourceError(
                f"{item.name} has gone since it was found", where=str(self.folder), fix="put it back, or ingest again"
            )
        return extract(path, item, folder) if member else path

    def _members(self, archive: Item, missed: list[str]) -> list[Item]:
        inner = None if self.outer is self.pattern else names.noting(self.pattern, missed)
        return members(archive, self.folder / archive.name, self.source.format, inner)

    def _nothing(self, missed: list[str]) -> SourceError:
        place = self.folder / self.outer.prefix
        while not place.is_dir() and place != self.folder and place != place.parent:
            place = place.parent
        holds = _holds(place)
        if missed:
            holds = f"nearly: {'; '.join(sorted(missed)[:LISTED])}"
        return SourceError(
            f"no file matches {self.source.pattern!r}",
            where=str(place),
            fix=f"put the files there or mend the pattern; {holds}",
        )


def _holds(folder: Path) -> str:
    if not folder.is_dir():
        return "it does not exist"
    there = sorted(path.name for path in folder.iterdir())
    more = f" and {len(there) - LISTED} more" if len(there) > LISTED else ""
    return f"it holds: {', '.join(there[:LISTED])}{more}" if there else "it is empty"


def _item(name: str, entry: Entry, parts: dict[str, str]) -> Item:
    try:
        stat = entry.stat()
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode(errors="backslashreplace")
        error = SourceError(f"the name {shown} is not UTF-8", where=shown, fix="rename the file")
        return Item(shown, "", -1, {}, error=error)
    except OSError as trouble:
        error = SourceError(
            f"{name} cannot be read: {trouble.strerror}", where=name, fix="put it back or mend the link"
        )
        return Item(name, "", -1, parts, error=error)
    return Item(name, f"{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ctime_ns}", stat.st_size, parts)
