"""What a remote must do: tell which whole versions it has, hand over a file of one, and take one in.

A remote is one file with `open_remote(address, site) -> Remote` and one line in the entry point group `keepfit.remotes`: the
scheme it answers to. Of places that keep bytes under names, `blobs.py` makes a remote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from keepfit.stages.registry.remotes.parcel import Parcel, Told


@dataclass(frozen=True)
class Site:
    """Where a remote is opened from.

    Attributes
    ----------
    folder : Path
        The project's; relative addresses are relative to it.
    environment : mapping of str to str
        Environment variables: endpoints and secrets are named there and nowhere else.
    """

    folder: Path
    environment: Mapping[str, str]


class Sent(NamedTuple):
    """How much was sent: files, and their bytes."""

    files: int
    bytes: int


class Remote(Protocol):
    """An opened remote."""

    where: str

    def parcels(self, model: str) -> Told:
        """Return every whole version of a model; one that is still being sent is none.

        Raises
        ------
        RegistryError
            If the remote cannot be reached, or what it says of a version is not what was written.
        """

    def fetch(self, parcel: Parcel, name: str) -> bytes:
        """Return a file of a version; the caller holds it against its digest."""

    def send(self, parcel: Parcel, folder: Path) -> Sent:
        """Take a version in, its files from a folder; only what is not there yet is sent, and the parcel comes last."""

    def point(self, model: str, aliases: Mapping[str, str]) -> list[str]:
        """Give aliases to versions, alias -> digest, and return those that moved: none where nobody loads a model by them."""
