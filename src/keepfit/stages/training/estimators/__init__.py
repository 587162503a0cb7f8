"""Estimators. Each is one file with a function `fit`, named in the entry point group `keepfit.estimators`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import DefinitionError, did_you_mean

Matrix = NDArray[np.float32]
GROUP = "keepfit.estimators"


@dataclass(frozen=True)
class Task:
    """What an estimator is asked to learn.

    Attributes
    ----------
    task : str
        'classification' (target 1 or 0) or 'regression'.
    features : tuple of str
        The matrix's columns.
    categories : dict
        Feature -> labels; such a column holds label positions, NaN for null and unseen.
    parameters : dict
        The definition's parameters, over the estimator's own defaults.
    seed : int
        Of every random choice.
    """

    task: str
    features: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    parameters: dict[str, Any]
    seed: int


class Fitted(Protocol):
    """A fitted model."""

    parameters: dict[str, Any]

    def predict(self, matrix: Matrix) -> NDArray[np.float64]:
        """Return scores by the library's own predictor: the positive class's probability, or the value."""

    def native(self) -> tuple[str, bytes]:
        """Return the file name and content of the model in the library's own format; no pickle."""

    def onnx(self) -> bytes:
        """Return the model as ONNX; its last output's last column is the score."""


class Fit(Protocol):
    """What an estimator plug-in exports."""

    def __call__(
        self,
        task: Task,
        matrix: Matrix,
        target: NDArray[np.float64],
        validation: tuple[Matrix, NDArray[np.float64]] | None,
    ) -> Fitted:
        """Fit; with `validation`, stop early on it; rows are in the order of time."""


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
