"""A metric that nobody has measured yet: what it is to be expected if each row turns out in one of several ways.

The formulas are those of the metrics themselves. A row that may turn out in three ways counts as three rows, each with its chance
as its weight; sums of weighted terms are expected sums, and a ranking of weighted rows is the expected one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keepfit.answers import Answers, score_of
from keepfit.measure.metrics import PLAIN, names_of, sums_of
from keepfit.measure.ranking import RANKED, ranking_of
from keepfit.measure.sums import Floats, PerRow
from keepfit.spec.training import Training

UNFORESEEN = frozenset({"mape"})
"""Metrics that cannot be told before: how far an error is from what happened, which may be close to 0."""

PART = 20_000
"""Rows that are looked at together, each in all of its ways: what is held does not grow with the rows."""


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

    def some(self, rows: Any) -> Possible:
        """Return some of the rows, by their places."""
        return Possible(self.outcomes[rows], self.chances[rows])

    def drawn(self, random: np.random.Generator) -> Possible:
        """Return one way for each row, drawn by its chances."""
        below = np.cumsum(self.chances, axis=1)[:, :-1]
        ways = (random.random(len(below))[:, None] > below).sum(axis=1)
        actual = np.take_along_axis(self.outcomes, ways[:, None], axis=1)
        return Possible(actual, np.ones_like(actual))


Ways = Callable[[Any], Possible]
"""Places of rows -> the ways in which they may turn out; `Possible.some` is one."""


def expected(
    metrics: Sequence[str], possible: Ways, answers: Answers, threshold: float = 0.5, said: Training = PLAIN
) -> dict[str, float]:
    """Return metrics of predictions whose outcomes are not known yet.

    Parameters
    ----------
    metrics, threshold, said
        As in `keepfit.measure.metrics.measure`.
    possible : Ways
        In which ways rows may turn out; asked for `PART` rows at a time, and for all of them by metrics of the order of scores.
    answers : float64 array, shape (rows,) or (rows, columns)
        What was answered, as in `keepfit.answers`.

    Notes
    -----
    A metric that is a quotient of sums, such as f1, is the quotient of the expected sums; the error of that falls with the rows.
    """
    centre = float(np.median(score_of(answers))) if "r2" in metrics else 0.0
    sums_by = {
        name: sums_of(name, said, several=answers.ndim > 1, centre=centre) for name in metrics if name not in RANKED
    }
    added: dict[PerRow, Any] = dict.fromkeys((one.per_row for one in sums_by.values()), 0.0)
    for start in range(0, len(answers), PART) if added else ():
        rows = slice(start, start + PART)
        actual, weights, said_of = _unfolded(possible(rows), answers[rows])
        for per_row in added:
            added[per_row] = added[per_row] + weights @ per_row(actual, said_of, threshold)
    found = {name: float(one.finish(added[one.per_row])) for name, one in sums_by.items()}
    if len(found) < len(metrics):
        actual, weights, said_of = _unfolded(possible(slice(None)), answers)
        ranking = ranking_of(actual, said_of)
        ranked = ranking.weigh(ranking.order(weights))
        found |= {name: float(RANKED[name](ranked)) for name in metrics if name in RANKED}
    return {name: found[name] for name in metrics}


def _unfolded(possible: Possible, answers: Answers) -> tuple[Floats, Floats, Answers]:
    """Return a row for each way: what happens, its chance, and what was answered."""
    return possible.outcomes.ravel(), possible.chances.ravel(), np.repeat(answers, possible.outcomes.shape[1], axis=0)


def foreseen(task: str, said: Training = PLAIN) -> list[str]:
    """Return the names of the metrics of a task that can be told before labels are there."""
    return [name for name in names_of(task, said) if name not in UNFORESEEN]
