"""Which online store the settings name: SQLite's file by default, else Redis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from keepfit.stages.serving.sqlite import SQLiteStore

if TYPE_CHECKING:  # an extra
    from keepfit.stages.serving.redis import RedisStore


def open_store(url: str | None, path: Path, name: str) -> SQLiteStore | RedisStore:
    """Return a model's online store; to be closed.

    Parameters
    ----------
    url : str or None
        The setting `serving.store`: where Redis is; None takes the file.
    path : Path
        SQLite's file.
    name : str
        What tells the model's keys from those of others in Redis.
    """
    if url is None:
        return SQLiteStore(path)
    from keepfit.stages.serving.redis import RedisStore

    return RedisStore(url, name)
