"""Rows of ready features, as an engine reads them from files and writes answers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

RIGHT = "_k_right"
Rows = Path | tuple[str, ...] | Any
"""A file of any format, Parquet files, or an Arrow reader (`schema`, and batches one after another)."""


class Ready(NamedTuple):
    """What a column of ready values must hold.

    Attributes
    ----------
    labels : sequence of str or None
        Of a category the labels that are known, in the order of their codes; None of a number.
    flag : bool
        Whether true and false are numbers.
    """

    labels: Sequence[str] | None = None
    flag: bool = False


class Wrong(NamedTuple):
    """A row that cannot be answered: where it stands, why, and what it says."""

    place: str
    reason: str
    row: str


@dataclass(frozen=True)
class Chunk:
    """Some rows, one after another.

    Attributes
    ----------
    first : int
        How many rows stand before them.
    values : mapping of str to float array, shape (rows,)
        NaN for null, for a label that is not known, and for a value that is wrong; else a label is its code.
    carried : mapping of str to Arrow array
        Columns as they are.
    wrong : mapping of int to str
        Place in the chunk -> what is wrong with the row.
    """

    first: int
    rows: int
    values: Mapping[str, NDArray[Any]]
    carried: Mapping[str, Any]
    wrong: Mapping[int, str]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which rows nothing is wrong with."""
        found = np.ones(self.rows, np.bool_)
        found[list(self.wrong)] = False
        return found


class ReadyRows(Protocol):
    """Rows of a file or a table."""

    @property
    def types(self) -> Mapping[str, str]:
        """Its columns and their types, as the engine names them."""

    def unread(self) -> Iterator[Wrong]:
        """Yield what in it is no row."""

    def unfit(self, column: str, ready: Ready) -> bool:
        """Return whether a column's type says that it holds other values than it must."""

    def chunks(self, ready: Mapping[str, Ready], carried: Sequence[str]) -> Iterator[Chunk]:
        """Yield all rows in their order, at least one chunk; of a feature its values, of a carried column what it holds."""

    def told(self, places: Sequence[int]) -> Iterator[str]:
        """Yield the rows at some places, ascending, as JSON texts."""

    def texts(self) -> Iterator[tuple[str | None, ...]]:
        """Yield all rows in their order, every value as a text file would hold it."""


class Parts(Protocol):
    """Rows that come batch by batch, of which one is held at a time."""

    def add(
        self, columns: Mapping[str, Any], constants: Mapping[str, str | float], types: Mapping[str, str] | None = None
    ) -> None:
        """Take a batch of columns by name, and columns that are the same in every row.

        Values are arrays: of Arrow, or of numbers, truth values or texts. Where a column `RIGHT` is false, the row is left out.
        Types are as in `Engine.relation`; a column without one is as it is.
        """

    def rows(self) -> Any:
        """Return all rows, in order, as something that can be saved and the lake can append; at least one batch was taken."""
