"""Constants, columns, and the signs between expressions: + - * / == < & | ~."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from keepfit.spec.rows.expression import (
    ADD,
    AND,
    ATOM,
    COMPARE,
    MULTIPLY,
    NOT,
    OR,
    Constant,
    RowExpression,
    node,
)
from keepfit.spec.rows.wording import constant, named, word

COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
ARITHMETIC = {"+": "plus", "-": "minus", "*": "times", "/": "over"}
LOGIC = {"&": "and", "|": "or"}


@node("literal")
@dataclass(frozen=True, eq=False)
class Literal(RowExpression):
    """A constant."""

    value: Constant

    @property
    def boolean(self) -> bool:  # type: ignore[override]
        """Whether it is True or False."""
        return isinstance(self.value, bool)

    def _written(self) -> str:
        return constant(self.value)

    def _words(self) -> list[str]:
        return [word(self.value)]


@dataclass(frozen=True, eq=False)
class RowColumn(RowExpression):
    """A column of the row."""

    name: str

    def columns(self) -> set[str]:
        """Return the column's own name."""
        return {self.name}

    def _written(self) -> str:
        return named(self.name)

    def _words(self) -> list[str]:
        return [self.name]


def col(name: str) -> RowColumn:
    """Return the column `name` of the row, for use in `derive=`."""
    return RowColumn(name)


@dataclass(frozen=True, eq=False)
class Pair(RowExpression):
    """Two expressions and the sign between them."""

    op: str
    left: RowExpression
    right: RowExpression

    def parts(self) -> tuple[RowExpression, ...]:
        """Return both sides."""
        return self.left, self.right

    def _written(self) -> str:
        # of two equal signs the left one counts first, but comparisons make no chain
        binds = self.binds + (self.op in COMPARISONS)
        return f"{self.left._within(binds)} {self.op} {self.right._within(self.binds + 1)}"

    def _words(self) -> list[str]:
        words = ARITHMETIC | COMPARISONS | LOGIC
        return [*self.left._words(), words[self.op], *self.right._words()]


@node("arithmetic")
@dataclass(frozen=True, eq=False)
class RowArithmetic(Pair):
    """Arithmetic of two expressions."""

    @property
    def binds(self) -> int:  # type: ignore[override]
        """How tightly the sign holds its sides together."""
        return ADD if self.op in "+-" else MULTIPLY


@node("comparison")
@dataclass(frozen=True, eq=False)
class RowComparison(Pair):
    """A comparison of two expressions."""

    binds: ClassVar[int] = COMPARE
    boolean: ClassVar[bool] = True


@node("logic")
@dataclass(frozen=True, eq=False)
class RowLogic(Pair):
    """Both conditions, or one of them; what is unknown counts only where the other side does not decide."""

    boolean: ClassVar[bool] = True

    @property
    def binds(self) -> int:  # type: ignore[override]
        """How tightly the sign holds its sides together."""
        return AND if self.op == "&" else OR


@dataclass(frozen=True, eq=False)
class Single(RowExpression):
    """One expression and what is asked of it."""

    value: RowExpression

    def parts(self) -> tuple[RowExpression, ...]:
        """Return the expression."""
        return (self.value,)

    def _method(self, name: str, constants: Iterable[str] = ()) -> str:
        inner = self.value._within(ATOM) if not isinstance(self.value, Literal) else f"({self.value})"
        return f"{inner}.{name}({', '.join(constants)})"


@node("not")
@dataclass(frozen=True, eq=False)
class RowNot(Single):
    """The opposite of a condition."""

    binds: ClassVar[int] = NOT
    boolean: ClassVar[bool] = True

    def _written(self) -> str:
        return f"~{self.value._within(ATOM)}"

    def _words(self) -> list[str]:
        return ["not", *self.value._words()]
