"""A guess as a definitions file that a person reads and edits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields

from keepfit.inferring.deciding import LATER, Table, When
from keepfit.inferring.grouping import Column
from keepfit.inferring.values import outward
from keepfit.spec.sources import Format
from keepfit.spec.tables import Events

KINDS = {
    "integer": "Integer",
    "float": "Float",
    "boolean": "Boolean",
    "category": "Category",
    "text": "Text",
    "time": "Time",
    "": "Text",
}
COLD = re.compile(r"temp|dew|°|degree c|degc|celsius|fahrenheit|latitude|longitude|\blat\b|\blon", re.I)
CODES = {"id", "key", "code", "no", "number", "zip", "lat", "long", "latitude", "longitude", "lon"}
YEAR = 1000  # what is called a year and is less, counts something
SHOWN_LABELS = 6
WIDTH = 120


def definitions(tables: Sequence[Table], zone: str | None) -> str:
    """Return the text of a definitions file.

    Parameters
    ----------
    zone : str or None
        Of times without an offset; None writes UTC for the user to look at.
    """
    body = [_table(table, zone) for table in tables]
    model = _model(tables)
    used = {word for text in body for word in WORDS if f"{word}(" in text}
    head = (
        '"""Guessed from samples of the files: read it, mend it, then `keepfit check` and `keepfit ingest`.\n\n'
        "Lines marked CHECK could not be told from the data. Bounds are guesses, twice as far out as what was seen, or\n"
        'ten times where a few values lie far beyond the others; a row beyond them goes to quarantine.\n"""\n'
    )
    return "\n".join([head, f"from keepfit import {', '.join(sorted(used))}\n", *body, model])


WORDS = (
    "Boolean", "Category", "Csv", "Events", "Evolution", "Excel", "Files", "FixedWidth", "Float", "Integer", "Json", "Parquet",
    "Records", "Text", "Time",
)  # fmt: skip


def _table(table: Table, zone: str | None) -> str:
    files, rows = len(table.group.samples), sum(len(sample.rows) for sample in table.group.samples)
    lines = [f"# {files:,} file{'s' * (files > 1)}, of which {rows:,} rows were looked at"]
    lines += [f"# {note}" for note in table.notes]
    lines.append(f"{table.name} = {'Events' if table.events else 'Records'}(")
    sentinels = _shared_sentinels(table)
    body = [*_head(table, zone, sentinels), "columns={", *_columns(table, sentinels), "},"]
    lacking = [column for column in table.group.columns if column.files < files]
    if lacking:
        body.append('evolution=Evolution(vanish="ignore"),  # some files lack some columns')
    return "\n".join([*lines, *(f"    {line}" for line in body), ")\n"])


def _head(table: Table, zone: str | None, sentinels: Sequence[str | float]) -> Iterator[str]:
    yield f"{_quoted(table.name)},"
    format = _format(table.group.format)
    if len(line := f"Files({', '.join([_quoted(table.pattern), *format])}),") <= WIDTH - 4:
        yield line
    else:
        yield from ("Files(", f"    {_quoted(table.pattern)},", *(f"    {one}," for one in format), "),")
    yield f"entity={_quoted(table.entity)},  # {table.why}"
    if table.when is not None and (table.events or not table.when.source):
        yield f"time={_quoted(table.when.name)},"
        later = next(
            (one.name for one in table.group.columns if one.values.time and set(one.name.split("_")) & LATER), None
        )
        if later is not None and later != table.when.name:
            yield f"# known={_quoted(later)},  # if a row is known only then"
    if table.naive and zone is not None:
        yield f"zone={_quoted(zone)},"
    elif table.naive:
        yield 'zone="UTC",  # CHECK: where the clock hangs, such as "Asia/Kolkata"'
    if sentinels:
        yield f"sentinels=[{', '.join(map(_value, sentinels))}],"


def _format(format: Format | None) -> list[str]:
    if format is None:
        return []
    plain = type(format)()
    told = [
        f"{one.name}={_value(getattr(format, one.name))}"
        for one in fields(format)
        if getattr(format, one.name) != getattr(plain, one.name)
    ]
    return [f"format={type(format).__name__}({', '.join(told)})"]


def _columns(table: Table, shared: Sequence[str | float]) -> Iterator[str]:
    when, files = table.when, len(table.group.samples)
    taken = set(when.source) - {when.name} if when is not None else set()
    if when is not None and taken:
        yield f"    {_quoted(when.name)}: {_split_time(when, table)},"
    for column in table.group.columns:
        if column.name in taken and table.entity != column.name:
            continue
        yield from _line(
            f"{_quoted(column.name)}: {KINDS[column.values.kind]}", _words(column, shared), _seen(column, files)
        )


def _line(begin: str, words: Sequence[str], seen: str) -> Iterator[str]:
    """Yield a column in a line, or where it is too long, in several, with what was seen above it."""
    code = f"    {begin}({', '.join(words)}),"
    if len(code) + len(seen) + 4 <= WIDTH - 4:
        yield f"{code}  # {seen}"
        return
    yield f"    # {seen}"
    if len(code) <= WIDTH - 4:
        yield code
        return
    yield f"    {begin}("
    yield from (f"        {word}," for word in words)
    yield "    ),"


