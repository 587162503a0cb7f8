"""What a group of files is: events or records, about whom, and when; guesses that the user reads and mends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from keepfit.connect import names as file_names
from keepfit.inferring import naming, times
from keepfit.inferring.grouping import Column, Group
from keepfit.inferring.patterns import Names

WHO = {
    "customer", "client", "user", "patient", "member", "account", "household", "station", "site", "sensor", "device",
    "machine", "bridge", "structure", "vehicle", "store", "shop", "person", "employee", "student", "subscriber",
    "asset", "meter", "well", "pump", "plant", "facility", "building",
    "entity", "host", "driver", "seller", "vendor",
}  # fmt: skip
PLACES = {"city", "county", "country", "region", "location", "line", "unit", "town"}
WHAT = {
    "order", "invoice", "transaction", "review", "event", "row", "record", "item", "basket", "ticket", "message",
    "payment", "session", "product", "stock", "sku", "article", "description", "comment", "coupon", "campaign",
    "zip", "state", "type", "status",
}  # fmt: skip
KEYS = {
    "id", "key", "code", "uuid", "guid", "ident", "identifier",
}  # fmt: skip
NUMBERS = {
    "no", "nr", "num", "number", "name",
}  # fmt: skip
WHEN = {
    "time", "date", "datetime", "timestamp", "at", "when", "ts", "from", "begin", "start", "day", "purchase",
}  # fmt: skip
OTHERWISE = {
    "birth", "birthday", "born", "estimated", "expected", "limit", "due", "expire", "expiry", "end", "to", "until",
    "updated", "update", "modified", "delivered", "approved", "answer", "last", "next", "planned",
}  # fmt: skip
LATER = {
    "to", "end", "until",
}  # fmt: skip
STANDING = {
    "birth", "birthday", "born", "signup", "registered", "registration", "joined", "opened", "installed", "built",
    "since", "created",
}  # fmt: skip
YEARS = range(1900, 2101)
FILE_ENTITY = "station"  # what differs in the names of files that measure
SURE = 3.0  # from this score on a column is believed more than the names of files


@dataclass(frozen=True)
class When:
    """The time of a table's rows.

    Attributes
    ----------
    name : str
        The column.
    source : tuple of str
        Names of the columns that it is read from; empty if it stands in the files' names.
    format : str or None
        As strptime reads it.
    zoned : bool
        Whether its values say their offset.
    """

    name: str
    source: tuple[str, ...]
    format: str | None = None
    zoned: bool = False
    doubt: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it is guessed.

    Attributes
    ----------
    entity : str
        A column, or what the pattern takes from names.
    why : str
        Why the entity was chosen.
    of_names : frozenset of str
        The entities, if they stand in the names of files.
    notes : list of str
        What the user should look at.
    """

    name: str
    group: Group
    pattern: str
    entity: str
    why: str
    when: When | None
    events: bool
    of_names: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    @property
    def naive(self) -> bool:
        """Return whether any of its times is written without an offset."""
        kept = [column.values.time for column in self.group.columns if column.values.time is not None]
        return any(not one.zoned for one in kept) or (self.when is not None and not self.when.zoned)


def decide(name: str, group: Group, folder: Path, beside: Sequence[str]) -> Table:
    """Return what a group of files is.

    Parameters
    ----------
    folder : Path
        What patterns are relative to.
    beside : sequence of str
        Names of all files below it.
    """
    files = Names(tuple(sorted(sample.path.relative_to(folder).as_posix() for sample in group.samples)))
    pattern, notes = files.pattern(beside), list[str]()
    when = _when(group, notes)
    # a day on which a row was changed is the time of nothing
    told = when is not None and not set(when.source) <= {one.name for one in group.columns if _timely(one, 0) < 0}
    form = None if told else files.time()
    if form is not None and (taken := _taking(files, beside, "reported", form)):
        when, pattern = When("reported", (), form), taken
        notes.append(f"the time is the one in the names of the files: {form}")
    found = _entity(group, when)
    named = _of_names(files, beside, found) if files.time() is None else None
    if named is not None:
        found, pattern = _Entity(named[0], "what differs in the names of the files", 0.0, unique=False), named[1]
    if found is None:
        found = _Entity(
            _any_column(group), "CHECK: nothing looks like the name of somebody or something", 0.0, unique=False
        )
    stands = when is None or (found.unique and (_stands(group) or not when.source))
    table = Table(
        name,
        group,
        pattern,
        found.name,
        found.why,
        when,
        not stands,
        frozenset(files.differing if named is not None else ()),
        notes,
    )
    _note(table, files, beside)
    return table


