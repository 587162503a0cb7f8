"""A column of the entity's record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keepfit.spec.features.expression import Expression

if TYPE_CHECKING:
    from keepfit.spec.tables import Records


@dataclass(frozen=True, eq=False)
class Attribute(Expression):
    """A column of the entity's record; as of t when the records have a history."""

    records: Records
    column: str

    @property
    def name(self) -> str:
        """Records and column: `customers_age`."""
        return f"{self.records.name}_{self.column}"
