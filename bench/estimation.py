"""Metrics estimated before labels are known, held against what came out: ours, NannyML's, and the test's as it was.

A world's whole history becomes one training set: features of a row look back only, so they are what they would have been then. At
each origin a model learns from the rows whose labels were known, with what it estimates by; the moments or months after it are
windows, estimated by what was known at the origin and held against their labels. NannyML (an environment of its own) gets the same
scores: for CBPE the test rows as its reference, for DLE validation and test rows, both with the scores that ours learns from.

    uv run python bench/estimation.py retail --data /where/online_retail/is
    uv run python bench/estimation.py air --data /where/beijing/is
    uv run python bench/estimation.py shop shop-drift
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sidebyside

from keepfit import artifact as artifacts
from keepfit import clock, loop
from keepfit.measure.metrics import measure_all
from keepfit.project import open_project
from keepfit.simulate import shop
from keepfit.snapshot import take
from keepfit.spec.observe import Every
from keepfit.stages.evaluation.threshold import choose_threshold
from keepfit.stages.features.training_set import TrainingSet, training_set
from keepfit.stages.training.split import trains_until
from keepfit.stages.training.train import train
from keepfit.steps import estimating, learning
from keepfit.steps.searching import rows_of

ROOT = Path(__file__).parents[1]
PACKAGES = ["nannyml==0.13.1", "statsmodels"]
SHOWN = {"classification": ("auc", "f1", "accuracy", "precision", "recall"), "regression": ("mae", "rmse")}


@dataclass(frozen=True)
class World:
    """Where a history comes from, when it ends, and the origins at which models learn."""

    project: Path
    model: str
    end: str
    origins: tuple[str, ...]
    drift_at: int | None = None
    changes: tuple[tuple[str, str], ...] = ()


WORLDS = {
    "retail": World(
        ROOT / "examples/online_retail",
        "churn",
        "2011-12-10",
        ("2011-06-02", "2011-07-02", "2011-08-02", "2011-09-02", "2011-10-02"),
    ),
    "air": World(ROOT / "examples/air_quality", "dust", "2017-03-01", ("2016-01-01",)),
    "shop": World(ROOT / "src/keepfit/templates/shop", "churn", "2026-01-01", ("2025-03-01", "2025-07-01")),
    "shop-drift": World(
        ROOT / "src/keepfit/templates/shop", "churn", "2026-01-01", ("2025-03-01", "2025-07-01"), drift_at=15
    ),
}


def main() -> None:
    options = _options()
    for name in options.worlds:
        found = history(WORLDS[name], options.data, options.keep / name)
        windows = [one for origin in WORLDS[name].origins for one in at_origin(found, clock_of(origin), options.peer)]
        show(name, found.model.task, windows)


def clock_of(text: str) -> int:
    return clock.to_micros(clock.parse_moment(text))


def history(world: World, data: Path | None, kept: Path) -> TrainingSet:
    """Return every row of a world; computed once, then read from `kept`."""
    project = kept / "project"
    if not project.exists():
        shutil.copytree(world.project, project, ignore=shutil.ignore_patterns(".keepfit", "data", "reports"))
        if not (project / "keepfit.yaml").exists():
            (project / "keepfit.yaml").write_text("profiles:\n  dev: {}\n", encoding="utf-8")
    if world.project.parent.name == "templates":
        data = project / "data"
        if not data.exists():
            shop.write(shop.Shop(end=clock.from_micros(clock_of(world.end)), drift_at=world.drift_at), data)
    os.environ["KEEPFIT__STORAGE__DATA"] = str(data)
    opened = open_project(project, None, os.environ)
    model = opened.model(world.model)
    written = kept / "rows.npz"
    if not written.exists():
        end = clock_of(world.end)
        loop.ingest_all(opened, end)
        snapshot = take(opened.engine, opened.lake, model.tables(), end)
        found = training_set(model, snapshot, partial(trains_until, test=model.tested))
        columns = {f"f_{place}": values for place, values in enumerate(found.features.values())}
        texts = {name: values.astype(str) for name, values in columns.items() if values.dtype == object}
        np.savez(written, entity=found.entity.astype(str), t=found.t, target=found.target, **columns | texts)
    held = np.load(written, allow_pickle=False)
    names = [feature.name for feature in model.inputs()]
    features = {name: _column(held[f"f_{place}"]) for place, name in enumerate(names)}
    return TrainingSet(model, held["entity"].astype(object), held["t"], features, held["target"])


def _column(values: Any) -> Any:
    return np.where(values == "None", None, values.astype(object)) if values.dtype.kind == "U" else values


def rows(found: TrainingSet, which: Any) -> TrainingSet:
    """Return some rows of a training set."""
    features = {name: values[which] for name, values in found.features.items()}
    return replace(found, entity=found.entity[which], t=found.t[which], features=features, target=found.target[which])


def at_origin(found: TrainingSet, origin: int, peer: bool) -> list[dict[str, Any]]:
    """Return the windows after an origin: what was estimated of them, what came out, what the test had shown."""
    model = found.model
    before = rows(found, found.t + model.horizon <= origin)
    choose = partial(choose_threshold, said=model.training)
    began = time.perf_counter()
    trained = train(model, rows_of(before), seed=7, choose_threshold=choose)
    fitted = time.perf_counter()
    files = estimating.foresight_files(before, trained, 7)
    learnt = time.perf_counter()
    artifact = learning._artifact(before, trained, {})
    foreseen = estimating.foreseen_by(artifact, files)
    served = artifacts.Predictor(trained.onnx["model.onnx"], trained.grown.calibration)
    print(
        f"{model.name} at {clock.show(origin)}: {len(before):,} rows, fit {fitted - began:.1f} s,"
        f" to estimate by {learnt - fitted:.2f} s, {sum(map(len, files.values())) / 1024:.0f} kB",
        flush=True,
    )
    test = trained.split.test
    shown = measure_all(model.task, before.target[test], trained.scores[test], trained.threshold, model.training)
    windows, later = [], rows(found, found.t >= origin)
    codes = later.t if isinstance(model.observe, Every) else _months(later.t)
    for code in np.unique(codes):
        own = rows(later, codes == code)
        answers = served.score(artifacts.encode(own.features, artifact.features, artifact.categories))
        began = time.perf_counter()
        told = foreseen.estimates(own.t, answers, own.features)
        seconds = time.perf_counter() - began
        real = measure_all(model.task, own.target, answers, trained.threshold, model.training)
        windows.append({"told": told, "real": real, "test": shown, "rows": own, "answers": answers, "seconds": seconds})
    if peer:
        for window, said in zip(windows, nannyml(before, trained, artifact, windows), strict=True):
            window["nannyml"] = said
    return windows


def _months(t: Any) -> Any:
    return t.astype("datetime64[us]").astype("datetime64[M]")


def nannyml(before: TrainingSet, trained: Any, artifact: Any, windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what NannyML estimates of the same windows."""
    held = estimating._held(before, trained)
    classifies = before.model.task == "classification"
    reference = held.part(held.test) if classifies else held
    encoded = [
        artifacts.encode(one["rows"].features, artifact.features, artifact.categories) if not classifies else None
        for one in windows
    ]
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "rows.npz"
        np.savez(
            file,
            task=before.model.task,
            threshold=trained.threshold,
            actual=reference.actual,
            score=reference.scores,
            matrix=reference.matrix if not classifies else np.empty((len(reference.t), 0)),
            later_score=np.concatenate([one["answers"] for one in windows]),
            later_matrix=np.concatenate(encoded) if not classifies else np.empty((0, 0)),
            later_window=np.repeat(np.arange(len(windows)), [len(one["answers"]) for one in windows]),
        )
        script = str(ROOT / "bench/peers/estimation.py")
        python = os.environ.get("NANNYML_PYTHON")
        command = [python, script, str(file)] if python else sidebyside.uv(PACKAGES, script, str(file))
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit((done.stderr.strip().splitlines() or ["nannyml said nothing"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def show(name: str, task: str, windows: list[dict[str, Any]]) -> None:
    """Print the mean absolute error of each way, over windows, and how often the intervals hold what came out."""
    sizes = [len(one["answers"]) for one in windows]
    took = np.median([one["seconds"] for one in windows])
    print(f"{name}: {len(windows)} windows of {min(sizes):,} to {max(sizes):,} rows; an estimate takes {took:.2f} s")
    print(f"{'':10}{'realised':>10}{'keepfit':>9}{'nannyml':>9}{'as tested':>11}{'held':>10}{'width':>8}{'bias':>9}")
    for metric in SHOWN[task]:
        kept = [one for one in windows if np.isfinite(one["real"][metric])]
        real = np.array([one["real"][metric] for one in kept])
        own = np.array([one["told"][metric].value for one in kept])
        low, high = (np.array([getattr(one["told"][metric], end) for one in kept]) for end in ("low", "high"))
        peer = np.array([one.get("nannyml", {}).get(metric) or np.nan for one in kept], float)
        test = np.array([one["test"][metric] for one in kept])
        inside = int(((low <= real) & (real <= high)).sum())
        print(
            f"{metric:10}{real.mean():10.4f}{np.abs(own - real).mean():9.4f}{np.abs(peer - real).mean():9.4f}"
            f"{np.abs(test - real).mean():11.4f}{inside:>7}/{len(kept):<3}{(high - low).mean():7.3f}{(own - real).mean():+9.4f}"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="+", choices=sorted(WORLDS))
    parser.add_argument("--data", type=Path, help="the published files of a real world")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "keepfit-estimation")
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    return parser.parse_args()


if __name__ == "__main__":
    main()
