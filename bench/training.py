"""What training costs beside calling XGBoost directly on the same matrix.

Both learn the same two boosters (stopped early on validation, then grown on train and validation), in a process of their own; a
matrix [rows, features] of float32 is made outside of what is timed. keepfit also encodes the features, chooses the threshold,
writes ONNX, scores every row by it and holds it against XGBoost: `train` is all of that, `fit` the two boosters alone,
`recorded` what a version is trained by: it keeps the loss by round as well.

usage: python bench/training.py [--rows 400000] [--features 30] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

import numpy as np
from sidebyside import Contender, report, run

TREES = 200


def rows_of(rows: int, features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    matrix = random.normal(size=(rows, features)).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    told = np.nan_to_num(matrix[:, 0]) + np.nan_to_num(matrix[:, 1]) * np.nan_to_num(matrix[:, 2])
    target = (told + random.logistic(size=rows) > 0.5).astype(float)
    days = np.repeat(np.arange(1000, dtype=np.int64), -(-rows // 1000))[:rows]
    return matrix, target, days * 86_400_000_000


def direct(matrix: np.ndarray, target: np.ndarray, t: np.ndarray) -> float:
    import xgboost

    from keepfit.stages.training.estimators.threads import threads
    from keepfit.stages.training.estimators.xgboost import DEFAULTS
    from keepfit.stages.training.split import split

    parts = split(t, 86_400_000_000)
    settings = {**DEFAULTS, "objective": "binary:logistic", "seed": 7, "nthread": threads(matrix.size)}
    begin = time.perf_counter()
    train = xgboost.DMatrix(matrix[parts.train], label=target[parts.train])
    validation = xgboost.DMatrix(matrix[parts.validation], label=target[parts.validation])
    first = xgboost.train(
        settings, train, TREES, evals=[(validation, "v")], early_stopping_rounds=30, verbose_eval=False
    )
    whole = xgboost.DMatrix(matrix[parts.fitted], label=target[parts.fitted])
    xgboost.train(settings, whole, first.best_iteration + 1)
    return time.perf_counter() - begin


def fit(matrix: np.ndarray, target: np.ndarray, t: np.ndarray) -> float:
    from dataclasses import replace

    from keepfit.stages.training.estimators import Rows, Task, find
    from keepfit.stages.training.split import split

    parts = split(t, 86_400_000_000)
    task = Task(
        "classification", tuple(f"f{place}" for place in range(matrix.shape[1])), {}, {"n_estimators": TREES}, 7
    )
    learn = find("xgboost")
    begin = time.perf_counter()

    def rows(part: np.ndarray) -> Rows:
        return Rows(matrix[part], target[part])

    first = learn(task, rows(parts.train), rows(parts.validation))
    learn(replace(task, parameters=first.parameters), rows(parts.fitted), None)
    return time.perf_counter() - begin


def recorded(matrix: np.ndarray, target: np.ndarray, t: np.ndarray) -> float:
    return train(matrix, target, t, history=True)


def train(matrix: np.ndarray, target: np.ndarray, t: np.ndarray, *, history: bool = False) -> float:
    from keepfit import EachRow, Events, Files, Float, Model, XGBoost
    from keepfit.stages.evaluation.threshold import choose_threshold
    from keepfit.stages.training.estimators import find
    from keepfit.stages.training.grow import TrainingRows
    from keepfit.stages.training.train import train as train_

    names = [f"f{place}" for place in range(matrix.shape[1])]
    sales = Events("s", Files("s.csv"), entity="id", time="at", columns={name: Float() for name in names})
    model = Model(
        "m", EachRow(of=sales), [sales[name].last() for name in names], sales.count(next="1d") == 0,
        estimator=XGBoost(n_estimators=TREES), metric="f1",
    )  # fmt: skip
    features = {name: matrix[:, place].astype(np.float64) for place, name in enumerate(names)}
    find("xgboost")
    begin = time.perf_counter()
    train_(model, TrainingRows(t, features, target), seed=7, choose_threshold=choose_threshold, history=history)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--features", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["direct", "fit", "train", "recorded"])
    given = parser.parse_args()
    if given.only:
        seconds = globals()[given.only](*rows_of(given.rows, given.features))
        print(json.dumps({"seconds": seconds, "check": 0}))
        return
    size = ["--rows", str(given.rows), "--features", str(given.features)]
    names = {
        "direct": "xgboost, called directly",
        "fit": "keepfit's plug-in",
        "train": "keepfit's train (ONNX, scores)",
        "recorded": "and the loss by round",
    }
    contenders = [Contender(name, [sys.executable, __file__, *size, "--only", only]) for only, name in names.items()]
    print(f"{given.rows:,} rows x {given.features} features, {TREES} trees, {os.cpu_count()} cores")
    run(contenders, given.rounds)
    report(contenders, names["direct"])


if __name__ == "__main__":
    main()
