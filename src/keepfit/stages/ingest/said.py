"""What an ingest says: how far it is, and what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from keepfit.connect import Item
from keepfit.errors import SourceError
from keepfit.raw import Checked, CheckedFile, Settled


class Waiting(dict[tuple[str, str, str], int]):
    """The first time in each file read so far that lay in the future: (table, name, identity) -> microseconds."""


@dataclass(frozen=True)
class Progress:
    """How far the ingest of one table is.

    Attributes
    ----------
    files, bytes : int
        What there is to read.
    files_done, bytes_done, rows : int
        What has been read.
    """

    table: str
    files: int
    bytes: int
    files_done: int = 0
    bytes_done: int = 0
    rows: int = 0

    def further(self, items: Sequence[Item], result: Ingested) -> Progress:
        """Return the progress after some more files."""
        size = sum(max(item.size, 0) for item in items)
        return replace(
            self, files_done=self.files_done + len(items), bytes_done=self.bytes_done + size, rows=result.rows_read
        )


@dataclass(frozen=True)
class Moved:
    """A share of rows without a value that is another one than in all earlier loads together."""

    column: str
    before: float
    now: float


@dataclass(frozen=True)
class Broken:
    """An expectation that a table does not meet.

    Attributes
    ----------
    what : str
        All of it, in one sentence.
    otherwise : str
        'block' or 'warn'.
    """

    table: str
    expectation: str
    measured: float
    bound: float
    otherwise: str
    what: str


@dataclass(frozen=True)
class Ingested:
    """What one ingest did to one table.

    Attributes
    ----------
    files : tuple of str
        The files read now.
    waiting : tuple of str
        Files whose every row lies at or after as_of: they have not happened yet, and wait for a later turn.
    repeated : int
        Rows left out because they repeat another one entirely.
    reasons : dict of str to int
        Broken rule -> rows in quarantine.
    nulls : dict of str to int
        Column -> appended rows without a value in it.
    newest : int or None
        The latest time of the rows appended.
    errors : tuple of SourceError
        Files that were refused, and why; the others were read.
    moved : tuple of Moved
        Columns that lack values in more, or in fewer, rows than before.
    copies : tuple of str
        Files that have the content of another one, so that nothing of them was appended.
    changes : tuple of str
        Columns that appeared, vanished or changed their type, compared with the files before.
    broken : tuple of Broken
        What the table was expected to be and is not: by this load, or by an earlier one that nothing has mended since.
    """

    table: str
    files: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    rows_read: int = 0
    appended: int = 0
    quarantined: int = 0
    repeated: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    nulls: dict[str, int] = field(default_factory=dict)
    newest: int | None = None
    errors: tuple[SourceError, ...] = ()
    moved: tuple[Moved, ...] = ()
    copies: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    broken: tuple[Broken, ...] = ()

    def failed(self, *errors: SourceError) -> Ingested:
        """Return this with files that were refused."""
        return replace(self, errors=(*self.errors, *errors))

    def deferred(self, *names: str) -> Ingested:
        """Return this with files that wait."""
        return replace(self, waiting=(*self.waiting, *names))

    def named(self, *names: str) -> Ingested:
        """Return this with files that were read, and of which nothing was to be appended."""
        return replace(self, files=(*self.files, *names))

    def added(self, files: Sequence[CheckedFile], checked: Checked, settled: Settled) -> Ingested:
        """Return this with files whose rows were appended."""
        reasons, nulls = dict(self.reasons), dict(self.nulls)
        for file in files:
            for reason, rows in file.reasons.items():
                reasons[reason] = reasons.get(reason, 0) + rows
        for part in settled.parts[:1] if checked.part else ():
            for column, rows in part.nulls.items():
                nulls[column] = nulls.get(column, 0) + rows
        moments = [file.last_time for file in files if file.last_time is not None]
        return replace(
            self,
            rows_read=self.rows_read + sum(file.rows for file in files),
            appended=self.appended + sum(file.appended for file in files),
            quarantined=self.quarantined + sum(file.quarantined for file in files),
            repeated=self.repeated + sum(file.repeated for file in files),
            reasons=reasons,
            nulls=nulls,
            newest=max([*moments, *([] if self.newest is None else [self.newest])], default=None),
        )


def ingested_data(done: Ingested) -> dict[str, Any]:
    """Return what an ingest did as plain data."""
    refused = [{"what": one.what, "where": one.where, "fix": one.fix} for one in done.errors]
    return {**asdict(replace(done, errors=())), "errors": refused}


def ingested_from(data: Mapping[str, Any]) -> Ingested:
    """Return what an ingest did, from its plain data."""
    errors = tuple(SourceError(**one) for one in data["errors"])
    listed = {name: tuple(data[name]) for name in ("files", "waiting", "copies", "changes")}
    moved, broken = (Moved(**one) for one in data["moved"]), (Broken(**one) for one in data["broken"])
    return Ingested(**{**data, **listed, "errors": errors, "moved": tuple(moved), "broken": tuple(broken)})


def first_error(done: Sequence[Ingested]) -> SourceError | None:
    """Return the first error of an ingest, which says how many there are more; None if all went well."""
    errors = [error for one in done for error in one.errors]
    if len(errors) < 2:
        return errors[0] if errors else None
    first = errors[0]
    return SourceError(f"{first.what} (and {len(errors) - 1} more files with errors)", where=first.where, fix=first.fix)
