"""All that is shown of a version beside its metrics, as plain data: the JSON and the pages are made from it.

The costly parts look at a sample of the test rows, drawn evenly and the same for the same seed; how many is recorded.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.answers import Answers, chosen, score_of
from keepfit.evidence import Evaluation, History, Search, as_data
from keepfit.measure.forest import forest_of
from keepfit.measure.metrics import PLAIN
from keepfit.measure.sums import Floats
from keepfit.spec.model import CLASSIFICATION
from keepfit.spec.training import Training
from keepfit.stages.evaluation.curves import curves
from keepfit.stages.evaluation.explain import (
    ESTIMATED,
    Contributions,
    Matrix,
    contributions,
    permutation_importance,
)
from keepfit.stages.evaluation.fairness import fairness
from keepfit.stages.evaluation.judged import SURE, Judged
from keepfit.stages.evaluation.review import with_unused
from keepfit.stages.evaluation.slices import weak_slices

CONTRIBUTED, PERMUTED, SLICED = 10_000, 2000, 20_000
"""At most so many rows for contributions, for permutation importance and for the search of slices."""
WORST, DEPENDENCE, DOTS = 20, 6, 300
"""Worst predictions kept, features whose dependence is kept, and points of each."""
SUMMARY, SWARM = 10, 120
"""Features whose contributions are kept row by row, and rows of each."""


def detail(
    evaluation: Evaluation,
    judged: Judged,
    fitted: object,
    predict: Callable[[Matrix], Answers],
    groups: Mapping[str, NDArray[Any]],
    *,
    seed: int,
    said: Training = PLAIN,
    grown: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return everything that is shown of a version, as plain JSON data.

    Parameters
    ----------
    fitted : object
        The fitted model; asked for its trees if it has any.
    predict : callable
        Matrix -> answers as they are served, for permutation importance.
    groups : mapping of str to object array, shape (rows,)
        The columns to judge fairness across.
    grown : mapping
        How the model was grown, each if there is any: `history` (History), `search` (Search), `learning_curve` (LearntFrom).

    Returns
    -------
    dict
        `numbers` holds every number by its evidence id, such as 'test.auc'; see `numbers_of`. `share` is what an interval is
        declared to hold, or a quantile to lie above.
    """
    names = list(judged.features)
    forest = forest_of(fitted)
    sample = judged.sample(ESTIMATED if forest is None else CONTRIBUTED, seed)
    # what a feature adds to one of several labels is told by trees, or not at all
    raw = None if judged.labels else _raw(predict, judged.task)
    told = contributions(forest, sample.matrix, raw, seed=seed)
    permuted = judged.sample(PERMUTED, seed)
    mean, spread = permutation_importance(evaluation.metric, permuted, predict, seed=seed, said=said)
    importance = told.importance if told else np.full(len(names), np.nan)
    order = np.lexsort((-mean, -importance)) if told else np.argsort(-mean, kind="stable")
    ranked = [names[place] for place in order]
    used = importance if told else np.maximum(mean, 0.0)
    found = {
        "loss": judged.loss_name,
        "curves": curves(judged, seed),
        "features": with_unused(evaluation.features, dict(zip(names, used.tolist(), strict=True))),
        "importance": [
            {
                "feature": names[place],
                "contribution": float(importance[place]),
                "permutation": float(mean[place]),
                "spread": float(spread[place]),
            }
            for place in order
        ],
        # contributions to different labels make no curve
        "summary": {} if judged.labels else _summary(sample, told, ranked),
        "dependence": {} if judged.labels else _dependence(sample, told, ranked),
        "slices": weak_slices(judged.sample(SLICED, seed), ranked),
        "worst": _worst(judged, lambda matrix: contributions(forest, matrix, raw, seed=seed)),
        "fairness": fairness(judged, groups, seed) if judged.task == CLASSIFICATION else {},
        "grown": dict(grown or {}),
        "sampled": {"contributions": len(sample), "permutation": len(permuted), "slices": min(len(judged), SLICED)},
        **({} if said.share is None else {"share": said.share}),
    }
    data: dict[str, Any] = as_data({"numbers": numbers_of(evaluation, found), **found})
    return data


