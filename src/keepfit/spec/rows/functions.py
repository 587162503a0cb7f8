"""What is asked of one value: null or not, one of several, a bound, a function, a piece of text.

A new node is a class here, a branch in `keepfit.rows.evaluate`, one in `engines/sql/derived.py` and one in `kinds.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from keepfit.spec.rows.expression import COMPARE, Constant, RowExpression, node
from keepfit.spec.rows.nodes import Single
from keepfit.spec.rows.wording import constant, named, word


@node("null")
@dataclass(frozen=True, eq=False)
class RowNull(Single):
    """Whether there is no value, or with `present` whether there is one; never null."""

    present: bool = False
    binds: ClassVar[int] = COMPARE
    boolean: ClassVar[bool] = True

    def _written(self) -> str:
        return f"{self.value._within(COMPARE + 1)} is {'not ' if self.present else ''}null"

    def _words(self) -> list[str]:
        return [*self.value._words(), "not" if self.present else "is", "null"]


@node("one of")
@dataclass(frozen=True, eq=False)
class OneOf(Single):
    """Whether a value is one of several constants, all texts or all numbers."""

    values: tuple[Constant, ...]
    boolean: ClassVar[bool] = True

    def _written(self) -> str:
        return self._method("is_in", [f"[{', '.join(map(constant, self.values))}]"])

    def _words(self) -> list[str]:
        return [*self.value._words(), "in", *map(word, self.values)]


@node("fill")
@dataclass(frozen=True, eq=False)
class Fill(Single):
    """A value, or a constant where there is none."""

    by: Constant

    @property
    def boolean(self) -> bool:  # type: ignore[override]
        """Whether true or false is filled in."""
        return isinstance(self.by, bool)

    def _written(self) -> str:
        return self._method("fill", [constant(self.by)])

    def _words(self) -> list[str]:
        return [*self.value._words(), "fill", word(self.by)]


@node("clip")
@dataclass(frozen=True, eq=False)
class Clip(Single):
    """A number within bounds, either of which may be open."""

    low: float | None
    high: float | None

    def _written(self) -> str:
        return self._method("clip", [repr(self.low), repr(self.high)])

    def _words(self) -> list[str]:
        low, high = ("" if bound is None else word(bound) for bound in (self.low, self.high))
        named = ["clip", low, high] if low and high else ["at_least", low] if low else ["at_most", high]
        return [*self.value._words(), *named]


@node("function")
@dataclass(frozen=True, eq=False)
class RowFunction(Single):
    """A function of one value: `abs` and `log1p` of a number, `lower` of a text."""

    function: str

    def _written(self) -> str:
        return f"{self.function}({self.value})"

    def _words(self) -> list[str]:
        return [self.function, *self.value._words()]


@node("text test")
@dataclass(frozen=True, eq=False)
class TextTest(Single):
    """Whether a text `startswith`, `endswith` or `contains` a piece of text."""

    function: str
    piece: str
    boolean: ClassVar[bool] = True

    def _written(self) -> str:
        return self._method(self.function, [constant(self.piece)])

    def _words(self) -> list[str]:
        return [*self.value._words(), self.function, self.piece]


@dataclass(frozen=True, eq=False)
class TextNumber(RowExpression):
    """A number read from one text column by a named function of `keepfit.rows.text`."""

    column: str
    function: ClassVar[str] = ""

    def columns(self) -> set[str]:
        """Return the text column."""
        return {self.column}

    def _written(self) -> str:
        return f"{self.function}({named(self.column)})"

    def _words(self) -> list[str]:
        return [self.function, self.column]


@dataclass(frozen=True, eq=False)
class Sentiment(TextNumber):
    """The mood of an English text from -1 (bad) to +1 (good): VADER's compound score (Hutto and Gilbert 2014)."""

    function: ClassVar[str] = "sentiment"


@dataclass(frozen=True, eq=False)
class Length(TextNumber):
    """The number of characters of a text."""

    function: ClassVar[str] = "length"


@dataclass(frozen=True, eq=False)
class Present(RowExpression):
    """1.0 where a column holds a value, else null: what a count of the column sums."""

    column: str

    def columns(self) -> set[str]:
        """Return the column."""
        return {self.column}

    def _written(self) -> str:
        return f"present({named(self.column)})"

    def _words(self) -> list[str]:
        return ["present", self.column]


CODE_DIGITS = 13  # hexadecimal, so 52 bits, which a 64-bit float holds


def code_of(text: str) -> float:
    """Return the number that stands for a text: 52 bits of the MD5 of its UTF-8 bytes."""
    return float(int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:CODE_DIGITS], 16))


@dataclass(frozen=True, eq=False)
class Coded(Single):
    """A text as a number: the first 52 bits of the MD5 of its UTF-8 bytes, so that equal texts have equal codes.

    A number, and true or false as 1 and 0, is its own code. Null stays null.
    """

    def _written(self) -> str:
        return f"code({self.value})"

    def _words(self) -> list[str]:
        return ["code", *self.value._words()]
