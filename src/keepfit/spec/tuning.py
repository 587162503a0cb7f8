"""What may be tuned of an estimator, and how long to look for the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GRID, RANDOM, TPE = "grid", "random", "tpe"
METHODS = (GRID, RANDOM, TPE)
LOG = "log"


@dataclass(frozen=True)
class Tune:
    """Look for the parameters with which a model is best on earlier folds, before it is trained; its test rows are never looked at.

    Parameters
    ----------
    space : dict
        Parameter -> what it may be: (low, high) of whole numbers or of floats, both included; (low, high, 'log') to look at orders
        of magnitude alike; or a list of values. What is not named stays as the estimator has it.
    method : 'tpe', 'random' or 'grid'
        Tree-structured Parzen estimators (Bergstra et al. 2011), draws, or every combination of lists.
    trials : int
        At most so many.
    budget : str, optional
        No trial begins later than so long after the first: '10min'.
    folds : int
        Rolling-origin folds that a trial is measured on, all of them before the model's own test; their mean counts.
    prune : bool
        Give a trial up whose first folds are worse than the median of the others there.
    """

    space: Mapping[str, Any]
    method: str = TPE
    trials: int = 30
    budget: str | None = None
    folds: int = 3
    prune: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", dict(self.space))

    def scale(self, name: str) -> str:
        """Return how a parameter is looked over: 'choice' of a list, 'log' or 'linear' of a range."""
        where = self.space[name]
        return "choice" if isinstance(where, list) else LOG if LOG in where else "linear"