def numbers_of(evaluation: Evaluation, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return every number by its evidence id.

    test.METRIC, baseline.METRIC, rival.RULE.METRIC, champion.gain, importance.FEATURE, permutation.FEATURE, alone.FEATURE,
    label.LABEL.RATE, slice.N, group.COLUMN.GROUP.RATE, gap.COLUMN.RATE, fold.N.METRIC, fold.N.baseline.METRIC,
    history.rounds, history.train, history.validation, learning_curve.PERCENT, trial.N. Those with an interval have value,
    low, high and rows.
    """
    numbers: dict[str, Any] = {f"test.{name}": one for name, one in evaluation.intervals.items()}
    numbers |= {f"baseline.{name}": {"value": value} for name, value in evaluation.baseline.items()}
    for rule, metrics in evaluation.rivals.items():
        numbers |= {f"rival.{rule.split(' (')[0]}.{name}": {"value": value} for name, value in metrics.items()}
    numbers |= {f"uncalibrated.{name}": {"value": value} for name, value in evaluation.uncalibrated.items()}
    if evaluation.against_champion is not None:
        numbers["champion.gain"] = evaluation.against_champion
    for one in found["importance"]:
        numbers[f"importance.{one['feature']}"] = {"value": one["contribution"]}
        numbers[f"permutation.{one['feature']}"] = {"value": one["permutation"]}
    numbers |= {f"alone.{one.feature}": {"value": one.alone} for one in evaluation.features}
    for one in found["curves"].get("labels", ()):
        rates = ("precision", "recall", "f1", "auc")
        numbers |= {f"label.{one['label']}.{rate}": {"value": one[rate], "rows": one["rows"]} for rate in rates}
    for place, slice_ in enumerate(found["slices"].found, 1):
        numbers[f"slice.{place}"] = {"value": slice_.effect, "rows": slice_.rows}
    for column, parts in found["fairness"].items():
        for group, rates in parts["groups"].items():
            numbers |= {f"group.{column}.{group}.{rate}": one for rate, one in rates.items() if rate != "rows"}
        numbers |= {f"gap.{column}.{rate}": one for rate, one in parts["gaps"].items()}
    return numbers | _folds(evaluation) | _grown(found["grown"])


def _folds(evaluation: Evaluation) -> dict[str, Any]:
    """Return the metrics at earlier origins, from 1 for the oldest, and of the constant there."""
    numbers: dict[str, Any] = {}
    for place, fold in enumerate(evaluation.folds, 1):
        numbers |= {f"fold.{place}.{name}": {"value": value, "rows": fold.rows} for name, value in fold.metrics.items()}
        numbers |= {f"fold.{place}.baseline.{name}": {"value": value} for name, value in fold.baseline.items()}
    return numbers


def _grown(found: Mapping[str, Any]) -> dict[str, Any]:
    history: History | None = found.get("history")
    search: Search | None = found.get("search")
    numbers: dict[str, Any] = {}
    if history is not None:
        numbers["history.rounds"] = {"value": history.kept}
        numbers["history.train"] = {"value": history.train[history.kept - 1]}
        numbers["history.validation"] = {"value": history.validation[history.kept - 1]}
    for one in found.get("learning_curve", ()):
        numbers[f"learning_curve.{one.share:.0%}"] = one.estimate
    for trial in search.trials if search else ():
        numbers[f"trial.{trial['number']}"] = {"value": trial["value"]}
    return numbers


def _dependence(sample: Judged, told: Contributions | None, ranked: Sequence[str]) -> dict[str, list[dict[str, float]]]:
    """Return value and contribution of the most important features that are numbers, at some rows."""
    if told is None:
        return {}
    places = {name: place for place, name in enumerate(sample.features)}
    numeric = [name for name in ranked if sample.features[name].dtype != object][:DEPENDENCE]
    rows = np.unique(np.linspace(0, len(sample) - 1, DOTS).astype(np.int64))
    return {
        name: [
            {"x": float(sample.features[name][row]), "y": float(told.values[row, places[name]])}
            for row in rows
            if np.isfinite(sample.features[name][row])
        ]
        for name in numeric
    }


def _summary(sample: Judged, told: Contributions | None, ranked: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return of the most important features at some rows: value, contribution, and the share of those rows with a value below."""
    if told is None:
        return {}
    places = {name: place for place, name in enumerate(sample.features)}
    rows = np.unique(np.linspace(0, len(sample) - 1, SWARM).astype(np.int64))
    return {name: _swarm(sample.features[name][rows], told.values[rows, places[name]]) for name in ranked[:SUMMARY]}


def _swarm(values: NDArray[Any], added: Floats) -> list[dict[str, Any]]:
    numbers = np.sort(values[np.isfinite(values)]) if values.dtype != object else np.empty(0)
    share = np.full(len(values), np.nan)
    if len(numbers):
        known = np.isfinite(values)
        middle = np.searchsorted(numbers, values[known]) + np.searchsorted(numbers, values[known], "right")
        share[known] = middle / (2 * len(numbers))
    return [
        {"x": _plain(value), "y": float(adds), "share": None if np.isnan(part) else float(part)}
        for value, adds, part in zip(values, added, share, strict=True)
    ]


def _raw(predict: Callable[[Matrix], Answers], task: str) -> Callable[[Matrix], Floats]:
    """Return predictions in the unit that contributions have: log-odds for a classification."""
    if task != CLASSIFICATION:
        return lambda matrix: score_of(predict(matrix))

    def log_odds(matrix: Matrix) -> Floats:
        sure = np.clip(predict(matrix), SURE, 1 - SURE)
        return np.asarray(np.log(sure / (1 - sure)))

    return log_odds


def _worst(judged: Judged, explain: Callable[[Matrix], Contributions | None]) -> list[dict[str, Any]]:
    """Return the predictions with the greatest loss, with what was known and what each feature added."""
    loss = judged.loss
    rows = np.lexsort((np.arange(len(judged)), -loss))[:WORST]
    some = judged.at(rows)
    told = explain(some.matrix)
    names = list(judged.features)
    return [
        {
            "entity": str(some.entity[row]),
            "t_at": int(some.t[row]),
            **_said(some, row),
            "loss": float(loss[rows[row]]),
            "features": {name: _plain(some.features[name][row]) for name in names},
            "contributions": dict(zip(names, told.values[row].tolist(), strict=True)) if told else {},
        }
        for row in range(len(some))
    ]


def _said(some: Judged, row: int) -> dict[str, Any]:
    if not some.labels:
        return {"actual": float(some.actual[row]), "predicted": float(some.score[row])}
    return {
        "actual": some.labels[int(some.actual[row])],
        "predicted": some.labels[int(chosen(some.answers[row : row + 1])[0])],
    }


def _plain(value: Any) -> float | str | None:
    return value if value is None or isinstance(value, str) else float(value)


def worst_csv(found: Mapping[str, Any]) -> bytes:
    """Return the worst predictions as CSV: a row each, a column for each feature and for what it added."""
    rows: Sequence[Mapping[str, Any]] = found["worst"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    features = list(rows[0]["features"]) if rows else []
    added = list(rows[0]["contributions"]) if rows else []
    own = ("entity", "t_at", "actual", "predicted", "loss")
    writer.writerow([*own, *features, *(f"contribution:{name}" for name in added)])
    for row in rows:
        values = [*(row["features"][name] for name in features), *(row["contributions"][name] for name in added)]
        writer.writerow([*(row[name] for name in own), *("" if value is None else value for value in values)])
    return text.getvalue().encode()
