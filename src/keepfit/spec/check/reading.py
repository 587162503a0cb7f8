"""What a model reads: its expressions and their leaves, with the role each plays."""

from __future__ import annotations

from collections.abc import Iterator

from keepfit.spec.check.problem import WHERE
from keepfit.spec.features import ByCategory, Expression
from keepfit.spec.model import Model
from keepfit.spec.observe import Every

Read = tuple[str, Expression, Expression]  # role, the expression, one of its leaves


def of(model: Model) -> str:
    """Return where a model's problems are."""
    return f"{WHERE}, Model {model.name!r}"


def expressions(model: Model) -> Iterator[tuple[str, Expression]]:
    """Yield every expression of a model with its role: Feature, Target or Condition."""
    for feature in model.features:
        yield "Feature", feature.aggregate if isinstance(feature, ByCategory) else feature
    yield "Target", model.target
    if isinstance(model.observe, Every) and model.observe.active is not None:
        yield "Condition", model.observe.active


def leaves(model: Model) -> Iterator[Read]:
    """Yield every leaf with its role and the expression it is a part of."""
    for role, expression in expressions(model):
        if isinstance(expression, Expression):
            yield from ((role, expression, leaf) for leaf in expression.leaves())
