"""How a model was grown: the loss round by round, what was tried before, and what fewer rows would have made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keepfit.evidence.evaluation import Estimate


@dataclass(frozen=True)
class History:
    """The loss after each round of boosting, on the rows that are learnt from and on the later ones that stop it.

    Attributes
    ----------
    metric : str
        What the library calls the loss that decides when to stop; lower is better, unless the library says otherwise.
    train, validation : tuple of float
        One value for each round, from the first.
    kept : int
        Rounds that the model keeps: up to the best on validation rows.
    """

    metric: str
    train: tuple[float, ...]
    validation: tuple[float, ...]
    kept: int


@dataclass(frozen=True)
class LearntFrom:
    """What a model shows on the test rows that learnt from the newest part of the train rows only.

    Attributes
    ----------
    share : float
        The part of the train rows, 1 for all.
    rows : int
        Train rows of that part; the validation rows, which the final model learns from as well, are always all there.
    from_at : int
        The first of their moments.
    estimate : Estimate
        The model's own metric on the test rows.
    """

    share: float
    rows: int
    from_at: int
    estimate: Estimate


@dataclass(frozen=True)
class Search:
    """A search for parameters: where it looked, and every trial in order.

    Attributes
    ----------
    metric, method : str
        What counted, and how trials were chosen: 'tpe', 'random' or 'grid'.
    scales : dict of str to str
        Parameter -> 'log', 'linear' or 'choice'.
    trials : tuple of dict
        number, state ('complete', 'pruned', 'failed'), value (mean of the folds; null unless complete), folds, parameters,
        reason, best.
    """

    metric: str
    method: str
    scales: dict[str, str]
    trials: tuple[dict[str, Any], ...]
