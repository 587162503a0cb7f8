"""What the kernel computes: windows and aggregates as plain data, and the arrays that the sweep reads.

Nothing here needs a compiler, so programs can be built, compared, hashed and pickled anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

UNBOUNDED: Final = -(2**62)
"""A window start that lies before every event."""

DAY_US: Final = 86_400_000_000
"""Microseconds in a day, the unit of `time_since_last`."""

ROWS: Final = -1
"""A column or condition of `ROWS` means the row itself: every row counts."""

FUNCTIONS: Final = ("count", "sum", "mean", "min", "max", "std", "last", "time_since_last")
COUNT, SUM, MEAN, MIN, MAX, STD, LAST, TIME_SINCE_LAST = range(len(FUNCTIONS))

NEEDS_SUM, NEEDS_SQUARES, NEEDS_MIN, NEEDS_MAX = 1, 2, 4, 8
_NEEDS: Final = {
    SUM: NEEDS_SUM,
    MEAN: NEEDS_SUM,
    STD: NEEDS_SUM | NEEDS_SQUARES,
    MIN: NEEDS_MIN,
    MAX: NEEDS_MAX,
}
_OF_ROWS: Final = ("count", "time_since_last")

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True)
class Window:
    """The events with `t + start <= time < t + end` of an observation at `t`; offsets in microseconds.

    Examples
    --------
    >>> Window(-30 * DAY_US, 0).future      # the last 30 days
    False
    >>> Window(0, 30 * DAY_US).future       # the next 30 days
    True
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not UNBOUNDED <= self.start < self.end <= -UNBOUNDED:
            raise ValueError(
                f"window [{self.start}, {self.end}) is empty or out of range; "
                "give start < end in microseconds relative to t, or start=UNBOUNDED"
            )

    @property
    def future(self) -> bool:
        """Whether this is a target's window: it looks past `t`, so the rule `known < t` is not applied."""
        return self.end > 0


@dataclass(frozen=True)
class Output:
    """One output column: a function of one value column over one window.

    Parameters
    ----------
    function : str
        One of `FUNCTIONS`. Empty windows give 0 for count and sum and NaN for the others; `std` is the sample
        standard deviation (n - 1) and NaN below two values; `time_since_last` is in days.
    column : int
        Row of the sweep's `values`; NaN there is a null and is skipped. `ROWS` (-1) takes the rows themselves,
        for count and time_since_last.
    window : Window
        Which events count.
    condition : int
        Row of `values` that must be neither null nor zero for an event to count; `ROWS` (-1) takes all events.
    """

    function: str
    column: int
    window: Window
    condition: int = ROWS

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(f"unknown function {self.function!r}; there are: {', '.join(FUNCTIONS)}")
        if self.column < ROWS or self.condition < ROWS:
            raise ValueError(f"column {self.column}, condition {self.condition}: use -1 or the index of a value column")
        if self.column == ROWS and self.function not in _OF_ROWS:
            raise ValueError(f"{self.function} needs a value column; only {' and '.join(_OF_ROWS)} take rows (-1)")


class Encoding(NamedTuple):
    """A program as arrays. Windows, slots and outputs are sorted, so that each owns a run of the next.

    A slot is a distinct (window, column, condition): the unit of running state, shared by its outputs.
    All arrays are read-only int64 except `future`, which is bool.
    """

    start: NDArray[np.int64]  # [windows] offset in µs
    end: NDArray[np.int64]  # [windows] offset in µs
    future: NDArray[np.bool_]  # [windows]
    slots: NDArray[np.int64]  # [windows + 1] window w owns slots[w] : slots[w + 1]
    column: NDArray[np.int64]  # [slots]
    condition: NDArray[np.int64]  # [slots]
    needs: NDArray[np.int64]  # [slots] NEEDS_ flags
    outputs: NDArray[np.int64]  # [slots + 1] slot s owns outputs[s] : outputs[s + 1]
    function: NDArray[np.int64]  # [outputs] index into FUNCTIONS
    place: NDArray[np.int64]  # [outputs] position in Program.outputs


@dataclass(frozen=True)
class Program:
    """The aggregates over one table of events; one output column each, in this order."""

    outputs: tuple[Output, ...]

    @cached_property
    def encoding(self) -> Encoding:
        """`encode(self)`, kept with the program: hashing 40 outputs would cost a request more than its sweep."""
        return encode(self)

    @cached_property
    def columns(self) -> int:
        """How many value columns the outputs refer to."""
        return 1 + max((max(o.column, o.condition) for o in self.outputs), default=ROWS)


def encode(program: Program) -> Encoding:
    """Compile a program into the arrays that the sweep reads."""
    order = sorted(range(len(program.outputs)), key=lambda place: _slot(program.outputs[place]))
    outputs = [program.outputs[place] for place in order]
    functions = [FUNCTIONS.index(o.function) for o in outputs]
    windows = list(dict.fromkeys(o.window for o in outputs))
    slots = list(dict.fromkeys(_slot(o) for o in outputs))
    needs = dict.fromkeys(slots, 0)
    for output, function in zip(outputs, functions, strict=True):
        needs[_slot(output)] |= _NEEDS.get(function, 0)
    return Encoding(
        start=_integers(w.start for w in windows),
        end=_integers(w.end for w in windows),
        future=_frozen(np.array([w.future for w in windows], np.bool_)),
        slots=_runs([slot[:2] for slot in slots]),
        column=_integers(slot[2] for slot in slots),
        condition=_integers(slot[3] for slot in slots),
        needs=_integers(needs.values()),
        outputs=_runs([_slot(o) for o in outputs]),
        function=_integers(functions),
        place=_integers(order),
    )


def _slot(output: Output) -> tuple[int, int, int, int]:
    return output.window.start, output.window.end, output.column, output.condition


def _runs(keys: Sequence[object]) -> NDArray[np.int64]:
    """Bounds of the runs of equal neighbours: run r is [r] : [r + 1]."""
    return _integers(np.cumsum([0, *(len(list(run)) for _, run in groupby(keys))]))


def _integers(numbers: Iterable[int]) -> NDArray[np.int64]:
    return _frozen(np.fromiter(numbers, np.int64))


def _frozen(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    array.flags.writeable = False
    return array