def _split_time(when: When, table: Table) -> str:
    sources = [table.group.named(name).headers[0] for name in when.source]
    source = _value(sources[0]) if len(sources) == 1 else _value(tuple(sources))
    return f"Time(source={source}, format={_quoted(when.format or '')})"


def _words(column: Column, shared: Sequence[str | float]) -> list[str]:
    """Return the parameters of a column."""
    values, told = column.values, []
    if column.headers[0] != column.name:
        told.append(f"source={_quoted(column.headers[0])}")
    if len(column.headers) > 1:
        told.append(f"aliases=[{', '.join(map(_quoted, column.headers[1:]))}]")
    if column.unit is not None and values.numeric:
        told.append(f"unit={_quoted(column.unit)}")
    if values.numeric and not _is_key(column):
        told += _bounds(column)
    if values.decimal != ".":
        told.append(f"decimal={_quoted(values.decimal)}")
    if values.thousands is not None:
        told.append(f"thousands={_quoted(values.thousands)}")
    own = [one for one in values.sentinels if one not in shared]
    if own and values.kind:
        told.append(f"sentinels=[{', '.join(map(_value, own))}]")
    if values.time is not None and values.time.format is not None:
        told.append(f"format={_quoted(values.time.format)}")
    return told


def _is_key(column: Column) -> bool:
    values = column.values
    words = set(column.name.split("_"))
    years = "year" in words and values.most is not None and values.most > YEAR
    unique = values.kind == "integer" and values.distinct == values.rows - values.empty > 100
    return years or unique or bool(words & CODES) or column.name.endswith("id")


def _bounds(column: Column) -> list[str]:
    values = column.values
    if values.least is None or values.most is None or values.least == values.most:
        return []
    low, high = outward(values.least, values.most, whole=values.kind == "integer", heavy=values.heavy)
    # what happens to have been above zero may be below it in winter
    unknown = low == 0 and COLD.search(f"{column.headers[0]} {column.unit or ''}")
    return [f"max={_value(high)}"] if unknown else [f"min={_value(low)}", f"max={_value(high)}"]


def _seen(column: Column, files: int) -> str:
    """Return what was seen of a column, in a few words."""
    values, told = column.values, []
    if not values.kind:
        told.append("CHECK: always empty")
    elif values.empty:
        told.append(f"{_percent(values.share_empty)} empty")
    if values.least is not None and values.most is not None:
        same = values.least == values.most
        told.append(f"always {values.least:g}" if same else f"{values.least:g} to {values.most:g}")
    elif values.kind in ("category", "boolean") and values.labels and len(values.labels) <= SHOWN_LABELS:
        told.append(", ".join(label if len(label) < 24 else label[:20] + "..." for label in values.labels))
    elif values.kind in ("category", "text"):
        told.append(f"{values.distinct:,} different")
    elif values.kind == "time":
        told.append(
            f"from {min(values.seen)}" if values.time and values.time.format is None else f"such as {min(values.seen)}"
        )
        if values.time and values.time.doubt:
            told.append(f"CHECK: {values.time.doubt}")
    if values.odd:
        told.append(f"CHECK: not all are numbers: {', '.join(map(repr, values.odd[:3]))}")
    if column.files < files:
        told.append(f"in {column.files} of {files} files")
    return " ".join("; ".join(told).split()) or "one value"


def _percent(share: float) -> str:
    return "under 1%" if share < 0.01 else f"{share:.0%}" if share < 0.995 else "over 99%"


def _shared_sentinels(table: Table) -> list[str | float]:
    """Return the words that mean missing in several columns."""
    seen: dict[str | float, int] = {}
    for column in table.group.columns:
        for one in column.values.sentinels:
            seen[one] = seen.get(one, 0) + isinstance(one, str)
    return [one for one, columns in seen.items() if columns >= 3]


def _quoted(text: str) -> str:
    body = repr(text)[1:-1]
    if repr(text)[0] == '"':
        return repr(text)
    return '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'


def _value(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple):
        inner = ", ".join(map(_value, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _model(tables: Sequence[Table]) -> str:
    """Return a model to begin with, as comments."""
    table = next((table for table in tables if table.events), None)
    if table is None:
        return ""
    parts = {table.entity, *(table.when.source if table.when else ())}
    numbers = [column for column in table.group.columns if column.values.numeric and column.values.distinct > 5]
    chosen = next((column.name for column in numbers if column.name not in parts and not _is_key(column)), None)
    name = table.name
    what, target = "who will be silent for a week", f'{name}.count(next="7d") == 0'
    features = [f'{name}.count(last="7d")', f"{name}.time_since_last()"]
    if chosen is not None:
        value = f"{name}.{chosen}" if chosen.isidentifier() and not hasattr(Events, chosen) else f'{name}["{chosen}"]'
        what, target = f"the mean of {chosen} in the next day", f'{value}.mean(next="1d")'
        features.insert(0, f'{value}.mean(last=["1d", "7d"])')
    lines = [
        f"A model to begin with: {what}, at every midnight.",
        "from keepfit import Every, Model",
        "",
        f"{name}_model = Model(",
        f'    "{name}_model",',
        f'    observe=Every("1 day", of={name}),',
        "    features=[",
        *(f"        {feature}," for feature in features),
        "    ],",
        f"    target={target},",
        ")",
    ]
    return "\n".join(f"# {line}".rstrip() for line in lines) + "\n"
