"""Where values begin and end in a line of delimited text, as the parser has it, and as it may have been meant."""

from __future__ import annotations

import re

NUL, STRAY, TORN = "nul byte", "carriage return in a line", "text after a closing quote"
SPACES = re.compile(b" *")


def walk(line: bytes, opened: bool, quote: bytes, delimiter: bytes) -> tuple[bool, str]:
    """Return whether a quote is open at the line's end, and why the line is no part of a record, if it is none.

    Quotes open where a value begins, or one space after, as the parser has it; inside, two of them stand for one.
    """
    error = NUL if b"\0" in line else ""
    body = line.rstrip(b"\r\n")
    if not opened and not (quote and quote in body):
        return False, error or (STRAY if b"\r" in body else "")
    place = 0
    while True:
        if opened:
            end = line.find(quote, place)
            if end < 0:
                return True, error
            place = end + 1
            if line.startswith(quote, place):
                place += 1
                continue
            opened = False
            rest = _next(body, place, delimiter)
            if _blanks(body, place) < rest:
                error = error or TORN
        else:
            begin = place + line.startswith(b" ", place)
            if line.startswith(quote, begin):
                opened, place = True, begin + 1
                continue
            rest = _next(body, place, delimiter)
            if body.find(b"\r", place, rest) >= 0:
                error = error or STRAY
        if rest == len(body):
            return False, error
        place = rest + len(delimiter)


def repaired(line: bytes, columns: int, quote: bytes, delimiter: bytes) -> bytes | None:
    """Return a line whose quotes inside quoted values are doubled, if it then has so many values; else None."""
    body = line.rstrip(b"\r\n")
    if b"\0" in body or b"\r" in body:
        return None
    readings = (split(body, quote, delimiter, doubled=doubled) for doubled in (True, False))
    values = next((one for one in readings if one is not None and len(one) == columns), None)
    if values is None:
        return None
    return delimiter.join(quote + value.replace(quote, quote * 2) + quote for value in values) + b"\n"


def split(body: bytes, quote: bytes, delimiter: bytes, *, doubled: bool = True) -> list[bytes] | None:
    """Return the values of a record, where a quote closes only in front of a delimiter; None if one is left open.

    Parameters
    ----------
    doubled : bool
        Whether two quotes in front of a delimiter stand for one that does not close.
    """
    values, place = [], 0
    while True:
        begin = _blanks(body, place)
        if quote and body.startswith(quote, begin):
            found = _quoted(body, begin + 1, quote, delimiter, doubled)
            if found is None:
                return None
            value, rest = found
        else:
            rest = _next(body, place, delimiter)
            value = body[place:rest]
        values.append(value)
        if rest == len(body):
            return values
        place = rest + len(delimiter)


def _quoted(body: bytes, place: int, quote: bytes, delimiter: bytes, doubled: bool) -> tuple[bytes, int] | None:
    """Return a quoted value, and where its delimiter stands."""
    pieces: list[bytes] = []
    while (end := body.find(quote, place)) >= 0:
        after = end + 1
        while body.startswith(quote, after):
            after += 1
        rest, quotes = _blanks(body, after), after - end
        closes = rest == len(body) or body.startswith(delimiter, rest)
        if closes and not (doubled and quotes % 2 == 0):
            return b"".join([*pieces, body[place:end], quote * (quotes // 2)]), rest
        pieces.append(body[place:end] + quote * ((quotes + 1) // 2))
        place = after
    return None


def _next(body: bytes, place: int, delimiter: bytes) -> int:
    found = body.find(delimiter, place)
    return found if found >= 0 else len(body)


def _blanks(body: bytes, place: int) -> int:
    found = SPACES.match(body, place)
    return found.end() if found else place
