"""Counts of rows as a file: a few kilobytes that stand for any number of rows, and add up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepfit.errors import SourceError, full_disk
from keepfit.stages.monitoring.profile import Profile

SUFFIX = ".json"


@dataclass(frozen=True)
class Counted:
    """Rows as they were counted.

    Attributes
    ----------
    profile : Profile
        The counts of the columns that can be compared.
    kinds : dict of str to str
        Each column and its kind: 'number', 'label', 'time' or 'nested'.
    rows : int
    """

    profile: Profile
    kinds: dict[str, str]
    rows: int

    def __add__(self, other: Counted) -> Counted:
        """Return the counts of both together; ValueError if they are of different bins."""
        return Counted(self.profile + other.profile, self.kinds | other.kinds, self.rows + other.rows)

    def as_data(self) -> dict[str, Any]:
        """Return the counts as JSON data; `from_data` gives them back unchanged."""
        return {"rows": self.rows, "kinds": self.kinds, "columns": self.profile.as_data()}

    @staticmethod
    def from_data(data: dict[str, Any]) -> Counted:
        """Return the counts that `as_data` wrote."""
        return Counted(Profile.from_data(data["columns"]), data["kinds"], data["rows"])


def write(counted: Counted, path: Path) -> None:
    """Write counts to a .json file, which is there whole or not at all."""
    if path.suffix != SUFFIX:
        raise SourceError(f"cannot write {path.name!r}", where=str(path), fix=f"name a file that ends in {SUFFIX}")
    beside = path.with_name(f".{path.name}.making")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(counted.as_data()) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise full_disk(error, str(path)) or error from None


def read(paths: Sequence[str]) -> Counted:
    """Return the counts in some files, added up.

    Raises
    ------
    SourceError
        If a file holds no counts, or they are not all of the same bins.
    """
    first, *others = paths
    total = _read(first)
    for path in others:
        total = added(total, _read(path), path)
    return total


def added(one: Counted, other: Counted, where: str) -> Counted:
    """Return the counts of both together.

    Raises
    ------
    SourceError
        If they are not of the same bins, with where the other's come from.
    """
    try:
        return one + other
    except ValueError as error:
        fix = "compare each set of rows with one saved reference, so that all are counted in its bins"
        raise SourceError(str(error), where=where, fix=fix) from None


def _read(path: str) -> Counted:
    try:
        return Counted.from_data(json.loads(Path(path).read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError):
        fix = "name a file that `keepfit drift` wrote with --reference-to or --current-to"
        raise SourceError(f"{path} holds no counts", where=path, fix=fix) from None
