"""One array inside a JSON document, cut into lines: an element each, as it is written.

The document is read in pieces and never held as a whole; what stands beside the array is passed over, and yet must be JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from keepfit.engines.local.formats.facts import LONGEST_LINE, Facts
from keepfit.engines.local.formats.staging import Staged, fresh
from keepfit.errors import SourceError, did_you_mean

PIECE = 1 << 20
BLANK = " \t\r\n"
ENDS = {"{": "}", "[": "]"}
DECODER = json.JSONDecoder()


def split(staged: Staged, records: str, name: str, folder: Path, facts: Facts) -> Staged:
    """Return the elements of the array at a place such as 'data.rows', a line each.

    Parameters
    ----------
    facts : Facts
        Sees the lines.

    Raises
    ------
    SourceError
        If the array is not there, or the document is broken anywhere.
    """
    target = fresh(folder, ".lines")
    with staged.path.open(encoding="utf-8-sig", newline="") as text, target.open("wb") as copy:

        def keep(element: str) -> None:
            line = element.replace("\r", " ").replace("\n", " ").encode() + b"\n"
            facts.see(line)
            copy.write(line)

        document = _Document(text, name)
        try:
            document.walk(records.split("."), keep)
        except UnicodeDecodeError as error:
            raise document.broken(str(error)) from None
    return replace(staged, path=target, copied=True)


def arrays(document: Any, above: str = "") -> list[str]:
    """Return the places of arrays of objects in a document."""
    found = []
    for key, value in document.items() if isinstance(document, dict) else ():
        place = f"{above}{key}"
        if isinstance(value, list) and any(isinstance(element, dict) for element in value):
            found.append(place)
        found += arrays(value, f"{place}.")
    return found


class _Document:
    """A document that is read from its beginning to its end."""

    def __init__(self, text: TextIO, name: str) -> None:
        self.text, self.name = text, name
        self.held, self.place, self.line, self.ended = "", 0, 1, False

    def walk(self, path: list[str], keep: Callable[[str], None]) -> None:
        """Give each element of the array at the path to `keep`, and go on to the document's end."""
        self._walk(path, keep, "the document")
        if self._peek():
            raise self.broken("something stands behind the end")

    def broken(self, why: str) -> SourceError:
        """Return the error of a document that is no JSON here."""
        line = self.line + self.held.count("\n", 0, self.place)
        return SourceError(
            f"{self.name} is no JSON document: {why} at line {line}",
            where=f"{self.name}, line {line}",
            fix="send the file again",
        )

    def _walk(self, path: list[str], keep: Callable[[str], None], where: str) -> None:
        if not path:
            if self._peek() != "[":
                raise self._lacking(f"{where} is no array", "name the array of records: Json(records='...')")
            self._members(lambda _: keep(self._value()))
            return
        found: list[str] = []

        def member(key: str) -> None:
            if key == path[0] and key not in found:
                self._walk(path[1:], keep, repr(key))
            else:
                self._skip()
            found.append(key)

        if self._peek() != "{":
            raise self._lacking(f"{where} has no {path[0]!r}: it is no object", "mend Json(records=...)")
        self._members(member)
        if path[0] not in found:
            raise self._lacking(f"{where} has no {path[0]!r}", did_you_mean(path[0], found, of=where))

    def _lacking(self, what: str, fix: str) -> SourceError:
        return SourceError(f"{self.name}: {what}", where=self.name, fix=fix)

    def _members(self, member: Callable[[str], None]) -> None:
        """Call `member` where each value of the object or array begins, with its key, if it has one."""
        begin = self._take("{[")
        end = ENDS[begin]
        if self._peek() == end:
            self.place += 1
            return
        while True:
            key = ""
            if begin == "{":
                if self._peek() != '"':
                    raise self.broken("a key is missing")
                key = json.loads(self._value())
                self._take(":")
            member(key)
            if self._take("," + end) == end:
                return

    def _skip(self) -> None:
        if self._peek() in ENDS and self._peek():
            self._members(lambda _: self._skip())
        else:
            self._value()

    def _take(self, these: str) -> str:
        found = self._peek()
        if not found or found not in these:
            raise self.broken(f"{' or '.join(these)} is missing" if found else "its end is missing")
        self.place += 1
        return found

    def _peek(self) -> str:
        while True:
            while self.place < len(self.held) and self.held[self.place] in BLANK:
                self.place += 1
            if self.place < len(self.held) or not self._more():
                return self.held[self.place : self.place + 1]

    def _value(self) -> str:
        """Return the value that begins here as it is written."""
        self._peek()
        while True:
            try:
                _, end = DECODER.raw_decode(self.held, self.place)
                # a number may go on in the next piece
                if end < len(self.held) or not self._more():
                    value, self.place = self.held[self.place : end], end
                    return value
            except json.JSONDecodeError as error:
                if len(self.held) - self.place > LONGEST_LINE or not self._more():
                    raise self.broken(error.msg) from None
            except RecursionError:
                raise self.broken("it is nested too deeply") from None

    def _more(self) -> bool:
        piece = self.text.read(max(PIECE, len(self.held) - self.place)) if not self.ended else ""
        self.ended = not piece
        if piece:
            self.line += self.held.count("\n", 0, self.place)
            self.held, self.place = self.held[self.place :] + piece, 0
        return bool(piece)
