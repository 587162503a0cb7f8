"""What a source must do: list its raw files, and hand one over.

A source is one file with `open_source(source, place) -> Connection` and one line in the entry point group
`keepfit.sources`: the scheme it answers to. `keepfit.testing.SourceContract` is its contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from keepfit.errors import SourceError
from keepfit.spec.sources import Format


@dataclass(frozen=True)
class Item:
    """One raw file of a source.

    Attributes
    ----------
    name : str
        Stable, below its source: 'sales_01.csv', 'a.zip/b.csv', an object's key, the last part of a web address.
    identity : str
        Another one whenever the content may have changed.
    size : int
        Bytes of the file that `fetch` returns; -1 if nobody knows.
    parts : mapping of str to str
        Columns that the name holds; times are ISO 8601 without a zone, nothing is an empty text.
    format : Format or None
        How the file is written, where the source knows better than the suffix.
    error : SourceError or None
        Why this one cannot be fetched, where the listing shows it already; `fetch` raises it.
    """

    name: str
    identity: str
    size: int
    parts: Mapping[str, str]
    format: Format | None = None
    error: SourceError | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Place:
    """Where a source works.

    Attributes
    ----------
    data : Path
        The data folder, that patterns are relative to.
    landing : Path
        A folder of the table's own for what must be kept: batches of a database, files of the web. Made at the first write.
    environment : mapping of str to str
        Environment variables: endpoints, regions and secrets are named there and nowhere else.
    latest : bool
        Whether only the source's newest state counts, as for Records: what is rewritten in place then comes as one item.
    """

    data: Path
    landing: Path
    environment: Mapping[str, str]
    latest: bool = False


class Connection(Protocol):
    """An opened source. Its methods may be called from several threads."""

    def items(self) -> list[Item]:
        """Return the raw files there are, by name.

        Raises
        ------
        SourceError
            With what is there, if nothing matches; or if the source cannot be reached.
        """

    def fetch(self, item: Item, folder: Path) -> Path:
        """Return a local file with the item's bytes: the file itself if it is local or landed, else a copy below `folder`.

        Raises
        ------
        SourceError
            If the item has gone since it was listed, or cannot be read whole.
        """


Opener = Callable[[Any, Place], Connection]
