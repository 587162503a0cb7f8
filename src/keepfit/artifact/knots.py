"""A map from score to score as points with straight lines between: what calibrates a model is data, not code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Knots:
    """Points (at, to); `at` ascends. Beside the outermost points, the map is flat."""

    at: tuple[float, ...]
    to: tuple[float, ...]

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats]:
        return np.array(self.at), np.array(self.to)

    def __call__(self, score: Floats) -> Floats:
        """Return the map at each score, shape (rows,); a row's value does not depend on the others."""
        return np.asarray(np.interp(score, *self._arrays))

    def as_data(self) -> dict[str, Any]:
        """Return the points as plain data."""
        return {"at": list(self.at), "to": list(self.to)}


def knots_from(data: dict[str, Any] | None) -> Knots | None:
    """Return the map that `as_data` wrote; None for None."""
    return None if data is None else Knots(tuple(data["at"]), tuple(data["to"]))