def linked(tables: Sequence[Table]) -> list[Table]:
    """Return tables with what the others tell of them: whom their records are about, and where their time may be looked up."""
    told = []
    for table in tables:
        events = [one for one in tables if one.events and not table.events]
        for one in events:
            keys = [column for column in table.group.columns if _covers(column, _entities(one))]
            if keys and table.entity not in [column.name for column in keys]:
                table = replace(table, entity=keys[0].name, why=f"its values are what {one.name} is about")
        if _repeats(table):
            table.notes.append(_where_time_is(table, events))
        told.append(table)
    return told


def _entities(table: Table) -> frozenset[str]:
    return table.of_names or table.group.named(table.entity).values.seen


def _repeats(table: Table) -> bool:
    """Return whether records without a time come several times for one entity."""
    column = next((column.values for column in table.group.columns if column.name == table.entity), None)
    return table.when is None and column is not None and column.distinct < column.rows - column.empty


def _where_time_is(table: Table, events: Sequence[Table]) -> str:
    note = f"CHECK: {table.entity} comes several times, and records are one row each"
    for one in events:
        keys = [column for column in one.group.columns if column.name == table.entity]
        if one.when is not None and keys and _is_unique(keys[0]):
            time = one.when.name
            return (
                f'{note}; {one.name} knows when: Events(..., time="{time}",'
                f' lookup=Lookup({one.name}, on="{table.entity}", take=["{time}"]))'
            )
    return note


def _is_unique(column: Column) -> bool:
    return column.values.distinct == column.values.rows - column.values.empty


def _covers(column: Column, known: frozenset[str]) -> bool:
    if not _is_unique(column) or column.values.kind not in ("category", "text", "integer"):
        return False
    return len(column.values.seen & known) > 0.5 * min(len(known), column.values.distinct)


def _of_names(files: Names, beside: Sequence[str], found: _Entity | None) -> tuple[str, str] | None:
    """Return the column that names of files hold, and the pattern that takes it, if rows do not tell better whom they are of."""
    if found is not None and (found.unique or found.score >= SURE):
        return None
    several = len(files.all) > 1 and files.time() is None
    if not several and found is not None:
        return None
    column = FILE_ENTITY if several else "source"
    pattern = _taking(files, beside, column)
    return (column, pattern) if pattern is not None else None


def _any_column(group: Group) -> str:
    return next((column.name for column in group.columns if column.values.kind != "time"), group.columns[0].name)


def _taking(files: Names, beside: Sequence[str], column: str, form: str | None = None) -> str | None:
    """Return the pattern that takes a column from names, if it matches these files and no others."""
    for pattern in files.with_column(column, form):
        known = file_names.read(pattern)
        if {name for name in beside if known.whole.fullmatch(name)} == set(files.all):
            return pattern
    return None


def _when(group: Group, notes: list[str]) -> When | None:
    named = {column.name: column for column in group.columns}
    dated = [column for column in group.columns if column.values.kind == "time" and column.values.share_empty < 0.5]
    if dated:
        best = max(dated, key=lambda column: _timely(column, group.columns.index(column)))
        return _with_clock(best, group) or _single(best)
    whole = [name for name, column in named.items() if column.values.kind == "integer"]
    split = times.parts(whole)
    if split is not None:
        return When(_free("happened", named), split[0], split[1])
    years = [column for column in group.columns if _is_year(column)]
    if len(years) == 1 and (months := [name for name in whole if name in times.PARTS["%m"]]):
        return When(_free("happened", named), (years[0].name, months[0]), "%Y %m")
    telling = [column for column in years if not (STANDING | {"start", "end"}) & set(column.name.split("_"))]
    if (
        len(telling) == 1
        and telling[0].values.distinct > 1
        and telling[0].values.share_empty < 0.02
        and not _has_key(group)
    ):
        notes.append(f"the time is the beginning of {telling[0].name}")
        return When(_free("happened", named), (telling[0].name,), "%Y")
    return None


def _has_key(group: Group) -> bool:
    """Return whether a column that says whom rows are about has each value once."""
    found = _entity(group, None)
    return found is not None and found.unique


def _timely(column: Column, place: int) -> float:
    words = set(column.name.split("_"))
    return 2 * bool(words & WHEN) - 3 * bool(words & OTHERWISE) - 3 * column.values.share_empty - 0.05 * place


