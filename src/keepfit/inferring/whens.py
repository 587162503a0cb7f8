"""When the rows of a table happened: one column, several that make a moment, or a year."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from keepfit.inferring import naming, times
from keepfit.inferring.entities import entity_of
from keepfit.inferring.grouping import Column, Group

WHEN = {"time", "date", "datetime", "timestamp", "at", "when", "ts", "from", "begin", "start", "day", "purchase"}
LATER = {"to", "end", "until"}
OTHERWISE = LATER | {
    "birth", "birthday", "born", "estimated", "expected", "limit", "due", "expire", "expiry", "updated", "update", "modified",
    "delivered", "approved", "answer", "last", "next", "planned",
}  # fmt: skip
STANDING = {
    "birth", "birthday", "born", "signup", "registered", "registration", "joined", "opened", "installed", "built", "since",
    "created",
}  # fmt: skip
YEARS = range(1900, 2101)


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
    doubt : str
        What cannot be told, if anything.
    """

    name: str
    source: tuple[str, ...]
    format: str | None = None
    zoned: bool = False
    doubt: str = ""


def when_of(group: Group, notes: list[str]) -> When | None:
    """Return when a table's rows happened; None if nothing says it. What the user should know goes to `notes`."""
    dated = [column for column in group.columns if column.values.kind == "time" and column.values.share_empty < 0.5]
    if dated:
        best = max(dated, key=lambda column: timely(column, group.columns.index(column)))
        return _with_clock(best, group) or _single(best)
    whole = [column for column in group.columns if column.values.kind == "integer"]
    names = [column.name for column in whole]
    if (split := times.parts(names)) is not None:
        return When(_free(names), *split)
    years = [column for column in whole if _is_year(column)]
    months = [name for name in names if name in times.PARTS["%m"]]
    if len(years) == 1 and months:
        return When(_free(names), (years[0].name, months[0]), "%Y %m")
    telling = [column for column in years if not (STANDING | {"start", "end"}) & set(column.name.split("_"))]
    if len(telling) == 1 and _varies(telling[0]) and not _has_key(group):
        notes.append(f"the time is the beginning of {telling[0].name}")
        return When(_free(names), (telling[0].name,), "%Y")
    return None


def timely(column: Column, place: int) -> float:
    """Return how much a column of times is called the time of its rows; below 0 if it is called that of something else."""
    words = set(column.name.split("_"))
    return 2 * bool(words & WHEN) - 3 * bool(words & OTHERWISE) - 3 * column.values.share_empty - 0.05 * place


def stands_still(group: Group) -> bool:
    """Return whether all times of a table are those of something that stands: a birthday, a day of registration."""
    dated = [column for column in group.columns if column.values.kind == "time"]
    return bool(dated) and all(set(column.name.split("_")) & STANDING for column in dated)


def _single(column: Column) -> When:
    found = column.values.time or times.Written(None)
    return When(column.name, (column.name,), found.format, found.zoned, found.doubt)


def _with_clock(date: Column, group: Group) -> When | None:
    """Return the time of a day and, in another column, the time of that day."""
    clocks = [column for column in group.columns if column.values.clock]
    found = date.values.time or times.Written(None)
    form = found.format or ("%Y-%m-%d" if all(len(text) == 10 for text in date.values.seen) else "%H")
    if len(clocks) != 1 or re.search(r"%[HI]", form):
        return None
    names = [column.name for column in group.columns]
    sources = (date.name, clocks[0].name)
    return When(_free(names), sources, f"{form} {clocks[0].values.clock}", doubt=found.doubt)


def _free(taken: Iterable[str]) -> str:
    return naming.distinct([*taken, "happened"])[-1]


def _varies(column: Column) -> bool:
    return column.values.distinct > 1 and column.values.share_empty < 0.02


def _is_year(column: Column) -> bool:
    values = column.values
    if values.least is None or values.most is None or values.least < YEARS[0] or values.most > YEARS[-1]:
        return False
    return bool({"year", "yr"} & set(re.split(r"_|(?=\d)", column.name)))


def _has_key(group: Group) -> bool:
    """Return whether a column that says whom rows are about has each value once."""
    found = entity_of(group, (), timed=False)
    return found is not None and found.unique
