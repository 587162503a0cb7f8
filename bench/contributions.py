"""What exact contributions cost: keepfit's, XGBoost's own and shap's TreeExplainer, of the same model and rows.

A classifier of 300 trees of depth 6 on 30 features is trained once; each contender loads it, in a process of its own, and explains
the same rows. What is timed is the explanation alone; keepfit's reads the trees as arrays as well. Each prints the mean size of its
contributions, which must agree. One row alone is what a request would ask.

    uv run python bench/contributions.py --rows 10000 --rounds 3
    uv run python bench/contributions.py --rows 100000 --rounds 1      shap takes minutes
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import sidebyside

FEATURES = 30
SHAP = ["shap<0.52", "xgboost==3.2.0"]


def rows_of(rows: int) -> np.ndarray:
    random = np.random.default_rng(7)
    matrix = random.normal(size=(rows, FEATURES)).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    return matrix


def prepare(path: str) -> None:
    import xgboost

    matrix = rows_of(100_000)
    told = np.nan_to_num(matrix[:, 0]) + np.nan_to_num(matrix[:, 1]) * np.nan_to_num(matrix[:, 2])
    noise = np.random.default_rng(8).logistic(size=len(matrix))
    settings = {"objective": "binary:logistic", "max_depth": 6, "learning_rate": 0.05, "seed": 7}
    booster = xgboost.train(settings, xgboost.DMatrix(matrix, label=(told + noise > 0.5) * 1.0), 300)
    booster.save_model(path)


def keepfit(path: str, matrix: np.ndarray) -> tuple[float, float]:
    import xgboost

    from keepfit.stages.training.estimators.xgboost import Trees

    trees = Trees(xgboost.Booster(model_file=path), {}, ["q"] * FEATURES)
    trees.forest().contributions(matrix[:20])  # compiled code is loaded from its cache
    begin = time.perf_counter()
    found, _ = trees.forest().contributions(matrix, os.cpu_count() or 1)
    return time.perf_counter() - begin, float(np.abs(found).mean())


def xgboost(path: str, matrix: np.ndarray) -> tuple[float, float]:
    import xgboost

    booster = xgboost.Booster(model_file=path)
    begin = time.perf_counter()
    found = booster.predict(xgboost.DMatrix(matrix), pred_contribs=True)[:, :-1]
    return time.perf_counter() - begin, float(np.abs(found).mean())


def shap(path: str, matrix: np.ndarray) -> tuple[float, float]:
    import shap
    import xgboost

    explainer = shap.TreeExplainer(xgboost.Booster(model_file=path))
    begin = time.perf_counter()
    found = explainer.shap_values(matrix)
    return time.perf_counter() - begin, float(np.abs(found).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=["keepfit", "xgboost", "shap"])
    parser.add_argument("--model")
    options = parser.parse_args()
    if options.mode:
        seconds, check = globals()[options.mode](options.model, rows_of(options.rows))
        print(json.dumps({"seconds": seconds, "check": round(check, 5)}))
        return
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "model.ubj")
        prepare(model)
        asked = ["--model", model, "--rows", str(options.rows), "--mode"]
        contenders = [
            sidebyside.Contender("keepfit", [sys.executable, __file__, *asked, "keepfit"]),
            sidebyside.Contender("XGBoost's own", [sys.executable, __file__, *asked, "xgboost"]),
            sidebyside.Contender("shap's TreeExplainer", sidebyside.uv(SHAP, __file__, *asked, "shap"), once=True),
        ]
        sidebyside.run(contenders, options.rounds)
    sidebyside.report(contenders, "keepfit")
    for one in contenders:
        if one.found:
            print(
                f"{one.name:42}{options.rows / one.middle('seconds'):9.0f} rows/s, mean |contribution| {one.middle('check')}"
            )


if __name__ == "__main__":
    main()
