"""What a load must meet beyond each row's contract: keys, lookups, columns that change, expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from keepfit import clock
from keepfit.spec.columns import as_tuple

if TYPE_CHECKING:
    from keepfit.spec.tables import Table


@dataclass(frozen=True, init=False)
class Key:
    """The columns that tell rows apart; without any, the whole row as it stands in the file.

    Parameters
    ----------
    columns : str
        Names of declared columns, the entity or the time.
    duplicates : str
        What becomes of a row that repeats a key: 'error' refuses the file, 'first' keeps the row that came first, 'last' the
        one that came last. A row that is dropped so is counted; if it differs from the one kept, it goes to quarantine.
    """

    columns: tuple[str, ...] = ()
    duplicates: str = "error"
    RULES: ClassVar[tuple[str, ...]] = ("error", "first", "last")

    def __init__(self, *columns: str, duplicates: str = "error") -> None:
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "duplicates", duplicates)

    @classmethod
    def rebuilt(cls, fields: Mapping[str, Any]) -> Key:
        """Return a key that was written down."""
        return cls(*fields["columns"], duplicates=fields["duplicates"])


@dataclass(frozen=True)
class Lookup:
    """Columns that a row takes from another table, by a key that it holds, when it is ingested.

    The other table is ingested first. A row whose key is not there goes to quarantine, and may be released when it is.

    Parameters
    ----------
    of : Table
        The table to look in. Its columns keep their names.
    on : str
        The column of both tables whose values must agree, under whatever header it stands; of several rows that do, the one that
        came last counts.
    take : sequence of str
        What to take: declared columns, the entity or the time of `of`. They are then declared here as if the file had them.
    """

    of: Table
    on: str
    take: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "take", as_tuple(self.take))


@dataclass(frozen=True)
class Evolution:
    """What to do when the columns of a table's files differ.

    Parameters
    ----------
    appear : str
        Of a column that is not declared: 'ignore' leaves it out, 'add' keeps it as text, 'error' refuses the file.
    vanish : str
        Of a declared column that a file lacks: 'error' refuses the file, 'ignore' takes it as empty.
    retype : str
        Of a file in which most rows break the contract, as they do when a column changed its type: 'error' refuses it,
        'ignore' puts its bad rows into quarantine.
    """

    appear: str = "ignore"
    vanish: str = "error"
    retype: str = "error"
    RULES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "appear": ("ignore", "add", "error"), "vanish": ("error", "ignore"), "retype": ("error", "ignore"),
    }  # fmt: skip


@dataclass(frozen=True)
class Expect:
    """Something that a load is measured by; made by `Expect.volume(...)` and its like.

    Parameters
    ----------
    dimension : str
        completeness, validity, uniqueness, timeliness or volume.
    column : str or None
        The column that it is about; None: the rows.
    min, max : float or None
        Inclusive bounds of the measured value: a share, a number of rows, or rows over the median of earlier loads.
    relative : bool
        Of volume: whether the median of earlier loads is what it is measured by.
    within : str or None
        Of timeliness: how old the newest row may be.
    otherwise : str
        'block' stops the turn, 'warn' only tells.
    """

    dimension: str
    column: str | None = None
    min: float | None = None
    max: float | None = None
    relative: bool = False
    within: str | None = None
    otherwise: str = "block"

    OTHERWISE: ClassVar[tuple[str, ...]] = ("block", "warn")
    DIMENSIONS: ClassVar[Sequence[str]] = ("completeness", "validity", "uniqueness", "timeliness", "volume")

    @classmethod
    def complete(cls, column: str, share: float, *, otherwise: str = "block") -> Expect:
        """Return that at least this share of a load's rows has a value in the column."""
        return cls("completeness", column, min=share, otherwise=otherwise)

    @classmethod
    def valid(cls, share: float, *, otherwise: str = "block") -> Expect:
        """Return that at least this share of the rows read meets the contract."""
        return cls("validity", min=share, otherwise=otherwise)

    @classmethod
    def unique(cls, share: float = 1.0, *, otherwise: str = "block") -> Expect:
        """Return that at least this share of the rows read repeats no key."""
        return cls("uniqueness", min=share, otherwise=otherwise)

    @classmethod
    def fresh(cls, within: str, *, otherwise: str = "block") -> Expect:
        """Return that the table's newest row is at most so old when it is loaded: '2d'."""
        return cls("timeliness", within=within, otherwise=otherwise)

    @classmethod
    def volume(
        cls, min: float | None = None, max: float | None = None, *, relative: bool = False, otherwise: str = "block"
    ) -> Expect:
        """Return that a load appends so many rows; relative: so many times the median of earlier loads."""
        return cls("volume", min=min, max=max, relative=relative, otherwise=otherwise)

    def bounds(self) -> tuple[float | None, float | None]:
        """Return the inclusive bounds of the measured value; of timeliness it is the newest row's age in days."""
        oldest = None if self.within is None else clock.duration(self.within) / clock.DAY
        return (self.min, self.max if oldest is None else oldest)
