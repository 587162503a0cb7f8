"""Which raw files are there, and which of them are still to be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from keepfit.connect import Connection, Item, Place, connect
from keepfit.errors import SourceError
from keepfit.spec.tables import Events, Records, Table
from keepfit.stages.ingest.listing import Listed

# a batch is checked in one query and committed at once: enough to be quick, little enough to lie in memory
BATCH_BYTES, BATCH_FILES = 64 << 20, 64
# what a packed byte becomes
UNPACKED = {".gz": 6, ".zip": 6, ".parquet": 6, ".pq": 6, ".xlsx": 10, ".xls": 2, ".ods": 10}


@dataclass(frozen=True)
class Found:
    """A source and the raw files that it holds, by name."""

    connection: Connection
    items: tuple[Item, ...]


def discover(table: Table, place: Place) -> Found:
    """Return a table's source and its raw files.

    Raises
    ------
    SourceError
        If there are none, or the source cannot be reached.
    """
    own = replace(place, landing=place.landing / table.name, latest=isinstance(table, Records))
    try:
        connection = connect(table.source, own)
        return Found(connection, tuple(connection.items()))
    except SourceError as error:
        raise SourceError(f"{table.name}: {error.what}", where=error.where, fix=error.fix) from error


def pending(found: Found, held: Mapping[str, Listed]) -> tuple[list[Item], list[SourceError]]:
    """Return the files to be read, given those that the table holds, and why others cannot be.

    A file of the table whose identity is another now may have changed; whether it did is known when its bytes are read.
    """
    items = [item for item in found.items if item.name not in held or held[item.name].identity != item.identity]
    errors = [item.error for item in items if item.error is not None]
    return [item for item in items if item.error is None], errors


def changed(table: Table, item: Item, exchange: frozenset[str]) -> SourceError | None:
    """Return why a file that changed after it was ingested is refused; None if it may.

    A record file is read again in place of the old one. An events file must not change, unless its name is in `exchange`:
    its rows may be in training sets already.
    """
    if not isinstance(table, Events) or item.name in exchange:
        return None
    return SourceError(
        f"{item.name} has changed after it was ingested into {table.name}",
        where=item.name,
        fix=f"restore it and send corrections in a new file, or exchange its rows: keepfit ingest --replace {item.name}",
    )


def batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield the files in order, so many at a time as are checked and committed together."""
    batch: list[Item] = []
    size = 0
    for item in items:
        bytes_ = max(item.size, 0) * next(
            (times for end, times in UNPACKED.items() if item.name.lower().endswith(end)), 1
        )
        if batch and (size + bytes_ > BATCH_BYTES or len(batch) == BATCH_FILES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += bytes_
    if batch:
        yield batch


def in_order(declared: Sequence[Table]) -> list[Table]:
    """Return the tables so that each comes after the one it looks in."""
    ordered: list[Table] = []

    def add(table: Table) -> None:
        if table.lookup is not None and table.lookup.of in declared:
            add(table.lookup.of)
        if not any(table is one for one in ordered):
            ordered.append(table)

    for table in declared:
        add(table)
    return ordered
