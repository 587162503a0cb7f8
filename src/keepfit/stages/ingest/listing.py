"""Which files the lake lists as ingested, and what a table was declared as when they were read.

A commit's notes hold the list of its files, so that a crash between the commit and the list of files loses nothing: the
next ingest lists them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from keepfit import tables
from keepfit.connect import Item
from keepfit.engines.protocol import Engine
from keepfit.errors import SourceError
from keepfit.lake import Lake
from keepfit.raw import CheckedFile
from keepfit.spec.codec import encode_rows, fingerprint
from keepfit.spec.tables import Table

# a file in which more than this share of rows breaks its contract is the wrong file, not a file with bad rows
WRONG_FILE_SHARE = 0.5
FILES, DECLARED, REBUILT, PLACE, AS_OF = (
    f"keepfit.{word}" for word in ("files", "declared", "rebuilt", "place", "as_of")
)

Row = dict[str, str | int]


@dataclass(frozen=True)
class Listed:
    """A file as it was listed."""

    path: str
    digest: str
    declared: str
    identity: str
    size: int
    version: int
    header: tuple[str, ...]
    types: Mapping[str, str]
    rows_read: int = 0
    appended: int = 0
    quarantined: int = 0
    repeated: int = 0


@dataclass(frozen=True)
class Standing:
    """What a source table in the lake holds now, as its newest commit says.

    Attributes
    ----------
    declared : str or None
        Fingerprint of the declaration its rows were read under; None if there is no table.
    rebuilt : int
        How often it was rebuilt.
    place : int
        How many files were ever read into it.
    """

    declared: str | None = None
    rebuilt: int = 0
    place: int = 0

    def differs(self, table: Table, history: Sequence[Listed]) -> bool:
        """Return whether the table is declared differently now; after a crash, commit and list may tell two stories."""
        said = {self.declared, *(listed.declared for listed in history[-1:])}
        return self.declared is not None and said != {declaration(table)}


def standing(lake: Lake, table: Table) -> Standing:
    """Return what the newest commit of a source table says, not the list of files: a crash may come between them."""
    name = tables.source(table.name)
    if not lake.exists(name):
        return Standing()
    newest = lake.notes(name)
    return Standing(
        newest.get(DECLARED, ""), int(newest.get(REBUILT, 0)), int(newest.get(PLACE, lake.version(name) + 1))
    )


def notes(table: Table, now: Standing, as_of: int, files: Sequence[Row] = ()) -> dict[str, str]:
    """Return what to keep with a commit of the table."""
    held = {DECLARED: declaration(table), REBUILT: str(now.rebuilt), PLACE: str(now.place), AS_OF: str(as_of)}
    return held | ({FILES: json.dumps(files)} if files else {})


@lru_cache(maxsize=64)
def declaration(table: Table) -> str:
    """Return the fingerprint of all in a table's declaration that decides what a raw file's rows become."""
    return fingerprint(encode_rows(table))


def listings(engine: Engine, lake: Lake, declared: Sequence[Table], *, mend: bool = False) -> dict[str, list[Listed]]:
    """Return what is listed of each table, in the order of the ingests, and what a crash left unlisted.

    Parameters
    ----------
    mend : bool
        Whether to list that now.
    """
    known = _listed(engine, lake)
    forgotten = [row for table in declared for row in _forgotten(lake, table, known.get(table.name, []))]
    for row in forgotten:
        known.setdefault(str(row["table"]), []).append(listed(row))
    if mend:
        list_files(engine, lake, forgotten)
    return known


def _listed(engine: Engine, lake: Lake) -> dict[str, list[Listed]]:
    known: dict[str, list[Listed]] = {}
    if lake.exists(tables.FILES.name):
        rows = engine.rows(lake.parquet_files(tables.FILES.name))
        # of two files of one content, the one that was read comes before its copy
        for row in sorted(rows, key=lambda row: (row["version"], row["as_of"], row["rows_read"] == 0)):
            known.setdefault(row["table"], []).append(listed(row))
    return known


def listed(row: Mapping[str, Any]) -> Listed:
    """Return a row of the table of files; one of before a column was there has nothing in it."""
    said = (row["path"], row["digest"], row.get("declared") or "", row.get("identity") or "", row["bytes"])
    header, types = json.loads(row.get("header") or "[]"), json.loads(row.get("types") or "{}")
    counts = (row.get(name) or 0 for name in ("rows_read", "appended", "quarantined", "repeated"))
    return Listed(*said, row["version"], tuple(header), types, *counts)


def _forgotten(lake: Lake, table: Table, history: Sequence[Listed]) -> list[Row]:
    name = tables.source(table.name)
    if not lake.exists(name):
        return []
    newest = max((listed.version for listed in history), default=-1)
    missing = lake.version(name) - newest
    commits = lake.history(name, missing) if missing > 0 else []
    found = [(int(commit["version"]), commit[FILES]) for commit in commits if FILES in commit]
    return [
        {**row, "version": version} for version, text in sorted(found) if version > newest for row in json.loads(text)
    ]


def held(history: Sequence[Listed]) -> dict[str, Listed]:
    """Return each file that the table holds, by path, in the order in which they were last read.

    A rebuild lists every file again that still belongs to the table; what was listed before it counts no more.
    """
    found: dict[str, Listed] = {}
    era = ""
    for one in history:
        if one.declared != era:
            found, era = {}, one.declared
        found.pop(one.path, None)
        found[one.path] = one
    return found


def listing(table: Table, item: Item, file: CheckedFile, as_of: int) -> Row:
    """Return a row of the table of files, without the version of the commit."""
    return {
        "table": table.name,
        "path": file.name,
        "digest": file.digest,
        "identity": item.identity,
        "bytes": file.size,
        "header": json.dumps(file.header, ensure_ascii=False),
        "types": json.dumps(dict(file.types), ensure_ascii=False),
        "rows_read": file.rows,
        "appended": file.appended,
        "quarantined": file.quarantined,
        "repeated": file.repeated,
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


def wrong_file(table: Table, file: CheckedFile) -> SourceError | None:
    """Return why a file is refused most of whose rows break the contract; None if it is not."""
    if table.evolution.retype == "ignore" or file.quarantined <= WRONG_FILE_SHARE * file.rows:
        return None
    reason, rows = max(file.reasons.items(), key=lambda found: found[1])
    return SourceError(
        f"{file.name} does not fit {table.name}: {rows:,} of {file.rows:,} rows break the rule: {reason}",
        where=file.name,
        fix=f"mend the file, or the columns declared for {table.name}; nothing of it was appended"
        " (evolution=Evolution(retype='ignore') takes its good rows)",
    )
