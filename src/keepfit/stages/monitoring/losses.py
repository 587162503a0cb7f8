"""How predicted values will turn out: by what errors were like, on earlier rows that looked the same.

Direct loss estimation (as NannyML, 2022, calls it): a small model learns, from rows that the model did not learn from, how large
the error of a row is to be expected by its features and its prediction. Errors over their expected size have one distribution;
with it, what may happen around a prediction is known, and so is every metric of errors. It follows inputs that drift to where
errors are larger. It does not see concept drift.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers, score_of
from keepfit.measure.between import Spread, between
from keepfit.measure.expected import Possible
from keepfit.measure.sums import Floats

PRIOR = 0.05
"""By how much the errors of windows differ, in logarithms, if nothing tells: 5%."""
PRIOR_BIAS = 0.2
"""By how much the mean error of windows differs, over the expected size of an error, if nothing tells."""
SMALLEST = 0.02
"""Of the mean error: no row's is expected to be smaller."""
TAILS = (0.0, 0.001, 0.003, 0.01, 0.02)
LEVELS = np.array([*TAILS, *np.linspace(0.04, 0.96, 24), *(1 - np.array(TAILS))[::-1]])
"""Between these quantiles, errors are told by their mean; narrow in the tails, which squares look at."""


@dataclass(frozen=True)
class Losses:
    """What errors are like beside the size that is expected of them.

    Attributes
    ----------
    level : float
        What makes an expected absolute error of what the model of losses says.
    smallest : float
        The smallest that is expected of a row, in the target's unit.
    errors, chances : tuple of float
        Errors over their expected size, and how likely each is.
    spread : Spread
        How far the errors of a window lie from what is expected of it, in logarithms.
    bias : Spread or None
        How far the mean of a window's errors over their expected size lies from that of all windows; None of an earlier keepfit.
    """

    level: float
    smallest: float
    errors: tuple[float, ...]
    chances: tuple[float, ...]
    spread: Spread
    bias: Spread | None = None

    def size(self, told: Floats) -> Floats:
        """Return the expected absolute error of each row, from what the model of losses says."""
        return size(told, self.level, self.smallest)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Losses:
        """Return what `as_data` wrote."""
        spreads = {name: Spread(**data[name]) for name in ("spread", "bias") if data.get(name)}
        return cls(**data | spreads | {"errors": tuple(data["errors"]), "chances": tuple(data["chances"])})


def target_of(error: Floats) -> Floats:
    """Return what the model of losses learns: roots, so that a few large errors do not decide."""
    return np.sqrt(np.abs(error))


def size(told: Floats, level: float, smallest: float) -> Floats:
    """Return the expected absolute error, in the target's unit, from what the model of losses says."""
    return np.maximum(level * np.maximum(told, 0.0) ** 2, smallest)


def learn_losses(error: Floats, told: Floats, before: Floats, windows: NDArray[np.intp]) -> Losses:
    """Return what errors are like.

    Parameters
    ----------
    error : float64 array, shape (rows,)
        What happened - what was predicted, of rows that the predicting model did not learn from.
    told : float64 array, shape (rows,)
        What the model of losses says of them.
    before : float64 array, shape (rows,)
        What models of losses say of them that learnt from earlier rows only: how errors spread, and how far windows lie off,
        must not be told by a model that has seen them.
    windows : integer array, shape (rows,)
        Which window each row is of, from 0.
    """
    mean = float(np.abs(error).mean())
    smallest = SMALLEST * mean if mean else 1.0
    level = _level(error, told)
    earlier = size(before, _level(error, before), smallest)
    scaled = error / earlier
    scaled = scaled * earlier.sum() / np.abs(error).sum() if mean else scaled
    errors, chances = atoms(scaled)
    count = int(windows.max()) + 1
    happened, said = (np.bincount(windows, one, count) for one in (np.abs(error), earlier))
    happened = happened.clip(1e-9 * smallest)  # a window without any error
    rate = happened / said
    noise = np.bincount(windows, (np.abs(error) - rate[windows] * earlier) ** 2, count) / happened**2
    rows = np.bincount(windows)
    mean_error = np.bincount(windows, scaled) / rows
    bias = between(mean_error, scaled.var() / rows, PRIOR_BIAS)
    return Losses(level, smallest, errors, chances, between(np.log(rate), noise, PRIOR), bias)


def _level(error: Floats, told: Floats) -> float:
    total = float((np.maximum(told, 0.0) ** 2).sum())
    return float(np.abs(error).sum()) / total if total else 1.0


def atoms(scaled: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return a few values that stand for many, and how likely each is; none stands for values on both sides of 0."""
    ordered = np.sort(scaled)
    below = np.searchsorted(ordered, 0.0)
    cuts = np.unique([*np.round(LEVELS * len(ordered)).astype(np.intp).tolist(), below])
    sizes = np.diff(cuts)
    means = np.add.reduceat(ordered, cuts[:-1]) / sizes
    return tuple(means.tolist()), tuple((sizes / len(ordered)).tolist())


def possible_values(
    learnt: Losses, answers: Answers, told: Floats, random: np.random.Generator | None = None, wider: float = 1.0
) -> Possible:
    """Return what may happen around each prediction; with `random`, in a window that may be as well."""
    size = learnt.size(told) * (1.0 if random is None else np.exp(wider * learnt.spread.drawn(random)))
    outcomes = score_of(answers)[:, None] + size[:, None] * np.array(learnt.errors)
    return Possible(outcomes, np.broadcast_to(np.array(learnt.chances), outcomes.shape))
