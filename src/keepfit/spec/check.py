"""What definitions.py must satisfy: one small rule a function, every problem reported in one pass.

Add a rule by writing a generator of `Problem` and naming it in `TABLE_RULES` or `MODEL_RULES`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from keepfit import clock
from keepfit.errors import DefinitionError, did_you_mean
from keepfit.spec.features import (
    CALENDAR_PARTS,
    FUNCTIONS,
    Aggregate,
    Attribute,
    Calendar,
    Constant,
    Expression,
)
from keepfit.spec.metric import METRICS
from keepfit.spec.model import CLASSIFICATION, Model
from keepfit.spec.observe import Every
from keepfit.spec.policy import MetricBelow, OlderThan
from keepfit.spec.rows import TextNumber
from keepfit.spec.tables import Events, Records, Table

NAME = r"[A-Za-z][A-Za-z0-9_]*"
WHERE = "definitions.py"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in the definitions, where, and how to mend it."""

    what: str
    where: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  fix:   {self.fix}"


class InvalidDefinitions(DefinitionError):
    """One or more problems in the definitions, all of them listed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(first.what, where=first.where, fix=first.fix)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def check(tables: Sequence[Table], models: Sequence[Model]) -> list[Problem]:
    """Return every problem of the declared tables and models, in the order of their declaration."""
    problems = [problem for table in tables for rule in TABLE_RULES for problem in rule(table)]
    problems += [problem for model in models for rule in MODEL_RULES for problem in rule(model)]
    problems += _duplicates("table", [table.name for table in tables])
    problems += _duplicates("model", [model.name for model in models])
    if not models:
        problems.append(Problem("no model is declared", WHERE, "assign a Model(...) to a name at the top level"))
    return problems


def _duplicates(what: str, names: list[str]) -> list[Problem]:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    return [
        Problem(f"two {what}s are called {name!r}", WHERE, f"give each {what} a name of its own") for name in repeated
    ]


def _duration(text: str, what: str, where: str) -> Iterator[Problem]:
    try:
        clock.duration(text)
    except (ValueError, TypeError) as error:
        yield Problem(f"{what}: {error}", where, "use d, h, w, min or s; months exist only in Every('1 month', ...)")


# tables


def _place(table: Table) -> str:
    return f"{WHERE}, {type(table).__name__} {table.name!r}"


def names_are_words(table: Table) -> Iterator[Problem]:
    """A table's and its columns' names become parts of feature names."""
    for name in (table.name, *table.derive):
        if not re.fullmatch(NAME, name):
            yield Problem(f"{name!r} cannot be a name", _place(table), "use letters, digits and underscores")
    for name in (*table.columns, *table.derive):
        if name.startswith("_"):
            yield Problem(
                f"column {name!r} begins with an underscore", _place(table), "underscored names are keepfit's own"
            )


def derived_columns_exist(table: Table) -> Iterator[Problem]:
    """What `derive` reads must be a declared column, and be of the right type."""
    for derived, expression in table.derive.items():
        if derived in table.columns:
            yield Problem(f"column {derived!r} is declared and derived", _place(table), "give one of them another name")
        for name in sorted(expression.columns() - {table.entity}):
            if name not in table.columns:
                fix = did_you_mean(name, table.columns, of=table.name)
                yield Problem(f"derived column {derived!r} reads unknown column {name!r}", _place(table), fix)
        if (
            isinstance(expression, TextNumber)
            and (column := table.columns.get(expression.column))
            and column.kind != "text"
        ):
            fix = f"declare it as Text(), or read another column of {table.name}"
            yield Problem(
                f"{derived!r} reads {expression.column!r} as text, but it is {column.kind}", _place(table), fix
            )


def events_have_times(table: Table) -> Iterator[Problem]:
    """Events need a time; their delays must be durations; they are known in one way."""
    if not isinstance(table, Events):
        return
    if not table.time:
        yield Problem(
            f"events {table.name!r} have no time", _place(table), "add time='<column that says when it happened>'"
        )
    if table.known and table.known_after:
        yield Problem(f"{table.name!r} declares known and known_after", _place(table), "keep one of them")
    for what, text in (("known_after", table.known_after), ("quiet", table.quiet)):
        if text is not None:
            yield from _duration(text, what, _place(table))


def zone_exists(table: Table) -> Iterator[Problem]:
    """A declared zone must be an IANA zone."""
    if table.zone is not None and table.zone not in available_timezones():
        yield Problem(f"unknown zone {table.zone!r}", _place(table), did_you_mean(table.zone, available_timezones()))


TABLE_RULES: tuple[Callable[[Table], Iterator[Problem]], ...] = (
    names_are_words,
    derived_columns_exist,
    events_have_times,
    zone_exists,
)


# models


def _of(model: Model) -> str:
    return f"{WHERE}, Model {model.name!r}"


def parts_are_specs(model: Model) -> Iterator[Problem]:
    """Features and target must be expressions; a bare column or a text is a slip."""
    for role, value in (*(("feature", feature) for feature in model.features), ("target", model.target)):
        if not isinstance(value, Expression):
            fix = "aggregate a column over a window: sales.amount.sum(last='30d')"
            yield Problem(f"{role} {value!r} is not a value at t", _of(model), fix)
    if not model.features:
        yield Problem("there are no features", _of(model), "name at least one: sales.count(last='30d')")


def _leaves(model: Model) -> Iterator[tuple[str, Expression, Expression]]:
    roles = [("Feature", feature) for feature in model.features] + [("Target", model.target)]
    if isinstance(model.observe, Every) and model.observe.active is not None:
        roles.append(("Condition", model.observe.active))
    for role, expression in roles:
        if isinstance(expression, Expression):
            yield from ((role, expression, leaf) for leaf in expression.leaves())


def columns_exist(model: Model) -> Iterator[Problem]:
    """Each column that is read must be declared or derived, and be numeric where arithmetic needs it."""
    for role, expression, leaf in _leaves(model):
        table = leaf.events if isinstance(leaf, Aggregate) else leaf.records if isinstance(leaf, Attribute) else None
        column = leaf.column if isinstance(leaf, Aggregate | Attribute) else None
        if table is None or column is None:
            continue
        declared = table.type_of(column)
        if declared is None:
            fix = did_you_mean(column, table.column_names(), of=table.name)
            yield Problem(
                f"{role} {expression.name!r} reads unknown column {column!r} of {table.name}", _of(model), fix
            )
        elif isinstance(leaf, Aggregate) and not declared.numeric and leaf.function not in ("count", "time_since_last"):
            fix = f"derive a number from {column!r}, or count it: {table.name}.{column}.count(...)"
            yield Problem(
                f"{role} {expression.name!r}: {leaf.function} of {column!r}, which is {declared.kind}", _of(model), fix
            )
        elif (
            isinstance(leaf, Attribute) and not declared.numeric and (expression is not leaf or declared.kind == "text")
        ):
            fix = "use a category on its own as a feature, and free text through derive={...: Sentiment(...)}"
            yield Problem(
                f"{role} {expression.name!r} cannot use {column!r}, which is {declared.kind}", _of(model), fix
            )


def windows_are_durations(model: Model) -> Iterator[Problem]:
    """Windows must be exact durations, grids must be grids, zones must exist."""
    for role, expression, leaf in _leaves(model):
        if isinstance(leaf, Aggregate):
            for text in leaf.window.texts():
                yield from _duration(text, f"{role} {expression.name!r}", _of(model))
            if leaf.function not in FUNCTIONS:
                yield Problem(
                    f"unknown aggregate {leaf.function!r}", _of(model), did_you_mean(leaf.function, FUNCTIONS)
                )
        if isinstance(leaf, Calendar) and leaf.part not in CALENDAR_PARTS:
            yield Problem(f"unknown calendar part {leaf.part!r}", _of(model), did_you_mean(leaf.part, CALENDAR_PARTS))
        if isinstance(leaf, Calendar) and leaf.zone not in available_timezones():
            yield Problem(f"unknown zone {leaf.zone!r}", _of(model), did_you_mean(leaf.zone, available_timezones()))
    if isinstance(model.observe, Every):
        try:
            clock.Grid(model.observe.every)
        except ValueError as error:
            yield Problem(f"observe: {error}", _of(model), "Every('1 month', of=...)")


def past_and_future_do_not_mix(model: Model) -> Iterator[Problem]:
    """Features and conditions look back, the target looks ahead: leakage is refused here."""
    for role, expression, leaf in _leaves(model):
        if isinstance(leaf, Calendar | Constant):
            continue
        future = isinstance(leaf, Aggregate) and leaf.window.future
        if role != "Target" and future:
            fix = "use last=; what lies after t can only be a target"
            yield Problem(f"{role} {expression.name!r} looks into the future", _of(model), fix)
        if role == "Target" and not future:
            fix = "use next= or at(...); a target lies in [t, t+h)"
            yield Problem(f"Target {expression.name!r} reads the past through {leaf.name!r}", _of(model), fix)


def tables_share_the_entity(model: Model) -> Iterator[Problem]:
    """All tables of a model must be about the entity that is observed."""
    entity = model.observe.of.entity
    for table in model.tables():
        if table.entity != entity:
            fix = f"observe entities that {table.name} knows, or give both tables the same entity column"
            yield Problem(f"{table.name} is about {table.entity!r}, but observed is {entity!r}", _of(model), fix)


def names_are_unique(model: Model) -> Iterator[Problem]:
    """Two features of one name would be one column."""
    names = Counter(feature.name for feature in model.features if isinstance(feature, Expression))
    for name in (name for name, times in names.items() if times > 1):
        yield Problem(f"two features are called {name!r}", _of(model), "drop one, or rename it with .named('...')")
    for name in names:
        if not re.fullmatch(NAME, name):
            yield Problem(f"{name!r} cannot be a feature name", _of(model), "rename it with .named('...')")


def metrics_exist(model: Model) -> Iterator[Problem]:
    """Metrics must exist and fit the task."""
    named = [model.metric, *(gate.metric for gate in model.gates if gate.kind == "threshold")]
    named += [leaf.metric for leaf in model.policy.retrain.leaves() if isinstance(leaf, MetricBelow)]
    fitting = [metric.name for metric in METRICS.values() if metric.task == model.task]
    for name in dict.fromkeys(named):
        if name not in fitting:
            kind = "a comparison, so a classification" if model.task == CLASSIFICATION else "a number, so a regression"
            yield Problem(
                f"metric {name!r} does not fit: the target is {kind}", _of(model), did_you_mean(name, fitting)
            )


def gates_and_policy_fit(model: Model) -> Iterator[Problem]:
    """Fairness needs an attribute among the features; delays must be durations."""
    attributes = {feature.column for feature in model.features if isinstance(feature, Attribute)}
    for gate in model.gates:
        if gate.kind == "fairness" and gate.column not in attributes:
            fix = did_you_mean(str(gate.column), attributes, of="the model's attributes")
            yield Problem(f"Gate.fair_across({gate.column!r}): no such attribute among the features", _of(model), fix)
    delays = [("cooldown", model.policy.cooldown), ("probation", model.policy.probation)]
    delays += [("older_than", leaf.age) for leaf in model.policy.retrain.leaves() if isinstance(leaf, OlderThan)]
    for what, text in delays:
        yield from _duration(text, f"policy {what}", _of(model))


def records_are_current_or_timed(model: Model) -> Iterator[Problem]:
    """Entities observed on a grid come from Records or Events; anything else is a slip."""
    if isinstance(model.observe, Every) and not isinstance(model.observe.of, Records | Events):
        yield Problem(f"observe: of={model.observe.of!r} is no table", _of(model), "of=<Records or Events>")


MODEL_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    parts_are_specs,
    columns_exist,
    windows_are_durations,
    past_and_future_do_not_mix,
    tables_share_the_entity,
    names_are_unique,
    metrics_exist,
    gates_and_policy_fit,
    records_are_current_or_timed,
)
