"""Combine the leaves of one row, as a request has them: what `evaluate` gives of a column of length 1, to the same bits.

Arithmetic and comparisons of plain numbers are IEEE 754 in Python as in numpy, and a tenth of the time; all else is numpy's.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.evaluate import value_of
from keepfit.spec.features import Combined, Compared, Constant, Expression, Input, Mapped, Named

Value = float | str | None
Leaves = Mapping[str, Value]
Step = Callable[[list[Any], Leaves], Any]

PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class OneRow:
    """Expressions of one row; a part that several of them have is computed once, and a leaf is handed through.

    Parameters
    ----------
    expressions : sequence of Expression
        Their names are read once: a name is built anew whenever it is asked for.
    """

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._places: dict[tuple[Any, ...], int] = {}
        self._steps: list[Step] = []
        self._named = [(each.name, _leaf(each), -1 if _leaf(each) else self._place(each)) for each in expressions]

    def __call__(self, leaves: Leaves) -> dict[str, Value]:
        """Return the value of each expression by its name.

        Parameters
        ----------
        leaves : mapping of str to float, str or None
            The value of each leaf by its name, and what a request sent by `Input.key`. A null number is NaN, a null label
            None; so are those returned.
        """
        found: list[Any] = []
        for step in self._steps:
            found.append(step(found, leaves))
        return {name: found[place] if leaf is None else leaves[leaf] for name, leaf, place in self._named}

    def _place(self, node: Expression) -> int:
        """Return where a node stands among those that are computed; equal nodes stand in one place, after their parts."""
        parts = [self._place(part) for part in node.parts()]
        own = [repr(value) for value in vars(node).values() if not isinstance(value, Expression)]
        key = (type(node), *parts, *(own if parts or isinstance(node, Constant) else [node.name]))
        if key not in self._places:
            self._places[key] = len(self._steps)
            self._steps.append(_step(node, parts))
        return self._places[key]


def _leaf(expression: Expression) -> str | None:
    """Return the leaf that an expression is, under whatever name; None if it has to be computed."""
    while isinstance(expression, Named):
        expression = expression.value
    return None if expression.parts() or isinstance(expression, Constant) else expression.name


def _step(node: Expression, parts: list[int]) -> Step:
    """Return what computes a node from what was found at the places of its parts."""
    if isinstance(node, Constant):
        constant = float(node.value)
        return lambda found, leaves: constant
    if not parts:
        leaf = node.name
        return lambda found, leaves: leaves[leaf]
    first = parts[0]
    if isinstance(node, Input):
        key = node.key
        return lambda found, leaves: leaves[key] if key in leaves else found[first]
    if isinstance(node, Named):
        return lambda found, leaves: found[first]
    if isinstance(node, Compared):
        compare, second = PLAIN[node.op], parts[1]
        return lambda found, leaves: _compared(compare, found[first], found[second])
    if isinstance(node, Combined):
        second = parts[1]
        if node.op == "/":
            return lambda found, leaves: math.nan if found[second] == 0 else found[first] / found[second]
        combine = PLAIN[node.op]
        return lambda found, leaves: combine(found[first], found[second])
    if isinstance(node, Mapped) and node.function == "fill":
        filling = node.arguments[0]
        return lambda found, leaves: _filled(found[first], filling)
    return lambda found, leaves: _by_numpy(node, [found[place] for place in parts])


def _compared(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> float:
    known = left == left and right == right  # NaN is not itself
    return float(compare(left, right)) if known else math.nan


def _filled(value: Any, filling: Any) -> Any:
    if value is not None and value == value:
        return value
    return filling if isinstance(filling, str) else float(filling)


def _by_numpy(node: Expression, parts: list[Any]) -> Any:
    with np.errstate(all="ignore"):
        return value_of(node, [column(part) for part in parts]).item()


def column(value: Value) -> NDArray[Any]:
    """Return a value as a column of length 1."""
    return np.array([value], object if value is None or isinstance(value, str) else np.float64)
