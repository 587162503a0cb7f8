"""Recorded versions looked at again: side by side on rows that none learnt from, built anew from their lineage, certified."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit import clock, tables
from keepfit.answers import Answers, score_of
from keepfit.artifact.folder import TREES
from keepfit.engines.protocol import Column, Observations
from keepfit.errors import LakeError, RegistryError
from keepfit.evidence import Estimate, as_data
from keepfit.measure.baseline import baseline
from keepfit.measure.bootstrap import estimates, paired_gain
from keepfit.measure.metrics import names_of
from keepfit.measure.sums import Floats
from keepfit.project import Project
from keepfit.snapshot import Snapshot, take
from keepfit.spec.gates import NATIVE, PARITY, Gate
from keepfit.spec.model import Model
from keepfit.stages.evaluation.threshold import choose_threshold
from keepfit.stages.features.compute import compute
from keepfit.stages.features.training_set import TrainingSet, training_set
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.registry.gates import judge
from keepfit.stages.training.split import trains_until
from keepfit.stages.training.train import train
from keepfit.steps import Loaded, load
from keepfit.steps.answering import comparable, measurable
from keepfit.steps.certifying import CERTIFICATE, certificate, certificate_of, content_of, shown
from keepfit.steps.judging import candidate
from keepfit.steps.searching import rows_of, with_parameters
from keepfit.steps.selecting import keeping


@dataclass(frozen=True)
class Compared:
    """What one version shows on the rows that all are compared on.

    Attributes
    ----------
    metrics : dict of str to Estimate
        Every metric of the task.
    gains : dict of str to Estimate
        How much better than the first version, paired on the same rows, positive if better; empty for the first.
    """

    version: str
    trained_at: int
    metrics: dict[str, Estimate]
    gains: dict[str, Estimate]


def compare(project: Project, model: Model, numbers: Sequence[str], as_of: int) -> dict[str, Any]:
    """Return versions of a model side by side, on the mature rows that none of them was trained on.

    Raises
    ------
    RegistryError
        If a version is unknown, was trained after as_of or answers another question, or if no row is new to all of them.
    """
    loaded = [load(project.registry.version(model.name, number)) for number in numbers]
    _require_comparable(model, loaded, as_of)
    newest = loaded[-1].artifact.model
    read = {table.name: table for one in loaded for table in one.artifact.model.tables()}
    snapshot = take(project.engine, project.lake, read.values(), as_of)
    found = training_set(newest, snapshot)
    since = max(_tested_from(one, found.t) for one in loaded)
    rows = found.t >= since
    if not rows.any():
        raise RegistryError(
            f"no mature row of {model.name} is new to all of these versions",
            where=f"rows from {clock.show(since)} on, as of {clock.show(as_of)}",
            fix="wait for labels to mature, or compare versions that were trained earlier",
        )
    actual, clusters = found.target[rows], np.unique(found.entity[rows].astype(str), return_inverse=True)[1]
    answers = [(one.answer(_features(one, snapshot, found, rows)), one.artifact.threshold) for one in loaded]
    seed, said = project.settings.training.seed, replace(newest.training, cost=model.training.cost)
    # bounds are compared with bounds of the same share only
    names = [
        name for name in names_of(model.task, said) if all(measurable(one.artifact.model, name, said) for one in loaded)
    ]
    return {
        "model": model.name,
        "as_of": as_of,
        "metric": model.metric,
        "rows": int(rows.sum()),
        "from_at": int(found.t[rows].min()),
        "to_at": int(found.t[rows].max()),
        "baseline": _constant(loaded[-1], actual, names),
        "versions": [
            Compared(
                one.version.number,
                one.version.trained_at,
                estimates(names, actual, *answer, clusters=clusters, seed=seed, said=said),
                {
                    name: paired_gain(name, actual, *answer, *answers[0], clusters=clusters, seed=seed, said=said)
                    for name in (names if place else [])
                },
            )
            for place, (one, answer) in enumerate(zip(loaded, answers, strict=True))
        ],
    }


def _constant(one: Loaded, actual: Floats, names: Sequence[str]) -> dict[str, float]:
    """Return the metrics of what a version's training rows say of every row."""
    found = baseline(
        one.artifact.model.task, np.asarray(one.artifact.training_base), actual, one.artifact.model.training
    )
    return {name: found[name] for name in names if name in found}


def _require_comparable(model: Model, loaded: Sequence[Loaded], as_of: int) -> None:
    for one in loaded:
        if one.version.trained_at > as_of:
            raise RegistryError(
                f"version {one.version.number} of {model.name} was trained as of {clock.show(one.version.trained_at)}",
                where=f"--as-of {clock.show(as_of)}",
                fix="give a later --as-of",
            )
        if not comparable(one.artifact.model, loaded[-1].artifact.model):
            raise RegistryError(
                f"version {one.version.number} of {model.name} answers another question than {loaded[-1].version.number}:"
                " its target or its observations are declared otherwise",
                where="their definitions",
                fix="compare versions of one target",
            )


def _tested_from(one: Loaded, t: NDArray[np.int64]) -> int:
    """Return from when on a version has learnt from no row."""
    moment = evidence_of(one.version).get("test_from_at")
    return clock.to_micros(clock.parse_moment(moment)) if moment else int(t.max()) + 1


