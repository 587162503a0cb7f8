"""What a training does beside fitting once: look for parameters before it, and repeat it at earlier origins after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from keepfit import tables
from keepfit.evidence import Estimate, Fold, LearntFrom, Search
from keepfit.measure.baseline import baseline, constant
from keepfit.measure.bootstrap import estimate
from keepfit.measure.metrics import measure, measure_all
from keepfit.measure.sums import Floats
from keepfit.project import Project
from keepfit.spec import codec
from keepfit.spec.metric import METRICS
from keepfit.spec.model import Model
from keepfit.spec.tuning import Tune
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.training.grow import TrainingRows
from keepfit.stages.training.learning_curve import learning_curve
from keepfit.stages.training.train import Trained, backtest
from keepfit.stages.training.tuning import Tuned, tune

Choose = Callable[[str, Floats, Floats], float]


def searched(
    project: Project, model: Model, found: TrainingSet, as_of: int, choose: Choose
) -> tuple[Model, Search | None]:
    """Return the model with the parameters that a search found, and the search; as it is if none are to be looked for."""
    said = model.tune
    if said is None:
        return model, None
    definition, seed = codec.fingerprint(codec.encode(model))[:12], project.settings.training.seed
    name = f"{model.name}_{definition}_{as_of}_{seed}_{found.digest()}"

    def score(parameters: Mapping[str, Any]) -> Iterator[float]:
        tried = with_parameters(model, parameters)
        for fold in backtest(tried, rows_of(found), said.folds, seed=seed, choose_threshold=choose):
            yield measure(model.metric, found.target[fold.split.test], fold.scores, fold.threshold, model.training)

    greater = METRICS[model.metric].greater_is_better
    tuned = tune(said, score, greater_is_better=greater, name=name, kept=project.state / "tuning", seed=seed)
    _keep(project, model, tuned, name, as_of)
    return with_parameters(model, tuned.best.parameters), _search(said, model.metric, tuned)


def _search(said: Tune, metric: str, tuned: Tuned) -> Search:
    """Return a search as it is shown; how long a trial took is left out, so that the same search shows the same."""
    trials = tuple(
        {
            "number": one.number,
            "state": one.state,
            "value": one.value,
            "folds": one.folds,
            "parameters": one.parameters,
            "reason": one.reason,
            "best": one == tuned.best,
        }
        for one in tuned.trials
    )
    return Search(metric, said.method, {name: said.scale(name) for name in said.space}, trials)


def rows_of(found: TrainingSet) -> TrainingRows:
    """Return a training set as training reads it."""
    return TrainingRows(found.t, found.features, found.target, found.entity)


def with_parameters(model: Model, parameters: Mapping[str, Any]) -> Model:
    """Return the model with some of its estimator's parameters set."""
    return replace(model, estimator=replace(model.estimator, parameters={**model.estimator.parameters, **parameters}))


def _keep(project: Project, model: Model, tuned: Tuned, name: str, as_of: int) -> None:
    trials = tuned.trials
    texts: dict[str, list[Any]] = {
        "search": [name] * len(trials),
        "model": [model.name] * len(trials),
        "metric": [model.metric] * len(trials),
        "folds": [json.dumps(one.folds) for one in trials],
        "state": [one.state for one in trials],
        "parameters": [json.dumps(one.parameters) for one in trials],
        "reason": [one.reason or None for one in trials],
        "best": [one == tuned.best for one in trials],
    }
    rows: dict[str, Any] = {column: np.array(values, object) for column, values in texts.items()}
    rows["best"] = np.array(texts["best"], np.bool_)
    rows["trial"] = np.array([one.number for one in trials], np.int64)
    rows["as_of"] = np.full(len(trials), as_of, np.int64)
    rows["value"] = np.array([one.value for one in trials], np.float64)
    declared = tables.TUNING
    ordered = {column: rows[column] for column in declared.columns}
    project.records.append(
        declared.name, project.engine.relation(ordered, declared.columns), transaction=f"{name}/{len(trials)}"
    )


def backtested(model: Model, found: TrainingSet, seed: int, choose: Choose) -> tuple[Fold, ...]:
    """Return what the same training shows at earlier origins, the oldest first."""
    if not model.training.folds:
        return ()
    return tuple(
        Fold(
            from_at=int(found.t[fold.split.test].min()),
            to_at=int(found.t[fold.split.test].max()),
            rows=int(fold.split.test.sum()),
            metrics=measure_all(model.task, found.target[fold.split.test], fold.scores, fold.threshold, model.training),
            baseline=baseline(
                model.task,
                constant(model.task, found.target[fold.split.train], model.training, len(model.labels)),
                found.target[fold.split.test],
                model.training,
            ),
        )
        for fold in backtest(model, rows_of(found), model.training.folds, seed=seed, choose_threshold=choose)
    )


def learnt_from(
    model: Model, found: TrainingSet, trained: Trained, whole: Estimate, seed: int, choose: Choose
) -> tuple[LearntFrom, ...]:
    """Return what the same training shows that learns from fewer rows, the fewest first, and the model itself as the last."""
    if not model.training.learning_curve:
        return ()
    test, train = trained.split.test, trained.split.train
    clusters = np.unique(found.entity[test].astype(str), return_inverse=True)[1].ravel()
    measured = partial(estimate, model.metric, found.target[test], clusters=clusters, seed=seed, said=model.training)
    parts = tuple(
        LearntFrom(one.share, one.rows, one.from_at, measured(one.scores, one.threshold))
        for one in learning_curve(model, rows_of(found), seed=seed, choose_threshold=choose)
    )
    return (*parts, LearntFrom(1.0, int(train.sum()), int(found.t[train].min()), whole))
