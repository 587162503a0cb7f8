"""A table's past, as its log tells it: which version held which files, since when, and what may still be read.

The log is one JSON file a commit, named by its version. It is read as it stands, so that hundreds of versions take
milliseconds; the format is that of the Delta protocol (https://github.com/delta-io/delta/blob/master/PROTOCOL.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

LOG, AS_OF = "_delta_log", "keepfit.as_of"
MILLISECOND = 1000  # microseconds


@dataclass(frozen=True)
class Part:
    """A Parquet file of a table: the versions that hold it are those in `[first, stop)`.

    Attributes
    ----------
    path : str
        Below the table's folder.
    rows : int or None
        None if the log does not say.
    stop : int or None
        The version that dropped it; None if the newest still holds it.
    """

    path: str
    bytes: int
    rows: int | None
    first: int
    stop: int | None = None

    def within(self, version: int) -> bool:
        """Return whether a version holds the file."""
        return self.first <= version and (self.stop is None or version < self.stop)


@dataclass(frozen=True)
class Commit:
    """What made one version.

    Attributes
    ----------
    written_at : int
        When it was written by the clock of its machine, microseconds UTC.
    as_of : int or None
        The moment it was written for, microseconds UTC; None if its notes do not say.
    operation : str
        create, append, replace, remove, or note for one that moved no file.
    rows : int or None
        Rows it added, less those it removed; None if the log does not say.
    """

    version: int
    written_at: int
    as_of: int | None
    operation: str
    files_added: int
    files_removed: int
    rows: int | None
    notes: Mapping[str, str]


@dataclass(frozen=True)
class Past:
    """All that a table's log still tells, oldest first.

    Attributes
    ----------
    folder : Path
        The table's folder.
    commits : tuple of Commit
        At least one.
    parts : tuple of Part
        Every file that any of these versions held.
    """

    folder: Path
    commits: tuple[Commit, ...]
    parts: tuple[Part, ...]

    @property
    def newest(self) -> int:
        """The newest version."""
        return self.commits[-1].version

    def of(self, version: int) -> list[Part]:
        """Return the files of a version."""
        return [part for part in self.parts if part.within(version)]

    @cached_property
    def gone(self) -> tuple[Part, ...]:
        """The files that are no longer in the folder."""
        return tuple(part for part in self.parts if not (self.folder / part.path).is_file())

    def readable(self) -> list[int]:
        """Return the versions all of whose files are there."""
        return [one.version for one in self.commits if not any(part.within(one.version) for part in self.gone)]

    def at(self, as_of: int, told: Mapping[int, int]) -> Commit | None:
        """Return the commit that was the newest at a moment; None if the table is younger.

        Parameters
        ----------
        as_of : int
            Microseconds UTC; what was committed for this very moment counts.
        told : mapping of int to int
            Version -> as_of of commits whose notes do not say it. Of one that is not there, the clock counts.
        """
        return next((one for one in reversed(self.commits) if moment_of(one, told) <= as_of), None)


def moment_of(commit: Commit, told: Mapping[int, int]) -> int:
    """Return the moment a commit was written for: as its notes say, as `told`, or else by the clock."""
    return commit.as_of if commit.as_of is not None else told.get(commit.version, commit.written_at)


def past(folder: Path, first: Sequence[str] = ()) -> Past:
    """Return a table's past.

    Parameters
    ----------
    folder : Path
        The table's folder.
    first : sequence of str
        Paths of the files of the first version that the log still tells of, if that is not version 0.
    """
    logs = sorted(path for path in (folder / LOG).glob("*.json") if path.stem.isdigit())
    open_: dict[str, Part] = {}
    ended: list[Part] = []
    commits: list[Commit] = []
    for log in logs:
        version, actions = int(log.stem), _actions(log)
        if not commits and version > 0:
            open_ = {path: Part(path, _size(folder / path), None, version) for path in first}
            commits.append(_commit(version, actions, [], []))
            continue
        removed = [
            open_.pop(path) for one in actions if "remove" in one if (path := unquote(one["remove"]["path"])) in open_
        ]
        ended += [replace(part, stop=version) for part in removed]
        named = [_part(one["add"], version) for one in actions if "add" in one]
        added = [part for part in named if part.path not in open_]  # a file may be named again with more about it
        open_.update({part.path: part for part in added})
        commits.append(_commit(version, actions, added, removed))
    return Past(folder, tuple(commits), (*ended, *open_.values()))


def _actions(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _part(add: Mapping[str, Any], version: int) -> Part:
    stats = json.loads(add.get("stats") or "{}")
    return Part(unquote(add["path"]), int(add["size"]), stats.get("numRecords"), version)


def _commit(version: int, actions: Sequence[Mapping[str, Any]], added: list[Part], removed: list[Part]) -> Commit:
    info: dict[str, Any] = next((one["commitInfo"] for one in actions if "commitInfo" in one), {})
    notes = {name: value for name, value in info.items() if isinstance(value, str) and name.startswith("keepfit.")}
    counts = [part.rows for part in (*added, *removed)]
    known = not any(rows is None for rows in counts)
    return Commit(
        version=version,
        written_at=int(info.get("timestamp", 0)) * MILLISECOND,
        as_of=int(notes[AS_OF]) if AS_OF in notes else None,
        operation=_operation(version, bool(added), bool(removed)),
        files_added=len(added),
        files_removed=len(removed),
        rows=sum(part.rows or 0 for part in added) - sum(part.rows or 0 for part in removed) if known else None,
        notes=notes,
    )


def _operation(version: int, added: bool, removed: bool) -> str:
    if removed:
        return "replace" if added else "remove"
    return "append" if added else "note" if version else "create"