def _features(one: Loaded, snapshot: Snapshot, found: TrainingSet, rows: NDArray[np.bool_]) -> dict[str, Column]:
    observations, order = Observations.grouped(found.entity[rows], found.t[rows])
    computed = compute(one.artifact.model.inputs(), snapshot, observations)
    back = np.argsort(order)
    return {name: values[back] for name, values in computed.items()}


def reproduce(project: Project, model: Model, number: str) -> dict[str, Any]:
    """Build a version's training set and model anew from what its lineage names, and return what is equal and what is not.

    Raises
    ------
    LakeError
        If a table version that it was built from is gone.
    """
    one = load(project.registry.version(model.name, number))
    if one.version.origin:
        raise RegistryError(
            f"version {number} of {model.name} was trained elsewhere, as {one.version.origin}: its rows are not in this lake",
            where=str(one.version.folder),
            fix="reproduce it where it was trained",
        )
    lineage, definition = one.artifact.lineage, one.artifact.model
    as_of = clock.to_micros(clock.parse_moment(lineage["as_of"]))
    snapshot = Snapshot(project.engine, project.lake, dict(lineage["tables"]), as_of)
    found = training_set(definition.learned({}), snapshot, partial(trains_until, test=definition.tested))
    rows = _rows_differ(project, found, lineage["training_set"])
    found = keeping(found, definition.kept)
    tuned = with_parameters(found.model, lineage.get("parameters", {}))
    built = train(
        tuned,
        rows_of(found),
        seed=lineage["seed"],
        choose_threshold=partial(choose_threshold, said=definition.training),
    )
    equal = {name: _same_bytes(one, name, made) for name, made in built.files().items()}
    if not (one.version.folder / TREES).is_file():
        equal.pop(TREES, None)  # an older keepfit did not write it
    interval = built.grown.bounds.interval if built.grown.bounds else None
    same = not rows and all(equal.values()) and one.artifact.threshold == built.threshold
    same = same and one.artifact.interval == interval
    return {
        "model": model.name,
        "version": number,
        "as_of": as_of,
        "tables": snapshot.versions,
        "training_set": {"rows": len(found), "recorded": lineage["training_set"]["rows"], "differences": rows},
        "files": equal,
        "threshold": {"recorded": one.artifact.threshold, "built": built.threshold},
        "equal": same,
        "largest_score_difference": _scores_differ(one, found, built.scores),
    }


def _rows_differ(project: Project, found: TrainingSet, recorded: dict[str, Any]) -> list[str]:
    """Return in what the training set differs from the one recorded, in sentences; what is gone cannot be compared."""
    try:
        files = project.records.parquet_files(tables.training_set(found.model.name), recorded["version"])
    except LakeError as error:
        return [f"the recorded rows are gone: {error.what}"]
    before, (now, _) = project.engine.columns(files), found.columns()
    if missing := sorted(set(before) ^ set(now)):
        return [f"columns that only one of them has: {', '.join(missing)}"]
    if len(before["t"]) != len(found):
        return [f"{len(before['t']):,} rows were recorded, {len(found):,} are built now"]
    order = np.lexsort((before["entity"].astype(str), before["t"].astype(np.int64)))
    again = np.lexsort((found.entity.astype(str), found.t))
    differing = {name: _unequal(before[name][order], now[name][again]) for name in now}
    return [f"{name} differs in {count:,} rows" for name, count in differing.items() if count]


def _unequal(one: Column, other: Column) -> int:
    if one.dtype == object or other.dtype == object:
        return int(np.sum([a != b for a, b in zip(one, other, strict=True)]))
    return int(np.sum((one != other) & ~((one != one) & (other != other))))


def _same_bytes(one: Loaded, name: str, content: bytes) -> bool:
    path = one.version.folder / name
    return path.is_file() and hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()


def _scores_differ(one: Loaded, found: TrainingSet, scores: Answers) -> float:
    """Return the largest difference of the scores of the rows that the model built anew is judged on."""
    if set(one.artifact.features) - set(found.features):
        return float("nan")
    judged = ~np.isnan(score_of(scores))
    features = {name: values[judged] for name, values in found.features.items()}
    return float(np.max(np.abs(one.answer(features) - scores[judged]), initial=0.0))


def parity(project: Project, model: Model, number: str, as_of: int) -> dict[str, Any]:
    """Certify a recorded version anew, on the rows of today, and return what each way answers otherwise than the batch.

    How the library's own predictor compares was measured when the version was trained, and stays as it was.
    """
    version = project.registry.version(model.name, number)
    before = certificate_of(version)
    declared = artifacts.read(version.folder, version.digest).model
    snapshot = take(project.engine, project.lake, declared.tables(), as_of)
    found = certificate(snapshot, version.folder, version.digest)
    kept = {NATIVE: before.routes[NATIVE]} if before and NATIVE in before.routes else {}
    found = replace(found, routes=kept | found.routes)
    project.registry.amend(version, CERTIFICATE, content_of(found), shown(found), as_of)
    gates = [one for one in model.gates if one.kind == PARITY] or [Gate.parity()]
    told = judge(gates, candidate(project, project.registry.version(model.name, number), as_of))
    return {"model": model.name, "version": number, "as_of": as_of, "verdicts": told, **as_data(found)}
