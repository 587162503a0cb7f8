"""Answers to files: columns that come batch by batch, and a file that is there whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from arro3.core import Array, RecordBatch, Table

from keepfit.engines.local import query
from keepfit.engines.quoting import literal, quoted
from keepfit.engines.ready import RIGHT
from keepfit.errors import SourceError, full_disk

WRITERS = {".parquet": "write_parquet", ".csv": "write_csv"}
PART = "keepfit_part"


class LocalParts:
    """See `keepfit.engines.ready.Parts`.

    Each batch is a table in memory that the caller writes. No thread of a library ever asks Python for the next one: where
    DuckDB's did, inside those of the Delta library, the process ended.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._cursor, self._folder = connection.cursor(), folder
        self._files = list[str]()

    def add(
        self, columns: Mapping[str, Any], constants: Mapping[str, str | float], types: Mapping[str, str] | None = None
    ) -> None:
        """Write a batch."""
        held = Table.from_batches([_batch(columns)])
        own = [query.typed(name, values, (types or {}).get(name)) for name, values in columns.items() if name != RIGHT]
        own += [f"{_literal(value)} as {quoted(name)}" for name, value in constants.items()]
        self.write(held, f"select {', '.join(own)} from {PART}" + (f" where {RIGHT}" if RIGHT in columns else ""))

    def write(self, held: Any, text: str = f"select * from {PART}") -> None:
        """Write what a query says of an Arrow table."""
        file = str(self._folder / f"part-{len(self._files):06}.parquet")
        self._cursor.register(PART, held)
        try:
            self._cursor.execute(f"copy ({text}) to {literal(file)} (format parquet)")
        except duckdb.Error as error:
            raise full_disk(error, file) or error from None
        finally:
            self._cursor.unregister(PART)
        self._files.append(file)

    def files(self) -> tuple[str, ...]:
        """Return the files, in order."""
        return tuple(self._files)

    def rows(self) -> duckdb.DuckDBPyRelation:
        """Return all rows, in order."""
        return self._cursor.sql(f"select * from {query.parquet(self._files)}")


def save(relation: duckdb.DuckDBPyRelation, path: Path) -> None:
    """Write a relation to a file; see `Engine.save`."""
    if path.suffix not in WRITERS:
        fix = "name a file that ends in .parquet or .csv"
        raise SourceError(f"cannot write {path.name!r}", where=str(path), fix=fix)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".keepfit-") as folder:
        whole = Path(folder) / path.name
        try:
            getattr(relation, WRITERS[path.suffix])(str(whole))
        except duckdb.Error as error:
            raise full_disk(error, str(path)) or error from None
        whole.replace(path)


def _batch(columns: Mapping[str, Any]) -> RecordBatch:
    arrays = [_array(values) for values in columns.values()]
    return RecordBatch.from_arrays(arrays, names=list(columns))


def _array(values: Any) -> Any:
    if not isinstance(values, np.ndarray):
        return values
    return query.texts(values) if values.dtype == object else Array.from_numpy(np.ascontiguousarray(values))


def _literal(value: str | float) -> str:
    return literal(value) if isinstance(value, str) else f"{value!r}::DOUBLE"
