"""What a version remembers of its world: the reference that it will be watched by."""

from __future__ import annotations

import numpy as np

from keepfit.answers import Answers, happened, score_of, watched
from keepfit.measure.sums import Floats
from keepfit.spec.features import Calendar, Constant, Expression, Holiday
from keepfit.spec.model import REGRESSION, Model
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.monitoring.reference import Reference, Rows, remembered
from keepfit.stages.training.train import Trained
from keepfit.steps.answering import SCORE, TARGET

SMALLEST = 1e-6
"""A probability below it costs no more: one row would otherwise outweigh all others."""


def reference_of(found: TrainingSet, trained: Trained) -> Reference:
    """Return how the newest rows of a training set were distributed and answered, what happened, and how all its windows varied.

    The newest rows are those it was validated and tested on: has the world changed since this version was approved?
    """
    model, parts = found.model, trained.split
    # the calendar moves by itself: that is no drift
    moving = {feature.name for feature in model.inputs() if not _of_the_moment(feature)}
    features = {name: values for name, values in found.features.items() if name in moving}
    # of the scores only those of the test: the others it has learnt from, and they are too sure
    scores, t = trained.scores[parts.test], found.t[parts.test]
    answers = Rows({SCORE: watched(model, scores)}, t, np.ones(len(t), bool))
    loss = losses(model, found.target[parts.test], scores)
    rows = Rows(features | {TARGET: happened(model, found.target)}, found.t, parts.validation | parts.test)
    return remembered(rows, answers, model.watch.grid(model.observe), loss, parts.test)


def losses(model: Model, actual: Floats, answers: Answers) -> Floats:
    """Return what each answer cost: squared error of a number, logarithmic loss of a class; NaN where nothing is known."""
    if model.task == REGRESSION:
        return np.asarray((actual - score_of(answers)) ** 2)
    known = ~np.isnan(actual)
    if model.labels:
        likely = np.full(len(actual), np.nan)
        likely[known] = answers[known, actual[known].astype(np.intp)]
    else:
        likely = np.where(known, np.where(actual == 1, answers, 1 - answers), np.nan)
    return np.asarray(-np.log(np.clip(likely, SMALLEST, 1.0)))


def _of_the_moment(feature: Expression) -> bool:
    return all(isinstance(leaf, Calendar | Holiday | Constant) for leaf in feature.leaves())
