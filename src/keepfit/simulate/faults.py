"""Faults of raw files on request: `FAULT@MONTH[:COLUMN][:SHARE]` spoils one month's file of the world's main table.

A fault is a function from a file's rows to spoiled rows, and one line in `FAULTS`: what it needs beside the month.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import DefinitionError, did_you_mean
from keepfit.simulate.drift import month_or_day
from keepfit.simulate.frame import Frame, iso
from keepfit.simulate.world import World, stamp_of

WRITE = "write FAULT@MONTH, with :COLUMN and :SHARE where it takes them: nulls@2024-09:{column}:0.2"


@dataclass(frozen=True)
class Fault:
    """One fault, understood: which, in which month, of which columns, of which share of rows."""

    said: str
    name: str
    month: str  # YYYY_MM
    ends: int  # the first second after that month
    columns: tuple[str, ...] = ()
    share: float = 1.0

    def spoil(self, frame: Frame, draw: np.random.Generator) -> Frame:
        """Return the spoiled file."""
        return FAULTS[self.name].run(frame, self, draw)

    def as_dict(self, frame: Frame) -> dict[str, Any]:
        """Return the fault as plain data, for truth.json."""
        told = {
            "said": self.said,
            "fault": self.name,
            "file": frame.name,
            "columns": list(self.columns),
            "share": self.share,
        }
        return told | {"meaning": (FAULTS[self.name].run.__doc__ or "").strip()}


def missing_column(frame: Frame, fault: Fault, draw: np.random.Generator) -> Frame:
    """The column is not in the file, nor is its header."""
    return replace(frame, columns={name: values for name, values in frame.columns.items() if name not in fault.columns})


def nulls(frame: Frame, fault: Fault, draw: np.random.Generator) -> Frame:
    """The column is empty in a share of the rows."""
    empty = _some(frame, fault, draw)
    return _mapped(
        frame, fault, lambda values: ["" if gone else value for value, gone in zip(values, empty, strict=True)]
    )


def unit(frame: Frame, fault: Fault, draw: np.random.Generator) -> Frame:
    """The column is written in a unit a thousand times smaller, so its numbers are a thousand times as large."""
    large = _some(frame, fault, draw)
    return _mapped(
        frame,
        fault,
        lambda values: [
            f"{float(value) * 1000:.10g}" if big else value for value, big in zip(values, large, strict=True)
        ],
    )


def duplicate_rows(frame: Frame, fault: Fault, draw: np.random.Generator) -> Frame:
    """A share of the rows stands in the file once more, at its end."""
    again = np.flatnonzero(_some(frame, fault, draw))
    return replace(frame, columns=frame.take(np.concatenate([np.arange(frame.rows), again])))


def late_files(frame: Frame, fault: Fault, draw: np.random.Generator) -> Frame:
    """A share of the rows comes with the next month's file; where rows say when they were received, they were after the month."""
    late = _some(frame, fault, draw)
    held = frame.take(np.flatnonzero(late))
    if frame.received:
        held = {**held, frame.received: iso(np.full(int(late.sum()), fault.ends))}
    return replace(frame, columns=frame.take(np.flatnonzero(~late)), held=held)


def frozen_sensor(frame: Frame, fault: Fault, draw: np.random.Generator) -> Frame:
    """The column repeats each entity's first value of the month, in a share of the entities."""
    entities = frame.columns[frame.entity]
    names = sorted(set(entities))
    frozen = {name for name, stuck in zip(names, draw.random(len(names)) < fault.share, strict=True) if stuck}

    def stick(values: list[str]) -> list[str]:
        first: dict[str, str] = {}
        return [
            first.setdefault(entity, value) if entity in frozen else value
            for entity, value in zip(entities, values, strict=True)
        ]

    return _mapped(frame, fault, stick)


def swapped_columns(frame: Frame, fault: Fault, draw: np.random.Generator) -> Frame:
    """Two columns stand under each other's headers."""
    one, other = fault.columns
    return replace(frame, columns={**frame.columns, one: frame.columns[other], other: frame.columns[one]})


