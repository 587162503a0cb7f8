"""Rows in quarantine on their way back: through the contract once more, as they were read or with a text edited by hand.

What is about to be released is listed first, with a mark; the commit of the source table carries the mark. A list without
its commit counts for nothing, so that a row is released exactly once whenever it stops. A row that was released with an edited
text is released so again when its file was read again and is in quarantine again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from keepfit import tables
from keepfit.engines.protocol import Engine
from keepfit.engines.quoting import literal
from keepfit.errors import SourceError
from keepfit.lake import Lake
from keepfit.raw import Checked, RawFile
from keepfit.spec.loading import Key
from keepfit.spec.sources import Json
from keepfit.spec.tables import Table
from keepfit.stages.ingest import listing
from keepfit.stages.ingest.listing import columns_of, listings, standing
from keepfit.stages.ingest.quarantine import BadRow, Raw, in_quarantine, number_of, releases
from keepfit.stages.ingest.reading import looked_up_in


@dataclass(frozen=True)
class Wish:
    """A row to be released.

    Attributes
    ----------
    edited : dict or None
        Header -> text as edited by hand; None: as it was read.
    """

    row: BadRow
    edited: Raw | None = None

    def values(self) -> Raw | None:
        """Return header -> text."""
        return self.row.values() if self.edited is None else self.edited


@dataclass(frozen=True)
class Stayed:
    """A row that was not released, and why."""

    file: str
    line: int | None
    record: int | None
    reason: str


@dataclass(frozen=True)
class Released:
    """What became of the rows that were to be released from a table's quarantine."""

    table: str
    rows: int
    released: int
    stayed: tuple[Stayed, ...] = ()
    version: int | None = None


def release(engine: Engine, lake: Lake, table: Table, wishes: Sequence[Wish], as_of: int) -> Released:
    """Send rows through the contract as it is declared now, append the good ones in one commit, and say why others stay.

    Raises
    ------
    SourceError
        If the table is declared differently since its files were read: an ingest reads them again.
    """
    with lake.alone():
        there = set(in_quarantine(engine, lake, table))  # another release may have taken rows meanwhile
        return _released(engine, lake, table, [wish for wish in wishes if wish.row in there], as_of)


def release_again(engine: Engine, lake: Lake, table: Table, as_of: int) -> Released | None:
    """Release what an edited text was given for before its file was read again; None if there is nothing like that."""
    edits = {
        (row["file"], row["digest"], number_of(row)): json.loads(row["raw"])
        for row in sorted(releases(engine, lake, table), key=lambda row: (row["since"], row["as_of"]))
        if row["edited"]
    }
    if not edits:
        return None
    rows = in_quarantine(engine, lake, table)
    wishes = [Wish(row, edits[key]) for row in rows if (key := (row.file, row.digest, row.number)) in edits]
    return _released(engine, lake, table, wishes, as_of) if wishes else None


def _released(engine: Engine, lake: Lake, table: Table, wishes: Sequence[Wish], as_of: int) -> Released:
    history, now = listings(engine, lake, [table]).get(table.name, []), standing(lake, table)
    if now.differs(table, history):
        raise SourceError(
            f"{table.name} is declared differently since its files were read",
            where=f"definitions.py, {type(table).__name__} {table.name!r}",
            fix="run `keepfit ingest`, which reads them again; what is bad then can be released",
        )
    torn = [wish for wish in wishes if wish.values() is None]
    work = Work(engine, lake, table, as_of, [wish for wish in wishes if wish.values() is not None])
    stayed = [
        _stayed(one.row, f"{one.row.reason}; write its values by hand and release it with --from") for one in torn
    ]
    released, version = work.done(now) if work.wishes else (0, None)
    return Released(table.name, len(wishes), released, (*stayed, *work.stayed), version)


