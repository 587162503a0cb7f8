"""Row-level expressions: what `derive=` computes from the other columns of the same row.

    Events(..., derive={"amount": col("quantity") * col("unit_price"), "mood": Sentiment("text")})

A tree of frozen nodes. `keepfit.rows` evaluates it for one row in a request, an engine compiles it to SQL for a file,
and a property test holds the two equal. Null in, null out; arithmetic is in 64-bit floats; a division by zero
or an overflow is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

Number = int | float
COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


class RowExpression:
    """A value computed from one row; build it with `col`, arithmetic and comparisons."""

    boolean: ClassVar[bool] = False

    def parts(self) -> tuple[RowExpression, ...]:
        """Return the expressions this one is made of."""
        return ()

    def columns(self) -> set[str]:
        """Return the names of the raw columns it reads."""
        return set().union(*(part.columns() for part in self.parts()))

    def __add__(self, other: RowExpression | Number) -> RowExpression:
        return RowArithmetic("+", self, _lift(other))

    def __sub__(self, other: RowExpression | Number) -> RowExpression:
        return RowArithmetic("-", self, _lift(other))

    def __mul__(self, other: RowExpression | Number) -> RowExpression:
        return RowArithmetic("*", self, _lift(other))

    def __truediv__(self, other: RowExpression | Number) -> RowExpression:
        return RowArithmetic("/", self, _lift(other))

    def __radd__(self, other: Number) -> RowExpression:
        return RowArithmetic("+", _lift(other), self)

    def __rsub__(self, other: Number) -> RowExpression:
        return RowArithmetic("-", _lift(other), self)

    def __rmul__(self, other: Number) -> RowExpression:
        return RowArithmetic("*", _lift(other), self)

    def __rtruediv__(self, other: Number) -> RowExpression:
        return RowArithmetic("/", _lift(other), self)

    def __eq__(self, other: object) -> RowExpression:  # type: ignore[override]
        return RowComparison("==", self, _lift(other))

    def __ne__(self, other: object) -> RowExpression:  # type: ignore[override]
        return RowComparison("!=", self, _lift(other))

    def __lt__(self, other: object) -> RowExpression:
        return RowComparison("<", self, _lift(other))

    def __le__(self, other: object) -> RowExpression:
        return RowComparison("<=", self, _lift(other))

    def __gt__(self, other: object) -> RowExpression:
        return RowComparison(">", self, _lift(other))

    def __ge__(self, other: object) -> RowExpression:
        return RowComparison(">=", self, _lift(other))

    def __bool__(self) -> bool:
        raise TypeError("a row expression has no truth value before a row is read; compare one value at a time")

    __hash__ = object.__hash__

    def startswith(self, prefix: str) -> RowExpression:
        """Return whether the text begins with `prefix`, upper and lower case apart."""
        return StartsWith(self, prefix)


def _lift(value: object) -> RowExpression:
    if isinstance(value, RowExpression):
        return value
    if isinstance(value, str | int | float):
        return Literal(value)
    raise TypeError(f"a row expression cannot hold {value!r}; use col('name'), a number or a text")


@dataclass(frozen=True, eq=False)
class Literal(RowExpression):
    """A constant."""

    value: str | int | float


@dataclass(frozen=True, eq=False)
class RowColumn(RowExpression):
    """A declared column of the row."""

    name: str

    def columns(self) -> set[str]:
        """Return the column's own name."""
        return {self.name}


def col(name: str) -> RowColumn:
    """Return the column `name` of the row, for use in `derive=`."""
    return RowColumn(name)


@dataclass(frozen=True, eq=False)
class RowArithmetic(RowExpression):
    """Arithmetic of two expressions."""

    op: str
    left: RowExpression
    right: RowExpression

    def parts(self) -> tuple[RowExpression, ...]:
        """Return both sides."""
        return self.left, self.right


@dataclass(frozen=True, eq=False)
class RowComparison(RowExpression):
    """A comparison of two expressions."""

    op: str
    left: RowExpression
    right: RowExpression
    boolean: ClassVar[bool] = True

    def parts(self) -> tuple[RowExpression, ...]:
        """Return both sides."""
        return self.left, self.right


@dataclass(frozen=True, eq=False)
class StartsWith(RowExpression):
    """Whether a text begins with a prefix."""

    text: RowExpression
    prefix: str
    boolean: ClassVar[bool] = True

    def parts(self) -> tuple[RowExpression, ...]:
        """Return the text."""
        return (self.text,)


@dataclass(frozen=True, eq=False)
class TextNumber(RowExpression):
    """A number read from one text column by a named function of `keepfit.rows.text`."""

    column: str
    function: ClassVar[str] = ""

    def columns(self) -> set[str]:
        """Return the text column."""
        return {self.column}


@dataclass(frozen=True, eq=False)
class Sentiment(TextNumber):
    """The mood of an English text from -1 (bad) to +1 (good): VADER's compound score (Hutto and Gilbert 2014)."""

    function: ClassVar[str] = "sentiment"


@dataclass(frozen=True, eq=False)
class Length(TextNumber):
    """The number of characters of a text."""

    function: ClassVar[str] = "length"
