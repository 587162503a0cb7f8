"""What a group of files is: events or records, about whom, and when; guesses that the user reads and mends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from keepfit.connect import names as file_names
from keepfit.inferring.entities import Entity, entity_of, is_unique
from keepfit.inferring.grouping import Column, Group
from keepfit.inferring.patterns import Names
from keepfit.inferring.whens import When, stands_still, timely, when_of

FILE_ENTITY = "station"  # what differs in the names of files that measure
NOBODY = "CHECK: nothing looks like the name of somebody or something"
SURE = 3.0  # from this score on a column is believed more than the names of files


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
    when = when_of(group, notes)
    # a day on which a row was changed is the time of nothing
    told = when is not None and not set(when.source) <= {one.name for one in group.columns if timely(one, 0) < 0}
    form = None if told else files.time()
    if form is not None and (taken := _taking(files, beside, "reported", form)):
        when, pattern = When("reported", (), form), taken
        notes.append(f"the time is the one in the names of the files: {form}")
    found = entity_of(group, when.source if when else (), timed=when is not None)
    named = _of_names(files, beside, found) if files.time() is None else None
    if named is not None:
        found, pattern = Entity(named[0], "what differs in the names of the files", 0.0, unique=False), named[1]
    if found is None:
        found = Entity(_any_column(group), NOBODY, 0.0, unique=False)
    stands = when is None or (found.unique and (stands_still(group) or not when.source))
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
        if one.when is not None and keys and is_unique(keys[0]):
            time = one.when.name
            return (
                f'{note}; {one.name} knows when: Events(..., time="{time}",'
                f' lookup=Lookup({one.name}, on="{table.entity}", take=["{time}"]))'
            )
    return note


def _covers(column: Column, known: frozenset[str]) -> bool:
    if not is_unique(column) or column.values.kind not in ("category", "text", "integer"):
        return False
    return len(column.values.seen & known) > 0.5 * min(len(known), column.values.distinct)


def _of_names(files: Names, beside: Sequence[str], found: Entity | None) -> tuple[str, str] | None:
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
