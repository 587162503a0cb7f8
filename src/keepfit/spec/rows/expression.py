"""What every row expression can: combine, compare, read as text, and say how it is written.

A node of `nodes.py` says which parts it has, how it is written (`_written`, with `binds` for parentheses) and which words
stand for it in a name (`_words`).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from typing import ClassVar

Number = int | float
Constant = str | int | float | bool
LARGEST_INTEGER = 2**53
LONGEST_SLUG = 48
# what binds a part more loosely than its whole wants it stands in parentheses
OR, AND, NOT, COMPARE, ADD, MULTIPLY, ATOM = range(1, 8)

Build = Callable[..., "RowExpression"]
_nodes: dict[str, Build] = {}


def node(name: str) -> Callable[[type[RowExpression]], type[RowExpression]]:
    """Tell the operators which class to build, which is defined after them."""

    def registered(made: type[RowExpression]) -> type[RowExpression]:
        _nodes[name] = made
        return made

    return registered


class RowExpression:
    """A value computed from one row; build it with `col`, arithmetic, comparisons and the methods below.

    `str(expression)` is its meaning: readable, and another text for every other expression. Null in, null out, but for
    `is_null`, `not_null`, `fill`, and for `&` and `|` where the other side decides.
    """

    binds: ClassVar[int] = ATOM
    boolean: ClassVar[bool] = False  # whether it is a condition: true, false or null

    @property
    def slug(self) -> str:
        """A short name of letters, digits and underscores: `channel_eq_web`.

        What the words leave out (parentheses, signs in a text, a long tail) stands behind them as six hex digits.
        """
        words = [re.sub(r"[^A-Za-z0-9]+", "_", word).strip("_") for word in self._words()]
        short = "_".join(word for word in words if word)
        written = str(self)
        grouped = re.search(r"(?<!\w)\(", written)
        if words == self._words() and not grouped and len(short) <= LONGEST_SLUG:
            return short
        return "_".join([short[:LONGEST_SLUG].rstrip("_"), hashlib.sha256(written.encode()).hexdigest()[:6]]).strip("_")

    def __str__(self) -> str:
        return self._written()

    def parts(self) -> tuple[RowExpression, ...]:
        """Return the expressions this one is made of."""
        return ()

    def columns(self) -> set[str]:
        """Return the names of the columns it reads."""
        return set().union(*(part.columns() for part in self.parts()))

    def _written(self) -> str:
        raise NotImplementedError

    def _words(self) -> list[str]:
        raise NotImplementedError

    def _within(self, binds: int) -> str:
        return str(self) if self.binds >= binds else f"({self})"

    def __add__(self, other: RowExpression | Number) -> RowExpression:
        return _nodes["arithmetic"]("+", self, lift(other))

    def __sub__(self, other: RowExpression | Number) -> RowExpression:
        return _nodes["arithmetic"]("-", self, lift(other))

    def __mul__(self, other: RowExpression | Number) -> RowExpression:
        return _nodes["arithmetic"]("*", self, lift(other))

    def __truediv__(self, other: RowExpression | Number) -> RowExpression:
        return _nodes["arithmetic"]("/", self, lift(other))

    def __radd__(self, other: Number) -> RowExpression:
        return _nodes["arithmetic"]("+", lift(other), self)

    def __rsub__(self, other: Number) -> RowExpression:
        return _nodes["arithmetic"]("-", lift(other), self)

    def __rmul__(self, other: Number) -> RowExpression:
        return _nodes["arithmetic"]("*", lift(other), self)

    def __rtruediv__(self, other: Number) -> RowExpression:
        return _nodes["arithmetic"]("/", lift(other), self)

    def __eq__(self, other: object) -> RowExpression:  # type: ignore[override]
        return _nodes["comparison"]("==", self, lift(other))

    def __ne__(self, other: object) -> RowExpression:  # type: ignore[override]
        return _nodes["comparison"]("!=", self, lift(other))

    def __lt__(self, other: object) -> RowExpression:
        return _nodes["comparison"]("<", self, lift(other))

    def __le__(self, other: object) -> RowExpression:
        return _nodes["comparison"]("<=", self, lift(other))

    def __gt__(self, other: object) -> RowExpression:
        return _nodes["comparison"](">", self, lift(other))

    def __ge__(self, other: object) -> RowExpression:
        return _nodes["comparison"](">=", self, lift(other))

    def __and__(self, other: RowExpression | bool) -> RowExpression:
        return _nodes["logic"]("&", self, lift(other))

    def __or__(self, other: RowExpression | bool) -> RowExpression:
        return _nodes["logic"]("|", self, lift(other))

    def __rand__(self, other: bool) -> RowExpression:
        return _nodes["logic"]("&", lift(other), self)

    def __ror__(self, other: bool) -> RowExpression:
        return _nodes["logic"]("|", lift(other), self)

    def __invert__(self) -> RowExpression:
        return _nodes["not"](self)

    def __abs__(self) -> RowExpression:
        return self.abs()

    def __bool__(self) -> bool:
        fix = "combine conditions with & | ~, each in parentheses, and compare one value at a time"
        raise TypeError(f"a row expression has no truth value before a row is read; {fix}")

    __hash__ = object.__hash__

    def is_in(self, values: Sequence[Constant]) -> RowExpression:
        """Return whether the value is one of `values`: texts, or numbers."""
        held = [_constant(value) for value in values]
        if isinstance(values, str) or not held or len({isinstance(value, str) for value in held}) > 1:
            raise TypeError(f"is_in takes a list of texts or a list of numbers, not {values!r}")
        return _nodes["one of"](self, tuple(dict.fromkeys(sorted(held))))

    def is_null(self) -> RowExpression:
        """Return whether there is no value; never null itself."""
        return _nodes["null"](self)

    def not_null(self) -> RowExpression:
        """Return whether there is a value; never null itself."""
        return _nodes["null"](self, present=True)

    def fill(self, value: Constant) -> RowExpression:
        """Return `value` where there is none."""
        return _nodes["fill"](self, _constant(value))

    def clip(self, low: Number | None = None, high: Number | None = None) -> RowExpression:
        """Return the number, `low` where it is below that and `high` where it is above."""
        if (low is None and high is None) or (low is not None and high is not None and not low <= high):
            raise TypeError(f"clip takes low <= high, or one of them, not {low!r} and {high!r}")
        return _nodes["clip"](self, *(None if bound is None else float(bound) for bound in (low, high)))

    def abs(self) -> RowExpression:
        """Return the size of the number, without its sign."""
        return _nodes["function"](self, "abs")

    def log1p(self) -> RowExpression:
        """Return the natural logarithm of 1 + the number; null at -1 and below."""
        return _nodes["function"](self, "log1p")

    def lower(self) -> RowExpression:
        """Return the text in lower case, letter by letter."""
        return _nodes["function"](self, "lower")

    def startswith(self, prefix: str) -> RowExpression:
        """Return whether the text begins with `prefix`, upper and lower case apart."""
        return _nodes["text test"](self, "startswith", _piece(prefix))

    def endswith(self, suffix: str) -> RowExpression:
        """Return whether the text ends with `suffix`, upper and lower case apart."""
        return _nodes["text test"](self, "endswith", _piece(suffix))

    def contains(self, text: str) -> RowExpression:
        """Return whether `text` stands anywhere in the text, upper and lower case apart."""
        return _nodes["text test"](self, "contains", _piece(text))


def lift(value: object) -> RowExpression:
    """Return a constant as an expression, and an expression as it is.

    Raises
    ------
    TypeError
        If it is neither, or a number that a 64-bit float does not hold.
    """
    if isinstance(value, RowExpression):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"a row expression cannot hold {value!r}; use a finite number, or .is_null()")
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise TypeError(f"a row expression cannot hold {value!r}; write it as a float")
    if isinstance(value, str | int | float):
        return _nodes["literal"](value)
    raise TypeError(f"a row expression cannot hold {value!r}; use col('name'), a number or a text")


def _constant(value: object) -> Constant:
    if isinstance(value, RowExpression):
        raise TypeError(f"{value} is no constant; write a number or a text")
    return lift(value).value  # type: ignore[attr-defined,no-any-return]


def _piece(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is no text to look for")
    return text
