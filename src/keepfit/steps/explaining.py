"""The report of a version: what lies beside its model as JSON, CSV and a page. A replay leaves it out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from keepfit.artifact import encode
from keepfit.evidence import Evaluation
from keepfit.project import Project
from keepfit.spec.features import Aggregate
from keepfit.spec.features.expression import Named
from keepfit.spec.model import Model
from keepfit.stages.evaluation.detail import detail, worst_csv
from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.reports.evaluation import evaluation_page
from keepfit.stages.training.train import Trained

SAME_UNIT = frozenset({"sum", "mean", "median", "quantile", "min", "max", "std", "first", "last", "ewm"})
"""Aggregates in the unit of their column."""
REPORT, WORST, PAGE = "report.json", "worst.csv", "evaluation.html"


def explained(
    project: Project,
    model: Model,
    as_of: str,
    found: TrainingSet,
    trained: Trained,
    evaluation: Evaluation,
    grown: Mapping[str, Any],
) -> dict[str, bytes]:
    """Return the files that explain a version, name -> content; none in a replay, which trains many and keeps one.

    `grown` is how it was grown: history, search and learning_curve.
    """
    if project.is_replay:
        return {}
    test = np.flatnonzero(trained.split.test)
    features = {name: found.features[name][test] for name in trained.features}
    judged = Judged(
        task=model.task,
        entity=found.entity[test],
        t=found.t[test],
        features=features,
        matrix=encode(features, trained.features, trained.grown.categories),
        actual=found.target[test],
        answers=trained.scores[test],
        threshold=trained.threshold,
        clusters=np.unique(found.entity[test].astype(str), return_inverse=True)[1].ravel(),
        said=model.training,
        labels=model.labels,
    )
    groups = {column: features[name] for column, name in model.group_columns().items() if name in features}
    seed = project.settings.training.seed
    told = detail(
        evaluation, judged, trained.fitted, trained.grown.answers, groups, seed=seed, said=model.training, grown=grown
    )
    told["unit"] = unit_of(model)
    page = evaluation_page(title_of(model.name, as_of), evaluation, told)
    return {REPORT: json.dumps(told, indent=1).encode(), WORST: worst_csv(told), PAGE: page.encode()}


def unit_of(model: Model) -> str | None:
    """Return the unit of what is predicted, if it is a value of a column that declares one, or a sum of them."""
    target = model.target.value if isinstance(model.target, Named) else model.target
    if not isinstance(target, Aggregate) or target.function not in SAME_UNIT or target.column is None:
        return None
    column = target.events.columns.get(target.column)
    return column.unit if column else None


def title_of(model: str, trained: str) -> str:
    """Return the headline of a version's page; its number is not known when it is drawn."""
    return f"{model}, trained {trained}"
