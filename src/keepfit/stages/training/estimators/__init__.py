"""Estimators. Each is one file with a function `fit`, marked with what it learns, in the entry point group `keepfit.estimators`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import DefinitionError, did_you_mean
from keepfit.evidence import History
from keepfit.spec.estimators import TASKS, Estimator

Matrix = NDArray[np.float32]
GROUP = "keepfit.estimators"
USUAL = ("classification", "regression")
SEEN = 10_000
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Task:
    """What an estimator is asked to learn.

    Attributes
    ----------
    task : str
        'classification' (target 1 or 0), 'multiclass' (target the place of a label), 'regression', or 'quantile' (of a number).
    features : tuple of str
        The matrix's columns.
    categories : dict
        Feature -> labels; such a column holds label positions, NaN for null and unseen.
    parameters : dict
        The definition's parameters, over the estimator's own defaults.
    seed : int
        Of every random choice.
    of : str
        Which estimator, of a plug-in that has several.
    monotone : dict
        Feature -> 1 (the score never falls when it rises) or -1; a plug-in that cannot hold it raises.
    quantile : float
        Which one, of a quantile: 0.9 is the value that nine in ten rows stay below.
    labels : int
        How many, of several; each of them is the target of some row that is learnt from.
    history : bool
        Whether to keep the loss by round, on train rows as well; what is learnt is the same.
    """

    task: str
    features: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    parameters: dict[str, Any]
    seed: int
    of: str = ""
    monotone: dict[str, int] = field(default_factory=dict)
    quantile: float = 0.5
    labels: int = 0
    history: bool = False

    @property
    def directions(self) -> list[int]:
        """The direction of each feature: 1, -1, or 0 for no constraint."""
        return [self.monotone.get(name, 0) for name in self.features]


@dataclass(frozen=True)
class Rows:
    """Rows in the order of time: matrix [rows, features], target [rows], and the weight of each row; None weighs all the same."""

    matrix: Matrix
    target: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None

    def some(self) -> Rows:
        """Return at most 10,000 rows, drawn evenly: to see a loss go down they are enough, and all cost time."""
        places = np.unique(np.linspace(0, len(self.target) - 1, SEEN).astype(np.int64))
        return Rows(self.matrix[places], self.target[places], None if self.weights is None else self.weights[places])


class Fitted(Protocol):
    """A fitted model."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Those it was fitted with, the plug-in's defaults among them."""

    def predict(self, matrix: Matrix) -> NDArray[np.float64]:
        """Return scores by the library's own predictor: the positive class's probability, or the value.

        Of several labels the probability of each, shape (rows, labels).
        """

    def native(self) -> tuple[str, bytes] | None:
        """Return the file name and content of the model in the library's own format, None if it has none; no pickle."""

    def onnx(self) -> bytes:
        """Return the model as ONNX; its last output's last column is the score, of several labels its columns are."""


@runtime_checkable
class Boosted(Protocol):
    """A fitted model that knows how it was grown; a plug-in may leave it out."""

    @property
    def history(self) -> History | None:
        """Its loss round by round; None if the task does not ask for it, or without validation rows."""


class Fit(Protocol):
    """What an estimator plug-in exports."""

    def __call__(self, task: Task, rows: Rows, validation: Rows | None) -> Fitted:
        """Fit; with `validation`, stop early on it; without, grow as much as the parameters say.

        The parameters of what is returned, given again without validation, grow a model of the same size.
        """


def learns(*tasks: str) -> Callable[[F], F]:
    """Mark a plug-in's `fit` with the tasks that it learns; one without a mark learns 'classification' and 'regression'."""

    def mark(fit: F) -> F:
        fit.tasks = tasks  # type: ignore[attr-defined]
        return fit

    return mark


def can_learn(estimator: Estimator, task: str) -> bool:
    """Return whether an estimator learns a task."""
    declared: tuple[str, ...] = getattr(find(estimator.kind), "tasks", USUAL)
    return task in TASKS.get(estimator.of, declared)


def find(kind: str) -> Fit:
    """Return the `fit` of an estimator plug-in.

    Raises
    ------
    DefinitionError
        If none of that name is installed.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in known:
        raise DefinitionError(
            f"unknown estimator {kind!r}", where="definitions.py, Model(estimator=...)", fix=did_you_mean(kind, known)
        )
    fit: Fit = known[kind].load()
    return fit
