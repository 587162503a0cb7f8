"""What passes between an ingest, an engine and the lake: raw files, what was found in them, and the Parquet parts written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blake3 import blake3

from keepfit.errors import SourceError
from keepfit.spec.sources import Format


@dataclass(frozen=True)
class RawFile:
    """A raw file on this machine.

    Attributes
    ----------
    path : Path
        Where its bytes are.
    name : str
        What it is called in its source; kept with each row.
    place : int
        Its place among all files that the table ever read: `_order` of its rows is `place * 2**32 + _record`.
    format : Format or None
        How it is written; None tells it by the suffix.
    parts : mapping of str to str
        Columns that its name holds.
    """

    path: Path
    name: str
    place: int
    format: Format | None = None
    parts: Mapping[str, str] = field(default_factory=dict)


def identity(digest: str, parts: Mapping[str, str]) -> str:
    """Return the digest of a file's rows: of its bytes, and of the columns that its name holds."""
    return blake3(json.dumps([digest, sorted(parts.items())]).encode()).hexdigest() if parts else digest


@dataclass(frozen=True)
class CheckedFile:
    """What was found in a raw file.

    Attributes
    ----------
    digest : str
        BLAKE3 of its bytes, and of the columns that its name holds; see `identity`.
    header : tuple of str
        Its columns.
    types : mapping of str to str
        Their physical types, where the format has any.
    rows : int
        Records in it.
    quarantined : int
        Rows that broke a rule.
    repeated : int
        Rows that repeat another one entirely, and were left out.
    reasons : mapping of str to int
        Broken rule -> rows; a row that breaks several counts once for each.
    first_time, last_time : int or None
        Of its good rows; None for Records without time, or if no row is good. Of a file that is refused the time of its first row,
        where that can be told.
    error : SourceError or None
        Why it cannot be read; then all counts are 0.
    first_line : int or None
        Line of its first record, if each further one stands on the next line; else None.
    """

    name: str
    digest: str = ""
    size: int = 0
    header: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    quarantined: int = 0
    repeated: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    first_time: int | None = None
    last_time: int | None = None
    error: SourceError | None = None
    first_line: int | None = None

    @property
    def appended(self) -> int:
        """Rows that are good."""
        return self.rows - self.quarantined - self.repeated


@dataclass(frozen=True)
class Part:
    """A Parquet file in a table's folder that no version names yet.

    Attributes
    ----------
    nulls : mapping of str to int
        Rows without a value, by column.
    bounds : mapping of str to (text, text)
        Least and greatest value of some columns, as Delta writes them.
    """

    path: Path
    rows: int
    size: int
    nulls: Mapping[str, int]
    bounds: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    """Raw files read under a contract: what was found in each, and a part with all their good rows.

    Attributes
    ----------
    part : Part or None
        None if there is no good row.
    added : tuple of str
        Columns that are not declared and were kept as text.
    bad : str
        What the engine calls the bad rows until it releases them.
    """

    files: tuple[CheckedFile, ...]
    part: Part | None
    schema: Any
    added: tuple[str, ...] = ()
    bad: str = ""

    def named(self, names: Sequence[str]) -> list[CheckedFile]:
        """Return some of the files."""
        return [file for file in self.files if file.name in set(names)]


@dataclass(frozen=True)
class Settled:
    """What one commit consists of.

    Attributes
    ----------
    files : tuple of CheckedFile
        The files that were taken, with the rows that repeat a key counted; one that may not repeat any has an error.
    parts : tuple of Part
        To be added to the table.
    old : tuple of str
        Parquet files of the table that they take the place of.
    """

    files: tuple[CheckedFile, ...]
    parts: tuple[Part, ...]
    old: tuple[str, ...] = ()
