"""The SQL of raw files under their table's contract: which rows are good, and why the others are not.

Nothing is held between a file and its Parquet part: a part is one streaming query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from keepfit.engines import sql
from keepfit.engines.local import query
from keepfit.engines.local.formats import Opened
from keepfit.engines.local.rules import DIALECT, FOUND, RAW, Contract
from keepfit.engines.quoting import literal, quoted
from keepfit.errors import SourceError, did_you_mean
from keepfit.spec.columns import Column
from keepfit.spec.tables import Table

# names of what is looked up, beside those of a file
TAKEN = "_k_taken:"
# what tells a row's place, beside its values
BESIDE = "_file, _record, _k_place"


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


def swift(contract: Contract, sources: Sequence[Source]) -> str:
    """Return the query of all rows with their quick values, in the columns of the lake; numbers are read while DuckDB parses.

    A row that a quick look does not let in has no `_record`; bounds are not looked at where `proof` can tell them. Where a file
    has fewer rows than records, even their `_record` may be wrong.
    """
    judged = []
    for read, branches in _alike(contract, sources).items():
        first, values, right = contract.quick(read, proven=True)
        rows = f"select *, {values} from (select *{first} from ({' union all '.join(branches)}))"
        beside = f"_file, case when {right} then _record end as _record, _k_place"
        judged.append(f"select {beside}, {contract.held} from ({rows})")
    return _in_lake(contract, f"({' union all '.join(judged)})")


def sample(contract: Contract, source: Source, rows: int) -> str:
    """Return the query of how many of a file's first rows `swift` lets in; it reads their texts, where none goes missing."""
    first, values, right = contract.quick()
    found = f"select *, {values} from (select *{first} from ({_numbered(contract, source)} limit {rows}))"
    return f"select count(*) filter ({right}{contract.numeric}) from ({found})"


def _alike(contract: Contract, sources: Sequence[Source]) -> dict[tuple[str, ...], list[str]]:
    """Return the rows of files, by the columns that can be read as numbers."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for source in sources:
        read = tuple(_readable(contract, source)) if source.opened.plain else ()
        alike.setdefault(read, []).append(_numbered(contract, source, read))
    return alike


def _readable(contract: Contract, source: Source) -> Iterator[str]:
    """Yield the columns that can be read as numbers: those whose header no other one needs as text."""
    table, there = contract.table, _there(source)
    names = {*contract.columns, *([table.lookup.on] if table.lookup else [])}
    ways = (next((way for way in table.headers_of(name) if there.issuperset(way)), ()) for name in names)
    needed = Counter(header for way in ways for header in set(way))
    for name in contract.readable:
        header = _header(table, source, name)
        if header is not None and needed[header] == 1:
            yield name


def quick(contract: Contract, sources: Sequence[Source], added: Sequence[str] = ()) -> str:
    """Return the query of the rows that a quick look at their texts lets in, in the columns of the lake."""
    rows = " union all ".join(_numbered(contract, source, (), added) for source in sources)
    kept = _kept(added)
    first, values, right = contract.quick()
    judged = f"select *, {values} from (select *{first} from ({rows}))"
    judged = f"select {BESIDE}, {contract.held}{kept}, {right} as _k_ok from ({judged})"
    # the window stands between what is computed and the filter, or DuckDB computes it a second time for the filter
    found = f"select row_number() over () as _k_nth, * from ({judged})"
    return _in_lake(contract, f"({found}) where _k_ok and _k_nth > 0", kept)


def left(contract: Contract, source: Source, part: Path | None, added: Sequence[str] = ()) -> str:
    """Return the query of a file's rows that are not in a part: typed, with `_reasons`, and `_raw` as JSON if there are any."""
    fields = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in (*source.opened.header, *source.parts))
    rows = f"select row_number() over () as _record, * from {_with_raw(contract, source)}"
    if part is not None:
        there = f"select _record from {query.parquet([str(part)])} where _file = {literal(source.label)}"
        rows = f"select l.* from ({rows}) l anti join ({there}) p on l._record = p._record"
    found = f"select *, {contract.reasons} as _reasons from (select *, {contract.exact} from ({rows}))"
    raw = f"case when len(_reasons) > 0 then cast(to_json(struct_pack({fields})) as varchar) end"
    return (
        f"select {literal(source.label)} as _file, _record, {_place(source)} as _k_place, {contract.held}"
        f"{_added(source, added)}, _reasons, {raw} as _raw from ({found})"
    )


def late(contract: Contract, left: str, added: Sequence[str] = ()) -> str:
    """Return the query of the rows of a table of `left` that have no reason, in the columns of the lake."""
    return _in_lake(contract, f"{left} where len(_reasons) = 0", _kept(added))


def _numbered(contract: Contract, source: Source, read: Sequence[str] = (), added: Sequence[str] = ()) -> str:
    """Return a file's raw texts, and of each row the file, its number in it and the file's place."""
    raw = "".join(", " + quoted(RAW + name) for name in contract.columns)
    found = f", {FOUND}" if contract.table.lookup else ""
    return (
        f"select {literal(source.label)} as _file, row_number() over () as _record, {_place(source)} as _k_place{raw}"
        f"{_added(source, added)}{found} from {_with_raw(contract, source, read)}"
    )


def _place(source: Source) -> str:
    return f"cast({source.place} as bigint) << 32"


