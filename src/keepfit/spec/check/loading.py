"""The rules of what a load must meet: keys, lookups, columns that change, expectations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from keepfit.errors import did_you_mean
from keepfit.spec.check.problem import Problem, not_a_duration, place
from keepfit.spec.loading import Evolution, Expect, Key, Lookup
from keepfit.spec.tables import Table

KEYS = {
    "category": "text",
    "text": "text",
    "integer": "integer",
}  # columns that can be one, and as what they are compared


def malformed_loading(table: Table) -> Iterator[Problem]:
    """A key, a lookup, an evolution and expectations are what they are called, of names that are texts."""
    key, lookup, evolution = table.key, table.lookup, table.evolution
    if key is not None and not (isinstance(key, Key) and _texts(key.columns)):
        yield Problem(f"key={key!r} is no key", place(table), "write Key('order_id'), or Key('store', 'order_id')")
    if lookup is not None and not (isinstance(lookup, Lookup) and isinstance(lookup.of, Table)):
        yield Problem(
            f"lookup={lookup!r} looks in no table", place(table), "write Lookup(orders, on='order_id', take=['amount'])"
        )
    elif lookup is not None and not (isinstance(lookup.on, str) and _texts(lookup.take)):
        what = f"Lookup(on={lookup.on!r}, take={lookup.take!r}) names no columns"
        yield Problem(what, place(table), "write on='order_id', take=['customer_id']")
    if not isinstance(evolution, Evolution):
        yield Problem(f"evolution={evolution!r} is no Evolution", place(table), "write Evolution(appear='add')")
    if not isinstance(table.expect, tuple) or not all(isinstance(one, Expect) for one in table.expect):
        fix = "write expect=[Expect.valid(0.99), Expect.fresh('2d')]"
        yield Problem(f"expect={table.expect!r} is no list of expectations", place(table), fix)


def _texts(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str) and all(isinstance(one, str) for one in given)


def keys_tell_rows_apart(table: Table) -> Iterator[Problem]:
    """A key is made of columns, each once, and says what becomes of a row that repeats it."""
    key = table.key
    if key is None:
        return
    if key.duplicates not in Key.RULES:
        fix = did_you_mean(str(key.duplicates), Key.RULES)
        yield Problem(f"Key: unknown duplicates={key.duplicates!r}", place(table), fix)
    for name, times in Counter(key.columns).items():
        if name not in table.contract():
            fix = did_you_mean(name, table.contract(), of=table.name)
            yield Problem(f"Key: unknown column {name!r} of {table.name}", place(table), fix)
        if times > 1:
            yield Problem(f"Key names {name!r} {times} times", place(table), "name it once")
    if len(key.columns) == 1 and (only := table.columns.get(key.columns[0])) is not None and only.unique:
        fix = "leave unique=True out; the key says what becomes of a row that repeats it"
        yield Problem(f"column {key.columns[0]!r} is the key, and unique", place(table), fix)


def lookups_find_columns(table: Table) -> Iterator[Problem]:
    """A lookup goes by a key that both tables have, and takes columns that the other one has and this one has not."""
    if (lookup := table.lookup) is None:
        return
    there, other = lookup.of.contract(), lookup.of.name
    # of what says when a row became known, only the later of it and the time is kept, unless it is declared
    not_kept = set(lookup.of.time_columns()) - {lookup.of.time, *lookup.of.columns}
    yield from _goes_by_a_key(table, lookup)
    if not lookup.take:
        yield Problem(f"Lookup takes nothing from {other}", place(table), "write take=['<column>']")
    for name, times in Counter(lookup.take).items():
        fix = did_you_mean(name, there, of=other)
        if name in lookup.of.derive and name not in there:
            yield Problem(
                f"Lookup takes {name!r}, a derived column of {other}", place(table), f"take what it reads; {fix}"
            )
        elif name not in there or name in not_kept:
            yield Problem(f"Lookup takes unknown column {name!r} of {other}", place(table), fix)
        if times > 1:
            yield Problem(f"Lookup takes {name!r} {times} times", place(table), "take it once")
        if name in table.columns:
            fix = "leave it out of columns, or out of take"
            yield Problem(f"column {name!r} is declared and looked up", place(table), fix)
        if name in table.derive:
            fix = "give the derived one another name"
            yield Problem(f"column {name!r} is derived and looked up", place(table), fix)


def _goes_by_a_key(table: Table, lookup: Lookup) -> Iterator[Problem]:
    other = lookup.of
    own = {name: column for name, column in table.contract().items() if name not in table.looked_up()}
    kinds = []
    for side, columns in ((table, own), (other, other.contract())):
        if lookup.on not in columns:
            fix = did_you_mean(lookup.on, columns, of=side.name)
            yield Problem(f"Lookup goes by {lookup.on!r}, which {side.name} does not declare", place(table), fix)
        elif (kind := columns[lookup.on].kind) not in KEYS:
            fix = "declare it as Category(), Text() or Integer() in both tables"
            yield Problem(f"Lookup goes by {lookup.on!r}, which is {kind} in {side.name}", place(table), fix)
        else:
            kinds.append(KEYS[kind])
    if len(set(kinds)) > 1:
        what = f"Lookup goes by {lookup.on!r}, which is {kinds[0]} in {table.name} and {kinds[1]} in {other.name}"
        yield Problem(what, place(table), "declare it alike in both tables")


def evolution_is_known(table: Table) -> Iterator[Problem]:
    """What becomes of columns that change is one of the words for it."""
    for what, words in Evolution.RULES.items():
        if (given := getattr(table.evolution, what)) not in words:
            yield Problem(f"Evolution: unknown {what}={given!r}", place(table), did_you_mean(str(given), words))


def expectations_can_be_measured(table: Table) -> Iterator[Problem]:
    """An expectation is about something that the table has, within bounds that a load can meet."""
    for one in table.expect:
        if one.dimension not in Expect.DIMENSIONS:
            fix = did_you_mean(str(one.dimension), Expect.DIMENSIONS)
            yield Problem(f"Expect: unknown dimension {one.dimension!r}", place(table), fix)
            continue
        what = f"Expect {one.dimension}"
        if one.otherwise not in Expect.OTHERWISE:
            fix = did_you_mean(str(one.otherwise), Expect.OTHERWISE)
            yield Problem(f"{what}: unknown otherwise={one.otherwise!r}", place(table), fix)
        if one.dimension == "completeness" and one.column not in (known := {**table.contract(), **table.derive}):
            fix = did_you_mean(str(one.column), known, of=table.name)
            yield Problem(f"{what}: unknown column {one.column!r} of {table.name}", place(table), fix)
        if one.dimension == "timeliness":
            yield from _of_time(one, table)
        else:
            yield from _bounded(one, table, what)


def _of_time(one: Expect, table: Table) -> Iterator[Problem]:
    if table.time is None:
        what = f"Expect timeliness: {table.name} has no time"
        yield Problem(what, place(table), "add time='<column>', or leave it out")
    yield from not_a_duration(one.within, "Expect timeliness", place(table))


def _bounded(one: Expect, table: Table, what: str) -> Iterator[Problem]:
    given = [bound for bound in (one.min, one.max) if bound is not None]
    share = one.dimension != "volume"
    largest, of = (1, "a share from 0 to 1") if share else (float("inf"), "a number from 0")
    for bound in given:
        if not isinstance(bound, int | float) or isinstance(bound, bool) or not 0 <= bound <= largest:
            yield Problem(f"{what}: {bound!r} is not {of}", place(table), f"give {of}")
            return
    if not given:
        yield Problem(f"{what} has no bound", place(table), "give min= or max=")
    if len(given) == 2 and given[0] > given[1]:
        yield Problem(f"{what}: at least {given[0]:g} and at most {given[1]:g}", place(table), "give min <= max")


LOADING_RULES: tuple[Callable[[Table], Iterator[Problem]], ...] = (
    keys_tell_rows_apart,
    lookups_find_columns,
    evolution_is_known,
    expectations_can_be_measured,
)
