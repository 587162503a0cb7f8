"""Where raw files come from: one file of code for each kind of source, each behind `Connection`.

`connect` finds a source by the scheme of its address through the entry point group `keepfit.sources`; the built-in ones are named
there too. A stranger's `Files('sftp://host/*.csv')` is one file with `open_source` and one line:

    [project.entry-points."keepfit.sources"]
    sftp = "their_package.sftp:open_source"
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from keepfit.connect.protocol import Connection, Item, Opener, Place
from keepfit.errors import SourceError, did_you_mean
from keepfit.spec.sources import Database, Delta, Source

__all__ = ["Connection", "Item", "Opener", "Place", "connect", "scheme"]

GROUP = "keepfit.sources"
LOCAL, DATABASE, DELTA = "file", "database", "delta"


def connect(source: Source, place: Place) -> Connection:
    """Return the opened source; nothing is read before its `items`.

    Raises
    ------
    SourceError
        If no source of its scheme is installed.
    MissingExtra
        If the library it needs is not installed.
    """
    kind, known = scheme(source), _installed()
    if kind not in known:
        raise SourceError(
            f"no source is installed for {kind}://", where=f"{source}", fix=did_you_mean(kind, known, of=GROUP)
        )
    opener: Opener = known[kind].load()
    return opener(source, place)


def scheme(source: Source) -> str:
    """Return the name a source is found by: the scheme of its address; 'file', 'database' or 'delta'."""
    if isinstance(source, Database):
        return DATABASE
    if isinstance(source, Delta):
        return DELTA
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", source.pattern)
    return found[1].lower() if found else LOCAL


@cache
def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
