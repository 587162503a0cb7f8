"""Tables that stay open: what was read of a log is not read again, only what was committed since."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from deltalake import DeltaTable

from keepfit.lake.past import LOG

FIRST = f"{0:020}.json"  # of a log's entries, which no commit changes


class Opened(threading.local):
    """The open tables below a root; each thread has its own, so that none moves under another's hands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._held: dict[str, tuple[tuple[int, int, int], DeltaTable]] = {}

    def newest(self, name: str) -> DeltaTable:
        """Return a table in the newest version that any process has committed."""
        path = self.root / name
        begun = _begun(path)
        before, table = self._held.pop(name, (None, None))
        if table is not None and before == begun:
            table.update_incremental()
        else:
            table = DeltaTable(str(path))
        if begun is not None:
            self._held[name] = begun, table
        return table


def _begun(path: Path) -> tuple[int, int, int] | None:
    """Return what tells a table from another one that took its place; None if nothing does."""
    with suppress(FileNotFoundError):
        first = (path / LOG / FIRST).stat()
        return first.st_ino, first.st_size, first.st_mtime_ns
    return None
