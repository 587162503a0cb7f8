"""Which of several labels is taken for which, and how well each is told from the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from keepfit.answers import chosen
from keepfit.measure.ranking import Ranking
from keepfit.stages.evaluation.judged import Judged

Points = list[dict[str, Any]]


def confusion(judged: Judged) -> Points:
    """Return for each pair of labels how many rows were the one and were called the other, and their share of the first."""
    cells = _cells(judged)
    was = np.maximum(cells.sum(axis=1), 1)
    return [
        {
            "actual": one,
            "predicted": other,
            "rows": int(cells[row, column]),
            "share": float(cells[row, column] / was[row]),
        }
        for row, one in enumerate(judged.labels)
        for column, other in enumerate(judged.labels)
    ]


def by_label(judged: Judged) -> Points:
    """Return for each label its rows, precision, recall and f1 of calling it, and the AUC of its probability.

    None where it is undefined: the precision of a label that nothing was called, the recall of one that no row was.
    """
    cells = _cells(judged)
    found = []
    for place, label in enumerate(judged.labels):
        both, called, was = int(cells[place, place]), int(cells[:, place].sum()), int(cells[place].sum())
        area = Ranking((judged.actual == place).astype(np.float64), judged.answers[:, place]).auc()
        found.append(
            {
                "label": label,
                "rows": was,
                "called": called,
                "precision": both / called if called else None,
                "recall": both / was if was else None,
                "f1": 2 * both / (called + was) if called + was else None,
                "auc": area if area == area else None,
            }
        )
    return found


def _cells(judged: Judged) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the rows by label that they were, and by label that they were called."""
    count = len(judged.labels)
    places = judged.actual.astype(np.int64) * count + chosen(judged.answers)
    return np.bincount(places, minlength=count * count).reshape(count, count)
