"""Raw files under way to a part: what is known of each so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from keepfit.engines.local import formats, reading, rules
from keepfit.errors import SourceError
from keepfit.raw import CheckedFile, Part
from keepfit.spec.tables import Table


@dataclass
class Work:
    """Files under way to a part.

    Attributes
    ----------
    sources : dict of str to Source
        The files that can be read.
    found : dict of str to CheckedFile
        What is known of each file so far.
    opened : list of Opened
        All that were opened, also those that were refused then.
    part : Part or None
        The part as it was written so far.
    """

    cursor: duckdb.DuckDBPyConnection
    contract: rules.Contract
    folder: Path
    bad: str
    sources: dict[str, reading.Source] = field(default_factory=dict)
    found: dict[str, CheckedFile] = field(default_factory=dict)
    opened: list[formats.Opened] = field(default_factory=list)
    part: Part | None = None

    @property
    def table(self) -> Table:
        """The table that the files belong to."""
        return self.contract.table

    @property
    def left(self) -> str:
        """The table of the rows that a quick look did not let in."""
        return f"{self.bad}_left"

    def refuse(self, name: str, error: SourceError, begins: int | None = None) -> None:
        """Leave a file out, for a reason; it says when it begins, if that is known."""
        self.sources.pop(name, None)
        found = self.found[name]
        self.found[name] = CheckedFile(name, found.digest, found.size, first_time=begins, error=error)

    def only(self, query: str) -> int:
        """Return the one number that a query gives."""
        # to the end: what a scan rejects can be read when its query is over
        ((found,),) = self.cursor.execute(query).fetchall()
        return int(found)
