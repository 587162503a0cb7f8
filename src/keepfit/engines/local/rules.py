"""A table's contract in pieces of SQL, the same for all of its files.

A value is typed in a quick way, that says whether it can be relied on, and in an exact way; both are compiled from the same
declaration.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from keepfit import clock
from keepfit.engines import sql
from keepfit.engines.local import derive
from keepfit.engines.quoting import TYPES, literal, quoted
from keepfit.spec.columns import Column, Float
from keepfit.spec.tables import Events, Table
from keepfit.tables import ROW

DIALECT = "duckdb"
# names of keepfit's own beside those of a file
RAW, FIRST, VALUE = ("_k_raw:", "_k_first:", "_k_value:")
FOUND = "_k_found"


@dataclass(frozen=True)
class Contract:
    """The queries that a table's contract is made of; the same for all of its files.

    Attributes
    ----------
    hint : dict of str to bool
        Whether the last files read under it were `proven`; only what is tried first depends on it.
    """

    table: Table
    hint: dict[str, bool] = field(default_factory=dict, compare=False)
    _quick: dict[tuple[tuple[str, ...], bool], tuple[str, str, str]] = field(default_factory=dict, compare=False)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column that the contract types."""
        return self.table.contract()

    @cached_property
    def exact(self) -> str:
        """Typed value of each column."""
        typed = {name: sql.typed(column, sql.cleaned(sql.name(RAW + name))) for name, column in self.columns.items()}
        return ", ".join(
            _as(f"cast({tree.sql(DIALECT)} as {TYPES[self.columns[name].kind]})", VALUE + name)
            for name, tree in typed.items()
        )

    @cached_property
    def readable(self) -> list[str]:
        """The columns that DuckDB may read as numbers while it parses, if no number stands in a way that only DuckDB knows."""
        return [name for name, column in self.columns.items() if sql.is_read_as_written(column)]

    @cached_property
    def numeric(self) -> str:
        """That no column which is read as a number holds a text that means missing, as a condition to add."""
        texts = {name: self.columns[name].sentinel_texts() for name in self.readable}
        among = {name: ", ".join(map(literal, found)) for name, found in texts.items() if found}
        return "".join(f" and coalesce({quoted(RAW + name)} not in ({found}), true)" for name, found in among.items())

    @cached_property
    def provable(self) -> set[str]:
        """The readable columns of which the statistics of a part tell whether all their numbers are right."""
        return {name for name in self.readable if name in self.stored and name != self.table.entity}

    def quick(self, read: tuple[str, ...] = (), *, proven: bool = False) -> tuple[str, str, str]:
        """Return what is read first, quick values, and whether they are all right; compiled once.

        Parameters
        ----------
        read : tuple of str
            Columns that are numbers already.
        proven : bool
            Whether something else will tell of provable columns that they are right.
        """
        key = read, proven
        if key not in self._quick:
            self._quick[key] = self._compiled(read, self.provable.intersection(read) if proven else set())
        return self._quick[key]

    def _compiled(self, read: Sequence[str], proven: Set[str]) -> tuple[str, str, str]:
        firsts, values, fits = [], [], []
        for name, column in self.columns.items():
            raw, known = sql.name(RAW + name), sql.name(VALUE + name)
            first = sql.read_first(column, raw)
            if first is not None:
                firsts.append(", " + _as(first.sql(DIALECT), FIRST + name))
                first = sql.name(FIRST + name)
            if name in read and isinstance(column, Float):
                value, right = sql.parsed(column, raw, known)
            else:
                value, right = sql.quick(column, raw, known, first)
            values.append(_as(f"cast({value.sql(DIALECT)} as {TYPES[column.kind]})", VALUE + name))
            if name not in proven:
                fits.append(f"({right.sql(DIALECT)})")
        fits += [FOUND] if self.table.lookup else []
        return "".join(firsts), ", ".join(values), " and ".join(fits) or "true"

    @cached_property
    def broken(self) -> list[str]:
        """The reason why a row breaks each rule; null if it does not."""
        found = [
            sql.broken(column, name, sql.cleaned(sql.name(RAW + name)), sql.name(VALUE + name)).sql(DIALECT)
            for name, column in self.columns.items()
        ]
        if (lookup := self.table.lookup) is not None:
            found.append(f"case when not {FOUND} then {literal(f'{lookup.on} is not in {lookup.of.name}')} end")
        return found

    @cached_property
    def reasons(self) -> str:
        """All broken rules of a row, as a list."""
        return f"list_filter([{', '.join(self.broken)}], lambda x: x is not null)"

    @cached_property
    def stored(self) -> list[str]:
        """The columns that a row brings along, the entity and the time first."""
        table = self.table
        names = [table.entity, *([table.time] if table.time else []), *table.looked_up(), *table.columns]
        return list(dict.fromkeys(names))

    def types(self, added: Sequence[str]) -> dict[str, str]:
        """Return the columns of the table in the lake, with their types, in order."""
        table = self.table
        typed = {name: TYPES[self.columns[name].kind] for name in self.stored} | {table.entity: "VARCHAR"}
        derived = {name: TYPES[column.kind] for name in table.derive if (column := table.type_of(name)) is not None}
        return typed | dict.fromkeys(added, "VARCHAR") | derived | ROW

    @cached_property
    def held(self) -> str:
        """The typed columns."""
        return ", ".join(quoted(VALUE + name) for name in self.columns)

    @cached_property
    def output(self) -> str:
        """The columns of the table, over typed values."""
        columns = [_as(self._cast(name), name) for name in self.stored]
        return ", ".join([*columns, _as(self._known(), "_known")])

    def _cast(self, name: str) -> str:
        value = quoted(VALUE + name)
        return f"cast({value} as varchar)" if name == self.table.entity else value

    def _known(self) -> str:
        table = self.table
        if not table.time:
            return "cast(null as timestamptz)"
        happened = quoted(VALUE + table.time)
        if isinstance(table, Events) and table.known:
            return f"greatest({quoted(VALUE + table.known)}, {happened})"
        if isinstance(table, Events) and table.known_after:
            return f"{happened} + to_microseconds({clock.duration(table.known_after)})"
        return happened

    @cached_property
    def derived(self) -> str:
        """The columns that the row language derives, over those of the table."""
        return "".join(", " + one for one in derive.derived_sql(self.table))


@lru_cache(maxsize=64)
def contract_of(table: Table) -> Contract:
    """Return a table's contract, compiled once in a process."""
    return Contract(table)


def _as(expression: str, name: str) -> str:
    return f"{expression} as {quoted(name)}"
