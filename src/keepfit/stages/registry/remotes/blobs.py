"""A remote made of a place that keeps bytes under names: files by their SHA-256, then what says which of them are a version.

blobs/0f/0f3a...            a file, or a parcel, by its digest
models/churn/<digest>       the digest of the newest parcel of the version with that manifest; written last, in one step
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from keepfit.errors import RegistryError
from keepfit.stages.registry.evidence import digest_of
from keepfit.stages.registry.remotes.parcel import (
    Parcel,
    Told,
    each_parcel,
    parcel_from,
    require_digest,
    require_sha256,
)
from keepfit.stages.registry.remotes.protocol import Sent


class Shelf(Protocol):
    """Bytes under names."""

    where: str

    def names(self, prefix: str) -> list[str]:
        """Return the names below a prefix that ends with a slash."""

    def holds(self, name: str) -> bool:
        """Return whether there is something under a name."""

    def read(self, name: str) -> bytes | None:
        """Return what is under a name; None if nothing is."""

    def write(self, name: str, content: bytes) -> None:
        """Put bytes under a name, whole or not at all."""


class Blobs:
    """A remote on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self.where = shelf, shelf.where

    def parcels(self, model: str) -> Told:
        """Return every whole version of a model, and why others cannot be read."""
        return each_parcel(self._parcel, self._shelf.names(f"models/{model}/"), model, self.where)

    def fetch(self, parcel: Parcel, name: str) -> bytes:
        """Return a file of a version."""
        digest = parcel.files[name]
        found = self._shelf.read(_blob(digest))
        if found is None:
            raise self._broken(name, digest, "is gone")
        return found

    def send(self, parcel: Parcel, folder: Path) -> Sent:
        """Send the files that are not there yet, then the parcel."""
        sent = [content for name, digest in parcel.files.items() if (content := self._put(digest, folder / name))]
        content = parcel.content()
        self._shelf.write(_blob(digest_of(content)), content)
        self._shelf.write(f"models/{parcel.model}/{parcel.digest}", digest_of(content).encode())
        return Sent(len(sent), sum(map(len, sent)))

    def point(self, model: str, aliases: Mapping[str, str]) -> list[str]:
        """Move nothing: an alias is data here, and stands in the parcel."""
        return []

    def _put(self, digest: str, path: Path) -> bytes | None:
        if self._shelf.holds(_blob(digest)):
            return None
        content = path.read_bytes()
        self._shelf.write(_blob(digest), require_digest(content, digest))
        return content

    def _parcel(self, name: str) -> Parcel:
        digest = (self._shelf.read(name) or b"").decode(errors="replace").strip()
        try:
            content = self._shelf.read(_blob(require_sha256(digest)))
            if content is None:
                raise self._broken(name, digest, "names a parcel that is not there")
            return parcel_from(require_digest(content, digest))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._broken(name, digest, f"cannot be read: {error}") from None

    def _broken(self, name: str, digest: str, what: str) -> RegistryError:
        return RegistryError(
            f"{name} {what}",
            where=f"{self.where}: {_blob(digest)}",
            fix="remove that object and what names it, then push the version again",
        )


def _blob(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest}"
