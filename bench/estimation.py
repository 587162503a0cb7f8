"""Metrics estimated before labels are known, held against what came out: ours, NannyML's, and the test's as it was.

A world's whole history becomes one training set: features of a row look back only, so they are what they would have been then. At
each origin a model learns from the rows whose labels were known, with what it estimates by; the moments or months after it are
windows, estimated by what was known at the origin and held against their labels. NannyML (an environment of its own) gets the same
scores: for CBPE the test rows as its reference, for DLE validation and test rows, both with the scores that ours learns from.

    uv run python bench/estimation.py retail --data /where/online_retail/is
    uv run python bench/estimation.py air --data /where/beijing/is --every 6
    uv run python bench/estimation.py shop shop-drift
    uv run python bench/estimation.py simulated-air simulated-air-drift

Each origin is written below `--keep` once it is done, ours and NannyML's apart: a run that is cut off goes on where it was, and
`--no-peer` leaves NannyML for another run. `NANNYML_PYTHON` names the interpreter of an environment that has it already.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sidebyside

from keepfit import artifact as artifacts
from keepfit import begin, clock, loop
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
    """Where a history comes from, when it ends, and the origins at which models learn.

    `project` is a folder, or the name of a world that `keepfit simulate` makes; `rows` and `drifts` are of the latter.
    """

    project: Path | str
    model: str
    end: str
    origins: tuple[str, ...]
    drift_at: int | None = None
    rows: int | None = None
    drifts: tuple[str, ...] = ()


RETAIL, AIR = ROOT / "examples/online_retail", ROOT / "examples/air_quality"
SHOP = World(ROOT / "src/keepfit/templates/shop", "churn", "2026-01-01", ("2025-03-01", "2025-07-01"))
MADE = World("air", "dust", "2026-01-01", ("2025-01-01", "2025-05-01"), rows=400_000)
WORLDS = {
    "retail": World(
        RETAIL, "churn", "2011-12-10", ("2011-06-02", "2011-07-02", "2011-08-02", "2011-09-02", "2011-10-02")
    ),
    "air": World(AIR, "dust", "2017-03-01", ("2015-09-01", "2016-01-01", "2016-07-01")),
    "shop": SHOP,
    "shop-drift": replace(SHOP, drift_at=15),
    "simulated-air": MADE,
    # calmer air, of which the model knows the effect; and a wind whose effect becomes weaker, which nothing but labels tells
    "simulated-air-drift": replace(MADE, drifts=("wind@2025-07:-1",)),
    "simulated-air-concept": replace(MADE, drifts=("pm25~wind@2025-07:0.3",)),
}


def main() -> None:
    options = _options()
    for name in options.worlds:
        world, kept = WORLDS[name], options.keep / name
        kept.mkdir(parents=True, exist_ok=True)
        origins = world.origins[: options.origins]
        files = [kept / f"{origin}{f'-every-{options.every}h' if options.every > 1 else ''}.json" for origin in origins]
        if not all(file.exists() for file in files):
            found = at_hours(history(world, options.data, kept), options.every)
            for origin, file in zip(origins, files, strict=True):
                if not file.exists():
                    at_origin(found, clock_of(origin), file)
        windows = [one for file in files for one in told_of(file, options.peer)]
        show(name, windows)


def at_hours(found: TrainingSet, every: int) -> TrainingSet:
    """Return the rows of some hours of the day only: 0, 6, 12 and 18 UTC of `every` 6."""
    return found if every == 1 else rows(found, found.t // clock.HOUR % every == 0)


def clock_of(text: str) -> int:
    return clock.to_micros(clock.parse_moment(text))


def history(world: World, data: Path | None, kept: Path) -> TrainingSet:
    """Return every row of a world; computed once, then read from `kept`."""
    project = kept / "project"
    if not project.exists():
        data = make(world, project, data)
    elif data is None or isinstance(world.project, str) or world.project.parent.name == "templates":
        data = project / "data"
    os.environ["KEEPFIT__STORAGE__DATA"] = str(data)
    opened = open_project(project, None, os.environ)
    model = opened.model(world.model)
    written = kept / "rows.npz"
    if not written.exists():
        end = clock_of(world.end)
        _say(f"{world.model}: reading the files")
        loop.ingest_all(opened, end)
        _say("computing the training set")
        snapshot = take(opened.engine, opened.lake, model.tables(), end)
        found = training_set(model, snapshot, partial(trains_until, test=model.tested))
        columns = {f"f_{place}": values for place, values in enumerate(found.features.values())}
        texts = {name: values.astype(str) for name, values in columns.items() if values.dtype == object}
        np.savez(written, entity=found.entity.astype(str), t=found.t, target=found.target, **columns | texts)
    held = np.load(written, allow_pickle=False)
    names = [feature.name for feature in model.inputs()]
    features = {name: _column(held[f"f_{place}"]) for place, name in enumerate(names)}
    return TrainingSet(model, held["entity"].astype(object), held["t"], features, held["target"])


def make(world: World, project: Path, data: Path | None) -> Path | None:
    """Make a world's project and return where its files lie."""
    if isinstance(world.project, str):
        begin.simulate(
            project, world.project, as_of=clock_of(world.end), since=None, drifts=world.drifts, faults=(),
            label_delay=None, rows=world.rows, seed=7, profile="dev",
        )  # fmt: skip
        return project / "data"
    shutil.copytree(world.project, project, ignore=shutil.ignore_patterns(".keepfit", "data", "reports"))
    if not (project / "keepfit.yaml").exists():
        (project / "keepfit.yaml").write_text("profiles:\n  dev: {}\n", encoding="utf-8")
    if world.project.parent.name != "templates":
        return data
    shop.write(shop.Shop(end=clock.from_micros(clock_of(world.end)), drift_at=world.drift_at), project / "data")
    return project / "data"


