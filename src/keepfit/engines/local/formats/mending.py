"""A text that a parser would stumble over, gone through record by record: what is no record is cut out and told.

Slower than a parser by far, and used only for texts with something suspicious: NUL bytes, carriage returns inside a line,
lines that end in several ways beside quotes, quotes that are never closed, records too long for a parser.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from keepfit.engines.local.formats.facts import LONG_RECORD, LONGEST_LINE, Facts
from keepfit.engines.local.formats.fields import repaired, split, walk

BLOCK = 1 << 16
SHOWN = 10_000  # characters of a line that is too long

OPEN = "quote is never closed"
LONG = f"longer than {LONGEST_LINE:,} bytes"
FAR = f"quote is not closed within {LONG_RECORD:,} bytes"


def mend(source: Path, target: Path, cut: Path, facts: Facts, skip: int, columns: int) -> None:
    """Copy a text without what is no record.

    A line with quotes inside a quoted value is taken as it must have been meant, if it then has a value for each column.

    Parameters
    ----------
    cut : Path
        Takes a JSON line for each line that was cut: `place`, the number of records in the copy before it; `error`; `raw`.
    facts : Facts
        Takes in what is copied.
    skip : int
        Lines at the top that are copied as they stand; if they hold quotes, they are emptied.
    columns : int
        How many values a record has; 0 takes it from the first.
    """
    with source.open("rb") as lines, target.open("wb") as copy, cut.open("w", encoding="utf-8") as told:
        mending = _Mending(copy, told, facts, columns)
        for line in (_line(lines) for _ in range(skip)):
            mending.write(b"\n" if facts.quote and facts.quote in line else line.rstrip(b"\r\n") + b"\n")
        while not mending.columns and (line := _line(lines)):
            mending.take(line)
        while block := lines.read(BLOCK):
            block += _line(lines)
            if not mending.whole(block):
                for line in _whole_lines(block):
                    mending.take(line)
        mending.end()


def _line(text: BinaryIO) -> bytes:
    """Return the rest of a line; if it is too long, only the beginning, still too long."""
    first = rest = text.readline(LONGEST_LINE + 1)
    while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
        rest = text.readline(LONGEST_LINE + 1)
    return first


def _whole_lines(block: bytes) -> Sequence[bytes]:
    lines = [line + b"\n" for line in block.split(b"\n")]
    last = lines.pop()
    return lines if last == b"\n" else [*lines, last[:-1]]


@dataclass
class _Mending:
    copy: BinaryIO
    told: TextIO
    facts: Facts
    columns: int
    lines: list[bytes] = field(default_factory=list)  # of the record that is open
    size: int = 0
    opened: bool = False
    error: str = ""

    def whole(self, block: bytes) -> bool:
        """Take in whole lines at once if none of them is open or suspicious; return whether that was so."""
        facts = Facts(self.facts.quote, self.facts.delimiter)
        if self.opened or not block.endswith(b"\n"):
            return False
        facts.see(block)
        if facts.suspicious or facts.returns:
            return False
        self.facts.add(facts)
        self.copy.write(block)
        return True

    def take(self, line: bytes) -> None:
        """Take in the next line."""
        self.opened, error = walk(line, self.opened, self.facts.quote, self.facts.delimiter)
        if error and not self.lines and (whole := repaired(line, self.columns, self.facts.quote, self.facts.delimiter)):
            self.write(whole)
            self._begin()
            return
        self.error = self.error or error
        self.lines.append(line)
        self.size += len(line)
        if self.size > LONGEST_LINE:
            self._cut(LONG)
        elif self.size > LONG_RECORD and len(self.lines) > 1:
            self._cut(FAR)
        elif not self.opened:
            self._close()

    def end(self) -> None:
        """Close the text."""
        if self.lines:
            self._cut(self.error or OPEN)

    def write(self, content: bytes) -> None:
        """Write to the copy."""
        self.facts.take(content)
        self.copy.write(content)

    def _close(self) -> None:
        if self.error:
            self._cut(self.error)
            return
        *above, last = self.lines
        record = b"".join(above) + last.rstrip(b"\r\n")
        if not self.columns and record:
            self.columns = len(split(record, self.facts.quote, self.facts.delimiter) or ()) or -1
        self.write(record + b"\n")
        self._begin()

    def _cut(self, error: str) -> None:
        for line in self.lines:
            raw = line.rstrip(b"\r\n").decode(errors="replace")
            raw = raw if len(raw) <= SHOWN else f"{raw[:SHOWN]}..."
            self.told.write(json.dumps({"place": self.facts.records, "error": error, "raw": raw}) + "\n")
        self._begin()

    def _begin(self) -> None:
        self.lines, self.size, self.opened, self.error = [], 0, False, ""
