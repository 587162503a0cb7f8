"""Combine the columns of leaves to the columns of expressions: one branch for each kind of node."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.spec.features import (
    CALENDAR_PARTS,
    Among,
    Banded,
    Combined,
    Compared,
    Constant,
    Cyclic,
    Expression,
    Input,
    Mapped,
    Named,
)
from keepfit.spec.rows import code_of

Values = NDArray[Any]

COMBINE = {"+": np.add, "-": np.subtract, "*": np.multiply}
COMPARE = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def evaluate(expression: Expression, leaves: Mapping[str, Values]) -> Values:
    """Return an expression's column; null where a part is null or a divisor is zero. Conditions are 1.0 and 0.0.

    Parameters
    ----------
    leaves : mapping of str to array
        The column of each leaf by its name, and what a request sent by `Input.key`.
    """
    if isinstance(expression, Input) and expression.key in leaves:
        return leaves[expression.key]
    if isinstance(expression, Constant):
        return np.float64(expression.value)  # type: ignore[return-value]
    if not expression.parts():
        return leaves[expression.name]
    parts = [evaluate(part, leaves) for part in expression.parts()]
    with np.errstate(all="ignore"):
        return _value(expression, parts)


class Together:
    """Expressions evaluated together: a part that several of them have is computed once, to the same bits.

    For single rows, whose time goes into the nodes and not into the values: real definitions repeat most of them.

    Parameters
    ----------
    expressions : sequence of Expression
        Their names are read once: a name is built anew whenever it is asked for.

    Attributes
    ----------
    reads : frozenset of str
        The leaves that may be asked for, and what a request may send.
    """

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._places: dict[tuple[Any, ...], int] = {}
        self._nodes: list[tuple[Expression, str, list[int]]] = []
        self._named = [(each.name, self._place(each)) for each in expressions]
        leaves = {leaf for node, leaf, _ in self._nodes if leaf and not isinstance(node, Constant)}
        self.reads = frozenset(leaves | {node.key for node, *_ in self._nodes if isinstance(node, Input)})

    def __call__(self, leaves: Mapping[str, Values]) -> dict[str, Values]:
        """Return the column of each expression by its name; `leaves` as `evaluate` takes them."""
        found: list[Values] = []
        with np.errstate(all="ignore"):
            for node, leaf, parts in self._nodes:
                if isinstance(node, Input) and node.key in leaves:
                    found.append(leaves[node.key])
                elif isinstance(node, Constant):
                    found.append(np.float64(node.value))  # type: ignore[arg-type]
                elif not parts:
                    found.append(leaves[leaf])
                else:
                    found.append(_value(node, [found[place] for place in parts]))
        return {name: found[place] for name, place in self._named}

    def _place(self, node: Expression) -> int:
        """Return where a node stands among those that are evaluated; equal nodes stand in one place, after their parts."""
        parts = [self._place(part) for part in node.parts()]
        leaf = node.name if not parts else ""
        own = [repr(value) for value in vars(node).values() if not isinstance(value, Expression)] if parts else [leaf]
        key = (type(node), *parts, *own) if not isinstance(node, Constant) else (type(node), repr(node.value))
        if key not in self._places:
            self._places[key] = len(self._nodes)
            self._nodes.append((node, leaf, parts))
        return self._places[key]


def _value(expression: Expression, parts: list[Values]) -> Values:
    if isinstance(expression, Named | Input):
        return parts[0]
    if isinstance(expression, Compared):
        known = ~(np.isnan(parts[0]) | np.isnan(parts[1]))
        return np.where(known, COMPARE[expression.op](parts[0], parts[1]), np.nan)
    if isinstance(expression, Combined):
        if expression.op == "/":
            return np.where(parts[1] == 0, np.nan, np.divide(parts[0], parts[1]))
        return COMBINE[expression.op](parts[0], parts[1])  # type: ignore[no-any-return]
    if isinstance(expression, Mapped):
        return MAP[expression.function](parts[0], *expression.arguments)
    if isinstance(expression, Banded):
        return banded(parts[0], expression.edges)
    if isinstance(expression, Among):
        return _among(parts[0], expression.labels)
    if isinstance(expression, Cyclic):
        turn = 2 * math.pi / CALENDAR_PARTS[expression.calendar.part]
        return SIDES[expression.side](parts[0] * turn)
    raise TypeError(f"no evaluation for {type(expression).__name__}; add a branch here")


def banded(values: Values, edges: Sequence[float]) -> Values:
    """Return the place of each value's band, from 0; a value at an edge lies above it, null stays null."""
    places = np.searchsorted(np.asarray(edges, np.float64), values, side="right").astype(np.float64)
    return np.where(np.isnan(values), np.nan, places)


def _among(codes: Values, labels: Sequence[str]) -> Values:
    found = np.full(codes.shape, np.nan)
    for place, label in enumerate(labels):
        found[codes == code_of(label)] = place
    return found


def _fill(values: Values, value: float | str) -> Values:
    if values.dtype == object:
        return np.array([value if label is None else label for label in values.tolist()], object)
    return np.where(np.isnan(values), value, values)


def _clip(values: Values, low: float | None, high: float | None) -> Values:
    return np.clip(values, -math.inf if low is None else low, math.inf if high is None else high)


def _log1p(values: Values) -> Values:
    return np.where(values > -1, np.log1p(values), np.nan)


MAP: dict[str, Callable[..., Values]] = {"fill": _fill, "clip": _clip, "log1p": _log1p}
SIDES: dict[str, Callable[[Values], Values]] = {"sin": np.sin, "cos": np.cos}
