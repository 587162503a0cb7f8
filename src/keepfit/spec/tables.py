"""The two kinds of tables a team has: `Events` happen at a time, `Records` describe an entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Unpack

from keepfit.spec.columns import Column, Float, Text, Time, as_tuple
from keepfit.spec.features import (
    Aggregate,
    Attribute,
    EventColumn,
    Expression,
    Narrowed,
    Windows,
    aggregates,
    time_to_next,
)
from keepfit.spec.loading import Evolution, Expect, Key, Lookup
from keepfit.spec.rows import Derivation, Python, result
from keepfit.spec.sources import Source
from keepfit.spec.window import Window


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """What `Events` and `Records` share: a named source, its entity and its contract.

    Parameters
    ----------
    name : str
        The table's name in the lake and in feature names: letters, digits and underscores.
    source : Files, Database or Delta
        Where its raw rows come from.
    entity : str
        The column that names what predictions are about. Keys are compared as text.
    columns : mapping of str to Column
        The contract. A row that breaks it goes to quarantine with the reason.
    derive : mapping of str to RowExpression or Python
        Columns computed from the row's other columns.
    zone : str or None
        The IANA zone of local times in the files. A time without an offset is refused when no zone is declared.
    sentinels : tuple of str and numbers
        Values that mean missing in every column, such as 'NA'.
    key : Key or None
        What tells rows apart, and what becomes of a row that repeats it.
    lookup : Lookup or None
        Columns taken from another table before the contract is held.
    evolution : Evolution
        What to do with columns that appear, vanish or change their type between files.
    expect : sequence of Expect
        What every load must meet.
    """

    name: str
    source: Source
    entity: str
    columns: Mapping[str, Column] = field(default_factory=dict)
    derive: Mapping[str, Derivation] = field(default_factory=dict)
    zone: str | None = None
    time: str | None = None
    sentinels: tuple[str | float, ...] = ()
    key: Key | None = None
    lookup: Lookup | None = None
    evolution: Evolution = field(default_factory=Evolution)
    expect: tuple[Expect, ...] = ()

    # `table[name]` would make a table look like an endless sequence of columns
    __iter__ = None

    def __post_init__(self) -> None:
        for name in ("sentinels", "expect"):
            object.__setattr__(self, name, as_tuple(vars(self)[name]))

    def __repr__(self) -> str:
        return self.name

    def contract(self) -> dict[str, Column]:
        """Return every column of a raw row, by name: what each value must look like to be let in.

        The declared columns, those that `lookup` takes, the entity and the times, which are never null. The table's sentinels
        and zone are filled in, so that `Column.parse` and its like in SQL need nothing of the table.
        """
        return dict(self._contract)

    @cached_property
    def _contract(self) -> dict[str, Column]:
        # kept, because every request asks for it
        found = dict(self.columns)
        for name in (self.entity, *self.time_columns()):
            if name not in self.looked_up():
                found[name] = replace(found.get(name, Text() if name == self.entity else Time()), nullable=False)
        return {name: self._complete(column) for name, column in found.items()} | self.looked_up()

    def looked_up(self) -> dict[str, Column]:
        """Return the columns that rows take from another table, by name, as that table holds them."""
        if self.lookup is None:
            return {}
        there, own = self.lookup.of.contract(), {self.entity, *self.time_columns()}
        found = {name: there.get(name, Text()).as_held() for name in self.lookup.take}
        return {name: replace(column, nullable=column.nullable and name not in own) for name, column in found.items()}

    def time_columns(self) -> list[str]:
        """Return the columns that say when a row happened, and when it became known if that is another one."""
        return [self.time] if self.time else []

    def column_names(self) -> list[str]:
        """Return the names that features can read: declared, looked up, then derived."""
        return [*self.columns, *self.looked_up(), *self.derive]

    def type_of(self, column: str) -> Column | None:
        """Return a column's declared type, or that of its derivation; None if there is no such column."""
        declared = {**self.looked_up(), **self.columns}
        if column in self.derive and column not in declared:
            derived = self.derive[column]
            return derived.returns if isinstance(derived, Python) else result(derived, self.raw_types()) or Float()
        return declared.get(column)

    def raw_types(self) -> dict[str, Column]:
        """Return the types of what `derive` reads: the declared columns, those looked up, and the entity as text."""
        return {**self.looked_up(), **self.columns, self.entity: Text()}

    def types(self) -> dict[str, Column]:
        """Return the types of all columns of a row: declared, looked up, derived, and the entity as text."""
        return self.raw_types() | {name: self.type_of(name) or Float() for name in self.derive}

    def key_column(self) -> Column:
        """Return the entity column's type: as declared, else text; never null."""
        return self._contract[self.entity]

    def headers_of(self, column: str) -> tuple[tuple[str, ...], ...]:
        """Return the ways in which raw files head `column`, the one to look for first: a header, or several that are joined.

        None for a column that is looked up.
        """
        if column in self.looked_up():
            return ()
        declared = self.columns.get(column, Column())
        own = declared.source or column
        return (own if isinstance(own, tuple) else (own,), *((alias,) for alias in declared.aliases))

    def header(self, column: str) -> str:
        """Return the header that `column` has in raw files, if they do not use an alias; its own name if it is looked up."""
        return " ".join(next(iter(self.headers_of(column)), (column,)))

    def _complete(self, column: Column) -> Column:
        sentinels = tuple(dict.fromkeys((*column.sentinels, *self.sentinels)))
        if isinstance(column, Time):
            return replace(column, sentinels=sentinels, zone=column.zone or self.zone)
        return replace(column, sentinels=sentinels)