def _column(values: Any) -> Any:
    return np.where(values == "None", None, values.astype(object)) if values.dtype.kind == "U" else values


def rows(found: TrainingSet, which: Any) -> TrainingSet:
    """Return some rows of a training set."""
    features = {name: values[which] for name, values in found.features.items()}
    return replace(found, entity=found.entity[which], t=found.t[which], features=features, target=found.target[which])


def at_origin(found: TrainingSet, origin: int, file: Path) -> None:
    """Write the windows after an origin: what is estimated of them, what came out, what the test had shown."""
    model = found.model
    before, later = rows(found, found.t + model.horizon <= origin), rows(found, found.t >= origin)
    _say(f"{model.name} at {clock.show(origin)}: learning from {len(before):,} rows")
    choose = partial(choose_threshold, said=model.training)
    began = time.perf_counter()
    trained = train(model, rows_of(before), seed=7, choose_threshold=choose)
    fitted = time.perf_counter()
    files = estimating.foresight_files(before, trained, 7)
    learnt = time.perf_counter()
    artifact = learning._artifact(before, trained, {}, {})
    foreseen = estimating.foreseen_by(artifact, files)
    served = artifacts.Predictor(trained.onnx["model.onnx"], trained.grown.calibration)
    size = sum(map(len, files.values())) / 1024
    _say(f"  fit {fitted - began:.1f} s, to estimate by {learnt - fitted:.2f} s, {size:.0f} kB")
    test = trained.split.test
    shown = measure_all(model.task, before.target[test], trained.scores[test], trained.threshold, model.training)
    # moments of the shop are months; those of every six hours are too few rows to measure anything
    codes = later.t if isinstance(model.observe, Every) and model.horizon > clock.DAY else _months(later.t)
    windows, answered = [], []
    for code in np.unique(codes):
        own = rows(later, codes == code)
        matrix = artifacts.encode(own.features, artifact.features, artifact.categories)
        answers = served.score(matrix)
        began = time.perf_counter()
        told = foreseen.estimates(own.t, answers, own.features)
        seconds = time.perf_counter() - began
        real = measure_all(model.task, own.target, answers, trained.threshold, model.training)
        windows.append({
            "task": model.task, "rows": len(own.t), "seconds": seconds, "real": real, "test": shown,
            "told": {name: asdict(one) for name, one in told.items()},
        })  # fmt: skip
        answered.append((answers, matrix))
    _for_peer(before, trained, answered, file.with_suffix(".npz"))
    file.write_text(json.dumps(windows), encoding="utf-8")


