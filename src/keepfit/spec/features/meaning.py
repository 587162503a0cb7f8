"""Any expression in words, with its source, window and type: what `keepfit features` and the papers show."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit.spec.features.aggregate import FUNCTIONS, Aggregate
from keepfit.spec.features.attribute import Attribute
from keepfit.spec.features.calendar import Calendar, Cyclic, Holiday
from keepfit.spec.features.expression import Banded, Combined, Constant, Expression, Labelled, Mapped, Named
from keepfit.spec.features.request import Input

WORDS = {
    "+": "plus", "-": "minus", "*": "times", "/": "over",
    "==": "equals", "!=": "differs from", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least",
}  # fmt: skip

SAME_UNIT = frozenset({"sum", "mean", "median", "quantile", "min", "max", "std", "first", "last", "ewm"})
"""Aggregates in the unit of their column."""


@dataclass(frozen=True)
class Described:
    """One feature or target in words.

    Attributes
    ----------
    type : str
        number, condition or category.
    """

    name: str
    meaning: str
    window: str
    source: str
    type: str


def describe(expression: Expression) -> Described:
    """Return an expression's name, meaning, windows, sources and type."""
    leaves = expression.leaves()
    sources = dict.fromkeys(_source(leaf) for leaf in leaves if not isinstance(leaf, Constant))
    windows = dict.fromkeys((leaf.window.label or "all the past") for leaf in leaves if isinstance(leaf, Aggregate))
    nodes = expression.nodes()
    if any(isinstance(node, Input) for node in nodes):
        sources["request"] = None
    return Described(
        expression.name,
        meaning(expression),
        ", ".join(windows) or "at t",
        ", ".join(sources),
        type_of(expression),
    )


def unit_of(expression: Expression) -> str | None:
    """Return the unit of a value of a column that declares one, or of an aggregate in the same unit; None if none is known."""
    inner = expression.value if isinstance(expression, Named) else expression
    if isinstance(inner, Attribute):
        column = inner.records.columns.get(inner.column)
    elif isinstance(inner, Aggregate) and inner.function in SAME_UNIT and inner.column is not None:
        column = inner.events.columns.get(inner.column)
    else:
        return None
    return column.unit if column else None


def type_of(expression: Expression) -> str:
    """Return number, condition, category or label (of a target)."""
    if expression.is_condition:
        return "condition"
    inner = expression
    while isinstance(inner, Named):
        inner = inner.value
    if isinstance(inner, Labelled):
        return "label"
    while isinstance(inner, Named | Mapped | Input):
        inner = inner.parts()[0]
    if isinstance(inner, Attribute):
        declared = inner.records.type_of(inner.column)
        return "number" if declared is None or declared.numeric else "category"
    return "number"


def meaning(expression: Expression) -> str:
    """Return an expression in words."""
    if isinstance(expression, Aggregate):
        return _of_aggregate(expression)
    if isinstance(expression, Attribute):
        as_of = ", as of t" if expression.records.time else ""
        return f"{expression.column} of {expression.records.name}{as_of}"
    if isinstance(expression, Calendar):
        return f"{expression.part.replace('_', ' ')} of t in {expression.zone}"
    if isinstance(expression, Cyclic):
        return f"{expression.side} of the {meaning(expression.calendar)}, on its circle"
    if isinstance(expression, Holiday):
        where = " ".join(one for one in (expression.country, expression.subdivision) if one)
        return f"whether t is a public holiday in {where} (date of {expression.zone})"
    if isinstance(expression, Constant):
        return f"{expression.value:g}"
    if isinstance(expression, Input):
        return f"sent by the request, else {meaning(expression.past)}"
    if isinstance(expression, Named):
        return meaning(expression.value)
    if isinstance(expression, Mapped):
        return _of_mapped(expression)
    if isinstance(expression, Labelled):
        return _of_labelled(expression)
    if isinstance(expression, Combined):
        sides = [f"({meaning(part)})" if part.parts() else meaning(part) for part in expression.parts()]
        return f"{sides[0]} {WORDS[expression.op]} {sides[1]}"
    raise TypeError(f"no words for {type(expression).__name__}; add a branch here")


def _of_aggregate(one: Aggregate) -> str:
    function = FUNCTIONS.get(one.function, one.function)
    argument = {"share": f" equal to {one.argument!r}", "ewm": f", half-life {one.argument}"}.get(one.function, "")
    if one.function == "quantile":
        function = f"quantile {one.argument:g}" if isinstance(one.argument, int | float) else function
    what = f"{one.column} of {one.events.name}" if one.column else f"rows of {one.events.name}"
    where = f" where {one.where}" if one.where is not None else ""
    via = f", of its {one.via.column}" if one.via is not None else ""
    since = " row" if one.column is None and one.function.startswith("time_since") else ""
    joined = f"{function}{since} of {what}" if not since else f"{function} row of {one.events.name}"
    return f"{joined}{argument} {one.window.meaning}{where}{via}"


def _of_mapped(one: Mapped) -> str:
    inner = meaning(one.value)
    if one.function == "fill":
        return f"{inner}, {one.arguments[0]} where there is none"
    if one.function == "clip":
        low, high = ("unbounded" if bound is None else f"{bound:g}" for bound in one.arguments)  # type: ignore[str-format]
        return f"{inner}, held between {low} and {high}"
    return f"ln(1 + {inner})"


def _of_labelled(one: Labelled) -> str:
    inner = meaning(one.value)
    if not isinstance(one, Banded):
        return f"which of {', '.join(one.labels)} is the {inner}"
    bands = [f"{label} from {edge:g}" for label, edge in zip(one.labels[1:], one.edges, strict=False)]
    return f"the band of the {inner}: {', '.join([*one.labels[:1], *bands])}"


def _source(leaf: Expression) -> str:
    if isinstance(leaf, Aggregate):
        return f"{leaf.events.name} via {leaf.via.name}" if leaf.via is not None else leaf.events.name
    if isinstance(leaf, Attribute):
        return leaf.records.name
    return "holidays" if isinstance(leaf, Holiday) else "calendar"
