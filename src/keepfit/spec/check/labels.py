"""The rules of a target that is one of several labels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from keepfit.spec.check.problem import Problem
from keepfit.spec.check.reading import expressions, of
from keepfit.spec.columns import Category
from keepfit.spec.features import Aggregate, Banded, Expression, Labelled, Named
from keepfit.spec.features.meaning import type_of
from keepfit.spec.model import Model

FEWEST, MOST = 3, 100


def labels_can_be_told_apart(model: Model) -> Iterator[Problem]:
    """A target may be one of several labels, which differ; bands ascend, and a category is one."""
    for role, expression in expressions(model):
        for node in expression.nodes() if isinstance(expression, Expression) else ():
            if isinstance(node, Labelled):
                if role != "Target" or node is not _plain(model.target):
                    fix = "use it as the target itself; of features, use the number or the category"
                    yield Problem(f"{role} {expression.name!r} is made of a label", of(model), fix)
                else:
                    yield from _labels_fit(node, of(model))
                    yield from (
                        _bands_fit(node, of(model)) if isinstance(node, Banded) else _is_category(node, of(model))
                    )


def _plain(expression: Expression) -> Expression:
    return _plain(expression.value) if isinstance(expression, Named) else expression


def _labels_fit(one: Labelled, where: str) -> Iterator[Problem]:
    if not FEWEST <= len(one.labels) <= MOST:
        fix = (
            "of two, predict a comparison: ... > 35.5, or the share of one: orders.status.share('sent', next='7d') > 0"
        )
        yield Problem(f"{len(one.labels)} labels are no {FEWEST} to {MOST}", where, fix)
    if len(set(one.labels)) < len(one.labels):
        yield Problem(f"labels={one.labels!r} repeat one", where, "give each band or value a label of its own")


def _bands_fit(one: Banded, where: str) -> Iterator[Problem]:
    if len(one.labels) != len(one.edges) + 1:
        fix = "give one label more than edges, from the lowest band to the highest"
        yield Problem(f"{len(one.edges)} edges part {len(one.edges) + 1} bands, not {len(one.labels)}", where, fix)
    if any(low >= high for low, high in itertools.pairwise(one.edges)):
        yield Problem(f"edges={list(one.edges)!r} do not ascend", where, "write them from the lowest to the highest")
    if type_of(one.value) != "number":
        what = f"bands are of a number, and {one.value.name!r} is a {type_of(one.value)}"
        yield Problem(what, where, "use .among('a', 'b', 'c') for a category")


def _is_category(one: Labelled, where: str) -> Iterator[Problem]:
    leaf = one.value
    declared = leaf.events.type_of(leaf.column) if isinstance(leaf, Aggregate) and leaf.column else None
    if not isinstance(leaf, Aggregate) or leaf.function not in ("first", "last") or not isinstance(declared, Category):
        fix = (
            "write orders.status.last(next='7d').among('sent', 'lost', 'kept'), of a category; use .band() for a number"
        )
        yield Problem(f"{one.value.name!r} is not the first or the last label of a category", where, fix)


def _finite(edge: float) -> bool:
    try:
        return math.isfinite(edge)
    except OverflowError:  # a whole number beyond all floats
        return False


def malformed_labels(one: Labelled) -> Iterator[tuple[str, str]]:
    """Yield what is no label, and what is no edge."""
    for label in one.labels:
        if not isinstance(label, str) or not label.strip():
            yield f"{label!r} is no label", "write a text: labels=('good', 'poor', 'bad')"
    for edge in one.edges if isinstance(one, Banded) else ():
        if isinstance(edge, bool) or not isinstance(edge, int | float) or not _finite(edge):
            yield f"{edge!r} is no edge of a band", "write finite numbers: .band([12, 35.5], labels=...)"
