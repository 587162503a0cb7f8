"""What the trackers are told of a training: what goes in, what it is asked, what came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from keepfit import tables
from keepfit.engines.protocol import Column
from keepfit.evidence import Estimate, Evaluation, History, LearntFrom, Search
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec import codec
from keepfit.spec.model import Model
from keepfit.stages.features.training_set import TrainingSet
from keepfit.stages.registry.mlflow import LINEAGE
from keepfit.stages.registry.runs import MlflowRun
from keepfit.stages.registry.tracking import Point, Source, Tracked, training
from keepfit.stages.training.train import Trained

MOST_DIGITS = 16
KINDS = {"VARCHAR": "string", "DOUBLE": "double", "TIMESTAMPTZ": "datetime"}
DEFINITION = "keepfit.definition"


@contextmanager
def tracked(
    project: Project, snapshot: Snapshot, found: TrainingSet, version: int | None = None
) -> Iterator[tuple[Tracked, MlflowRun]]:
    """Hold a training, as one run of every tracker of the project; `version` is that of its training set, if it is recorded."""
    told = asked(project, snapshot, found, version)
    run = project.registry.begin(told)
    with training(told, [run, *project.trackers(told)]):
        yield told, run


def asked(project: Project, snapshot: Snapshot, found: TrainingSet, version: int | None) -> Tracked:
    """Return what is known before anything is learnt."""
    model = found.model
    told = Tracked(model.name, snapshot.as_of)
    told.parameters = {**model.estimator.parameters, **_words(project, model), "features": len(found.features)}
    told.tags = {
        DEFINITION: codec.fingerprint(codec.encode(model)),
        "keepfit.task": model.task,
        "keepfit.metric": model.metric,
        "keepfit.target": model.target.name,
        "keepfit.profile": project.settings.profile,
    }
    own = [] if version is None else [_training_set(project, found, version)]
    told.sources = [*own, *_sources(snapshot, model)]
    return told


def _words(project: Project, model: Model) -> dict[str, Any]:
    """Return what a definition says of a training beside the estimator's own parameters."""
    one, words = model.estimator, model.training
    found = {
        "estimator": one.of or one.kind,
        "seed": project.settings.training.seed,
        "class_weight": words.class_weight,
        "half_life": words.half_life,
        "monotone": json.dumps(dict(words.monotone)) if words.monotone else None,
        "calibrate": words.calibrate,
        "cost_false_positive": words.cost.false_positive if words.cost else None,
        "cost_false_negative": words.cost.false_negative if words.cost else None,
        "hold_out": words.hold_out or None,
        "folds": words.folds or None,
        "interval": words.interval,
        "quantile": words.quantile,
        "test": words.test,
        "learning_curve": words.learning_curve or None,
        "select": f"{words.select.folds} folds, stable {words.select.stable:g}" if words.select else None,
        "tune": f"{model.tune.method}, {model.tune.trials} trials" if model.tune else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def tell(
    told: Tracked,
    as_of: int,
    trained: Trained,
    evaluation: Evaluation,
    lineage: dict[str, Any],
    grown: Mapping[str, Any],
) -> None:
    """Add what came out of a training; `grown` is how it was grown: search and learning_curve."""
    rows = {f"{part}_rows": count for part, count in evaluation.rows.items()}
    told.parameters |= {**trained.fitted.parameters, "threshold": trained.threshold, **rows}
    told.parameters["features"] = len(trained.features)
    told.tags[LINEAGE] = json.dumps(lineage)
    told.files["lineage.json"] = json.dumps(lineage, indent=1, sort_keys=True).encode()
    told.metrics |= _metrics(evaluation) | {"onnx_difference": trained.onnx_difference}
    told.series |= _folds(evaluation) | _rounds(trained.grown.history, as_of) | _tried(grown, evaluation.metric, as_of)


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    found = {
        **{f"test_{name}": value for name, value in evaluation.metrics.items()},
        **{f"baseline_{name}": value for name, value in evaluation.baseline.items()},
        **{f"uncalibrated_{name}": value for name, value in evaluation.uncalibrated.items()},
        **{f"held_out_{name}": value for name, value in evaluation.held_out.items()},
        **{f"rows_{part}": float(rows) for part, rows in evaluation.rows.items()},
    }
    for rule, metrics in evaluation.rivals.items():
        word = rule.split(" (")[0].replace(" ", "_")
        found |= {f"rival_{word}_{name}": value for name, value in metrics.items()}
    for name, one in evaluation.intervals.items():
        found |= _bounds(f"test_{name}", one)
    if (gain := evaluation.against_champion) is not None:
        found |= {"champion_gain": gain.value, **_bounds("champion_gain", gain)}
    for name in evaluation.folds[0].metrics if evaluation.folds else ():
        values = [fold.metrics[name] for fold in evaluation.folds]
        found |= {f"fold_{name}_mean": float(np.mean(values)), f"fold_{name}_std": _spread(values)}
    return found


def _spread(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _bounds(name: str, one: Estimate) -> dict[str, float]:
    return {f"{name}_low": one.low, f"{name}_high": one.high}


def _folds(evaluation: Evaluation) -> dict[str, list[Point]]:
    """Return every metric by fold, the oldest first, and the trivial baseline's; a fold's moment is that of its last test row."""
    found: dict[str, list[Point]] = {}
    for place, fold in enumerate(evaluation.folds):
        for kind, metrics in (("fold", fold.metrics), ("fold_baseline", fold.baseline)):
            for name, value in metrics.items():
                found.setdefault(f"{kind}_{name}", []).append(Point(value, place, fold.to_at))
    return found


def _rounds(history: History | None, as_of: int) -> dict[str, list[Point]]:
    """Return the loss by round of boosting, on train and on validation rows; all at the moment of the training."""
    if history is None:
        return {}
    sides = {"train": history.train, "validation": history.validation}
    return {
        f"{side}_{history.metric}": [Point(value, place, as_of) for place, value in enumerate(values)]
        for side, values in sides.items()
    }


def _tried(grown: Mapping[str, Any], metric: str, as_of: int) -> dict[str, list[Point]]:
    """Return the metric by train rows learnt from, and by trial of the search; a trial that came to no end has none."""
    search: Search | None = grown.get("search")
    parts: Sequence[LearntFrom] = grown.get("learning_curve", ())
    found = {
        f"learning_curve_{metric}": [Point(one.estimate.value, one.rows, as_of) for one in parts],
        f"trial_{metric}": [Point(one["value"], one["number"], as_of) for one in (search.trials if search else ())],
    }
    return {name: points for name, points in found.items() if points}


def _training_set(project: Project, found: TrainingSet, version: int) -> Source:
    columns, types = found.columns()
    name = tables.training_set(found.model.name)
    return Source(
        name=name,
        role="training",
        path=str(project.records.folder(name).resolve()),
        version=version,
        digest=_digest(columns),
        rows=len(found),
        columns={column: KINDS[kind] for column, kind in types.items()},
    )


def _digest(columns: dict[str, Column]) -> str:
    """Return a digest of the values of columns; equal rows in the same order have the same."""
    found = hashlib.sha256()
    for name, values in columns.items():
        texts = values.dtype == object
        found.update(name.encode())
        found.update(json.dumps(values.tolist()).encode() if texts else np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:MOST_DIGITS]


def _sources(snapshot: Snapshot, model: Model) -> Iterator[Source]:
    for table in model.tables():
        name, version = tables.source(table.name), snapshot.versions[table.name]
        # a part has a name of its own and is never written again
        parts = "\n".join(sorted(Path(file).name for file in snapshot.files(table)))
        yield Source(
            name=name,
            role="source",
            path=str(snapshot.lake.folder(name).resolve()),
            version=version,
            digest=hashlib.sha256(parts.encode()).hexdigest()[:MOST_DIGITS],
            rows=snapshot.lake.count(name, version),
        )
