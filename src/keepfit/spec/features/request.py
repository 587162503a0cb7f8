"""Values that only a request knows."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit.spec.columns import Category, Column
from keepfit.spec.features.expression import Expression


@dataclass(frozen=True, eq=False)
class Input(Expression):
    """A value that a request may send; offline, and in a request that does not send it, what the past says.

        Input("basket_value", Float(min=0), past=orders.value.last())

    Training and batch never see a request, so `past` is what a model learns from: it must mean the same.

    Parameters
    ----------
    label : str
        Its name, in requests and among the features.
    column : Column
        The contract that a sent value must meet.
    past : Expression
        The same value from what is known before t.
    """

    label: str
    column: Column
    past: Expression

    @property
    def name(self) -> str:
        """The name in requests."""
        return self.label

    @property
    def key(self) -> str:
        """What a sent value stands under among the leaves; no leaf's name has a dot."""
        return f"request.{self.label}"

    @property
    def is_category(self) -> bool:
        """Whether its values are labels."""
        return isinstance(self.column, Category)

    def parts(self) -> tuple[Expression, ...]:
        """Return what the past says."""
        return (self.past,)