def _added(source: Source, added: Sequence[str]) -> str:
    return "".join(
        f", {quoted(name) if name in source.opened.header else 'cast(null as varchar)'} as {quoted(name)}"
        for name in added
    )


def _kept(added: Sequence[str]) -> str:
    return "".join(", " + quoted(name) for name in added)


def _in_lake(contract: Contract, rows: str, kept: str = "") -> str:
    columns = f"{contract.output}{kept}, _file, _record, _k_place + _record as _order"
    own = "_file, _record, _order, _known"
    return f"select * exclude ({own}){contract.derived}, {own} from (select {columns} from {rows})"


def looked_up(table: Table, files: Sequence[str]) -> str | None:
    """Return the SQL of what the table's lookup looks in: `_k_key`, and what is taken, as text; None without a lookup."""
    if table.lookup is None:
        return None
    of = table.lookup.of
    taken = ", ".join(
        f"arg_max_null(cast({quoted(name)} as varchar), _order) as {quoted(TAKEN + name)}" for name in table.lookup.take
    )
    key = quoted(table.lookup.on)
    return f"select cast({key} as varchar) as _k_key, {taken} from {query.source(of, files)} where {key} is not null group by {key}"


def unknown(table: Table, source: Source) -> list[str]:
    """Return the columns of a file that nobody declared."""
    names = {*table.contract(), *([table.lookup.on] if table.lookup else [])}
    known = {header for name in names for way in table.headers_of(name) for header in way}
    return [name for name in source.opened.header if name not in known]


def missing(table: Table, source: Source) -> list[str]:
    """Return the declared columns that a file lacks."""
    return [name for name in table.contract() if _raw(table, source, name) is None]


def wrong_columns(table: Table, source: Source) -> SourceError | None:
    """Return why a file is refused whose columns are not as declared; None if they are.

    The entity or the time is missing; or another column, and that is an error; or one appeared, and that is.
    """
    there, label = _there(source), source.label
    needed = {table.entity, *table.time_columns()}
    for name in table.contract():
        if len(ways := [way for way in table.headers_of(name) if there.issuperset(way)]) > 1:
            return SourceError(
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
        return SourceError(f"{label} has no column {header!r}, which {table.name} declares", where=label, fix=fix)
    if (on := table.lookup.on if table.lookup else None) and _raw(table, source, on) is None:
        header = next(one for one in table.headers_of(on)[0] if one not in there)
        fix = did_you_mean(header, sorted(there), of="the file")
        return SourceError(f"{label} has no column {header!r}, which {table.name} looks up", where=label, fix=fix)
    if table.evolution.appear == "error" and (found := unknown(table, source)):
        return SourceError(
            f"{label} has column {found[0]!r}, which {table.name} does not declare",
            where=label,
            fix="declare it, or evolution=Evolution(appear='ignore')",
        )
    return None


def _with_raw(contract: Contract, source: Source, read: Sequence[str] = ()) -> str:
    """Return a file's columns, those that stand beside it, and the raw text of each column of the contract."""
    table = contract.table
    raw = ", ".join(
        f"{_raw(table, source, name) or 'cast(null as varchar)'} as {quoted(RAW + name)}" for name in contract.columns
    )
    types = {header: "DOUBLE" for name in read if (header := _header(table, source, name))}
    return f"(select *, {raw} from {_scanned(source, table, types)})"


def _scanned(source: Source, table: Table, types: Mapping[str, str]) -> str:
    """Return a file's columns with those that stand beside it."""
    scan = source.opened.scan(types)
    named = "".join(f", {literal(text)} as {quoted(name)}" for name, text in source.parts.items())
    rows = f"(select *{named} from {scan})" if named else scan
    if source.lookup is None or table.lookup is None:
        return rows
    on = table.lookup.on
    # the typed value, as text: 007 finds the whole number 7
    key = sql.typed(table.contract().get(on, Column()), sql.cleaned(sql.name("_k_text"))).sql(DIALECT)
    own = f"select *, row_number() over () as _k_line, {_raw(table, source, on)} as _k_text from {rows}"
    own = f"select * exclude (_k_text), cast({key} as varchar) as _k_on from ({own})"
    taken = ", ".join(
        [*(f"l.{quoted(TAKEN + name)}" for name in table.lookup.take), f"l._k_key is not null as {FOUND}"]
    )
    # a join gives rows back in another order
    return (
        f"(select * exclude (_k_line, _k_on) from (select r.*, {taken} from ({own}) r"
        f" left join ({source.lookup}) l on r._k_on = l._k_key) order by _k_line)"
    )


def _there(source: Source) -> set[str]:
    return {*source.opened.header, *source.parts}


def _raw(table: Table, source: Source, name: str) -> str | None:
    """Return the SQL of a column's raw text, None if the file lacks it."""
    if name in table.looked_up():
        return quoted(TAKEN + name)
    there = _there(source)
    way = next((way for way in table.headers_of(name) if there.issuperset(way)), None)
    if way is None or len(way) == 1:
        return quoted(way[0]) if way else None
    return str(sql.joined(table.contract()[name], [sql.name(one) for one in way]).sql(DIALECT))


def _header(table: Table, source: Source, name: str) -> str | None:
    """Return the one header of the file itself that a column stands under, None if it comes another way."""
    way = next((way for way in table.headers_of(name) if set(source.opened.header).issuperset(way)), ())
    return way[0] if len(way) == 1 and way[0] not in source.parts else None
