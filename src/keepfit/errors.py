"""Every error keepfit raises on purpose: what happened, where, and how to fix it.

    KeepfitError
    ├── DefinitionError      definitions.py says something that cannot be (exit 2)
    ├── SettingsError        keepfit.yaml or a KEEPFIT__ variable is wrong (exit 2)
    ├── ProjectError         the folder is not a project, or another run holds it (exit 3)
    ├── SourceError          raw input cannot be read as declared (exit 4)
    ├── LakeError            a table or a version of it is not there (exit 4)
    ├── TrainingError        there is too little, or too uniform, data to learn from (exit 5)
    ├── RegistryError        a model version is missing or cannot take that step (exit 6)
    ├── ServingError         the server cannot start (exit 7)
    ├── BlockedError         a table is not as expected, and its rows are not to be used (exit 8)
    ├── MissingExtra         an optional library is not installed (exit 9)
    └── RequestError         a request is malformed or names an unknown entity (HTTP 4xx)

An error is data with a bounded rendering: `str(error)` is the three lines a user reads, `as_dict()` is what
`--json` prints. Expected trouble (late rows, drift, a weak challenger, a quarantined row) is a value, not an error.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence

LISTED = 12
MAKE_ROOM = "make room there or let TMPDIR name a folder with more, then run the same command again"
FULL = ("no space left", "disk quota", "out of disk")


class KeepfitError(Exception):
    """Something keepfit refuses to do, with the place and the way out.

    Parameters
    ----------
    what : str
        One sentence: what happened.
    where : str
        The file, table, column or option it happened at; empty if `what` says it.
    fix : str
        What the reader can do about it.
    """

    exit_code = 1
    http_status = 500

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  fix:   {self.fix}")
        lines += [f"  note:  {note}" for note in self.notes]
        return "\n".join(lines)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was added on the error's way up, such as which run tells more."""
        return tuple(getattr(self, "__notes__", ()))

    def as_dict(self) -> dict[str, str]:
        """Return the error as plain data, for `--json` and HTTP answers."""
        said = {"error": type(self).__name__, "what": self.what, "where": self.where, "fix": self.fix}
        return {**said, "note": "; ".join(self.notes)} if self.notes else said


class DefinitionError(KeepfitError):
    """definitions.py declares something that cannot be."""

    exit_code = 2


class SettingsError(KeepfitError):
    """keepfit.yaml, a profile or a KEEPFIT__ variable is wrong."""

    exit_code = 2


class ProjectError(KeepfitError):
    """The folder is not a project, or another run is at work in it."""

    exit_code = 3


class SourceError(KeepfitError):
    """Raw input is missing or cannot be read as declared."""

    exit_code = 4


class LakeError(KeepfitError):
    """A table, or a version of it, is not in the lake."""

    exit_code = 4


class TrainingError(KeepfitError):
    """There is too little, or too uniform, data to learn from."""

    exit_code = 5


class RegistryError(KeepfitError):
    """A model version is missing, or cannot take the step asked for."""

    exit_code = 6


class ServingError(KeepfitError):
    """The server cannot start."""

    exit_code = 7


class BlockedError(KeepfitError):
    """A table is not as expected, and its rows are not to be used until somebody has looked."""

    exit_code = 8


class MissingExtra(KeepfitError):
    """An optional library is not installed.

    Parameters
    ----------
    extra : str
        The extra of keepfit that brings it.
    needed_by : str
        What asked for it.
    """

    exit_code = 9

    def __init__(self, extra: str, needed_by: str) -> None:
        super().__init__(
            f"{needed_by} needs a library that is not installed", where=needed_by, fix=f"pip install 'keepfit[{extra}]'"
        )


class RequestError(KeepfitError):
    """A request is malformed, or asks for something unknown."""

    http_status = 422

    def __init__(self, what: str, *, where: str = "", fix: str = "", http_status: int = 422) -> None:
        super().__init__(what, where=where, fix=fix)
        self.http_status = http_status


def did_you_mean(name: str, known: Iterable[str], *, of: str = "") -> str:
    """Return the fix line for a name that was not found: the nearest known name, then what exists."""
    names: Sequence[str] = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=1)
    shown = ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
    owner = f"{of} has" if of else "there are"
    listing = f"{owner}: {shown}" if names else f"{owner}: nothing yet"
    return f"did you mean {near[0]!r}? {listing}" if near else listing


def full_disk(error: BaseException, where: str, fix: str = "") -> LakeError | None:
    """Return the error of a full disk, if that is what another error is about; None if not."""
    if isinstance(error, LakeError):
        return None
    said = str(error).lower()
    if getattr(error, "errno", None) != errno.ENOSPC and not any(words in said for words in FULL):
        return None
    return LakeError(
        "the disk is full; what was being written is left out, and every table is as it was",
        where=where,
        fix=fix or "make room (`keepfit tables vacuum` frees what no version needs), then run the same command again",
    )
