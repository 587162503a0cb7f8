"""How much each row counts: by its class, and by its age."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.spec.training import BALANCED, Training

Floats = NDArray[np.float64]


def class_weights(training: Training, target: Floats, labels: Sequence[str] = ()) -> tuple[float, ...] | None:
    """Return the weights of class 0 and class 1, or of each label; None if none are declared.

    'balanced' is rows / (classes * rows of the class), as scikit-learn has it: all classes weigh the same in sum.
    """
    if training.class_weight is None:
        return None
    if labels and training.class_weight == BALANCED:
        counts = np.bincount(target.astype(np.intp), minlength=len(labels))
        return tuple(float(len(target) / (len(labels) * count)) if count else 1.0 for count in counts)
    if labels:
        said = {str(label): weight for label, weight in dict(training.class_weight).items()}  # type: ignore[arg-type]
        return tuple(float(said[label]) for label in labels)
    if training.class_weight == BALANCED:
        positive = float(np.mean(target > 0))
        return (0.5 / (1 - positive), 0.5 / positive) if 0 < positive < 1 else (1.0, 1.0)
    declared = dict(training.class_weight)  # type: ignore[arg-type]
    return float(declared[0]), float(declared[1])


def weights(
    training: Training, t: NDArray[np.int64], target: Floats, *, by_class: tuple[float, ...] | None
) -> Floats | None:
    """Return the weight of each row, shape (rows,): that of its class times that of its age; None if all count the same.

    Parameters
    ----------
    t : int64 array [rows]
        Microseconds UTC; the age of a row is counted from the last of them.
    by_class : tuple of float, optional
        As `class_weights` found them on the rows that are learnt from.
    """
    found = None if by_class is None else np.array(by_class)[target.astype(np.intp)]
    if training.half_life is not None:
        age = (t.max() - t) / clock.duration(training.half_life)
        found = np.exp2(-age) * (1.0 if found is None else found)
    return found
