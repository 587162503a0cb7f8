"""The files of a part that are taken: rows that repeat a key are dropped, and the part holds these files' rows alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import duckdb

from keepfit.engines.local import parts, rules
from keepfit.engines.quoting import literal, quoted
from keepfit.errors import SourceError
from keepfit.raw import Checked, CheckedFile, Part, Settled
from keepfit.spec.loading import Key
from keepfit.spec.tables import Table
from keepfit.tables import QUARANTINE

DROPPED = "(_order bigint, file varchar, record bigint, reason varchar, same boolean)"
_numbers = count()


@dataclass
class Choice:
    """Which rows of a part are kept.

    Attributes
    ----------
    held : sequence of str
        The Parquet files of the table as it is.
    dropped : str
        Table of the rows that are not kept, and why.
    gone : list of str
        Conditions on rows that the table holds and that the part takes the place of.
    """

    cursor: duckdb.DuckDBPyConnection
    table: Table
    part: Part
    files: dict[str, CheckedFile]
    held: Sequence[str]
    dropped: str
    gone: list[str]

    @property
    def rows(self) -> str:
        """The rows of the part that are kept so far."""
        names = ", ".join(literal(name) for name in self.files if not self.files[name].error) or "null"
        path = literal(str(self.part.path))
        return (
            f"select * from read_parquet({path}) where coalesce(_file in ({names}), false)"
            f" and _order not in (select _order from {self.dropped})"
        )


def settle(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    checked: Checked,
    names: Sequence[str],
    held: Sequence[str],
    gone: Sequence[str],
) -> Settled:
    """Return what is to be committed of a checked part; see `Engine.settle`."""
    files = {file.name: file for file in checked.named(names) if file.error is None}
    cursor = connection.cursor()
    replaced = [f"_file in ({', '.join(map(literal, gone))})"] if gone else []
    if checked.part is None:
        old, new = parts.rewritten(cursor, table, held, " or ".join(replaced)) if replaced else ([], [])
        return Settled(tuple(files.values()), tuple(new), tuple(old))
    dropped = f"keepfit_dropped_{next(_numbers)}"
    cursor.execute(f"create table {dropped} {DROPPED}")
    try:
        return _settled(Choice(cursor, table, checked.part, files, held, dropped, replaced), checked)
    finally:
        cursor.execute(f"drop table {dropped}")


def _settled(choice: Choice, checked: Checked) -> Settled:
    cursor, table, files = choice.cursor, choice.table, choice.files
    for name, column in table.contract().items():
        if column.unique:
            _repeats(choice, Key(name, duplicates="first"), always_bad=True)
    if table.key is not None:
        _refuse_repeats(choice) if table.key.duplicates == "error" else _repeats(choice, table.key)
    whole = len(files) == len(checked.files) and not any(file.error for file in files.values())
    some = cursor.execute(f"select count(*) from {choice.dropped}").fetchone()
    part: Part | None = choice.part
    if not whole or (some and some[0]):
        part = parts.write(cursor, table, choice.rows, choice.part.path.parent)
    try:
        if some and some[0]:
            _count(choice, checked.bad)
        old, new = parts.rewritten(cursor, table, choice.held, " or ".join(choice.gone)) if choice.gone else ([], [])
    except BaseException:
        parts.discard([part] if part and part is not choice.part else [])
        raise
    return Settled(tuple(choice.files.values()), (*([part] if part else []), *new), tuple(old))


def bad_rows(
    connection: duckdb.DuckDBPyConnection, checked: Checked, names: Sequence[str], stamps: Mapping[str, str | int]
) -> duckdb.DuckDBPyRelation:
    """Return the bad rows of some files in the quarantine's columns; see `Engine.bad_rows`."""
    digests = [(file.name, file.digest) for file in checked.named(names)]
    listed = ", ".join(f"({literal(name)}, {literal(digest)})" for name, digest in digests) or "(null, null)"
    here: dict[str, str] = {
        name: f"make_timestamptz({value})" if isinstance(value, int) else literal(value)
        for name, value in stamps.items()
    }
    here |= {name: name for name in ("file", "line", "record", "raw", "digest")} | {
        "reason": "array_to_string(reasons, '; ')"
    }
    picked = ", ".join(f"cast({here[name]} as {kind}) as {quoted(name)}" for name, kind in QUARANTINE.columns.items())
    return connection.cursor().sql(  # not in a transaction that began before the rows were there
        f"select {picked} from {checked.bad} join (values {listed}) d(file, digest) using (file) order by file, line, record"
    )


def _columns(choice: Choice, key: Key) -> list[str]:
    return list(key.columns) or rules.contract_of(choice.table).stored


