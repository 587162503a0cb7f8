"""Text whose columns stand at fixed places, as agencies print it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from keepfit.engines.local.formats.csv import line_facts, prepare_lines, unrepeated
from keepfit.engines.local.formats.protocol import Opened
from keepfit.engines.local.formats.staging import stage_text
from keepfit.engines.quoting import quoted
from keepfit.spec.sources import FixedWidth


def open_fixed(
    _connection: duckdb.DuckDBPyConnection, path: Path, format: FixedWidth, name: str, folder: Path
) -> Opened:
    """Open fixed-width text: each line is a record, an empty one is passed over, and what a line is too short for is empty.

    Raises
    ------
    SourceError
        If it is packed and corrupt, or not in its encoding.
    """
    facts = line_facts()
    staged = stage_text(path, name, folder, facts, format.encoding)
    ready = prepare_lines(staged, facts, format.skip, name, folder)
    header = unrepeated(tuple(format.columns), name)

    def scan(_types: Mapping[str, str]) -> str:
        values = (
            f"nullif(rtrim(substring(line, {first}, {last - first + 1})), '') as {quoted(column)}"
            for column, (first, last) in format.columns.items()
        )
        return f"(select {', '.join(values)} from {ready.scans.scan({})} where line is not null)"

    return Opened(header, scan, ready.scans.rejected, **ready.facts())
