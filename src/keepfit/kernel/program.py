"""What the kernel computes: windows and aggregates as plain data, and the arrays that the sweep reads.

Nothing here needs a compiler, so programs can be built, compared, hashed and pickled anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import groupby
from operator import or_
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

UNBOUNDED: Final = -(2**62)
"""A window start that lies before every event."""

DAY_US: Final = 86_400_000_000
"""Microseconds in a day, the unit of times since and trends."""

ROWS: Final = -1
"""A column or condition of `ROWS` means the row itself: every row counts."""

EWM_REACH: Final = 60
"""The most half-lives that a window of `ewm` may reach back; what is older weighs less than 2**-60."""

FUNCTIONS: Final = (
    "count",
    "sum",
    "mean",
    "min",
    "max",
    "std",
    "var",
    "first",
    "last",
    "distinct",
    "entropy",
    "quantile",
    "trend",
    "ewm",
    "time_since_last",
    "time_since_first",
)
COUNT, SUM, MEAN, MIN, MAX, STD, VAR, FIRST, LAST, DISTINCT, ENTROPY, QUANTILE, TREND, EWM = range(14)
TIME_SINCE_LAST, TIME_SINCE_FIRST = 14, 15

NEEDS_SUM, NEEDS_MIN, NEEDS_MAX, NEEDS_FIRST = 1, 2, 4, 8
NEEDS_SQUARES, NEEDS_RANKS, NEEDS_ENTROPY, NEEDS_ORDER, NEEDS_TREND, NEEDS_EWM = 16, 32, 64, 128, 256, 512
NEEDS_QUEUE: Final = NEEDS_MIN | NEEDS_MAX | NEEDS_FIRST
_NEEDS: Final = {
    SUM: NEEDS_SUM,
    MEAN: NEEDS_SUM,
    STD: NEEDS_SUM | NEEDS_SQUARES,
    VAR: NEEDS_SUM | NEEDS_SQUARES,
    MIN: NEEDS_MIN,
    MAX: NEEDS_MAX,
    FIRST: NEEDS_FIRST,
    TIME_SINCE_FIRST: NEEDS_FIRST,
    DISTINCT: NEEDS_RANKS,
    ENTROPY: NEEDS_RANKS | NEEDS_ENTROPY,
    QUANTILE: NEEDS_RANKS | NEEDS_ORDER,
    TREND: NEEDS_SUM | NEEDS_TREND,
    EWM: NEEDS_EWM,
}
_OF_ROWS: Final = ("count", "time_since_last", "time_since_first")

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
        One of `FUNCTIONS`. Empty windows give 0 for count and sum and NaN for the others. `std` and `var` are those
        of a sample (n - 1) and NaN below two values; `distinct` counts values, 0.0 and -0.0 as one; `entropy` is
        that of the shares of the values, in nats; `quantile` interpolates linearly (type 7); `trend` is the least
        squares slope over time, per day, NaN where all times are equal; `ewm` is the mean with weights that halve
        with every half-life; `time_since_last` and `time_since_first` are in days, negative ahead of `t`.
    column : int
        Row of the sweep's `values`; NaN there is a null and is skipped. `ROWS` (-1) takes the rows themselves,
        for count, time_since_last and time_since_first.
    window : Window
        Which events count. For `ewm`, it lies before `t` and reaches back `EWM_REACH` half-lives at most.
    condition : int
        Row of `values` that must be neither null nor zero for an event to count; `ROWS` (-1) takes all events.
    parameter : float
        What share lies below the `quantile`, in [0, 1]; the half-life of `ewm`, a whole number of microseconds;
        0.0 for all others.

    Raises
    ------
    ValueError
        If the function is unknown, or column, window or parameter are not for it.
    """

    function: str
    column: int
    window: Window
    condition: int = ROWS
    parameter: float = 0.0

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(f"unknown function {self.function!r}; there are: {', '.join(FUNCTIONS)}")
        if self.column < ROWS or self.condition < ROWS:
            raise ValueError(f"column {self.column}, condition {self.condition}: use -1 or the index of a value column")
        if self.column == ROWS and self.function not in _OF_ROWS:
            raise ValueError(f"{self.function} needs a value column; only {', '.join(_OF_ROWS)} take rows (-1)")
        if self.function == "ewm":
            self._check_decay()
        elif self.function == "quantile":
            if not 0 <= self.parameter <= 1:
                raise ValueError(f"quantile {self.parameter} does not exist; give a share in [0, 1], 0.5 is the median")
        elif self.parameter != 0:
            raise ValueError(f"{self.function} takes no parameter, got {self.parameter}; leave it out")

    def _check_decay(self) -> None:
        half_life = self.parameter
        if not (1 <= half_life <= -UNBOUNDED and float(half_life).is_integer()):
            raise ValueError(f"half-life {half_life} of ewm; give a whole number of microseconds, 1 or more")
        if self.window.future:
            raise ValueError("ewm looks back; give a window that ends at 0 or before")
        if self.window.start < -EWM_REACH * int(half_life):
            raise ValueError(
                f"ewm with half-life {int(half_life)} reaches back further than {EWM_REACH} half-lives; "
                f"give a window that starts at {-EWM_REACH * int(half_life)} or later"
            )


