"""The shapes of values: what is of another kind than its parameter takes, found before any name is built from it.

A name is made of windows, conditions, attributes and constants, so nothing here asks for one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from keepfit.spec.check.labels import malformed_labels
from keepfit.spec.check.problem import Problem, as_a_text
from keepfit.spec.check.reading import expressions, of
from keepfit.spec.features import (
    Aggregate,
    Attribute,
    ByCategory,
    Calendar,
    Constant,
    Expression,
    Holiday,
    Input,
    Labelled,
    Mapped,
    Named,
)
from keepfit.spec.model import Model
from keepfit.spec.rows import RowExpression

Finding = tuple[str, str]  # what is wrong, and the fix
AGGREGATED = "aggregate a column over a window: sales.amount.sum(last='30d')"
NAMED = "give a text: .named('spend_30d')"


def malformed_values(model: Model) -> Iterator[Problem]:
    """Yield every part of a feature, a target or a condition that no name could be built from."""
    for role, expression in expressions(model):
        if isinstance(expression, Expression):
            for found, fix in _of_tree(expression):
                yield Problem(f"{role}: {found}", of(model), fix)
    for feature in (feature for feature in model.features if isinstance(feature, ByCategory)):
        for found, fix in _of_category(feature):
            yield Problem(f"Feature: {found}", of(model), fix)


def _of_tree(node: Expression) -> Iterator[Finding]:
    for kind, finds in SHAPES:
        if isinstance(node, kind):
            yield from finds(node)
    for part in node.parts():
        if isinstance(part, Expression):
            yield from _of_tree(part)
        elif not isinstance(node, Input):
            yield f"{part!r} is not a value at t", AGGREGATED


def _of_aggregate(one: Aggregate) -> Iterator[Finding]:
    what = ".".join(str(word) for word in (one.events.name, one.column, one.function) if word is not None)
    if one.column is not None and not isinstance(one.column, str):
        yield f"{what}: {one.column!r} is no column", f"name it as a text: {one.events.name}['<column>']"
    for side, text in vars(one.window).items():
        if text is not None and not isinstance(text, str):
            yield f"{what}: {side}={text!r} is no duration", f"write {side}={as_a_text(text)!r}"
    if (one.window.tolerance is None) != (one.window.lag is None and one.window.at is None):
        yield f"{what}: a lag has a duration and a tolerance", "give both: lag('24h', tolerance='1h'), at('24h', ...)"
    if one.argument is not None and not isinstance(one.argument, str) and not _is_number(one.argument):
        yield f"{what}: {one.argument!r} is no constant", "write a finite number or a text"
    if one.where is not None and not isinstance(one.where, RowExpression):
        found = f"where={one.where!r} is no condition"
        if isinstance(one.where, Expression | ByCategory):
            found = f"where= compares values at t, not rows of {one.events.name}, so it is no condition"
        yield f"{what}: {found}", "compare a column: where=sales.channel == 'web', or where=col('amount') > 100"
    if one.via is not None and not isinstance(one.via, Attribute):
        yield f"{what}: via={one.via!r} is no attribute", "write via=bridges.county, of Records"


def _of_attribute(one: Attribute) -> Iterator[Finding]:
    if not isinstance(one.column, str):
        table = one.records.name
        yield f"{table}: {one.column!r} is no column", f"name it as a text: {table}['<column>']"


def _of_category(feature: ByCategory) -> Iterator[Finding]:
    if not isinstance(feature.by, str):
        known = getattr(feature.by, "name", None)
        written = known if isinstance(known, str) else "<category>"
        yield f"by={feature.by!r} is no text", f"name the category: by={written!r}"
    if feature.chosen is not None and not isinstance(feature.chosen, str):
        yield f"{feature.chosen!r} is no name", NAMED


def _of_calendar(one: Calendar) -> Iterator[Finding]:
    if not isinstance(one.part, str):
        yield f"Calendar({one.part!r}) is no part of the calendar", "write Calendar('hour')"
    yield from _in_a_zone(one.zone, "Calendar")


def _of_holiday(one: Holiday) -> Iterator[Finding]:
    fix = "use an ISO 3166 code: Holiday('GB'), or Holiday('DE', 'BY')"
    if not isinstance(one.country, str) or not one.country:
        yield f"Holiday({one.country!r}) names no country", fix
    if one.subdivision is not None and (not isinstance(one.subdivision, str) or not one.subdivision):
        yield f"Holiday({one.country!r}, {one.subdivision!r}) names no part of the country", fix
    yield from _in_a_zone(one.zone, "Holiday")


def _in_a_zone(zone: object, what: str) -> Iterator[Finding]:
    if not isinstance(zone, str):
        yield f"{what}: zone={zone!r} is no zone", "write zone='Europe/London', or leave it out for UTC"


def _of_input(one: Input) -> Iterator[Finding]:
    if not isinstance(one.label, str):
        yield f"Input({one.label!r}, ...): {one.label!r} is no name", "give a text: Input('basket_value', ...)"
    if not isinstance(one.past, Expression):
        yield f"Input({one.label!r}, ...): past={one.past!r} is not a value at t", AGGREGATED


def _of_named(one: Named) -> Iterator[Finding]:
    if not isinstance(one.chosen, str):
        yield f"{one.chosen!r} is no name", NAMED


def _of_constant(one: Constant) -> Iterator[Finding]:
    if not _is_number(one.value):
        yield f"it computes with {_short(one.value)}", "use a finite number"


def _of_mapped(one: Mapped) -> Iterator[Finding]:
    for given in one.arguments:
        if one.function == "fill" and not isinstance(given, str) and not _is_number(given):
            yield f".fill({_short(given)}) fills in no value", "fill in a finite number, or a text for a category"
        if one.function == "clip" and given is not None and not _is_number(given):
            yield f".clip() takes no bound {_short(given)}", "give finite numbers, or leave a bound out: .clip(low=0)"


def _is_number(value: object) -> bool:
    """Whether a 64-bit float can hold it."""
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False


def _short(value: object) -> str:
    """Return a value as text; a whole number may have thousands of digits."""
    return f"a number of {value.bit_length()} bits" if isinstance(value, int) and abs(value) > 2**64 else repr(value)


SHAPES: tuple[tuple[type[Expression], Callable[..., Iterator[Finding]]], ...] = (
    (Aggregate, _of_aggregate),
    (Attribute, _of_attribute),
    (Calendar, _of_calendar),
    (Holiday, _of_holiday),
    (Input, _of_input),
    (Named, _of_named),
    (Constant, _of_constant),
    (Mapped, _of_mapped),
    (Labelled, malformed_labels),
)
