"""Two ways to the same answers, row by row: what differs, by how much, and whether anybody would have decided otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers, chosen, score_of
from keepfit.evidence import Example, Route
from keepfit.spec.model import CLASSIFICATION, REGRESSION, Model

Columns = Mapping[str, NDArray[Any]]
EXAMPLES, SHOWN = 5, 5


@dataclass(frozen=True)
class Answered:
    """What one way answered.

    Attributes
    ----------
    answers : float64 array, shape (rows,) or (rows, columns)
        As `keepfit.answers` has them; NaN where it did not answer.
    decisions : array, shape (rows,), or None
        Positive or not, or the likeliest label; None of a number.
    features : dict of str to array, shape (rows,)
        Those that it computed; empty if it was given them.
    refused : str
        Why a row was not answered.
    """

    answers: Answers
    decisions: NDArray[Any] | None = None
    features: Columns = field(default_factory=dict)
    refused: str = ""

    def keep(self, mask: NDArray[np.bool_]) -> Answered:
        """Return what was answered to the rows where `mask` is true."""
        decisions = None if self.decisions is None else self.decisions[mask]
        refused = self.refused if np.isnan(self.answers[mask]).any() else ""
        return Answered(
            self.answers[mask], decisions, {name: own[mask] for name, own in self.features.items()}, refused
        )


def decided(model: Model, threshold: float, answers: Answers) -> NDArray[Any] | None:
    """Return what follows from answers, shape (rows,); None of a number, from which nothing does."""
    if model.labels:
        return chosen(answers)
    return answers >= threshold if model.task == CLASSIFICATION else None


def compare(model: Model, entity: NDArray[Any], t: NDArray[np.int64], batch: Answered, other: Answered) -> Route:
    """Return what a way answers otherwise than the batch, on the rows (entity, t).

    Equal is equal to the last bit: the kernel's sums are exact and features are data, so nothing needs a tolerance but the
    arithmetic of another library's predictor, and that is for a gate to judge.
    """
    difference = _differences(model, batch.answers, other.answers)
    flipped = np.zeros(len(t), bool)
    if batch.decisions is not None and other.decisions is not None:
        flipped = batch.decisions != other.decisions
    unequal = {name: _unequal(batch.features[name], values) for name, values in other.features.items()}
    unequal |= {name: np.ones(len(t), bool) for name in batch.features if other.features and name not in other.features}
    concerned = (difference > 0) | flipped
    for rows in unequal.values():
        concerned = concerned | rows
    # the worst: another decision, then the largest difference, then the most features
    count = np.sum([*unequal.values(), np.zeros(len(t))], axis=0)
    order = np.lexsort((-count, -difference, ~flipped))[:EXAMPLES]
    return Route(
        rows=len(t),
        largest_difference=float(difference.max(initial=0.0)),
        flipped=int(flipped.sum()),
        concerned=int(concerned.sum()),
        skewed={name: int(rows.sum()) for name, rows in unequal.items() if rows.any()},
        worst=tuple(_example(model, place, entity, t, batch, other, unequal) for place in order if concerned[place]),
        refused=other.refused,
    )


def _differences(model: Model, batch: Answers, other: Answers) -> NDArray[np.float64]:
    """Return by how much each row's answer differs, shape (rows,)."""
    there, here = (each.reshape(len(each), -1) for each in (batch, other))
    both = np.isnan(there) & np.isnan(here)
    found = np.where(both, 0.0, np.nan_to_num(np.abs(here - there), nan=math.inf, posinf=math.inf))
    spread = 1.0
    if model.task == REGRESSION and len(there):
        spread = float(np.ptp(score_of(batch))) or 1.0
    return np.asarray(found.max(axis=1, initial=0.0) / spread)


def _unequal(there: NDArray[Any], here: NDArray[Any]) -> NDArray[np.bool_]:
    """Return on which rows two columns differ; null is equal to null, and to nothing else."""
    if there.dtype == object or here.dtype == object:
        return np.array([one != other for one, other in zip(there.tolist(), here.tolist(), strict=True)], bool)
    return np.asarray(~((there == here) | (np.isnan(there) & np.isnan(here))))


def _example(
    model: Model,
    place: int,
    entity: NDArray[Any],
    t: NDArray[np.int64],
    batch: Answered,
    other: Answered,
    unequal: Mapping[str, NDArray[np.bool_]],
) -> Example:
    differing = [name for name, rows in unequal.items() if rows[place]][:SHOWN]
    here = {
        name: (batch.features[name][place], other.features[name][place]) for name in differing if name in other.features
    }
    scores = (_score(model, one.answers[place]) for one in (batch, other))
    expected, found = (None if math.isnan(score) else score for score in scores)
    pairs = {name: (_plain(one), _plain(two)) for name, (one, two) in here.items()}
    return Example(str(entity[place]), int(t[place]), expected, found, pairs)


def _score(model: Model, answer: NDArray[np.float64]) -> float:
    """Return what one row's answer is known by: its score, of several labels the likeliest one's probability."""
    return float(answer.max() if model.labels else answer.flat[0])


def _plain(value: Any) -> Any:
    found = value.item() if isinstance(value, np.generic) else value
    return None if found is None or found != found else found
