"""How much each row counts: by its class, and by its age."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.spec.training import BALANCED, Training

Floats = NDArray[np.float64]


def class_weights(training: Training, target: Floats) -> tuple[float, float] | None:
    """Return the weights of class 0 and class 1, None if none are declared.

    'balanced' is rows / (2 * rows of the class), as scikit-learn has it: both classes weigh the same in sum.
    """
    if training.class_weight is None:
        return None
    if training.class_weight == BALANCED:
        positive = float(np.mean(target > 0))
        return (0.5 / (1 - positive), 0.5 / positive) if 0 < positive < 1 else (1.0, 1.0)
    declared = dict(training.class_weight)  # type: ignore[arg-type]
    return float(declared[0]), float(declared[1])


def weights(
    training: Training, t: NDArray[np.int64], target: Floats, *, by_class: tuple[float, float] | None
) -> Floats | None:
    """Return the weight of each row, shape (rows,): that of its class times that of its age; None if all count the same.

    Parameters
    ----------
    t : int64 array [rows]
        Microseconds UTC; the age of a row is counted from the last of them.
    by_class : tuple of float, optional
        As `class_weights` found them on the rows that are learnt from.
    """
    found = None if by_class is None else np.where(target > 0, by_class[1], by_class[0])
    if training.half_life is not None:
        age = (t.max() - t) / clock.duration(training.half_life)
        found = np.exp2(-age) * (1.0 if found is None else found)
    return found