@dataclass
class Work:
    """Rows on their way from quarantine to their table."""

    engine: Engine
    lake: Lake
    table: Table
    as_of: int
    wishes: Sequence[Wish]
    stayed: list[Stayed] = field(default_factory=list)

    def done(self, now: listing.Standing) -> tuple[int, int | None]:
        """Release what is good; return how many rows, and the version of the table that holds them."""
        target = tables.source(self.table.name)
        held_in = self.lake.parquet_files(target)
        by_file: dict[str, list[Wish]] = {}
        for wish in sorted(self.wishes, key=lambda wish: wish.row.number):
            by_file.setdefault(wish.row.file, []).append(wish)
        places = self._places(by_file, held_in, now.place)
        checked = self._checked(by_file, places)
        parts: tuple[Any, ...] = ()
        try:
            names = [file.name for file in checked.files if file.error is None]
            settled = self.engine.settle(_keeping(self.table), checked, names, held_in)
            found = self.engine.rows([str(part.path) for part in settled.parts], columns=("_file", "_record"))
            good = {(row["_file"], row["_record"]) for row in found}
            errors = {file.name: file.error.what for file in (*checked.files, *settled.files) if file.error}
            reasons = self.engine.reasons(checked)
            self.stayed += [
                _stayed(wish.row, reasons.get(key) or errors.get(key[0]) or "repeats another row entirely")
                for wish in self.wishes
                if (key := (wish.row.file, wish.row.number)) not in good
            ]
            if not good:
                return 0, None
            mark = self._intended([wish for wish in self.wishes if (wish.row.file, wish.row.number) in good])
            after = replace(now, place=max(now.place, *(place + 1 for place in places.values())))
            notes = listing.notes(self.table, after, self.as_of)
            parts = settled.parts
            with self.lake.keeping(target, parts):
                version = self.lake.commit(target, checked.schema, parts, transactions=[mark], notes=notes)
        finally:
            self.engine.release(checked, parts)
        return len(good), version

    def _places(self, files: Iterable[str], held_in: Sequence[str], free: int) -> dict[str, int]:
        """Return the place of each file among all that the table ever read; one with no row in the table gets a new one."""
        names = list(files)
        one_each = f"_file in ({', '.join(map(literal, names))}) qualify row_number() over (partition by _file) = 1"
        rows = self.engine.rows(held_in, one_each, columns=("_file", "_order"))
        known = {row["_file"]: row["_order"] >> 32 for row in rows}
        return {name: known.get(name, free + place) for place, name in enumerate(names)}

    def _checked(self, by_file: Mapping[str, Sequence[Wish]], places: Mapping[str, int]) -> Checked:
        """Return the rows checked, under the file and the number that they have."""
        folder = self.lake.folder(tables.source(self.table.name))
        with tempfile.TemporaryDirectory(prefix="keepfit-release-") as scratch:
            files = []
            for nth, (name, wishes) in enumerate(by_file.items()):
                path = _written([wish.values() or {} for wish in wishes], Path(scratch) / f"{nth}.jsonl.gz")
                files.append(RawFile(path, name, places[name], Json()))
            checked = self.engine.check(self.table, files, folder, looked_up_in(self.lake, self.table))
        numbers = {name: [wish.row.number for wish in wishes] for name, wishes in by_file.items()}
        return self.engine.renumbered(self.table, checked, numbers)

    def _intended(self, wishes: Sequence[Wish]) -> str:
        """List what is about to be released, and return the mark that makes the list count."""
        told = [[one.row.file, one.row.digest, one.row.since, one.row.number, one.values()] for one in wishes]
        digest = hashlib.blake2b(json.dumps([self.table.name, told]).encode(), digest_size=16).hexdigest()
        mark = f"{self.table.name}/released/{digest}"
        rows: list[dict[str, Any]] = [
            {
                "table": self.table.name,
                "file": wish.row.file,
                "digest": wish.row.digest,
                "since": wish.row.since,
                "line": -1 if wish.row.line is None else wish.row.line,
                "record": -1 if wish.row.record is None else wish.row.record,
                "raw": json.dumps(wish.values(), ensure_ascii=False),
                "edited": int(wish.edited is not None),
                "release": mark,
                "as_of": self.as_of,
            }
            for wish in wishes
        ]
        name = tables.RELEASED.name
        self.lake.append(name, self.engine.relation(columns_of(rows), tables.RELEASED.columns), transaction=mark)
        return mark


def _keeping(table: Table) -> Table:
    """Return the table with a key under which a row that is there is never exchanged for a released one."""
    return table if table.key is None else replace(table, key=Key(*table.key.columns, duplicates="first"))


def _written(rows: Sequence[Raw], path: Path) -> Path:
    header = dict.fromkeys(name for row in rows for name in row)
    # packed, whatever the name says: the name may end in .gz
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        for row in rows:
            file.write(json.dumps({name: row.get(name) for name in header}) + "\n")
    return path


def _stayed(row: BadRow, reason: str) -> Stayed:
    return Stayed(row.file, row.line, row.record, reason)
