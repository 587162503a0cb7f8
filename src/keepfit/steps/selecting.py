"""What is to be known of the features before and after a training: which of them are kept, and which to ask about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence import FeatureNote
from keepfit.project import Project
from keepfit.stages.evaluation.explain import permutation_importance
from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.evaluation.review import review
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.training.grow import ChooseThreshold, Grown
from keepfit.stages.training.selecting import select
from keepfit.stages.training.train import Trained
from keepfit.steps.searching import rows_of

Floats = NDArray[np.float64]
LOOKED_AT = 5000  # rows of a fold that are shuffled


def selected(
    project: Project, found: TrainingSet, choose: ChooseThreshold
) -> tuple[TrainingSet, tuple[FeatureNote, ...]]:
    """Return the training set with the features that a selection keeps, and what it says of each; as it is without one."""
    model, seed = found.model, project.settings.training.seed
    if model.training.select is None:
        return found, ()

    def importance(grown: Grown, part: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        rows = np.flatnonzero(part)
        judged = Judged(
            task=model.task,
            entity=found.entity[rows],
            t=found.t[rows],
            features={},
            matrix=grown.matrix[rows],
            actual=found.target[rows],
            answers=np.full(len(rows), np.nan),
            threshold=grown.threshold,
            clusters=np.zeros(len(rows), np.int64),
            said=model.training,
            labels=model.labels,
        ).sample(LOOKED_AT, seed)
        return permutation_importance(model.metric, judged, grown.answers, seed=seed, said=model.training)

    notes = select(
        model,
        rows_of(found),
        model.training.select,
        seed=seed,
        choose_threshold=choose,
        importance=importance,
        always={*model.training.monotone, *model.group_columns().values()},
    )
    return keeping(found, [one.feature for one in notes if one.kept]), notes


def keeping(found: TrainingSet, names: Sequence[str] | None) -> TrainingSet:
    """Return a training set with some of its features; as it is for None."""
    if names is None:
        return found
    model = replace(found.model, kept=tuple(names))
    return replace(found, model=model, features={name: found.features[name] for name in names})


def reviewed(
    project: Project, found: TrainingSet, trained: Trained, notes: tuple[FeatureNote, ...]
) -> tuple[FeatureNote, ...]:
    """Return what is to be said of each feature of the rows that a version learnt from; nothing in a replay."""
    if project.is_replay:
        return notes
    rows = trained.split.fitted
    features = {name: values[rows] for name, values in found.features.items()}
    seed = project.settings.training.seed
    return review(found.model.task, features, found.target[rows], found.entity[rows], notes, seed=seed)
