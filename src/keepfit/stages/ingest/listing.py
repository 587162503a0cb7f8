"""Which files the lake lists as ingested, and what a table was declared as when they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keepfit import tables
from keepfit.engines.protocol import CheckedFile, Engine
from keepfit.errors import SourceError
from keepfit.lake import Lake
from keepfit.spec.codec import encode_table, fingerprint
from keepfit.spec.tables import Table
from keepfit.stages.ingest.discover import Found

# a file in which more than this share of rows breaks its contract is the wrong file, not a file with bad rows
WRONG_FILE_SHARE = 0.5

Row = dict[str, str | int]


@dataclass(frozen=True)
class Listed:
    """A file as it was listed: its path, its digest, and the fingerprint of the table's declaration."""

    path: str
    digest: str
    declared: str


@dataclass(frozen=True)
class Standing:
    """What a source table in the lake holds now, as its newest commit says.

    Attributes
    ----------
    declared : str or None
        Fingerprint of the declaration its rows were read under; None if there is no table.
    rebuilt : int
        How often it was rebuilt: an append of before a rebuild does not count after it.
    """

    declared: str | None = None
    rebuilt: int = 0

    def differs(self, table: Table, history: Sequence[Listed]) -> bool:
        """Return whether the table is declared differently now; after a crash, commit and list may tell two stories."""
        said = {self.declared, *(listed.declared for listed in history[-1:])}
        return self.declared is not None and said != {declaration(table)}

    def notes(self, table: Table) -> dict[str, str]:
        """Return what to keep with a commit of the table."""
        return {"keepfit.declared": declaration(table), "keepfit.rebuilt": str(self.rebuilt)}


def standing(lake: Lake, table: Table) -> Standing:
    """Return what the newest commit of a source table says, not the list of files: a crash may come between them."""
    name = tables.source(table.name)
    if not lake.exists(name):
        return Standing()
    newest = lake.history(name)[0]
    return Standing(newest.get("keepfit.declared", ""), int(newest.get("keepfit.rebuilt", 0)))


def declaration(table: Table) -> str:
    """Return the fingerprint of all in a table's declaration that decides what a raw file's rows become."""
    return fingerprint({name: value for name, value in encode_table(table).items() if name != "quiet"})


def listings(engine: Engine, lake: Lake) -> dict[str, list[Listed]]:
    """Return what is listed of each table, in the order of the ingests."""
    known: dict[str, list[Listed]] = {}
    if lake.exists(tables.FILES.name):
        rows = engine.rows(lake.parquet_files(tables.FILES.name))
        # of two files of one content, the one that was read comes before its copy
        for row in sorted(rows, key=lambda row: (row["version"], row["as_of"], row["rows_read"] == 0)):
            listed = Listed(row["path"], row["digest"], row.get("declared") or "")
            known.setdefault(row["table"], []).append(listed)
    return known


def held(history: Sequence[Listed]) -> dict[str, str]:
    """Return the digest of each file that the table holds, by path, in the order in which they were last read.

    A rebuild lists every file again that still belongs to the table; what was listed before it counts no more.
    """
    found: dict[str, str] = {}
    for listed in history:
        if listed.declared == history[-1].declared:
            found.pop(listed.path, None)
            found[listed.path] = listed.digest
    return found


def listing(table: Table, file: Found, counts: tuple[int, int, int], version: int, as_of: int) -> Row:
    """Return a row of the table of files; counts are rows read, appended and quarantined."""
    return {
        "table": table.name,
        "path": file.name,
        "digest": file.digest,
        "bytes": file.size,
        **dict(zip(("rows_read", "appended", "quarantined"), counts, strict=True)),
        "version": version,
        "declared": declaration(table),
        "as_of": as_of,
    }


def list_files(engine: Engine, lake: Lake, listed: Sequence[Row]) -> None:
    """Append to the table of files."""
    if listed:
        lake.append(tables.FILES.name, engine.relation(columns_of(listed), tables.FILES.columns))


def columns_of(rows: Sequence[Mapping[str, str | int]]) -> dict[str, np.ndarray]:
    """Return rows as columns: int64 or text."""
    return {
        name: np.array([row[name] for row in rows], object if isinstance(first, str) else np.int64)
        for name, first in rows[0].items()
    }


def refuse_wrong_file(table: Table, file: Found, checked: CheckedFile) -> None:
    """Refuse a file most of whose rows break the contract.

    Raises
    ------
    SourceError
        With the rule that most rows break.
    """
    if checked.quarantined > WRONG_FILE_SHARE * checked.rows:
        reason, rows = max(checked.reasons.items(), key=lambda item: item[1])
        raise SourceError(
            f"{file.name} does not fit {table.name}: {rows:,} of {checked.rows:,} rows break the rule: {reason}",
            where=str(file.path),
            fix=f"mend the file, or the columns declared for {table.name}; nothing of it was appended",
        )
