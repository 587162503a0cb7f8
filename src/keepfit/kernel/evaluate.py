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
        return value_of(expression, parts)


def value_of(expression: Expression, parts: Sequence[Values]) -> Values:
    """Return the column of a node from those of its parts."""
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
