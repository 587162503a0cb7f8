"""The report of a version: what lies beside its model as JSON, CSV and a page. A replay leaves it out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from keepfit.artifact import encode
from keepfit.evidence import Evaluation
from keepfit.project import Project
from keepfit.spec.features.meaning import unit_of
from keepfit.spec.model import Model
from keepfit.stages.evaluation.detail import detail, worst_csv
from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.reports.evaluation import evaluation_page
from keepfit.stages.training.train import Trained

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
    told["unit"] = unit_of(model.target)
    page = evaluation_page(title_of(model.name, as_of), evaluation, told)
    return {REPORT: json.dumps(told, indent=1).encode(), WORST: worst_csv(told), PAGE: page.encode()}


def title_of(model: str, trained: str) -> str:
    """Return the headline of a version's page; its number is not known when it is drawn."""
    return f"{model}, trained {trained}"
