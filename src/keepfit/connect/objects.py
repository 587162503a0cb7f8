"""Objects of a store, by a pattern of keys: s3://bucket/sales/*.csv, gs://, az://container/ (account named in the environment), abfs://.

Of an archive only the members asked for are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keepfit.connect import names
from keepfit.connect.archives import INTO_ARCHIVE, archive_of, extract, is_archive, members
from keepfit.connect.copies import copy_of
from keepfit.connect.protocol import Item, Place
from keepfit.connect.store import Store
from keepfit.errors import LISTED, SourceError
from keepfit.spec.sources import Files


def open_source(source: Files, place: Place) -> ObjectFiles:
    """Return the objects of a bucket that match a pattern.

    Raises
    ------
    SourceError
        If the address or the settings in the environment are refused.
    """
    return ObjectFiles(source, Store(source.pattern, place))


class ObjectFiles:
    """The objects whose keys match; a connection.

    Parameters
    ----------
    source : Files
        An address such as 's3://shop/sales/{month:%Y_%m}.csv'.
    store : Store
        The bucket that it names.
    """

    def __init__(self, source: Files, store: Store) -> None:
        self.source, self.store = source, store
        self.pattern = names.read(store.path)
        inside = INTO_ARCHIVE.search(store.path)
        self.outer = names.read(store.path[: inside.end()]) if inside else self.pattern

    def items(self) -> list[Item]:
        """Return the objects that match, by key."""
        found: dict[str, Item] = {}
        missed: list[str] = []
        outer, prefix = names.noting(self.outer, missed), self.outer.prefix
        # in one folder: what lies deeper need not be listed
        deep = len(self.outer.steps) > prefix.count("/") + 1
        with self.store.mended():
            for meta in self.store.listed(prefix, deep=deep):
                parts = outer(meta["path"])
                if parts is not None:
                    found.update((item.name, item) for item in self._read(_item(meta, parts), missed))
            if not found:
                raise self._nothing(missed)
        return [found[name] for name in sorted(found)]

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return a copy of an object, or of a member of an archive, below `folder`."""
        if item.error is not None:
            raise item.error
        archive, member = archive_of(item) or (item, "")
        if not member:
            return self.store.copy(item.name, item.identity.rpartition(" ")[0], copy_of(item, folder))
        with self.store.mended(item.name):
            return extract(self.store.opened(archive.name), item, folder)

    def _read(self, item: Item, missed: list[str]) -> list[Item]:
        if not is_archive(item.name):
            return [item]
        inner = None if self.outer is self.pattern else names.noting(self.pattern, missed)
        return members(item, self.store.opened(item.name), self.source.format, inner)

    def _nothing(self, missed: list[str]) -> SourceError:
        nearly = f"nearly: {'; '.join(sorted(missed)[:LISTED])}"
        return SourceError(
            f"no object matches {self.source.pattern!r}",
            where=self.store.where + self.outer.prefix,
            fix=f"put the objects there or mend the pattern; {nearly if missed else self.store.holds(self.outer.prefix)}",
        )


def _item(meta: Any, parts: dict[str, str]) -> Item:
    # the tag is sent back at the fetch; a store without tags has times
    tag = meta["e_tag"]
    identity = f"{tag} {meta['size']}" if tag else f"{meta['last_modified'].isoformat()}-{meta['size']}"
    return Item(meta["path"], identity, meta["size"], parts)