def bad_encoding(frame: Frame, fault: Fault, draw: np.random.Generator) -> Frame:
    """The file is written in UTF-16, as a spreadsheet exports "Unicode text"."""
    return replace(frame, encoding="utf-16")


@dataclass(frozen=True)
class Kind:
    """What a fault does, how many columns it falls on, and whether it takes a share of rows."""

    run: Callable[[Frame, Fault, np.random.Generator], Frame]
    columns: int = 0
    share: bool = False
    numeric: bool = False


FAULTS = {
    "missing-column": Kind(missing_column, columns=1),
    "nulls": Kind(nulls, columns=1, share=True),
    "unit": Kind(unit, columns=1, share=True, numeric=True),
    "duplicate-rows": Kind(duplicate_rows, share=True),
    "late-files": Kind(late_files, share=True),
    "frozen-sensor": Kind(frozen_sensor, columns=1, share=True),
    "swapped-columns": Kind(swapped_columns, columns=2),
    "bad-encoding": Kind(bad_encoding),
}


def parse(said: str, world: World, months: list[int]) -> Fault:
    """Return the fault that a text asks for.

    Raises
    ------
    DefinitionError
        If there is no such fault, column or month, or a part is missing.
    """
    name, _, rest = said.strip().partition("@")
    if name not in FAULTS:
        raise _refused(said, f"names unknown fault {name!r}", did_you_mean(name, FAULTS))
    kind, (month, *parts) = FAULTS[name], rest.split(":")
    begins, ends = _month(said, month, months)
    columns = _columns(said, kind, parts.pop(0) if kind.columns and parts else "", world)
    share = _share(said, parts.pop(0)) if kind.share and parts else 1.0
    if parts:
        raise _refused(said, f"says too much: {':'.join(parts)!r}", WRITE.format(column=world.columns[0]))
    return Fault(said, name, stamp_of(begins, "_"), ends, columns, share)


def _refused(said: str, what: str, fix: str) -> DefinitionError:
    return DefinitionError(f"{said!r} {what}", where="--fault", fix=fix)


def _month(said: str, text: str, months: list[int]) -> tuple[int, int]:
    moment = month_or_day(said, text, "--fault")
    for begins, ends in pairwise(months):
        if begins <= moment < ends:
            return begins, ends
    first, last = stamp_of(months[0]), stamp_of(months[-2])
    raise _refused(
        said, f"lies outside the world: {text}", f"its months are {first} to {last}; or change --from, --as-of"
    )


def _columns(said: str, kind: Kind, text: str, world: World) -> tuple[str, ...]:
    columns = tuple(text.split(",")) if text else ()
    known = [name for name in world.columns if not (kind.numeric and name in world.labels)]
    unknown = next((name for name in columns if name not in known), None)
    if unknown is not None:
        of = f"{world.main}, as far as this fault goes,"
        raise _refused(said, f"spoils unknown column {unknown!r}", did_you_mean(unknown, known, of=of))
    if len(set(columns)) != kind.columns:
        example = f"{said.split('@')[0]}@2024-09:{','.join(known[: kind.columns])}"
        raise _refused(said, f"takes {kind.columns} column{'s' * (kind.columns > 1)}", f"write {example}")
    return columns


def _share(said: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise _refused(said, f"spoils a share of {text!r}", "write a share of rows between 0 and 1, such as 0.2")
    return share


def _some(frame: Frame, fault: Fault, draw: np.random.Generator) -> NDArray[np.bool_]:
    chosen: NDArray[np.bool_] = draw.random(frame.rows) < fault.share
    return chosen


def _mapped(frame: Frame, fault: Fault, change: Callable[[list[str]], list[str]]) -> Frame:
    (column,) = fault.columns
    return replace(frame, columns={**frame.columns, column: change(frame.columns[column])})
