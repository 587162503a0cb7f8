"""What a format reader gives: a file as a table of texts, and what in it is no record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from keepfit.engines.local.formats.facts import Places


@dataclass(frozen=True)
class Opened:
    """A raw file, ready to be scanned.

    Attributes
    ----------
    header : tuple of str
        The file's columns, each once (compared without case), in order.
    scan : callable
        Takes the DuckDB types of columns that may be read typed, and returns a table expression with exactly the header's columns,
        all others as text, null where empty, one row a record, in the file's order. A text that does not fit its column's type is
        rejected.
    rejected : callable or None
        Returns the query of what is no record: line BIGINT, records_before BIGINT, error VARCHAR, raw VARCHAR. It tells of the
        latest scan, and may be asked when that has been read to its end.
        Its lines do not count line feeds inside quotes; `folds.unfold()` adds them, and is due before a line is told.
    first_line : int
        Line of the first record; where records have no lines, 1.
    lines : int or None
        Records and rejected lines together, if known without reading them as records.
    types : mapping of str to str
        Physical types where the format has any.
    plain : bool
        Whether no byte of it could make a number that DuckDB reads and a contract does not, such as 1_000.
    digest : str
        BLAKE3 of the file's bytes as they came, as hex.
    blank : tuple of int
        For each blank line that was passed over, the number of records and rejected lines before it.
    folds : callable or None
        Goes through the text once more for the records that span lines, in order: the line of each, counted as in `rejected`, and
        the line feeds inside quotes between the first record's line and its end. None if there is no such record.
    tables : callable
        Returns the temporary tables that scans have made so far; the caller drops them.
    """

    header: tuple[str, ...]
    scan: Callable[[Mapping[str, str]], str]
    rejected: Callable[[], str] | None = None
    first_line: int = 1
    lines: int | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False
    digest: str = ""
    blank: tuple[int, ...] = ()
    folds: Callable[[], Iterable[tuple[Places, Places]]] | None = None
    tables: Callable[[], tuple[str, ...]] = tuple
