"""Records that span lines, because line feeds stand inside their quotes.

A parser counts records. So where a bad row's line is to be told, such a text is gone through once more, for these line feeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import numpy as np
from arro3.core import Array, Table
from numpy.typing import NDArray

from keepfit.engines.local.formats.facts import Facts, Places
from keepfit.engines.local.formats.fields import walk

BLOCK = 1 << 20


def folds(path: Path, quote: bytes, delimiter: bytes) -> Iterator[tuple[Places, Places]]:
    """Yield the records that span lines, in order and many at once.

    Of each are told its number among all records and blank lines of the text, from 0, and how many line feeds stand inside quotes
    from the top to its end.
    """
    records = feeds = told = 0
    opened = False
    with path.open("rb") as text:
        while block := text.read(BLOCK):
            inside, opened = _inside(block + text.readline(), opened, quote, delimiter)
            until = (feeds + np.cumsum(inside))[~inside]
            spans = np.flatnonzero(np.diff(until, prepend=told))
            if len(spans):
                yield records + spans, until[spans]
            feeds += int(np.count_nonzero(inside))
            records += len(until)
            told = int(until[-1]) if len(until) else told


def unfold(
    cursor: duckdb.DuckDBPyConnection, table: str, told: Iterable[tuple[Places, Places]], only: str = "true"
) -> None:
    """Add to the lines in a table the line feeds that stand inside quotes above them.

    Parameters
    ----------
    table : str
        Has the column `line`, counted without line feeds inside quotes.
    told : iterable
        The file's records that span lines; see `Opened.folds`.
    only : str
        The condition of the rows that are the file's.
    """
    name = f"{table}_folds"
    cursor.execute(f"create or replace temp table {name} (line bigint, feeds bigint)")
    try:
        for lines, feeds in told:
            columns = [Array.from_numpy(np.ascontiguousarray(column, np.int64)) for column in (lines, feeds)]
            cursor.register(f"{name}_more", Table.from_arrays(columns, names=["line", "feeds"]))
            cursor.execute(f"insert into {name} from {name}_more")
            cursor.unregister(f"{name}_more")
        found = f"select distinct line from {table} where {only}"
        cursor.execute(
            f"update {table} b set line = b.line + f.feeds from (select l.line, feeds from ({found}) l asof join {name} f"
            f" on l.line > f.line) f where ({only}) and b.line = f.line"
        )
    finally:
        cursor.execute(f"drop table {name}")


def _inside(block: bytes, opened: bool, quote: bytes, delimiter: bytes) -> tuple[NDArray[np.bool_], bool]:
    """Return which line feeds of whole lines stand inside quotes, and whether a quote is open below them."""
    facts = Facts(quote, delimiter)
    facts.open = opened
    inside = facts.see(block)
    if not facts.torn:
        return np.zeros(facts.newlines, np.bool_) if inside is None else inside, facts.open
    # a quote within a value that has none around it: only a look at each value tells
    found = []
    for line in block.split(b"\n")[: facts.newlines]:
        opened, _ = walk(line + b"\n", opened, quote, delimiter)
        found.append(opened)
    return np.array(found, np.bool_), opened
