"""How a model is trained, beside what learns: which rows count how much, what may not happen, what a mistake costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BALANCED = "balanced"
BY_TIME = "time"
ISOTONIC, SIGMOID = "isotonic", "sigmoid"
LABELS = {"0": 0, "1": 1}  # of classes, as JSON writes them


@dataclass(frozen=True)
class Cost:
    """What a mistaken decision costs, in any unit; a right one costs nothing.

    Parameters
    ----------
    false_positive : float
        Called positive, and it did not happen.
    false_negative : float
        Not called positive, and it happened.
    """

    false_positive: float = 1.0
    false_negative: float = 1.0


@dataclass(frozen=True)
class Select:
    """Keep only the features that help again and again; the model's own test rows are never looked at.

    Parameters
    ----------
    folds : int
        Rolling-origin folds, all of them before the model's own test, on which each feature must show that it helps: the metric
        gets worse when its values are shuffled among the rows (permutation importance).
    stable : float
        The share of the folds in which it must.
    redundant : float
        Of two features whose ranks correlate by so much, the later one is left out first: they would stand in for each other.
    """

    folds: int = 3
    stable: float = 0.6
    redundant: float = 0.99


@dataclass(frozen=True)
class Training:
    """How a model is trained. Without any of these words, every row counts the same and scores are served as they are.

    Parameters
    ----------
    class_weight : 'balanced' or dict, optional
        The weight of a row by its class: {0: 1, 1: 5}, or {"bad": 5, ...} by label; 'balanced' weighs all the same in sum.
    half_life : str, optional
        A row's weight halves with each such age before the last row that is learnt from: '180d'.
    monotone : dict
        Feature name -> 1 (the score never falls when it rises) or -1 (never rises).
    calibrate : 'isotonic' or 'sigmoid', optional
        Make the score a probability: a map fitted on validation rows, part of what is served.
    cost : Cost, optional
        Choose the decision threshold so that mistakes cost least on validation rows; the metric `cost` exists.
    hold_out : float
        Share of the entities that nothing is learnt from, for what the model says of entities that it never saw.
    interval : float, optional
        The share of rows that an interval around a predicted value is to hold: 0.9. Every answer then has `low` and `high`.
    quantile : float, optional
        Predict the value that this share of rows stays below, instead of the mean: 0.9.
    folds : int
        Earlier origins that the same training is repeated at, to show how the metrics vary over time (rolling-origin backtest).
    learning_curve : bool
        Also train on the newest tenth, quarter and half of the train rows, to show what a longer history brings.
    select : Select, optional
        Leave out features that do not help, before each training.
    test : str, optional
        How much of the newest time nothing is learnt from, so that the model is judged on it: '365d' covers every season. Without
        it, the newest tenth of the moments.
    split : 'time'
        How rows are split into train, validation and test. There is no other way: a random split is refused, and told why.
    """

    class_weight: str | Mapping[Any, float] | None = None
    half_life: str | None = None
    monotone: Mapping[str, int] = field(default_factory=dict)
    calibrate: str | None = None
    cost: Cost | None = None
    hold_out: float = 0.0
    folds: int = field(default=0, metadata={"unwritten": 0})
    learning_curve: bool = field(default=False, metadata={"unwritten": False})
    interval: float | None = field(default=None, metadata={"unwritten": None})
    quantile: float | None = field(default=None, metadata={"unwritten": None})
    select: Select | None = field(default=None, metadata={"unwritten": None})
    test: str | None = field(default=None, metadata={"unwritten": None})
    split: str = field(default=BY_TIME, metadata={"unwritten": BY_TIME})

    @property
    def share(self) -> float | None:
        """The share of rows that the declared interval is to hold, or that are to stay below the declared quantile."""
        return self.interval if self.interval is not None else self.quantile

    @property
    def levels(self) -> tuple[float, float]:
        """The quantiles that bound the interval: 0.05 and 0.95 for a share of 0.9."""
        share = self.interval or 0.0
        return (1 - share) / 2, (1 + share) / 2

    def __post_init__(self) -> None:
        if isinstance(self.class_weight, Mapping):
            object.__setattr__(self, "class_weight", {_label(key): one for key, one in self.class_weight.items()})


def _label(key: Any) -> Any:
    return int(key) if isinstance(key, bool) else LABELS.get(key, key) if isinstance(key, str) else key
