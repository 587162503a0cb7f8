"""Rows that cannot be answered: put into a file with the reason, or, where none is named, the end of it all."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from keepfit.engines.ready import Wrong
from keepfit.errors import SourceError

COLUMNS = ("place", "reason", "row")


class Aside:
    """A .csv file for rows that cannot be answered; it is there whole or not at all, and holds them as they come.

    Parameters
    ----------
    path : Path or None
        The file; None refuses the first such row.
    name : str
        What the rows are of.
    force : bool
        Whether it takes the place of a file that is there.
    """

    def __init__(self, path: Path | None, name: str, *, force: bool = False) -> None:
        self._path, self._name, self.rows = path, name, 0
        self._part = path.with_name(f".{path.name}.part") if path else None
        if path is not None and path.exists() and not force:
            fix = "name another file for --bad, or replace it with --force"
            raise SourceError(f"{path.name} is there already", where=str(path), fix=fix)

    def __enter__(self) -> Aside:
        if self._part is not None:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._text = self._part.open("w", newline="", encoding="utf-8")
            self._csv: Any = csv.writer(self._text)
            self._csv.writerow(COLUMNS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._part is not None:
            self._text.close()
            self._part.unlink(missing_ok=True)

    def put(self, wrong: Iterable[Wrong]) -> None:
        """Put rows aside.

        Raises
        ------
        SourceError
            If there is one and no file for it.
        """
        for one in wrong:
            if self._part is None:
                fix = "mend it, or put such rows aside: --bad bad.csv"
                raise SourceError(f"{one.place}: {one.reason}", where=f"{self._name}, {one.place}", fix=fix)
            self._csv.writerow(one)
            self.rows += 1

    def keep(self) -> None:
        """Let the file be there."""
        if self._part is not None and self._path is not None:
            self._text.close()
            self._part.replace(self._path)
