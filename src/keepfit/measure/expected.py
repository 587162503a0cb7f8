"""A metric that nobody has measured yet: what it is to be expected if each row turns out in one of several ways.

The formulas are those of the metrics themselves. A row that may turn out in three ways counts as three rows, each with its chance
as its weight; sums of weighted terms are expected sums, and a ranking of weighted rows is the expected one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keepfit.answers import Answers
from keepfit.measure.metrics import PLAIN, names_of, sums_of
from keepfit.measure.ranking import RANKED, ranking_of
from keepfit.measure.sums import Floats
from keepfit.spec.training import Training

UNFORESEEN = frozenset({"mape"})
"""Metrics that cannot be told before: how far an error is from what happened, which may be close to 0."""


@dataclass(frozen=True)
class Possible:
    """In which ways each row may turn out.

    Attributes
    ----------
    outcomes : float64 array, shape (rows, ways)
        What would have happened: 0 or 1, the place of a label, or a value.
    chances : float64 array, shape (rows, ways)
        How likely that is; a row's add up to 1.
    """

    outcomes: Floats
    chances: Floats

    def some(self, rows: Floats) -> Possible:
        """Return some of the rows, by their places."""
        return Possible(self.outcomes[rows], self.chances[rows])

    def drawn(self, random: np.random.Generator) -> Possible:
        """Return one way for each row, drawn by its chances."""
        below = np.cumsum(self.chances, axis=1)[:, :-1]
        ways = (random.random(len(below))[:, None] > below).sum(axis=1)
        actual = np.take_along_axis(self.outcomes, ways[:, None], axis=1)
        return Possible(actual, np.ones_like(actual))


def expected(
    metrics: Sequence[str], possible: Possible, answers: Answers, threshold: float = 0.5, said: Training = PLAIN
) -> dict[str, float]:
    """Return metrics of predictions whose outcomes are not known yet.

    Parameters
    ----------
    metrics, threshold, said
        As in `keepfit.measure.metrics.measure`.
    possible : Possible
        In which ways each row may turn out.
    answers : float64 array, shape (rows,) or (rows, columns)
        What was answered, as in `keepfit.answers`.

    Notes
    -----
    A metric that is a quotient of sums, such as f1, is the quotient of the expected sums; the error of that falls with the rows.
    """
    ways = possible.outcomes.shape[1]
    actual, weights = possible.outcomes.ravel(), possible.chances.ravel()
    answers = np.repeat(answers, ways, axis=0)
    sums_by = {name: sums_of(name, said, several=answers.ndim > 1) for name in metrics if name not in RANKED}
    added = {
        per_row: weights @ per_row(actual, answers, threshold) for per_row in {one.per_row for one in sums_by.values()}
    }
    found = {name: float(one.finish(added[one.per_row])) for name, one in sums_by.items()}
    if len(found) < len(metrics):
        ranking = ranking_of(actual, answers)
        ranked = ranking.weigh(ranking.order(weights))
        found |= {name: float(RANKED[name](ranked)) for name in metrics if name in RANKED}
    return {name: found[name] for name in metrics}


def foreseen(task: str, said: Training = PLAIN) -> list[str]:
    """Return the names of the metrics of a task that can be told before labels are there."""
    return [name for name in names_of(task, said) if name not in UNFORESEEN]
