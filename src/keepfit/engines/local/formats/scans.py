"""How DuckDB is told to read a text whose shape is known: nothing is guessed, and what is no record is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from keepfit.engines.local.formats.facts import LONGEST_LINE
from keepfit.engines.local.formats.rejects import Gaps
from keepfit.engines.quoting import literal

SERIAL = count(1)


@dataclass(frozen=True)
class Scans:
    """The ways to read one text; each scan keeps what it rejects in a table of its own."""

    path: Path
    header: tuple[str, ...]
    delimiter: str
    quote: str
    gaps: Gaps
    long: bool
    made: list[str] = field(default_factory=list)

    def scan(self, types: Mapping[str, str]) -> str:
        """Return the table expression."""
        rejects = f"rejects_{next(SERIAL)}"
        self.made.extend((rejects, f"{rejects}_scan"))
        columns = ", ".join(f"{literal(name)}: {literal(types.get(name, 'VARCHAR'))}" for name in self.header)
        options = {
            "header": "false",
            "auto_detect": "false",
            "skip": str(self.gaps.above),
            "delim": literal(self.delimiter),
            "quote": literal(self.quote),
            "escape": literal(self.quote),
            "columns": f"{{{columns}}}",
            "strict_mode": "true",
            "store_rejects": "true",
            "rejects_limit": "0",
            "rejects_table": literal(rejects),
            "rejects_scan": literal(f"{rejects}_scan"),
            "encoding": "'utf-8'",
        }
        if self.long:
            options |= {"max_line_size": str(2 * LONGEST_LINE), "buffer_size": str(4 * LONGEST_LINE)}
        said = ", ".join(f"{option} = {value}" for option, value in options.items())
        return f"read_csv({literal(str(self.path))}, {said})"

    def rejected(self) -> str:
        """Return the query of what is no record."""
        return self.gaps.query(self.latest())

    def latest(self) -> str:
        """Return the table in which the latest scan keeps what it rejects."""
        return self.made[-2]
