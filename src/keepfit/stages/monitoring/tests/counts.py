"""What tests of drift are given, and what they answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from keepfit.measure.sums import Floats

NUMBERS, LABELS = "numbers", "labels"
EITHER = (NUMBERS, LABELS)


@dataclass(frozen=True)
class Counts:
    """Two samples counted in the same bins.

    Attributes
    ----------
    before, after : float64 array, shape (bins,)
        The reference's and the current rows. Bin 0 counts nulls, the others follow the order of the values; of labels the
        last one counts the labels without a bin.
    edges : float64 array, shape (bins - 2,), or None
        What separates the bins 1, 2, ...; None of labels.
    """

    before: Floats
    after: Floats
    edges: Floats | None = None

    @property
    def of(self) -> str:
        """NUMBERS or LABELS."""
        return LABELS if self.edges is None else NUMBERS


class Outcome(NamedTuple):
    """What a test found: its statistic, and the chance of one as large if nothing has moved; NaN where that is not known."""

    statistic: float
    p_value: float = math.nan


class Test(NamedTuple):
    """A test of drift on counts, and the kinds of columns that it is for."""

    measure: Callable[[Counts], Outcome]
    fits: tuple[str, ...] = EITHER


def counts(before: Floats, after: Floats, edges: Floats | None = None) -> Counts:
    """Return counts as what tests are given."""
    return Counts(np.asarray(before, np.float64), np.asarray(after, np.float64), edges)
