"""What a value of each feature is, for whoever brings rows of ready features: a request, a file."""

from __future__ import annotations

from keepfit.artifact.folder import Artifact
from keepfit.spec.columns import Boolean
from keepfit.spec.features import Attribute, Expression, Input, Named

TEXT, NUMBER, FLAG = "a text", "a number", "a number, true or false"


def kinds(found: Artifact) -> dict[str, str]:
    """Return what a value of each feature is; true and false are numbers where the definition says truth value."""
    flags = {one.name for one in found.model.inputs() if _is_flag(one)}
    return {name: TEXT if name in found.categories else FLAG if name in flags else NUMBER for name in found.features}


def _is_flag(expression: Expression) -> bool:
    while isinstance(expression, Named):
        expression = expression.value
    if isinstance(expression, Input):
        return isinstance(expression.column, Boolean)
    declared = expression.records.type_of(expression.column) if isinstance(expression, Attribute) else None
    return isinstance(declared, Boolean)
