"""Which Parquet files of a table nobody needs any more, and their removal.

deltalake has a vacuum too. It makes two commits of its own, so that the newest version would no longer say what keepfit
noted with it; this one touches the log not at all. Removing files needs no transaction: versions that need them are gone
with the first of them, and a vacuum that was cut off is completed by the next.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from keepfit.lake.past import LOG, Past

HOUR_NS = 3600 * 10**9


@dataclass(frozen=True)
class Waste:
    """The files of one table that may go.

    Attributes
    ----------
    dropped : tuple of Path
        Files that only versions held that are not kept.
    orphans : tuple of Path
        Files that no version ever named: parts of writes that were cut off.
    lost : tuple of int
        Versions that become unreadable.
    """

    dropped: tuple[Path, ...]
    orphans: tuple[Path, ...]
    lost: tuple[int, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return (*self.dropped, *self.orphans)


def waste(past: Past, kept: Collection[int], now: int) -> Waste:
    """Return which files of a table may go when these versions are kept.

    Parameters
    ----------
    kept : collection of int
        Versions to keep beside the newest.
    now : int
        Microseconds UTC; a file that no version names goes if it is older than an hour, as it may be of a write under way.
    """
    keep = {past.newest, *kept}
    named = {part.path for part in past.parts}
    needed = {part.path for part in past.parts if any(part.within(version) for version in keep)}
    stored = [path for path in sorted(past.folder.rglob("*.parquet")) if LOG not in path.relative_to(past.folder).parts]
    dropped, orphans = [], []
    for path in stored:
        name = path.relative_to(past.folder).as_posix()
        if name in needed:
            continue
        if name in named:
            dropped.append(path)
        elif path.stat().st_mtime_ns < now * 1000 - HOUR_NS:
            orphans.append(path)
    names = {path.relative_to(past.folder).as_posix() for path in dropped}
    going = [part for part in past.parts if part.path in names]
    lost = [version for version in past.readable() if any(part.within(version) for part in going)]
    return Waste(tuple(dropped), tuple(orphans), tuple(lost))


def remove(found: Waste) -> None:
    """Remove the files; one that is gone already is no trouble."""
    for path in found.files:
        path.unlink(missing_ok=True)
