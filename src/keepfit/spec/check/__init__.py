"""What definitions.py must satisfy: one small rule a function, every problem reported in one pass.

Add a rule by writing a generator of `Problem` and naming it in `TABLE_RULES` (`tables.py`) or `MODEL_RULES` (`models.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from keepfit.spec.check.models import MODEL_RULES
from keepfit.spec.check.models import malformed as malformed_model
from keepfit.spec.check.problem import WHERE, InvalidDefinitions, Problem
from keepfit.spec.check.tables import TABLE_RULES
from keepfit.spec.check.tables import malformed as malformed_table
from keepfit.spec.model import Model
from keepfit.spec.tables import Table

__all__ = ["InvalidDefinitions", "Problem", "check"]


def check(tables: Sequence[Table], models: Sequence[Model]) -> list[Problem]:
    """Return every problem of the declared tables and models, in the order of their declaration.

    What is malformed is reported alone: the other rules could not read it.
    """
    broken = [problem for table in tables for problem in malformed_table(table)]
    broken += [problem for model in models for problem in malformed_model(model)]
    if broken:
        return broken
    problems = [problem for table in tables for rule in TABLE_RULES for problem in rule(table)]
    problems += [problem for model in models for rule in MODEL_RULES for problem in rule(model)]
    problems += _duplicates("table", [table.name for table in tables])
    problems += _duplicates("model", [model.name for model in models])
    problems += [problem for model in models for problem in _undeclared(model, tables)]
    if not models:
        problems.append(Problem("no model is declared", WHERE, "assign a Model(...) to a name at the top level"))
    return problems


def _undeclared(model: Model, tables: Sequence[Table]) -> list[Problem]:
    missing = [table.name for table in model.tables() if not any(table is known for known in tables)]
    fix = "assign it to a name of its own, without a leading underscore"
    return [
        Problem(f"model {model.name!r} reads {name!r}, which is not at the top level", WHERE, fix) for name in missing
    ]


def _duplicates(what: str, names: list[str]) -> list[Problem]:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    return [
        Problem(f"two {what}s are called {name!r}", WHERE, f"give each {what} a name of its own") for name in repeated
    ]
