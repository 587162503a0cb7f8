"""What one look at a text's bytes tells: how many lines it has, how they end, and whether a parser can be trusted with it.

DuckDB reads well-formed text at full speed and gives up on some ill-formed text, or loses lines of it. So every file is looked
at once, in blocks of whole lines, while its bytes are read anyway; a text with anything suspicious is mended first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

# DuckDB rejects records above 2 MB unless it is told to hold more, and loses what is longer than it holds
LONG_RECORD, LONGEST_LINE = 1_900_000, 16_000_000
LINE_FEED = ord("\n")
MANY_BLANKS = 100_000


class Facts:
    """What was seen so far of a text.

    Parameters
    ----------
    quote : bytes
        One byte, or none.
    delimiter : bytes
        What stands between values.
    headed : bool
        Whether the first line is the header.

    Attributes
    ----------
    newlines, records : int
        Line feeds, and those of them outside quotes.
    paired, returns : int
        Carriage returns before a line feed, and all of them.
    longest : int
        Bytes of the longest record, if any is longer than a block.
    nul, quoted, torn : bool
        Whether there are NUL bytes; quotes; quotes that are not where a value begins or ends.
    ended : bool
        Whether the text ends with its last line.
    plain : bool
        Whether it has neither an underscore nor a plus, which DuckDB takes in numbers, nor a NaN; the header aside.
    blank : list of int
        For each blank line, the number of lines with text before it.
    open : bool
        Whether what was seen ends inside quotes.
    """

    def __init__(self, quote: bytes = b"", delimiter: bytes = b",", *, headed: bool = False) -> None:
        self.quote, self.delimiter, self.headed = quote, delimiter, headed
        self._around = _bytes(quote + b"\r\n" + delimiter[-1:]), _bytes(quote + b"\r\n" + delimiter[:1])
        self.newlines = self.records = self.paired = self.returns = self.longest = 0
        self.nul = self.quoted = self.torn = False
        self.ended = self.plain = True
        self.blank: list[int] = []
        self.open, self._length = False, 0

    @property
    def mixed(self) -> bool:
        """Return whether lines end in more than one way."""
        return self.returns > 0 and (self.paired < self.newlines or self.returns > self.paired)

    @property
    def suspicious(self) -> bool:
        """Return whether a record of it may be none; told after the last block."""
        odd_ends = self.mixed and (self.quoted or self.returns > self.paired)
        return self.nul or self.torn or self.longest > LONG_RECORD or self.open or odd_ends

    @property
    def folded(self) -> bool:
        """Return whether a record of it spans lines."""
        return self.newlines > self.records

    def again(self) -> Facts:
        """Return facts to see of another text of the same kind."""
        return Facts(self.quote, self.delimiter, headed=self.headed)

    def take(self, line: bytes) -> None:
        """Take in a record that is known to be one, or a blank line; both end with a line feed."""
        if line == b"\n" and len(self.blank) < MANY_BLANKS:
            self.blank.append(self.records - len(self.blank))
        self.longest = max(self.longest, len(line))
        self.newlines += line.count(b"\n")
        self.records += 1

    def add(self, other: Facts) -> None:
        """Take in whole records, of which all is known; they begin a line."""
        filled = self.records - len(self.blank)
        if len(self.blank) < MANY_BLANKS:
            self.blank += [filled + before for before in other.blank]
        self.newlines += other.newlines
        self.records += other.records

    def see(self, block: bytes) -> NDArray[np.bool_] | None:
        """Take in a block: whole lines, or the end of the text, or a piece of a line that is too long for a block.

        Returns
        -------
        array or None
            Which of its line feeds stand inside quotes; None if there are no quotes.
        """
        if not block:
            return None
        text = np.frombuffer(block, np.uint8)
        feed = text == LINE_FEED
        newlines = int(np.count_nonzero(feed))
        returned = b"\r" in block
        if returned:
            self.returns += block.count(b"\r")
            self.paired += block.count(b"\r\n")
        self.nul = self.nul or b"\0" in block
        below = block.find(b"\n") + 1 if self.headed and not self.newlines else 0
        self.plain = (
            self.plain and block.find(b"_", below) < 0 and block.find(b"+", below) < 0 and not _nan(block, below)
        )
        opened, inside = self.open, None
        if opened or (self.quote and self.quote in block):
            inside = self._see_quotes(text, np.flatnonzero(feed))
        elif not newlines or len(block) > LONG_RECORD:
            self._see_length(np.flatnonzero(feed), len(block))
        else:
            self._length = 0
        blank = bool((feed[1:] & feed[:-1]).any()) or block.startswith((b"\n", b"\r\n"))
        if blank or (returned and b"\n\r\n" in block):
            self._see_blank(text, np.flatnonzero(feed), opened, inside)
        self.newlines += newlines
        self.records += newlines - (int(np.count_nonzero(inside)) if inside is not None else 0)
        self.ended = block.endswith(b"\n")
        return inside

    def _see_quotes(self, text: Bytes, feeds: Places) -> NDArray[np.bool_]:
        """Return which line feeds of the block stand inside quotes."""
        quotes = np.flatnonzero(text == self.quote[0])
        opening, closing = (quotes[1::2], quotes[::2]) if self.open else (quotes[::2], quotes[1::2])
        before, after = self._around
        begun = before[text[opening[opening > 0] - 1]].all()
        closed = after[text[closing[closing < len(text) - 1] + 1]].all()
        # what stands beyond the end of a piece is not looked at
        self.torn = self.torn or not (begun and closed and self.ended)
        self.quoted = self.quoted or len(quotes) > 0
        inside = (np.searchsorted(quotes, feeds) % 2 == 1) ^ self.open
        self.open ^= len(quotes) % 2 == 1
        self._see_length(feeds[~inside], len(text))
        return np.asarray(inside, np.bool_)

    def _see_length(self, ends: Places, size: int) -> None:
        bounds = np.concatenate(([-self._length], ends + 1, [size]))
        self.longest = max(self.longest, int(np.diff(bounds).max()))
        self._length = size - int(bounds[-2])

    def _see_blank(self, text: Bytes, feeds: Places, opened: bool, inside: NDArray[np.bool_] | None) -> None:
        starts = np.concatenate(([0], feeds[:-1] + 1))
        returned = (feeds > starts) & (text[np.maximum(feeds - 1, 0)] == ord("\r"))
        empty = feeds - returned == starts
        if not self.ended:
            empty[0] = False
        if inside is not None:
            empty &= ~np.concatenate(([opened], inside[:-1]))
            empty = empty[~inside]
        places = np.flatnonzero(empty)
        if len(self.blank) < MANY_BLANKS:
            self.blank += (self.records - len(self.blank) + places - np.arange(len(places))).tolist()


def _nan(block: bytes, below: int) -> bool:
    # most blocks of numbers have neither letter, and small letters cost
    there = block.find(b"n", below) >= 0 or block.find(b"N", below) >= 0
    return there and block.lower().find(b"nan", below) >= 0


def _bytes(these: bytes) -> NDArray[np.bool_]:
    found = np.zeros(256, np.bool_)
    found[np.frombuffer(these, np.uint8)] = True
    return found
