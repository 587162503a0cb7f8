"""What a version answers, as one array: its columns say what was asked of the model.

    shape (rows,)           the score of class 1, or the predicted value
    shape (rows, 3)         the predicted value and the bounds of its interval: value, low, high
    shape (rows, labels)    the probability of each label that the target may be, in their declared order

Training, evaluation, the prediction log and the server pass such arrays on; this is where they become columns and back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.spec.model import Model

Answers = NDArray[np.float64]
SCORE, LABEL, SCORES = "score", "label", "scores"
BOUNDS = ("low", "high")
BOUNDED = (SCORE, *BOUNDS)


def score_of(answers: Answers) -> NDArray[np.float64]:
    """Return the score of each answer, shape (rows,): of class 1, or the predicted value."""
    return answers if answers.ndim == 1 else answers[:, 0]


def chosen(answers: Answers) -> NDArray[np.intp]:
    """Return the place of the label that each answer holds for likeliest, shape (rows,); of equals the first."""
    return np.asarray(answers.argmax(axis=1))


def texts_of(labels: Sequence[str], places: NDArray[Any]) -> NDArray[np.object_]:
    """Return the labels at some places, shape (rows,)."""
    return np.array(labels, object)[places.astype(np.intp)]


def names_of(model: Model) -> tuple[str, ...]:
    """Return the names of the columns of `columns_of`."""
    if model.labels:
        return SCORE, LABEL, SCORES
    return BOUNDED if model.training.interval is not None else (SCORE,)


def columns_of(model: Model, answers: Answers) -> dict[str, NDArray[Any]]:
    """Return answers as columns by name: what files, the prediction log and requests hold.

    Of several labels: `label`, the likeliest, `score`, its probability, and `scores`, that of each label as JSON text.
    """
    if model.labels:
        texts = [json.dumps(dict(zip(model.labels, row, strict=True))) for row in answers.tolist()]
        label = texts_of(model.labels, chosen(answers))
        return {SCORE: answers.max(axis=1), LABEL: label, SCORES: np.array(texts, object)}
    if model.training.interval is None:
        return {SCORE: answers}
    return {name: np.ascontiguousarray(answers[:, place]) for place, name in enumerate(BOUNDED)}


def watched(model: Model, answers: Answers) -> NDArray[Any]:
    """Return what drift is measured of: the score, or the label that was answered."""
    return texts_of(model.labels, chosen(answers)) if model.labels else score_of(answers)


def answers_from(model: Model, rows: Sequence[Mapping[str, Any]]) -> Answers:
    """Return the answers that rows of the prediction log hold."""
    if model.labels:
        told = [json.loads(row[SCORES]) for row in rows]
        return np.array([[one[label] for label in model.labels] for one in told], np.float64)
    if model.training.interval is None:
        return np.array([row[SCORE] for row in rows], np.float64)
    return np.array([[row[name] for name in BOUNDED] for row in rows], np.float64)


def happened(model: Model, actual: NDArray[np.float64]) -> NDArray[Any]:
    """Return what drift of labels is measured of: what happened, or the label that came."""
    return texts_of(model.labels, actual) if model.labels else actual