SLOT_COLUMN, SLOT_CONDITION, SLOT_START, SLOT_END, SLOT_HALF_LIFE, SLOT_NEEDS, SLOT_OUTPUTS = range(7)
"""Fields of a slot: indices of columns, µs relative to t, µs, NEEDS_ flags, its first output."""

OUTPUT_FUNCTION, OUTPUT_PLACE = range(2)
"""Fields of an output: index into `FUNCTIONS`, position in `Program.outputs`."""


class Encoding(NamedTuple):
    """A program as few read-only arrays: each costs a request a fraction of a microsecond.

    A slot is a distinct (column, condition, window, half-life): the unit of running state, shared by its outputs.
    Slots are sorted, so that those of one column are neighbours; slot s owns the outputs from its SLOT_OUTPUTS to
    that of slot s + 1.
    """

    slots: NDArray[np.int64]  # [slots + 1, SLOT_ fields]; of the last row, only SLOT_OUTPUTS means something
    outputs: NDArray[np.int64]  # [outputs, OUTPUT_ fields]
    parameters: NDArray[np.float64]  # [outputs]


@dataclass(frozen=True)
class Program:
    """The aggregates over one table of events; one output column each, in this order."""

    outputs: tuple[Output, ...]

    @cached_property
    def encoding(self) -> Encoding:
        """`encode(self)`, kept with the program: hashing 40 outputs would cost a request more than its sweep."""
        return encode(self)

    @cached_property
    def needs(self) -> int:
        """What state any of the outputs needs: NEEDS_ flags."""
        return int(np.bitwise_or.reduce(self.encoding.slots[:, SLOT_NEEDS]))

    @cached_property
    def columns(self) -> int:
        """How many value columns the outputs refer to."""
        return 1 + max((max(o.column, o.condition) for o in self.outputs), default=ROWS)


def encode(program: Program) -> Encoding:
    """Compile a program into the arrays that the sweep reads."""
    order = sorted(range(len(program.outputs)), key=lambda place: _slot(program.outputs[place]))
    outputs = [program.outputs[place] for place in order]
    slots = []
    first = 0
    for slot, run in groupby(outputs, key=_slot):
        functions = [FUNCTIONS.index(output.function) for output in run]
        slots.append((*slot, reduce(or_, (_NEEDS.get(function, 0) for function in functions)), first))
        first += len(functions)
    slots.append((0, 0, 0, 0, 0, 0, first))
    fields = [(FUNCTIONS.index(output.function), place) for output, place in zip(outputs, order, strict=True)]
    return Encoding(
        slots=_frozen(np.array(slots, np.int64)),
        outputs=_frozen(np.array(fields, np.int64).reshape(-1, 2)),
        parameters=_frozen(np.array([output.parameter for output in outputs], np.float64)),
    )


def _slot(output: Output) -> tuple[int, int, int, int, int]:
    half_life = int(output.parameter) if output.function == "ewm" else 0
    return output.column, output.condition, output.window.start, output.window.end, half_life


def _frozen(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    array.flags.writeable = False
    return array
