"""One raw file on its way to the disk: columns of texts, as an export holds them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, list[str]]
Texts = list[str]


@dataclass(frozen=True)
class Frame:
    """The rows of one file.

    Parameters
    ----------
    table : str
        The table that the file belongs to.
    stamp : str
        Its month as YYYY_MM; '' for a file that is written once.
    columns : mapping of str to list of str
        Texts by header, all of one length, in the order of the file.
    entity : str
        The header of the entity.
    received : str
        The header that says when a row came in; '' if there is none.
    encoding : str
        How the file is written.
    held : mapping of str to list of str
        Rows that come with the next month's file.
    """

    table: str
    stamp: str
    columns: Columns
    entity: str
    received: str = ""
    encoding: str = "utf-8"
    held: Columns = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.table}_{self.stamp}.csv" if self.stamp else f"{self.table}.csv"

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return len(next(iter(self.columns.values())))

    def take(self, rows: NDArray[np.int64]) -> Columns:
        """Return these rows, in this order."""
        return {name: [values[i] for i in rows.tolist()] for name, values in self.columns.items()}

    def write(self, folder: Path) -> Path:
        """Write the file into a folder and return its path."""
        path = folder / self.name
        with path.open("w", newline="", encoding=self.encoding) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows(zip(*self.columns.values(), strict=True))
        return path


def iso(seconds: NDArray[np.int64]) -> Texts:
    """Return moments (seconds since 1970 UTC) as ISO 8601 with Z."""
    stamps: Texts = np.datetime_as_string(seconds.astype("datetime64[s]"), timezone="UTC").tolist()
    return stamps


def decimals(values: NDArray[np.float64], digits: int) -> Texts:
    """Return numbers with a fixed count of digits after the point."""
    form = f"%.{digits}f"
    return [form % value for value in values.tolist()]


def labels(codes: NDArray[np.int64], names: tuple[str, ...]) -> Texts:
    """Return the name of each code."""
    return [names[code] for code in codes.tolist()]
