"""A table whose declaration was edited: its files are read again, and its rows exchanged in one commit.

A crash before the commit leaves the old table. The commit names the files, which the next ingest lists if a crash came
before they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from keepfit import tables
from keepfit.connect import Item
from keepfit.errors import SourceError
from keepfit.raw import Checked, CheckedFile, Part, Settled
from keepfit.spec.tables import Table
from keepfit.stages.ingest import listing
from keepfit.stages.ingest.listing import Listed, Row, Standing, declaration, list_files
from keepfit.stages.ingest.pending import Found, changed
from keepfit.stages.ingest.quarantine import quarantine
from keepfit.stages.ingest.reading import Read, Reader
from keepfit.stages.ingest.said import Ingested


def belonging(
    table: Table, found: Found, held: Mapping[str, Listed], exchange: frozenset[str]
) -> list[tuple[Item, Listed]]:
    """Return the files that a table holds and its declaration still matches, in the order in which they were read.

    A file that was renamed comes under its old name.

    Raises
    ------
    SourceError
        If one of them is gone.
    """
    by_name = {item.name: item for item in found.items}
    by_identity = {item.identity: item for item in found.items}
    files = []
    for name, listed in held.items():
        item = by_name.get(name) or by_identity.get(listed.identity)
        if item is not None:
            files.append((item, listed))
        elif found.has(name):  # it is there, and no longer matches
            continue
        else:
            raise SourceError(
                f"{table.name} is declared differently since its files were ingested, and {name} is gone",
                where=name,
                fix="put it back, or restore the declaration",
            )
    return files
