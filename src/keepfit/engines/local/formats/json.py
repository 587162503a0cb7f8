"""JSON: one object a line, one array of objects, or an array somewhere inside a document.

Each object is kept as its text until it is scanned, so that numbers keep their digits. A line that is no object costs that line;
an array is one thing, and is refused as a whole if it is broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import duckdb

from keepfit.engines.local.formats.csv import Prepared, line_facts, prepare_lines, unrepeated
from keepfit.engines.local.formats.document import arrays, split
from keepfit.engines.local.formats.protocol import Opened
from keepfit.engines.local.formats.staging import Staged, stage_text
from keepfit.engines.quoting import literal, quoted
from keepfit.errors import SourceError
from keepfit.spec.sources import Json

SAMPLE = 10_000  # records whose types are told
SMALL = 1 << 24  # bytes of a document that is read as one to say what it holds
OBJECT = "case when json_valid(line) then json_type(line) = 'OBJECT' else false end"
ERROR = "case when json_valid(line) then 'no json object' else 'malformed json' end"


def open_json(connection: duckdb.DuckDBPyConnection, path: Path, format: Json, name: str, folder: Path) -> Opened:
    """Open JSON.

    Raises
    ------
    SourceError
        If it is empty, packed and corrupt, not in its encoding, holds no object, or is an array that is broken.
    """
    facts = line_facts()
    staged = stage_text(path, name, folder, facts, format.encoding)
    begins = _begins(staged.path)
    if not begins:
        raise SourceError(f"{name} is empty", where=name, fix="send the file again, or remove it")
    texts: _Texts
    if format.records is not None:
        facts = line_facts()
        lines = split(staged, format.records, name, folder, facts)
        texts = _Lines(prepare_lines(lines, facts, 0, name, folder))
    elif begins == "[":
        texts = _Array(connection, staged, name)
    else:
        texts = _Lines(prepare_lines(staged, facts, 0, name, folder))
    told = texts.facts()
    keys = _keys(connection, texts) if told["lines"] != 0 else []
    if told["lines"] != 0 and not keys:
        raise _no_object(staged, name)
    header = unrepeated(tuple(keys), name)

    def scan(_types: Mapping[str, str]) -> str:
        return _scan(texts, keys, header)

    rejected = texts.rejected if keys else None
    return Opened(header, scan, rejected, types=_types(connection, texts, keys, header), **told)


class _Texts(Protocol):
    """The texts of a file's records: an expression of one column, `line`, null for none; and what the file tells of them."""

    def scan(self) -> str: ...

    def rejected(self) -> str: ...

    def facts(self) -> dict[str, Any]: ...


class _Lines:
    """An object a line."""

    def __init__(self, ready: Prepared) -> None:
        self.ready = ready

    def scan(self) -> str:
        return self.ready.scans.scan({})

    def rejected(self) -> str:
        table = self.ready.scans.latest()
        wrong = (
            f"select nth, {ERROR} as error, line as raw from (select row_number() over () - 1 as nth, line from {self.scan()})"
            f" where line is not null and not {OBJECT}"
        )
        return self.ready.scans.gaps.query(table, wrong)

    def facts(self) -> dict[str, Any]:
        return self.ready.facts()


class _Array:
    """One array, whose elements DuckDB tells apart."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, staged: Staged, name: str) -> None:
        self.staged = staged
        try:
            (self.count,) = connection.execute(f"select count(*) from {self.scan()}").fetchone() or (0,)
        except duckdb.Error as error:
            said = re.search(r"record/value (\d+): (.*)", str(error))
            record, why = said.groups() if said else ("", str(error).splitlines()[0])
            raise SourceError(
                f"{name} is no JSON array of objects: {why.rstrip('. ')}" + (f" at record {record}" if record else ""),
                where=f"{name}, record {record}" if record else name,
                fix="send the file again",
            ) from None

    def scan(self) -> str:
        reading = (
            f"read_json_objects({literal(str(self.staged.path))}, format = 'array', maximum_object_size = {SMALL})"
        )
        return f"(select cast(json as varchar) as line from {reading})"

    def rejected(self) -> str:
        return (
            "select nth as line, nth - row_number() over (order by nth) as records_before, error, line as raw from"
            f" (select row_number() over () as nth, {ERROR} as error, line from {self.scan()}) where not {OBJECT}"
        )

    def facts(self) -> dict[str, Any]:
        return {"first_line": 1, "lines": self.count, "digest": self.staged.digest}


def _keys(connection: duckdb.DuckDBPyConnection, texts: _Texts) -> list[str]:
    """Return the keys of all objects, in the order in which they come up."""
    found = connection.execute(
        "select key, min((n, place)) from (select n, unnest(keys) as key, unnest(range(len(keys))) as place from"
        f" (select row_number() over () as n, case when {OBJECT} then json_keys(line) end as keys from {texts.scan()}))"
        " group by key order by 2"
    ).fetchall()
    return [key for key, _ in found]


def _types(
    connection: duckdb.DuckDBPyConnection, texts: _Texts, keys: list[str], header: tuple[str, ...]
) -> dict[str, str]:
    if not keys:
        return {}
    said = connection.execute(
        f"select json_group_structure(cast(line as json)) from (select line from {texts.scan()} where {OBJECT} limit {SAMPLE})"
    ).fetchone()
    found = json.loads(said[0]) if said and said[0] else {}
    types = {key: _kind(kind) for key, kind in found.items()} if isinstance(found, dict) else {}
    return {column: types[key] for key, column in zip(keys, header, strict=True) if types.get(key, "NULL") != "NULL"}


def _kind(structure: Any) -> str:
    return "OBJECT" if isinstance(structure, dict) else "ARRAY" if isinstance(structure, list) else str(structure)


def _scan(texts: _Texts, keys: list[str], header: tuple[str, ...]) -> str:
    if not keys:
        return "(select 1 as nothing where false)"
    paths = ", ".join(literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys)
    columns = [f"{_text(f'v[{place}]')} as {quoted(column)}" for place, column in enumerate(header, start=1)]
    return f"(select {', '.join(columns)} from (select json_extract(line, [{paths}]) as v from {texts.scan()} where {OBJECT}))"


def _text(value: str) -> str:
    """Return the text of a JSON value: as it is written, without quotes, and shortest if it is a number."""
    written = f"cast({value} as varchar)"
    return (
        f"case when {written} is null or {written} in ('null', 'NaN') then null"
        f" when {written}[1] = '\"' then nullif({value} ->> '$', '') else regexp_replace({written}, '\\.0$', '') end"
    )


def _begins(path: Path) -> str:
    """Return the first character of a document, blanks aside; nothing if it is empty."""
    with path.open(encoding="utf-8-sig", errors="replace") as text:
        while piece := text.read(1 << 16):
            if piece.strip():
                return piece.lstrip()[0]
    return ""


def _no_object(staged: Staged, name: str) -> SourceError:
    fix = "send the file again"
    if staged.path.stat().st_size < SMALL:
        try:
            inside = arrays(json.loads(staged.path.read_text(encoding="utf-8-sig")))
            fix = f"say where its records are: Files(..., format=Json(records={inside[0]!r}))" if inside else fix
        except ValueError:
            pass
    return SourceError(f"{name} holds neither JSON objects, one a line, nor an array of them", where=name, fix=fix)
