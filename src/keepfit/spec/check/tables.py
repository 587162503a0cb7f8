"""The rules of one table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from zoneinfo import available_timezones

from keepfit.errors import did_you_mean
from keepfit.spec.check.columns import COLUMN_RULES, malformed_columns
from keepfit.spec.check.loading import LOADING_RULES, malformed_loading
from keepfit.spec.check.problem import AS_A_NAME, NAME, Problem, not_a_duration, place
from keepfit.spec.check.rows import misfits, unknown_columns
from keepfit.spec.check.sources import SOURCE_RULES, malformed_source
from keepfit.spec.columns import Column, Time
from keepfit.spec.rows import Python, RowExpression
from keepfit.spec.tables import Events, Table


def malformed(table: Table) -> Iterator[Problem]:
    """What the other rules read must be there: names, a source, column types, derivations."""
    for what in ("name", "entity", "time", "zone", "known"):
        text = vars(table).get(what)
        if not isinstance(text, str) and (text is not None or what in ("name", "entity")):
            fix = "write zone='Europe/London'" if what == "zone" else f"write it as a text: {what}='...'"
            yield Problem(f"{what}={text!r} is no text", place(table), fix)
    for what in ("columns", "derive"):
        if not isinstance(vars(table)[what], Mapping):
            fix = f"write {what}={{'<column>': ...}}"
            yield Problem(f"{what}={vars(table)[what]!r} names no columns", place(table), fix)
            return
    yield from malformed_source(table)
    yield from malformed_columns(table)
    yield from malformed_loading(table)
    for name, expression in table.derive.items():
        if not isinstance(expression, RowExpression | Python):
            fix = "build it from columns: col('a') * 2, Sentiment('text'), Python(function, reads=['a'])"
            yield Problem(f"derived column {name!r} is no expression: {expression!r}", place(table), fix)
        elif isinstance(expression, Python) and (
            not isinstance(expression.returns, Column) or isinstance(expression.returns, Time)
        ):
            what = f"derived column {name!r} has no type: returns={expression.returns!r}"
            yield Problem(what, place(table), "call a type: Float(), Integer(), Boolean(), Category()")


def names_are_words(table: Table) -> Iterator[Problem]:
    """A table's and its columns' names become parts of feature names."""
    for name in (table.name, *table.derive):
        if not re.fullmatch(NAME, name):
            yield Problem(f"{name!r} cannot be a name", place(table), AS_A_NAME)
    for name in (*table.columns, *table.derive):
        if name.startswith("_"):
            yield Problem(
                f"column {name!r} begins with an underscore", place(table), "underscored names are keepfit's own"
            )


def names_are_not_taken(table: Table) -> Iterator[Problem]:
    """An online store calls every table's key `entity`, and the times of events `time` and `known`."""
    taken = {"entity", "time", "known"} if isinstance(table, Events) else {"entity"}
    own = {table.entity, table.time, table.known if isinstance(table, Events) else None}
    for name in (name for name in table.column_names() if name in taken - own):
        fix = f"rename it: derive={{'measured_{name}': ...}}" if name in table.derive else "leave it out of take"
        if name in table.columns:
            kind = type(table.columns[name]).__name__
            fix = f"rename it: columns={{'measured_{name}': {kind}(source={table.header(name)!r})}}"
        yield Problem(f"column {name!r} has a name of keepfit's own", place(table), fix)


def names_differ_in_letters(table: Table) -> Iterator[Problem]:
    """An engine takes upper and lower case for the same name."""
    names = dict.fromkeys([*table.contract(), *table.derive])
    folded = Counter(name.lower() for name in names)
    for name in (name for name in names if folded[name.lower()] > 1 and name != name.lower()):
        what = f"two columns are called {name!r}, upper and lower case alike"
        yield Problem(what, place(table), "rename one of them: its header stands in source=")


def derived_columns_exist(table: Table) -> Iterator[Problem]:
    """What `derive` reads must be a declared column, and a derived name must be new."""
    for derived, expression in table.derive.items():
        if derived in table.columns:
            yield Problem(f"column {derived!r} is declared and derived", place(table), "give one of them another name")
        what = f"derived column {derived!r}"
        yield from unknown_columns(expression.columns(), table, what, place(table), table.raw_types())


def derived_types_fit(table: Table) -> Iterator[Problem]:
    """Arithmetic takes numbers, a prefix takes a text, and a comparison takes two of one kind."""
    for derived, expression in table.derive.items():
        if not isinstance(expression, Python):
            yield from misfits(expression, table, repr(derived), place(table), table.raw_types())
            continue
        for name in (name for name in expression.reads if isinstance(table.raw_types().get(name), Time)):
            fix = "declare it as Text() too, under another name, or ask whether it is there: col(...).not_null()"
            yield Problem(f"derived column {derived!r} reads {name!r}, which is a time", place(table), fix)


def functions_can_be_found_again(table: Table) -> Iterator[Problem]:
    """A Python function is found by its name in its module, also by a server; and it computes from columns."""
    for derived, expression in table.derive.items():
        if not isinstance(expression, Python):
            continue
        for found, fix in _lost(expression):
            yield Problem(f"derived column {derived!r}: {found}", place(table), fix)


def _lost(derivation: Python) -> Iterator[tuple[str, str]]:
    top = "write a def at the top level of definitions.py, or of a module beside it"
    function = str(derivation.function)
    module, _, name = function.partition(":")
    if not derivation.reads:
        yield f"{name} reads no column", "name what it computes from: reads=['amount']"
    if "<lambda>" in name:
        yield "a lambda cannot be found again", top
    elif "<locals>" in name:
        yield f"{name.replace('.<locals>', '')} is defined inside a function", top
    elif "." in name:
        yield f"{name} is a method", top
    elif not derivation.source or not name.isidentifier() or module == "?":
        yield f"{function!r} is no function with a source", top


def events_have_times(table: Table) -> Iterator[Problem]:
    """Events need a time; their delays must be durations; they are known in one way."""
    if not isinstance(table, Events):
        return
    if not table.time:
        yield Problem(
            f"events {table.name!r} have no time", place(table), "add time='<column that says when it happened>'"
        )
    if table.known and table.known_after:
        yield Problem(f"{table.name!r} declares known and known_after", place(table), "keep one of them")
    for what, text in (("known_after", table.known_after), ("quiet", table.quiet)):
        if text is not None:
            yield from not_a_duration(text, what, place(table))


def zone_exists(table: Table) -> Iterator[Problem]:
    """A declared zone must be an IANA zone."""
    if table.zone is not None and table.zone not in available_timezones():
        yield Problem(f"unknown zone {table.zone!r}", place(table), did_you_mean(table.zone, available_timezones()))


TABLE_RULES: tuple[Callable[[Table], Iterator[Problem]], ...] = (
    names_are_words,
    names_are_not_taken,
    names_differ_in_letters,
    derived_columns_exist,
    derived_types_fit,
    functions_can_be_found_again,
    events_have_times,
    zone_exists,
    *COLUMN_RULES,
    *SOURCE_RULES,
    *LOADING_RULES,
)
