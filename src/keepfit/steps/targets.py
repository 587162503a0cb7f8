"""Where answers go: a file, which is there whole or not at all, or a Delta table, which has them in one commit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepfit.engines.protocol import Engine
from keepfit.errors import SourceError
from keepfit.lake import Lake, others

FILES = (".parquet", ".csv")


@dataclass(frozen=True)
class Target:
    """A place for answers.

    Attributes
    ----------
    path : Path
        Ends in .parquet or .csv; a name without a suffix is a folder, a Delta table.
    append : bool
        Whether rows are added to those that a Delta table has.
    force : bool
        Whether they take the place of what is there.
    """

    path: Path
    append: bool = False
    force: bool = False

    @property
    def is_table(self) -> bool:
        """Whether it is a Delta table."""
        return not self.path.suffix

    def require(self) -> None:
        """Refuse what cannot be written, before anything is computed.

        Raises
        ------
        SourceError
            If the name says no format, or something is there that is neither added to nor replaced.
        """
        where = str(self.path)
        if not self.is_table and self.path.suffix not in FILES:
            fix = "name a file that ends in .parquet or .csv, or a folder for a Delta table"
            raise SourceError(f"cannot write {self.path.name!r}", where=where, fix=fix)
        if self.append and self.force:
            raise SourceError("rows are added or put in the place of others", where=where, fix="--append, or --force")
        if self.append and not self.is_table:
            what = f"{self.path.name} cannot be appended to"
            raise SourceError(what, where=where, fix="name a folder: a Delta table takes rows in one commit")
        if self.path.is_dir() and not (self.is_table and self._is_free()):
            what = f"{self.path.name} is a folder that is no Delta table"
            raise SourceError(what, where=where, fix="name another place")
        if self.path.exists() and not self.force and not self.append and not self._is_empty():
            fix = "--force replaces it" + ("; --append adds to it" if self.is_table else "")
            raise SourceError(f"{self.path.name} is there already", where=where, fix=fix)

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """Yield a folder beside it, on the disk that it needs room on anyway, which is gone in the end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=".keepfit-") as folder:
            yield Path(folder)

    def write(self, engine: Engine, rows: Any) -> None:
        """Write rows that can be read more than once, all or none."""
        if self.is_table:
            others.add(self.path, rows, replace=self.force)
        else:
            engine.save(rows, self.path)

    def _is_empty(self) -> bool:
        return self.path.is_dir() and not any(self.path.iterdir())

    def _is_free(self) -> bool:
        return self._is_empty() or Lake(self.path.parent).exists(self.path.name)
