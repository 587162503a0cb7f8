"""The rules of features, conditions and targets; those of what narrows them are in `narrowing`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from zoneinfo import available_timezones

from keepfit.errors import did_you_mean
from keepfit.spec.check.narrowing import categories_fit, narrowing_fits
from keepfit.spec.check.problem import Problem, not_a_duration
from keepfit.spec.check.reading import expressions, leaves, of
from keepfit.spec.columns import Column, Time
from keepfit.spec.features import (
    CALENDAR_PARTS,
    FUNCTIONS,
    OF_ANY_COLUMN,
    Aggregate,
    Among,
    Attribute,
    Calendar,
    Expression,
    Holiday,
    Input,
    Mapped,
    Named,
)
from keepfit.spec.features.expression import Constant
from keepfit.spec.features.meaning import type_of
from keepfit.spec.model import Model


def columns_exist(model: Model) -> Iterator[Problem]:
    """Each column that is read must be declared or derived, and be numeric where arithmetic needs it."""
    for role, expression, leaf in leaves(model):
        what = f"{role} {expression.name!r}"
        table = leaf.events if isinstance(leaf, Aggregate) else leaf.records if isinstance(leaf, Attribute) else None
        column = leaf.column if isinstance(leaf, Aggregate | Attribute) else None
        if table is None or column is None:
            continue
        declared = table.type_of(column)
        if declared is None:
            fix = did_you_mean(column, table.column_names(), of=table.name)
            yield Problem(f"{what} reads unknown column {column!r} of {table.name}", of(model), fix)
        elif isinstance(declared, Time):
            fix = f"derive from it whether it is there: {table.name}.<name>, of derive={{'<name>': col({column!r}).not_null()}}"
            yield Problem(f"{what} reads {column!r}, which is a time", of(model), fix)
        elif isinstance(leaf, Aggregate) and declared.kind == "category" and _is_among(expression, leaf):
            if (values := getattr(declared, "values", None)) and (other := set(model.labels) - set(values)):
                fix = did_you_mean(min(other), values)
                yield Problem(f"{what}: {column!r} is never {min(other)!r}", of(model), fix)
        elif isinstance(leaf, Aggregate) and not declared.numeric and leaf.function not in OF_ANY_COLUMN:
            fix = f"derive a number from {column!r}, or use one of: {', '.join(OF_ANY_COLUMN)}"
            yield Problem(f"{what}: {leaf.function} of {column!r}, which is {declared.kind}", of(model), fix)
        elif isinstance(leaf, Attribute) and not declared.numeric and not _stands_alone(expression, declared):
            fix = "use a category on its own as a feature, and free text through derive={...: Sentiment(...)}"
            yield Problem(f"{what} cannot use {column!r}, which is {declared.kind}", of(model), fix)


def _is_among(expression: Expression, leaf: Aggregate) -> bool:
    """Whether a label is told apart from others: the first or the last one of a window, among those named."""
    while isinstance(expression, Named):
        expression = expression.value
    return isinstance(expression, Among) and expression.value is leaf and leaf.function in ("first", "last")


def _stands_alone(expression: Expression, declared: Column) -> bool:
    """Whether a label is used as it is: by itself, named, filled or as what a request may send."""
    while isinstance(expression, Named | Input) or (isinstance(expression, Mapped) and expression.function == "fill"):
        expression = expression.parts()[0]
    return not expression.parts() and declared.kind == "category"


def aggregates_fit(model: Model) -> Iterator[Problem]:
    """Windows must be exact durations, functions must exist, and their arguments must fit."""
    for role, expression, leaf in leaves(model):
        if not isinstance(leaf, Aggregate):
            continue
        what = f"{role} {expression.name!r}"
        for text in leaf.window.texts():
            yield from not_a_duration(text, what, of(model))
        if leaf.function not in FUNCTIONS:
            yield Problem(f"unknown aggregate {leaf.function!r}", of(model), did_you_mean(leaf.function, FUNCTIONS))
        if leaf.function == "ewm":
            yield from not_a_duration(str(leaf.argument), f"{what}: half_life", of(model))
        if leaf.function == "ewm" and (leaf.window.ago or leaf.window.lag):
            yield Problem(f"{what}: ewm ends at t", of(model), "weigh by a longer half-life instead of looking earlier")
        q = leaf.argument
        if leaf.function == "quantile" and not (isinstance(q, int | float) and 0 <= q <= 1):
            yield Problem(f"{what}: {q!r} is no share", of(model), "give q from 0 to 1: quantile(0.9, ...)")
        yield from _share_fits(leaf, what, of(model))


def _share_fits(leaf: Aggregate, what: str, where: str) -> Iterator[Problem]:
    declared = leaf.events.type_of(leaf.column) if leaf.column else None
    if leaf.function != "share" or declared is None:
        return
    if declared.numeric == isinstance(leaf.argument, str):
        yield Problem(f"{what}: {leaf.column!r} is {declared.kind}, and never {leaf.argument!r}", where, "mend of=")
    values = getattr(declared, "values", None)
    if values and leaf.argument not in values:
        yield Problem(f"{what}: {leaf.argument!r} is no value", where, did_you_mean(str(leaf.argument), values))


def moments_exist(model: Model) -> Iterator[Problem]:
    """Calendar parts and zones must exist."""
    for _, _, leaf in leaves(model):
        if isinstance(leaf, Calendar) and leaf.part not in CALENDAR_PARTS:
            yield Problem(f"unknown calendar part {leaf.part!r}", of(model), did_you_mean(leaf.part, CALENDAR_PARTS))
        if isinstance(leaf, Calendar | Holiday) and leaf.zone not in available_timezones():
            yield Problem(f"unknown zone {leaf.zone!r}", of(model), did_you_mean(leaf.zone, available_timezones()))


def past_and_future_do_not_mix(model: Model) -> Iterator[Problem]:
    """Features and conditions look back; a target looks ahead, and may compare that with the past."""
    ahead = False
    for role, expression, leaf in leaves(model):
        future = isinstance(leaf, Aggregate) and leaf.window.future
        ahead = ahead or (role == "Target" and future)
        if role != "Target" and future:
            fix = "use last=; what lies after t can only be a target"
            yield Problem(f"{role} {expression.name!r} looks into the future", of(model), fix)
        if role == "Target" and future and _starts_before_t(leaf):
            fix = "at(...) reads [t + at - tolerance, t + at): give a tolerance no longer than at"
            yield Problem(f"Target {expression.name!r} reaches back before t", of(model), fix)
    if isinstance(model.target, Expression) and not ahead:
        fix = "use next= or at(...): sales.count(next='30d'); a target lies in [t, t+h)"
        yield Problem(f"Target {model.target.name!r} looks at no events after t", of(model), fix)


def _starts_before_t(leaf: Expression) -> bool:
    try:
        start, _ = leaf.window.offsets() if isinstance(leaf, Aggregate) else (0, 0)
    except (ValueError, TypeError):
        return False  # `aggregates_fit` reports it
    return start is not None and start < 0


def inputs_fit(model: Model) -> Iterator[Problem]:
    """What a request may send has a type, a past of the same type, and a name of its own."""
    entity = model.observe.of.entity
    for role, expression in expressions(model):
        nodes = expression.nodes() if isinstance(expression, Expression) else []
        for node in (node for node in nodes if isinstance(node, Input)):
            what = f"Input {node.label!r}"
            if role != "Feature":
                yield Problem(f"{what} in a {role.lower()}", of(model), "a request can send features only")
            if not isinstance(node.column, Column) or node.column.kind in ("text", "time"):
                yield Problem(f"{what} has no type", of(model), "give Float(), Integer(), Boolean() or Category()")
            elif _differs(node):
                past = f"and its past {node.past.name!r} a {_kind(node.past)}"
                fix = "send what the past says: Category() for a category, Float(), Integer() or Boolean() for a number"
                yield Problem(f"{what} is a {'category' if node.is_category else 'number'}, {past}", of(model), fix)
            if node.label in (entity, "at"):
                yield Problem(f"{what} has the name of a field that requests have", of(model), "give another name")


def _differs(one: Input) -> bool:
    undeclared = any(isinstance(leaf, Attribute) and leaf.records.type_of(leaf.column) is None for leaf in one.leaves())
    # of an undeclared column nothing can be said; `columns_exist` reports it
    return not undeclared and one.is_category != (_kind(one.past) == "category")


def _kind(expression: Expression) -> str:
    return "category" if type_of(expression) == "category" else "number"


def constants_fit(model: Model) -> Iterator[Problem]:
    """What is filled in must be of the type of the value, and a lower bound must not lie above the upper one."""
    for role, expression in expressions(model):
        nodes = expression.nodes() if isinstance(expression, Expression) else []
        for node in (node for node in nodes if isinstance(node, Mapped)):
            what, given = f"{role} {expression.name!r}", node.arguments
            kind = _kind(node.value)
            if node.function == "fill" and isinstance(given[0], str) != (kind == "category"):
                other = "a number" if kind == "number" else "a text"
                yield Problem(f"{what} fills a {kind} with {given[0]!r}", of(model), f"fill in {other}")
            low, high = given if node.function == "clip" else (None, None)
            if low is not None and high is not None and low > high:  # type: ignore[operator]
                found = f"{what} is held above {low} and below {high}"
                yield Problem(found, of(model), "give low <= high: .clip(0, 10)")


def leaves_are_told_apart(model: Model) -> Iterator[Problem]:
    """Leaves are computed once a name, so two that differ may not share one: `a.b_c` and `a_b.c`."""
    seen: dict[str, str] = {}
    for one in (one for _, _, leaf in leaves(model) for one in _with_via(leaf)):
        written = _written(one)
        if not isinstance(one, Constant) and seen.setdefault(one.name, written) != written:
            fix = "rename a table, or a column with source='<its header>'"
            yield Problem(f"two different values are called {one.name!r}", of(model), fix)


def _with_via(leaf: Expression) -> list[Expression]:
    """Return a leaf and the attribute it is reached through, which is looked up by its own name."""
    return [leaf, leaf.via] if isinstance(leaf, Aggregate) and leaf.via is not None else [leaf]


def _written(leaf: Expression) -> str:
    if not isinstance(leaf, Aggregate):
        return repr(leaf).replace(" ", "")
    table, column, window, via = leaf.events.name, leaf.column, leaf.window, leaf.via
    return f"{table}.{column}.{leaf.function}({leaf.argument!r}) {window} {leaf.where} {via!r}".replace(" ", "")


FEATURE_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    columns_exist,
    aggregates_fit,
    narrowing_fits,
    categories_fit,
    moments_exist,
    inputs_fit,
    constants_fit,
    past_and_future_do_not_mix,
    leaves_are_told_apart,
)
