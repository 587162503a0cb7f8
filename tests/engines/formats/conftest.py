"""What tests of formats share: a hand that writes a raw file and reads it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from keepfit.engines.local.formats import Opened, opened


@dataclass
class Read:
    """A file as it was read: its rows, and what in it was no record."""

    opened: Opened
    rows: list[tuple[Any, ...]]
    rejected: list[tuple[int, int, str, str]] = field(default_factory=list)
    folds: list[tuple[int, int]] = field(default_factory=list)

    @property
    def header(self) -> tuple[str, ...]:
        return self.opened.header

    def torn(self) -> list[tuple[int, str]]:
        """Return line and text of what was no record."""
        return [(self.unfolded(line), raw) for line, _, _, raw in self.rejected]

    def unfolded(self, line: int) -> int:
        """Return the line in the file of one that was counted without line feeds inside quotes."""
        return line + max((feeds for above, feeds in self.folds if above < line), default=0)

    def lines(self) -> list[int]:
        """Return the line that each record has, from what the file tells of its gaps."""
        torn = [before for _, before, _, _ in self.rejected]
        filled = [nth + sum(before < nth for before in torn) for nth in range(1, len(self.rows) + 1)]
        first = self.opened.first_line - 1
        return [self.unfolded(first + nth + sum(blank < nth for blank in self.opened.blank)) for nth in filled]


@pytest.fixture(scope="session")
def connection():
    with duckdb.connect() as made:
        made.execute("set threads=2")
        made.execute("set TimeZone='UTC'")
        yield made


@pytest.fixture
def read(connection, tmp_path: Path) -> Callable[..., Read]:
    """Return a function that reads a file, or bytes under a name, and holds what it tells against what it gives."""

    def read(name: str, content: bytes | Path, format=None, types=None) -> Read:
        path = content if isinstance(content, Path) else tmp_path / name
        if path is not content:
            path.write_bytes(content)
        folder = tmp_path / "scratch"
        folder.mkdir(exist_ok=True)
        found = opened(connection, path, format, name, folder)
        rows = connection.execute(f"select * from {found.scan(types or {})}").fetchall()
        rejected = (
            connection.execute(f"select * from ({found.rejected()}) order by line").fetchall() if found.rejected else []
        )
        assert found.lines in (None, len(rows) + len(rejected)), "lines were lost"
        for table in found.tables():
            connection.execute(f"drop table if exists {table}")
        told = found.folds() if found.folds else ()
        folds = [(int(line), int(count)) for lines, feeds in told for line, count in zip(lines, feeds, strict=True)]
        return Read(found, rows, rejected, folds)

    return read
