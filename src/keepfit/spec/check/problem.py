"""A problem of the definitions as data, and the error that carries all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keepfit import clock
from keepfit.errors import DefinitionError
from keepfit.spec.tables import Table

NAME = r"[A-Za-z][A-Za-z0-9_]*"
WHERE = "definitions.py"
AS_A_NAME = "use letters, digits and underscores, a letter first"


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


def place(table: Table) -> str:
    """Return where a table's problems are."""
    return f"{WHERE}, {type(table).__name__} {table.name!r}"


def not_a_duration(text: object, what: str, where: str) -> Iterator[Problem]:
    """Yield the problem of what is no exact duration."""
    if not isinstance(text, str):
        yield Problem(f"{what}: {text!r} is no duration", where, f"write a text: {as_a_text(text)!r}")
        return
    try:
        clock.duration(text)
    except ValueError as error:
        yield Problem(f"{what}: {error}", where, "use d, h, w, min or s; months exist only in Every('1 month', ...)")


def as_a_text(value: object) -> str:
    """Return the duration that a number was probably meant to be, in days; else an example."""
    return f"{value}d" if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000 else "30d"
