"""The rules of what narrows an aggregate: `where`, `via`, `by`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from keepfit.errors import did_you_mean
from keepfit.spec.check.problem import Problem
from keepfit.spec.check.reading import leaves, of
from keepfit.spec.check.rows import row_problems
from keepfit.spec.columns import Category, Column
from keepfit.spec.features import Aggregate, Attribute, ByCategory, EventColumn
from keepfit.spec.model import Model
from keepfit.spec.rows import kind, nodes
from keepfit.spec.tables import Events

Finding = tuple[str, str]  # what is wrong, and the fix


def narrowing_fits(model: Model) -> Iterator[Problem]:
    """`where` must be a condition over columns of the events, `via` an attribute of the entity that is a key."""
    for role, expression, leaf in leaves(model):
        if not isinstance(leaf, Aggregate):
            continue
        what = f"{role} {expression.name!r}"
        if leaf.where is not None and kind(leaf.where, leaf.events.types()) in ("number", "text"):
            fix = "compare a column: where=sales.channel == 'web', or where=col('amount') > 100"
            yield Problem(f"{what}: where={leaf.where!s} is no condition", of(model), fix)
        elif leaf.where is not None:
            yield from _of_one_table(leaf, what, of(model))
            yield from row_problems(leaf.where, leaf.events, f"{what}: where", of(model))
        if leaf.via is not None:
            for found, fix in _reaches(leaf.via, leaf.events, model.observe.of.entity):
                yield Problem(f"{what}: {found}", of(model), fix)


def _of_one_table(leaf: Aggregate, what: str, where: str) -> Iterator[Problem]:
    for node in nodes(leaf.where) if leaf.where is not None else ():
        if isinstance(node, EventColumn) and node.events is not leaf.events:
            fix = f"a row of {leaf.events.name} has columns of its own only: {leaf.events.name}.<column>"
            yield Problem(f"{what}: where= reads {node!r}, a column of another table", where, fix)


def _reaches(via: Attribute, events: Events, entity: str) -> Iterator[Finding]:
    declared = via.records.type_of(via.column)
    if declared is None or declared.kind not in ("category", "text", "integer"):
        found = "not declared" if declared is None else declared.kind
        fix = f"declare {via.column!r} of {via.records.name} as Category() or Integer(), as {events.name} writes it"
        yield f"{via.column!r} is {found} and cannot be a key", fix
    if via.records.entity != entity:
        yield f"{via.records.name} is about {via.records.entity!r}", f"give an attribute of records about {entity!r}"


def categories_fit(model: Model) -> Iterator[Problem]:
    """`by=` needs a category of the events, and at least one value."""
    for feature in (feature for feature in model.features if isinstance(feature, ByCategory)):
        table = feature.aggregate.events
        declared = table.type_of(feature.by)
        what = f"Feature {feature.name!r}"
        if declared is None:
            fix = did_you_mean(feature.by, table.column_names(), of=table.name)
            yield Problem(f"{what}: by= reads unknown column {feature.by!r} of {table.name}", of(model), fix)
        elif not isinstance(declared, Category):
            fix = "by= makes a feature for each value of a Category()"
            yield Problem(f"{what}: by={feature.by!r}, which is {declared.kind}", of(model), fix)
        top: object = feature.top
        if not isinstance(top, int) or isinstance(top, bool) or top < 1:
            fix = "give a whole number from 1: top=5; or values=[...]"
            yield Problem(f"{what}: top={top!r} says not how many values count", of(model), fix)
        for found, fix in _values_fit(feature.values, feature.by, declared):
            yield Problem(f"{what}: {found}", of(model), fix)


def _values_fit(values: object, by: str, declared: Column | None) -> Iterator[Finding]:
    if values is None:
        return
    if isinstance(values, str) or not isinstance(values, Sequence):
        written = repr(values) if isinstance(values, str) else "..."
        yield f"values={values!r} is no list", f"write a list: values=[{written}]"
        return
    if not values:
        yield f"by={by!r} has no values", "give top=5, or values=[...]"
    texts = [value for value in values if isinstance(value, str)]
    for value in (value for value in values if not isinstance(value, str)):
        yield f"{value!r} is no value of {by!r}", "write the values as texts: values=['web', 'store']"
    for value, times in Counter(texts).items():
        if times > 1:
            yield f"values= names {value!r} {times} times", "name each value once"
        if isinstance(declared, Category) and declared.values is not None and value not in declared.values:
            yield f"{value!r} is no value of {by!r}", did_you_mean(value, declared.values, of=repr(by))