def _single(column: Column) -> When:
    found = column.values.time
    assert found is not None
    return When(column.name, (column.name,), found.format, found.zoned, found.doubt)


def _with_clock(date: Column, group: Group) -> When | None:
    """Return the time of a day and, in another column, the time of that day."""
    found = date.values.time
    assert found is not None
    clocks = [column for column in group.columns if column.values.clock]
    form = found.format or ("%Y-%m-%d" if all(len(text) == 10 for text in date.values.seen) else "%H")
    if len(clocks) != 1 or re.search(r"%[HI]", form):
        return None
    named = {column.name: column for column in group.columns}
    clock = clocks[0]
    return When(_free("happened", named), (date.name, clock.name), f"{form} {clock.values.clock}", doubt=found.doubt)


def _free(name: str, taken: dict[str, Column]) -> str:
    return naming.distinct([*taken, name])[-1]


def _is_year(column: Column) -> bool:
    values = column.values
    inside = (
        values.least is not None and values.most is not None and values.least >= YEARS[0] and values.most <= YEARS[-1]
    )
    return values.kind == "integer" and inside and bool({"year", "yr"} & set(re.split(r"_|(?=\d)", column.name)))


@dataclass(frozen=True)
class _Entity:
    """A column that says whom rows are about, why, how sure that is, and whether each value comes once."""

    name: str
    why: str
    score: float
    unique: bool


def _entity(group: Group, when: When | None) -> _Entity | None:
    parts = set(when.source) if when is not None else set[str]()
    kinds = ("category", "text", "integer")
    able = [column for column in group.columns if column.values.kind in kinds and column.name not in parts]
    scored = [(_whose(column, place, when is not None), column) for place, column in enumerate(able)]
    score, best = max(scored, key=lambda one: one[0], default=(0.0, None))
    if best is None or (score <= 0 and not _is_key(best)):
        return None
    values = best.values
    filled = values.rows - values.empty
    why = "one value in each file" if best.constant else f"{values.distinct:,} different in {filled:,} rows seen"
    return _Entity(best.name, why, score, unique=_is_unique(best))


def _whose(column: Column, place: int, timed: bool) -> float:
    values, words = column.values, set(column.name.split("_"))
    filled = max(1, values.rows - values.empty)
    keyed = _is_key(column)
    score = (
        3.0 * bool(words & WHO)
        + 1.5 * bool(words & PLACES)
        + (1.0 if "code" in words else 2.0) * keyed
        + 1.0 * bool(words & NUMBERS)
        - 2.0 * bool(words & WHAT)
    )
    score += 4.0 * column.constant
    if values.distinct == filled and filled > 5:
        score += -1.5 if timed else 3.0
    elif values.distinct < 0.6 * filled:
        score += 1.5 if timed else -1.0
    score -= 3.0 * values.share_empty + 0.05 * place
    score -= 2.0 * (values.distinct < 3 and not column.constant)
    score -= 3.0 * (values.kind == "integer" and not (keyed or words & (WHO | NUMBERS)))
    return score - 2.0 * (values.kind == "text") - 2.0 * bool(values.clock)


def _is_key(column: Column) -> bool:
    """Return whether a column is called a key."""
    words = set(column.name.split("_"))
    return bool(words & KEYS) or (len(words) == 1 and bool(re.search(r"(id|key|code)$", column.name)))


def _stands(group: Group) -> bool:
    """Return whether all times of a table are those of something that stands: a birthday, a day of registration."""
    dated = [column for column in group.columns if column.values.kind == "time"]
    return bool(dated) and all(set(column.name.split("_")) & STANDING for column in dated)


def _note(table: Table, files: Names, beside: Sequence[str]) -> None:
    known = file_names.read(table.pattern)
    also = [name for name in beside if name not in files.all and known.whole.fullmatch(name)]
    if also:
        table.notes.append(f"CHECK: the pattern matches other files too, such as {also[0]}")
    column = next((column for column in table.group.columns if column.name == table.entity), None)
    if column is not None and column.values.empty:
        share = f"{max(1, round(100 * column.values.share_empty))}%"
        table.notes.append(f"CHECK: {share} of the rows have no {table.entity}, and go to quarantine")
    if table.when is not None and table.when.doubt:
        table.notes.append(f"CHECK: {table.when.name}: {table.when.doubt}")