def _repeats(choice: Choice, key: Key, *, always_bad: bool = False) -> None:
    """Drop all but the first, or the last, row of each key; what the table holds already came before."""
    columns = _columns(choice, key)
    listed = parts.columns(columns)
    every = parts.columns(_columns(choice, Key()))
    complete = " and ".join(f"{quoted(name)} is not null" for name in key.columns) or "true"
    said = ", ".join(key.columns) or "the whole row"
    last = key.duplicates == "last"
    kept = "last_value" if last else "first_value"
    over = f"over (partition by {listed} order by _order rows between unbounded preceding and unbounded following)"
    digest = f"md5(cast(row({every}) as varchar))"
    rows = f"select *, {digest} as _k_digest from ({choice.rows}) where {complete}"
    inside = (
        f"select _order, _file, _record, {kept}(_order) {over} as kept, {kept}(_file) {over} as kept_file,"
        f" {kept}(_record) {over} as kept_record, {kept}(_k_digest) {over} = _k_digest as same from ({rows})"
    )
    reason = f"'repeats {said.replace(chr(39), chr(39) * 2)} of ' || kept_file || ', record ' || kept_record"
    same = "false" if always_bad else "same"
    choice.cursor.execute(
        f"insert into {choice.dropped} select _order, _file, _record, {reason}, {same} from ({inside}) where _order <> kept"
    )
    if not choice.held:
        return
    table = parts.without(choice.held)
    gone = f" where not coalesce({' or '.join(choice.gone)}, false)" if choice.gone else ""
    if last:
        choice.gone.append(
            f"({listed}) in (select ({listed}) from ({rows}))"
            if len(columns) > 1
            else f"{listed} in (select {listed} from ({rows}))"
        )
        return
    held = (
        f"select {listed}, arg_min(_file, _order) as kept_file, arg_min(_record, _order) as kept_record,"
        f" arg_min({digest}, _order) as kept_digest from (select * from {table}{gone})"
        f" where ({listed}) in (select ({listed}) from ({rows})) group by {listed}"
    )
    alike = " and ".join(f"p.{quoted(name)} is not distinct from h.{quoted(name)}" for name in columns)
    choice.cursor.execute(
        f"insert into {choice.dropped} select _order, _file, _record, {reason}, {same.replace('same', '_k_digest = kept_digest')}"
        f" from ({rows}) p join ({held}) h on {alike}"
    )


def _refuse_repeats(choice: Choice) -> None:
    """Refuse the files that repeat a key, one of an earlier file or of their own; rows of a refused file repeat nothing."""
    key = choice.table.key or Key()
    while True:
        _repeats(choice, Key(*key.columns, duplicates="first"), always_bad=True)
        found = choice.cursor.execute(
            f"select file, count(*), arg_min(record, record), arg_min(reason, record) from {choice.dropped}"
            " group by file order by min(_order) limit 1"
        ).fetchone()
        choice.cursor.execute(f"delete from {choice.dropped}")
        if found is None:
            return
        name, rows, record, reason = found
        error = SourceError(
            f"{name}: {rows:,} rows repeat a key that {choice.table.name} has; record {record:,} {reason}",
            where=name,
            fix="mend the file, or declare key=Key(..., duplicates='first'); nothing of it was appended",
        )
        choice.files[name] = CheckedFile(name, choice.files[name].digest, choice.files[name].size, error=error)


def _headers(choice: Choice) -> list[tuple[str, str]]:
    """Return the headers of a raw row and a column that each became; several columns may be read from one header."""
    table = choice.table
    found: dict[str, tuple[str, str]] = {}
    for name in _columns(choice, Key()):
        header = table.header(name) if table.headers_of(name) else name
        found.setdefault(header.lower(), (header, name))
    return list(found.values())


def _count(choice: Choice, bad: str) -> None:
    """Take the dropped rows off each file's good ones; those that differ from the row kept are bad."""
    cursor = choice.cursor
    found = cursor.execute(
        f"select file, count(*) filter (same), count(*) filter (not same) from {choice.dropped} group by file"
    ).fetchall()
    said = choice.table.key.columns if choice.table.key else ()
    for name, same, differing in found:
        file = choice.files[name]
        reasons = dict(file.reasons) | ({f"repeats {', '.join(said) or 'a value'}": differing} if differing else {})
        choice.files[name] = replace(
            file, repeated=file.repeated + same, quarantined=file.quarantined + differing, reasons=reasons
        )
    # what was read is a part by now: of a row its number is known, and its line if that follows from it
    begin = [
        f"({literal(name)}, {file.first_line})" for name, file in choice.files.items() if file.first_line is not None
    ]
    begins = f"(values {', '.join(begin or ['(null, null)'])}) f(file, first_line)"
    fields = ", ".join(f"{quoted(header)} := cast(p.{quoted(name)} as varchar)" for header, name in _headers(choice))
    cursor.execute(
        f"insert into {bad} select d.file, f.first_line - 1 + d.record, d.record, [d.reason],"
        f" cast(to_json(struct_pack({fields})) as varchar)"
        f" from {choice.dropped} d join read_parquet({literal(str(choice.part.path))}) p using (_order)"
        f" left join {begins} on d.file = f.file where not d.same"
    )
