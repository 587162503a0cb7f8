"""An empty MLflow database at once: MLflow makes one by running all its migrations on it, for two seconds of a processor.

`mlflow.sql` is what they make of an empty SQLite file. It holds for one revision of MLflow's tables; of any other, MLflow makes
its own.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

TABLES: Final = Path(__file__).with_name("mlflow.sql")
_REVISION: Final = re.compile(r"""INSERT INTO "alembic_version" VALUES\('(\w+)'\)""")


def lay(database: Path) -> None:
    """Make MLflow's tables in a new SQLite file, all or none; a file that is there stays as it is."""
    tables = TABLES.read_text()
    told = _REVISION.search(tables)
    if database.exists() or told is None or told[1] != newest():
        return
    # where this fails, as beside another process that makes them too, MLflow says what is wrong, if anything is
    with closing(sqlite3.connect(database, timeout=60)) as connection, suppress(sqlite3.Error):
        connection.executescript(tables)


def newest() -> str | None:
    """Return the revision of the tables that the MLflow installed here works on."""
    from alembic.script import ScriptDirectory

    found = find_spec("mlflow")
    if found is None or found.origin is None:
        return None
    return ScriptDirectory(str(Path(found.origin).parent / "store" / "db_migrations")).get_current_head()
