"""The SQL of one raw file under its table's contract: a row becomes typed columns and `_ok`.

Each value is typed in a quick way that is right whenever it says so, and in the exact way where it does not; both are
compiled from the same declaration. Nothing is held between a file and its Parquet part: a part is one streaming query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from keepfit import clock
from keepfit.engines import sql
from keepfit.engines.local import derive, query
from keepfit.engines.local.formats import Opened
from keepfit.engines.quoting import TYPES, literal, quoted
from keepfit.errors import SourceError, did_you_mean
from keepfit.spec.columns import Column
from keepfit.spec.tables import Events, Table
from keepfit.tables import ROW

DIALECT = "duckdb"
# names of keepfit's own beside those of a file
RAW, QUICK, SURE, VALUE = ("_k_raw:", "_k_quick:", "_k_sure:", "_k_value:")
FOUND = "_k_found"


@dataclass(frozen=True)
class Source:
    """What a file's rows come from: its own columns, those that its name holds, and those looked up.

    Attributes
    ----------
    parts : mapping of str to str
        Columns that the name holds, with their value.
    lookup : str or None
        SQL of the rows to look in: the key as text, and what is taken as text.
    """

    label: str
    place: int
    opened: Opened
    parts: Mapping[str, str]
    lookup: str | None = None


@dataclass(frozen=True)
class Contract:
    """The queries that a table's contract is made of; the same for all of its files."""

    table: Table

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column that the contract types."""
        return self.table.contract()

    @cached_property
    def quick(self) -> str:
        """Quick value and whether it is sure, of each column."""
        found = []
        for name, column in self.columns.items():
            value, sure = sql.quick(column, sql.name(RAW + name))
            found += [_as(value.sql(DIALECT), QUICK + name), _as(sure.sql(DIALECT), SURE + name)]
        return ", ".join(found)

    @cached_property
    def values(self) -> str:
        """Typed value of each column."""
        found = []
        for name, column in self.columns.items():
            exact = sql.typed(column, sql.cleaned(sql.name(RAW + name))).sql(DIALECT)
            kind = TYPES[column.kind]
            value = f"case when {quoted(SURE + name)} then {quoted(QUICK + name)} else {exact} end"
            found.append(_as(f"cast({value} as {kind})", VALUE + name))
        return ", ".join(found)

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
    def sure(self) -> str:
        """Whether all quick values are right."""
        return " and ".join([*(quoted(SURE + name) for name in self.columns), *([FOUND] if self.table.lookup else [])])

    @cached_property
    def ok(self) -> str:
        """Whether a row meets the contract."""
        exact = " and ".join(f"({reason}) is null" for reason in self.broken)
        return f"case when {self.sure} then true else {exact} end"

    @cached_property
    def reasons(self) -> str:
        """All broken rules of a row, as a list."""
        listed = ", ".join(self.broken)
        return f"case when {self.sure} then [] else list_filter([{listed}], lambda x: x is not null) end"

    @cached_property
    def output(self) -> str:
        """The columns of the table, over typed values."""
        table = self.table
        columns = [_as(self._cast(name), name) for name in stored(table)]
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


def good(contract: Contract, sources: Sequence[Source], added: Sequence[str] = ()) -> str:
    """Return the query of all good rows of some files, in the columns of the lake."""
    kept = "".join(", " + quoted(name) for name in added)
    branches = [
        f"select {literal(source.label)} as _file, row_number() over () as _record,"
        f" cast({source.place} as bigint) << 32 as _k_place, * from (select {_held(contract)}{kept}, {contract.ok} as _k_ok"
        f" from ({_typed(contract, source, added)}))"
        for source in sources
    ]
    rows = f"select {contract.output}{kept}, _file, _record, _k_place + _record as _order from ({' union all '.join(branches)}) where _k_ok"
    return with_derived(contract.table, rows)


def with_derived(table: Table, rows: str) -> str:
    """Return rows with the columns that the row language derives, ordered as they are kept."""
    derived = "".join(", " + one for one in derive.derived_sql(table))
    return f"select * exclude (_file, _record, _order, _known){derived}, _file, _record, _order, _known from ({rows})"


def stored(table: Table) -> list[str]:
    """Return the columns that a row brings along, the entity and the time first."""
    names = [table.entity, *([table.time] if table.time else []), *table.looked_up(), *table.columns]
    return list(dict.fromkeys(names))


def kept_types(contract: Contract, added: Sequence[str]) -> dict[str, str]:
    """Return the columns of the table in the lake, with their types, in order."""
    table = contract.table
    typed = {name: TYPES[contract.columns[name].kind] for name in stored(table)} | {table.entity: "VARCHAR"}
    derived = {name: TYPES[column.kind] for name in table.derive if (column := table.type_of(name)) is not None}
    return typed | dict.fromkeys(added, "VARCHAR") | derived | ROW


def bad(contract: Contract, source: Source, singled: str | None = None) -> str:
    """Return the query of a file's bad rows: `_record`, `_reasons`, and `_raw`, the row as JSON.

    Parameters
    ----------
    singled : str or None
        SQL of `_record` and `_reason` of rows that meet the contract and are bad for another reason.
    """
    fields = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in (*source.opened.header, *source.parts))
    row = f"to_json(struct_pack({fields}))"
    found = f"select row_number() over () as _record, * from (select *, {contract.reasons} as _reasons from ({_typed(contract, source)}))"
    if singled:
        found = (
            f"select f.* replace (case when s._reason is null then f._reasons else list_append(f._reasons, s._reason) end as _reasons)"
            f" from ({found}) f left join ({singled}) s using (_record)"
        )
    return f"select _record, _reasons, cast({row} as varchar) as _raw from ({found}) where len(_reasons) > 0"


def count(contract: Contract, source: Source) -> str:
    """Return the query that counts a file's records; it reads their columns, so that what is no record is noticed."""
    return f"select count({contract.ok}) from ({_typed(contract, source)})"


