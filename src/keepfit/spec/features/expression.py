"""Expressions over an observation (entity, t): arithmetic, comparison, and what maps one value to another.

Every node has a stable, readable name, and equal names mean equal values. A new way to combine values is a node here and
a branch in `keepfit.kernel.evaluate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from keepfit.errors import DefinitionError

Number = int | float
SYMBOLS = {
    "+": "plus", "-": "minus", "*": "times", "/": "over",
    "==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
}  # fmt: skip


class Expression:
    """A value at an observation. Combine with + - * / and comparisons; rename with `named`."""

    is_condition: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The column name of this value in training sets, requests and reports."""
        raise TypeError(f"{type(self).__name__} must have a name")

    def parts(self) -> tuple[Expression, ...]:
        """Return the expressions this one is made of."""
        return ()

    def leaves(self) -> list[Expression]:
        """Return the leaves of the tree, from left to right."""
        parts = self.parts()
        return [leaf for part in parts for leaf in part.leaves()] if parts else [self]

    def nodes(self) -> list[Expression]:
        """Return the tree, this expression first."""
        return [self, *(node for part in self.parts() for node in part.nodes())]

    def named(self, name: str) -> Expression:
        """Return the same value under another name."""
        return Named(self, name)

    def fill(self, value: Number | str) -> Expression:
        """Return the value, or another one where it is null; a text for a category."""
        return Mapped("fill", self, (value,))

    def clip(self, low: Number | None = None, high: Number | None = None) -> Expression:
        """Return the value, held between two bounds; None is no bound."""
        return Mapped("clip", self, (low, high))

    def log1p(self) -> Expression:
        """Return ln(1 + value); null at -1 and below."""
        return Mapped("log1p", self)

    def band(self, edges: Sequence[Number], labels: Sequence[str]) -> Expression:
        """Return, as a target, which of several labels the value belongs to.

            air.pm25.at("24h", tolerance="1h").band([12, 35.5, 55.5], labels=("good", "moderate", "poor", "bad"))

        Parameters
        ----------
        edges : sequence of numbers
            Ascending. A value at an edge belongs to the band above it.
        labels : sequence of str
            One more than edges, from the lowest band to the highest.

        Raises
        ------
        DefinitionError
            If either is no list.
        """
        for name, given in (("edges", edges), ("labels", labels)):
            if isinstance(given, str) or not isinstance(given, Sequence):
                fix = "write lists: .band([12, 35.5], labels=('good', 'poor', 'bad'))"
                raise DefinitionError(f"{name}={given!r} of .band() is no list", where=self.name, fix=fix)
        return Banded(self, tuple(labels), tuple(edges))

    def among(self, *labels: str) -> Expression:
        """Return, as a target, which of these labels a category has: `orders.status.last(next="7d").among("sent", "lost", "kept")`.

        Null, and so left out of training, where it has none of them.
        """
        return Among(self, labels)

    def __add__(self, other: Expression | Number) -> Expression:
        return Combined("+", self, lift(other))

    def __sub__(self, other: Expression | Number) -> Expression:
        return Combined("-", self, lift(other))

    def __mul__(self, other: Expression | Number) -> Expression:
        return Combined("*", self, lift(other))

    def __truediv__(self, other: Expression | Number) -> Expression:
        return Combined("/", self, lift(other))

    def __radd__(self, other: Number) -> Expression:
        return Combined("+", lift(other), self)

    def __rsub__(self, other: Number) -> Expression:
        return Combined("-", lift(other), self)

    def __rmul__(self, other: Number) -> Expression:
        return Combined("*", lift(other), self)

    def __rtruediv__(self, other: Number) -> Expression:
        return Combined("/", lift(other), self)

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return Compared("==", self, lift(other))

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return Compared("!=", self, lift(other))

    def __lt__(self, other: object) -> Expression:
        return Compared("<", self, lift(other))

    def __le__(self, other: object) -> Expression:
        return Compared("<=", self, lift(other))

    def __gt__(self, other: object) -> Expression:
        return Compared(">", self, lift(other))

    def __ge__(self, other: object) -> Expression:
        return Compared(">=", self, lift(other))

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self.name!r} has no truth value before it is computed; combine features with + - * / instead"
        )

    __hash__ = object.__hash__


def lift(value: object) -> Expression:
    """Return a value that stands in arithmetic as an expression."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Constant(value)
    raise TypeError(f"a feature cannot be combined with {value!r}; use a feature or a number")


def word(value: object) -> str:
    """Return a number or a text as a part of a name: letters, digits and underscores."""
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    text = text.replace("-", "minus_").replace(".", "p").replace("+", "") if not isinstance(value, str) else text
    cleaned = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)
    return "_".join(part for part in cleaned.split("_") if part)


@dataclass(frozen=True, eq=False)
class Constant(Expression):
    """A number."""

    value: Number

    @property
    def name(self) -> str:
        """The number as text."""
        return word(self.value)


@dataclass(frozen=True, eq=False)
class Combined(Expression):
    """Arithmetic of two values; null if either is, or if the divisor is zero."""

    op: str
    left: Expression
    right: Expression

    @property
    def name(self) -> str:
        """Both names and the operation: `a_over_b`."""
        return f"{self.left.name}_{SYMBOLS[self.op]}_{self.right.name}"

    def parts(self) -> tuple[Expression, ...]:
        """Return both sides."""
        return self.left, self.right


@dataclass(frozen=True, eq=False)
class Compared(Combined):
    """A comparison of two values: 1, 0 or null."""

    is_condition: ClassVar[bool] = True


@dataclass(frozen=True, eq=False)
class Mapped(Expression):
    """A function of one value and constants: fill, clip, log1p."""

    function: str
    value: Expression
    arguments: tuple[Number | str | None, ...] = ()

    @property
    def name(self) -> str:
        """The value, the function and its constants: `sales_amount_mean_7d_fill_0`."""
        words = ["none" if one is None else word(one) for one in self.arguments]
        return "_".join([self.value.name, self.function, *words])

    def parts(self) -> tuple[Expression, ...]:
        """Return the value."""
        return (self.value,)


@dataclass(frozen=True, eq=False)
class Named(Expression):
    """A value under a name the team chose."""

    value: Expression
    chosen: str

    @property
    def name(self) -> str:
        """The chosen name."""
        return self.chosen

    @property
    def is_condition(self) -> bool:  # type: ignore[override]
        """Whether the value is a comparison."""
        return self.value.is_condition

    def parts(self) -> tuple[Expression, ...]:
        """Return the value."""
        return (self.value,)


@dataclass(frozen=True, eq=False)
class Labelled(Expression):
    """One of several labels; its value is the label's place among them, from 0, or null."""

    value: Expression
    labels: tuple[str, ...]

    def parts(self) -> tuple[Expression, ...]:
        """Return the value."""
        return (self.value,)


@dataclass(frozen=True, eq=False)
class Banded(Labelled):
    """The band that a number lies in: `[edge, next edge)`, the outermost without bounds."""

    edges: tuple[Number, ...] = ()

    @property
    def name(self) -> str:
        """The value and its edges: `air_pm25_at_24h_within_1h_band_12_35p5_55p5`."""
        return "_".join([self.value.name, "band", *(word(edge) for edge in self.edges)])


@dataclass(frozen=True, eq=False)
class Among(Labelled):
    """The label that a category has, of those named."""

    @property
    def name(self) -> str:
        """The value and the labels: `orders_status_last_next_7d_among_sent_lost_kept`."""
        return "_".join([self.value.name, "among", *(word(label).lower() for label in self.labels)])
