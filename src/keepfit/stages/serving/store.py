"""What an online store is: each entity's recent events and its record, written by `publish` and by requests.

A store is a class with the methods of `OnlineStore`, in a file of its own; it must pass `tests/stages/serving/test_store.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from keepfit.engines.protocol import Column
from keepfit.spec.columns import Value
from keepfit.spec.tables import Events, Records
from keepfit.stages.serving.coverage import Coverage
from keepfit.stages.serving.held import Held
from keepfit.stages.serving.receipts import Receipt

EVER = -(2**62)
"""Before every moment: what `answers_from` is when the store holds the whole past."""

Row = tuple[Events, Mapping[str, Value]]


class OnlineStore(Protocol):
    """What one model's server knows of its entities. All methods may be called from any thread.

    Attributes
    ----------
    remote : bool
        Whether a read waits for the network: the server then reads in a thread.
    """

    remote: bool

    def replace(
        self,
        table: Events,
        rows: Mapping[str, Column],
        until: int,
        *,
        answers_from: int = EVER,
        coverage: Coverage | None = None,
    ) -> int:
        """Put the lake's rows in the place of all rows before `until` and of the lake's earlier ones, in one step.

        Rows of requests at or after `until` stay. `rows` holds `entity`, `time`, `known` and any columns, sorted by
        (entity, time, order of arrival). Requests about moments before `answers_from` cannot be answered from them.
        Returns the number of rows put.
        """

    def append(self, table: Events, row: Mapping[str, Value]) -> None:
        """Add one row as `keepfit.rows.contract.check_row` returns it."""

    def append_all(self, rows: Sequence[Row], receipt: Receipt | None = None) -> bool:
        """Add all rows, or none; none, and False, if the request of this receipt was taken in before.

        Receipts are kept for a week.

        Raises
        ------
        RequestError
            If the receipt's key came with another request.
        """

    def replace_records(
        self,
        table: Records,
        rows: Mapping[str, Column],
        *,
        answers_from: int = EVER,
        coverage: Coverage | None = None,
    ) -> int:
        """Put these records in the place of the table's, and return how many there are.

        `rows` holds `entity`, any columns, and `known` (microseconds) if they are versions; an entity's versions lie
        together, by when they became known.
        """

    def coverage(self, name: str) -> Coverage | None:
        """Return what was published of a table; None if nothing was."""

    def read(self, entity: str) -> Held:
        """Return all that is held of an entity, as of one moment."""

    def answers_from(self) -> int:
        """Return the earliest moment for which the store holds all that features need."""

    def rows(self) -> dict[str, int]:
        """Return how many rows each table holds."""

    def newest(self) -> dict[str, int]:
        """Return when the newest event of each table happened, microseconds UTC."""

    def note_filled(self, as_of: int) -> None:
        """Note as of which moment the lake filled the store."""

    def filled(self) -> int | None:
        """Return as of which moment the lake filled the store last; None if it never did."""