@dataclass(frozen=True, eq=False, repr=False)
class Events(Table):
    """Rows that happen at a time, for an entity; append-only.

    `sales.amount` is a column to aggregate; `sales["count"]` reaches a column whose name is also a method.

    Parameters
    ----------
    time : str
        The column that says when the row happened.
    known : str or None
        The column that says when the row became known; default: when it happened.
    known_after : str or None
        A fixed delay after which a row is known, such as '2d'.
    quiet : str
        The longest silence that is normal. A source silent for longer counts as complete only up to its newest row.
    """

    known: str | None = None
    known_after: str | None = None
    quiet: str = "1d"

    def time_columns(self) -> list[str]:
        """Return the columns that say when a row happened, and when it became known if that is another one."""
        return list(dict.fromkeys(column for column in (self.time, self.known) if column))

    def __getattr__(self, name: str) -> EventColumn:
        if name.startswith("_"):
            raise AttributeError(name)
        return EventColumn(name, self)

    def __getitem__(self, name: str) -> EventColumn:
        return EventColumn(name, self)

    def count(self, last: Windows = None, next: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the number of rows in a window, or in each of several."""
        return aggregates(self, None, "count", last, next, narrowed)

    def time_since_last(self, last: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the days since the entity's last row before t; null if there is none."""
        return aggregates(self, None, "time_since_last", last, None, narrowed)

    def time_since_first(self, last: Windows = None, **narrowed: Unpack[Narrowed]) -> Any:
        """Return the days since the entity's first row in the window; null if there is none."""
        return aggregates(self, None, "time_since_first", last, None, narrowed)

    def time_to_next(self, next: str, **narrowed: Unpack[Narrowed]) -> Expression:
        """Return, as a target, the days to the next row; the horizon's days where none comes within it (censored)."""
        return time_to_next(self, next, narrowed)

    def within(self, last: str) -> Expression:
        """Return whether the entity has a row in the past window; for `active=`."""
        return Aggregate(self, None, "count", Window(last=last)) > 0


@dataclass(frozen=True, eq=False, repr=False)
class Records(Table):
    """One row per entity; with `time=`, a history of versions read as of t."""

    def __getattr__(self, name: str) -> Attribute:
        if name.startswith("_"):
            raise AttributeError(name)
        return Attribute(self, name)

    def __getitem__(self, name: str) -> Attribute:
        return Attribute(self, name)
