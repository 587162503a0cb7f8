"""What definitions.py must satisfy: one small rule a function, every problem reported in one pass.

Add a rule by writing a generator of `Problem` and naming it in `TABLE_RULES` (`tables.py`) or `MODEL_RULES` (`models.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from keepfit.spec.check.models import MODEL_RULES
from keepfit.spec.check.models import malformed as malformed_model
from keepfit.spec.check.problem import WHERE, InvalidDefinitions, Problem, place
from keepfit.spec.check.tables import TABLE_RULES
from keepfit.spec.check.tables import malformed as malformed_table
from keepfit.spec.model import Model
from keepfit.spec.tables import Table

__all__ = ["InvalidDefinitions", "Problem", "check"]

Spec = TypeVar("Spec", Table, Model)


def check(tables: Sequence[Table], models: Sequence[Model]) -> list[Problem]:
    """Return every problem of the declared tables and models, in the order of their declaration.

    What is malformed is reported alone: the other rules could not read it.
    """
    broken = [problem for table in tables for problem in _found([malformed_table], table)]
    broken += [problem for model in models for problem in _found([malformed_model], model)]
    if broken:
        return broken
    problems = [problem for table in tables for problem in _found(TABLE_RULES, table)]
    problems += [problem for model in models for problem in _found(MODEL_RULES, model)]
    problems += _duplicates("table", [table.name for table in tables])
    problems += _duplicates("model", [model.name for model in models])
    problems += [problem for model in models for problem in _found([lambda one: _undeclared(one, tables)], model)]
    problems += [problem for table in tables for problem in _looked_up(table, tables)]
    return problems


def _found(rules: Iterable[Callable[[Spec], Iterable[Problem]]], spec: Spec) -> list[Problem]:
    """Return what rules find; one that stumbles over a slip which no rule foresees tells of it instead."""
    problems: list[Problem] = []
    for rule in rules:
        try:
            problems.extend(rule(spec))
        except Exception as error:
            place = f"{type(spec).__name__} {spec.name!r}"
            what = f"{place} cannot be checked: {type(error).__name__}: {error}"
            fix = "look for a value of another kind than its parameter takes"
            problems.append(Problem(what, f"{WHERE}, {place}", fix))
    # one slip may stop several rules
    return list(dict.fromkeys(problems))


def _undeclared(model: Model, tables: Sequence[Table]) -> list[Problem]:
    missing = [table.name for table in model.tables() if not any(table is known for known in tables)]
    fix = "assign it to a name of its own, without a leading underscore"
    return [
        Problem(f"model {model.name!r} reads {name!r}, which is not at the top level", WHERE, fix) for name in missing
    ]


def _looked_up(table: Table, tables: Sequence[Table]) -> list[Problem]:
    if table.lookup is None or any(table.lookup.of is known for known in tables):
        return []
    what = f"{table.name!r} looks columns up in {table.lookup.of.name!r}, which is not at the top level"
    return [Problem(what, place(table), "assign it to a name of its own, without a leading underscore")]


def _duplicates(what: str, names: list[str]) -> list[Problem]:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    return [
        Problem(f"two {what}s are called {name!r}", WHERE, f"give each {what} a name of its own") for name in repeated
    ]