def looked_up(table: Table, files: Sequence[str]) -> str | None:
    """Return the SQL of what the table's lookup looks in: `_k_key`, and what is taken, as text; None without a lookup."""
    if table.lookup is None:
        return None
    of = table.lookup.of
    taken = ", ".join(
        f"arg_max_null(cast({quoted(name)} as varchar), _order) as {quoted(name)}" for name in table.lookup.take
    )
    key = quoted(table.lookup.on)
    return f"select cast({key} as varchar) as _k_key, {taken} from {query.source(of, files)} where {key} is not null group by {key}"


def unknown(table: Table, source: Source) -> list[str]:
    """Return the columns of a file that nobody declared."""
    known = {header for name in table.contract() for way in table.headers_of(name) for header in way}
    known |= {table.lookup.on} if table.lookup else set()
    return [name for name in source.opened.header if name not in known]


def missing(table: Table, source: Source) -> list[str]:
    """Return the declared columns that a file lacks."""
    return [name for name in table.contract() if _raw(table, source, name) is None]


def require_columns(table: Table, source: Source) -> None:
    """Refuse a file whose columns are not as declared.

    Raises
    ------
    SourceError
        If the entity or the time is missing; or another column, and that is an error; or one appeared, and that is.
    """
    there, label = _there(source), source.label
    needed = {table.entity, *table.time_columns()}
    for name in table.contract():
        if len(ways := [way for way in table.headers_of(name) if there.issuperset(way)]) > 1:
            raise SourceError(
                f"{label} has {' '.join(ways[0])!r} and {' '.join(ways[1])!r}, which both are {name} of {table.name}",
                where=label,
                fix="leave one of them out of aliases, or out of the file",
            )
    lacking = [name for name in missing(table, source) if name in needed or table.evolution.vanish == "error"]
    if lacking:
        header = next(one for one in table.headers_of(lacking[0])[0] if one not in there)
        fix = did_you_mean(header, sorted(there), of="the file")
        if lacking[0] not in needed:
            fix += "; or declare evolution=Evolution(vanish='ignore')"
        raise SourceError(f"{label} has no column {header!r}, which {table.name} declares", where=label, fix=fix)
    if (on := table.lookup.on if table.lookup else None) and on not in there:
        fix = did_you_mean(on, sorted(there), of="the file")
        raise SourceError(f"{label} has no column {on!r}, which {table.name} looks up", where=label, fix=fix)
    if table.evolution.appear == "error" and (found := unknown(table, source)):
        raise SourceError(
            f"{label} has column {found[0]!r}, which {table.name} does not declare",
            where=label,
            fix="declare it, or evolution=Evolution(appear='ignore')",
        )


def _typed(contract: Contract, source: Source, added: Sequence[str] = ()) -> str:
    table, opened = contract.table, source.opened
    raw = ", ".join(_as(_raw(table, source, name) or "cast(null as varchar)", RAW + name) for name in contract.columns)
    kept = "".join(f", cast(null as varchar) as {quoted(name)}" for name in added if name not in opened.header)
    rows = f"select *{kept}, {raw} from {_scanned(source, table)}"
    return f"select *, {contract.values} from (select *, {contract.quick} from ({rows}))"


def _scanned(source: Source, table: Table) -> str:
    """Return a file's columns with those that stand beside it."""
    scan = source.opened.scan({})
    named = "".join(f", {literal(text)} as {quoted(name)}" for name, text in source.parts.items())
    rows = f"(select *{named} from {scan})" if named else scan
    if source.lookup is None or table.lookup is None:
        return rows
    key = sql.cleaned(sql.name(table.lookup.on)).sql(DIALECT)
    taken = ", ".join([*(f"l.{quoted(name)}" for name in table.lookup.take), f"l._k_key is not null as {FOUND}"])
    # a join gives rows back in another order
    return (
        f"(select * exclude (_k_line) from (select r.*, {taken} from (select *, row_number() over () as _k_line from {rows}) r"
        f" left join ({source.lookup}) l on {key} = l._k_key) order by _k_line)"
    )


def _there(source: Source) -> set[str]:
    return {*source.opened.header, *source.parts}


def _held(contract: Contract) -> str:
    return ", ".join(quoted(VALUE + name) for name in contract.columns)


def _raw(table: Table, source: Source, name: str) -> str | None:
    """Return the SQL of a column's raw text, None if the file lacks it."""
    if name in table.looked_up():
        return quoted(name)
    there = _there(source)
    way = next((way for way in table.headers_of(name) if there.issuperset(way)), None)
    if way is None or len(way) == 1:
        return quoted(way[0]) if way else None
    present = " and ".join(f"{quoted(one)} is not null" for one in way)
    joined = ", ".join(sql.cleaned(sql.name(one)).sql(DIALECT) for one in way)
    return f"case when {present} then concat_ws(' ', {joined}) end"


def _as(expression: str, name: str) -> str:
    return f"{expression} as {quoted(name)}"
