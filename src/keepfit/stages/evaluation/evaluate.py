"""The evaluation of a challenger: everything its gates will ask about, measured on the same test rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.answers import Answers, score_of
from keepfit.errors import TrainingError
from keepfit.evidence import Estimate, Evaluation
from keepfit.measure.baseline import baseline, constant
from keepfit.measure.bootstrap import estimates, paired_gain
from keepfit.measure.metrics import measure, measure_all, names_of
from keepfit.measure.sums import Floats
from keepfit.spec.model import Model
from keepfit.stages.evaluation.groups import group_rates

OF_PROBABILITIES = ("log_loss", "brier", "ece")
"""What a calibration is to make better."""


def evaluate(
    model: Model,
    *,
    parts: Mapping[str, Floats],
    test: Floats,
    t: NDArray[np.int64],
    answers: Answers,
    threshold: float,
    clusters: NDArray[np.integer],
    groups: Mapping[str, NDArray[Any]],
    champion: tuple[Answers, float] | None,
    seed: int,
    rivals: Mapping[str, dict[str, float]] | None = None,
    held_out: tuple[Floats, Answers] | None = None,
    uncalibrated: Floats | None = None,
) -> Evaluation:
    """Return what a challenger showed on the test rows.

    Parameters
    ----------
    model : Model
        Its task and its metric are used.
    parts : mapping of str to float64 array
        The actual values of the rows it was fitted and tuned on: "train" (the baseline learns from these) and
        "validation".
    test : float64 array, shape (rows,)
        The actual values of the test rows; 0 or 1 for classification.
    t : int64 array, shape (rows,)
        When each test row was observed, microseconds UTC.
    answers : float64 array, shape (rows,) or (rows, columns)
        What the challenger says of the test rows; see `keepfit.answers`.
    threshold : float
        The challenger's: scores >= threshold are called positive.
    clusters : integer array, shape (rows,)
        A code for each test row's entity.
    groups : mapping of str to object array, shape (rows,)
        Each column to judge fairness across, as labels or None.
    champion : tuple of float64 array and float, or None
        The champion's answers to the same rows, and its threshold.
    seed : int
        Of the bootstrap.
    rivals : mapping, optional
        What simple rules showed on the same rows; see `keepfit.stages.evaluation.rivals`.
    held_out : tuple of two float64 arrays, optional
        The actual values of, and the answers to, the test's rows of entities that nothing was learnt from.
    uncalibrated : float64 array, shape (rows,), optional
        The scores of the test rows before their calibration.

    Raises
    ------
    TrainingError
        If there are no test rows.
    """
    _require(test, model)
    task, said = model.task, model.training
    intervals = estimates(names_of(task, said), test, answers, threshold, clusters=clusters, seed=seed, said=said)
    score = score_of(answers)
    return Evaluation(
        task=task,
        metric=model.metric,
        threshold=threshold,
        rows={part: len(actual) for part, actual in parts.items()} | {"test": len(test)} | _counted(held_out),
        test_from_at=int(t.min()),
        test_to_at=int(t.max()),
        metrics={name: found.value for name, found in intervals.items()},
        baseline=baseline(task, constant(task, parts["train"], said, len(model.labels)), test, said),
        estimate=intervals[model.metric],
        against_champion=_gain(model, test, (answers, threshold), champion, clusters, seed),
        groups={column: group_rates(task, test, score, threshold, labels) for column, labels in groups.items()},
        held_out=measure_all(task, *held_out, threshold, said) if held_out else {},
        intervals=intervals,
        rivals=dict(rivals or {}),
        uncalibrated={}
        if uncalibrated is None
        else {name: measure(name, test, uncalibrated) for name in OF_PROBABILITIES},
    )


def _counted(held_out: tuple[Floats, Answers] | None) -> dict[str, int]:
    return {} if held_out is None else {"held_out": len(held_out[0])}


def _require(test: Floats, model: Model) -> None:
    if len(test) == 0:
        raise TrainingError(
            "There are no test rows to evaluate on",
            where=f"Model {model.name!r}",
            fix=f"wait for rows to mature, {clock.duration_text(model.horizon)} after each, or load an older past",
        )


def _gain(
    model: Model,
    test: Floats,
    challenger: tuple[Answers, float],
    champion: tuple[Answers, float] | None,
    clusters: NDArray[np.integer],
    seed: int,
) -> Estimate | None:
    if champion is None:
        return None
    return paired_gain(model.metric, test, *challenger, *champion, clusters=clusters, seed=seed, said=model.training)
