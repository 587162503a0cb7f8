"""What a version answers, as one array: its columns say what was asked of the model.

    shape (rows,)      the score of class 1, or the predicted value
    shape (rows, 3)    the predicted value and the bounds of its interval: value, low, high

Training, evaluation, the prediction log and the server pass such arrays on; this is where they become columns and back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.spec.model import Model

Answers = NDArray[np.float64]
SCORE = "score"
BOUNDS = ("low", "high")
BOUNDED = (SCORE, *BOUNDS)


def score_of(answers: Answers) -> NDArray[np.float64]:
    """Return the score of each answer, shape (rows,): of class 1, or the predicted value."""
    return answers if answers.ndim == 1 else answers[:, 0]


def columns_of(model: Model, answers: Answers) -> dict[str, NDArray[Any]]:
    """Return answers as columns by name: what files, the prediction log and requests hold."""
    if model.training.interval is None:
        return {SCORE: answers}
    return {name: np.ascontiguousarray(answers[:, place]) for place, name in enumerate(BOUNDED)}


def answers_from(model: Model, rows: Sequence[Mapping[str, Any]]) -> Answers:
    """Return the answers that rows of the prediction log hold."""
    if model.training.interval is None:
        return np.array([row[SCORE] for row in rows], np.float64)
    return np.array([[row[name] for name in BOUNDED] for row in rows], np.float64)
