"""How a text file is written, told from its first lines: encoding, delimiter, quotes, lines above the header, names."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from keepfit.inferring import times
from keepfit.inferring.values import EUROPEAN, NUMERIC
from keepfit.spec.sources import Csv

DELIMITERS = (",", ";", "\t", "|")
TOP = 30  # lines in which the header is looked for
JUDGED = 200  # lines that the shape is told from


@dataclass(frozen=True)
class Dialect:
    """How a text is written; `encoding` is also that of its sample.

    Attributes
    ----------
    header : tuple of str
        Its columns.
    above : int
        Lines above the first record.
    """

    format: Csv
    header: tuple[str, ...]
    above: int

    def rows(self, lines: Sequence[str]) -> list[list[str]]:
        """Return the records of some whole lines; what has another number of values than the header is left out."""
        read = _rows(lines, self.format.delimiter or ",", self.format.quote)
        return [row for row in read if len(row) == len(self.header)]


def encoding_of(sample: bytes) -> str:
    """Return the encoding that a text's first bytes are in."""
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "cp1252" if re.search(rb"[\x80-\x9f]", sample) else "latin-1"
    return "utf-8"


def dialect_of(text: str, encoding: str, tab: bool) -> Dialect | None:
    """Return how a text is written; None if it has no line.

    Parameters
    ----------
    tab : bool
        Whether its suffix says that tabs delimit.
    """
    lines = text.lstrip("\ufeff").splitlines(keepends=True)[:JUDGED]
    if not any(line.strip() for line in lines):
        return None
    quote = "'" if len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n])", "".join(lines))) > len(lines) / 2 else '"'
    order = ("\t", *DELIMITERS) if tab else DELIMITERS
    # of two that agree equally often, the one that stands first
    delimiter = max(order, key=lambda one: (_agreement(lines, one, quote), -order.index(one)))
    rows = _rows(lines, delimiter, quote)
    width = _width(rows)
    skip, header = _header(rows, width)
    names = None
    if header is None:
        names = tuple(f"column_{place}" for place in range(1, width + 1))
    elif len(header) != width:
        # a header with an empty name too many
        skip, names = skip + 1, tuple(header[:width])
    usual = "\t" if tab else ","
    format = Csv(delimiter if delimiter != usual else None, quote, encoding, skip, names)
    above = skip + (names is None)
    return Dialect(_resolved(format, usual), tuple(names or header or ()), above)


def declared(format: Csv, tab: bool) -> Csv:
    """Return a format without what the suffix says."""
    usual = "\t" if tab else ","
    return Csv(
        None if format.delimiter == usual else format.delimiter,
        format.quote,
        format.encoding,
        format.skip,
        format.names,
    )


def _resolved(format: Csv, usual: str) -> Csv:
    return Csv(format.delimiter or usual, format.quote, format.encoding, format.skip, format.names)


def _rows(lines: Sequence[str], delimiter: str, quote: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter, quotechar=quote))
    except csv.Error:
        return [line.rstrip("\r\n").split(delimiter) for line in lines]


def _agreement(lines: Sequence[str], delimiter: str, quote: str) -> float:
    """Return how many of the lines have the same number of values, if that is more than one."""
    widths = Counter(len(row) for row in _rows(lines, delimiter, quote) if row)
    several = [(seen, width) for width, seen in widths.items() if width > 1]
    return max(several)[0] / sum(widths.values()) if several else 0.0


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of values that most records have; a trailing empty one is none."""
    widths = Counter(len(row) for row in rows if row)
    return max(widths, key=lambda width: (widths[width], width))


def _header(rows: Sequence[Sequence[str]], width: int) -> tuple[int, list[str] | None]:
    """Return the number of lines above the header, and the header; None if the first record is one already."""
    for place, row in enumerate(rows[:TOP]):
        filled = [value for value in row if value.strip()]
        if len(row) == width or (len(row) > width and len(filled) == width and row[:width] == filled):
            if len(filled) < max(1, width / 2) and place + 1 < len(rows):
                continue  # a title with empty cells behind it
            below = [other for other in rows[place + 1 : place + 50] if len(other) == width]
            return place, None if _is_record(row[:width], below) else [value.strip() for value in row]
    return 0, None


def _is_record(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a first row looks like those below it: numbers and times stand where they have them."""
    if not below:
        return sum(1 for value in first if _typed(value)) > len(first) / 2
    columns = list(zip(*below, strict=True))
    typed = [place for place, column in enumerate(columns) if _mostly_typed(column)]
    alike = sum(1 for place in typed if _typed(first[place]))
    return bool(typed) and alike > len(typed) / 2


def _mostly_typed(values: Sequence[str]) -> bool:
    filled = [value for value in values if value.strip()]
    return bool(filled) and sum(map(_typed, filled)) > 0.8 * len(filled)


def _typed(value: str) -> bool:
    text = value.strip()
    return bool(NUMERIC.fullmatch(text) or EUROPEAN.fullmatch(text)) or times.written([text]) is not None