def _months(t: Any) -> Any:
    return t.astype("datetime64[us]").astype("datetime64[M]")


def _for_peer(before: TrainingSet, trained: Any, answered: list[tuple[Any, Any]], file: Path) -> None:
    """Write what NannyML is given: reference rows, and those of the windows."""
    held = estimating._held(before, trained)
    classifies = before.model.task == "classification"
    reference = held.part(held.test) if classifies else held
    np.savez(
        file,
        task=before.model.task,
        threshold=trained.threshold,
        actual=reference.actual,
        score=reference.scores,
        matrix=reference.matrix if not classifies else np.empty((len(reference.t), 0)),
        later_score=np.concatenate([answers for answers, _ in answered]),
        later_matrix=np.concatenate([matrix for _, matrix in answered]) if not classifies else np.empty((0, 0)),
        later_window=np.repeat(np.arange(len(answered)), [len(answers) for answers, _ in answered]),
    )


def told_of(file: Path, peer: bool) -> list[dict[str, Any]]:
    """Return the windows of an origin, with what NannyML estimates of them if it was asked."""
    windows, told = json.loads(file.read_text(encoding="utf-8")), file.with_suffix(".nannyml.json")
    if peer and not told.exists():
        _say(f"NannyML at {file.stem}")
        script, python = str(ROOT / "bench/peers/estimation.py"), os.environ.get("NANNYML_PYTHON")
        given = str(file.with_suffix(".npz"))
        command = [python, script, given] if python else sidebyside.uv(PACKAGES, script, given)
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit((done.stderr.strip().splitlines() or ["nannyml said nothing"])[-1])
        told.write_text(done.stdout.strip().splitlines()[-1], encoding="utf-8")
        _say(f"  {time.perf_counter() - began:.1f} s")
    if told.exists():
        for window, said in zip(windows, json.loads(told.read_text(encoding="utf-8")), strict=True):
            window["nannyml"] = said
    return windows


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def show(name: str, windows: list[dict[str, Any]]) -> None:
    """Print the mean absolute error of each way, over windows, and how often the intervals hold what came out."""
    sizes = [one["rows"] for one in windows]
    took = np.median([one["seconds"] for one in windows])
    print(f"{name}: {len(windows)} windows of {min(sizes):,} to {max(sizes):,} rows; an estimate takes {took:.2f} s")
    print(f"{'':10}{'realised':>10}{'keepfit':>9}{'nannyml':>9}{'as tested':>11}{'held':>10}{'width':>8}{'bias':>9}")
    for metric in SHOWN[windows[0]["task"]]:
        kept = [one for one in windows if np.isfinite(one["real"][metric])]
        real = np.array([one["real"][metric] for one in kept])
        own = np.array([one["told"][metric]["value"] for one in kept])
        low, high = (np.array([one["told"][metric][end] for one in kept]) for end in ("low", "high"))
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
    parser.add_argument("--keep", type=Path, default=ROOT / "bench/out/estimation", help="where results are kept")
    parser.add_argument("--origins", type=int, help="how many, the earliest first; default: all")
    parser.add_argument("--every", type=int, default=1, metavar="HOURS", help="rows of each so many hours only")
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    return parser.parse_args()


if __name__ == "__main__":
    main()
