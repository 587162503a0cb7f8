"""FLAML or AutoGluon on rows that `bench/automl.py` wrote.

python automl.py PEER FILE SECONDS THREADS     prints one JSON line: what it chose, and its metrics on the test rows
"""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

import numpy as np


def main() -> None:
    peer, file, seconds, threads = PEERS[sys.argv[1]], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    found = np.load(file, allow_pickle=False)
    matrix, target, part, task = found["matrix"], found["target"], found["part"], str(found["task"])
    best, score = peer(matrix, target, part, task, seconds, threads)
    test = part == 2
    print(json.dumps({"best": best, "metrics": measured(task == "classification", target[test], score)}))


def flaml(
    matrix: np.ndarray, target: np.ndarray, part: np.ndarray, task: str, seconds: float, threads: int
) -> tuple[str, np.ndarray]:
    """Return what FLAML chose and its scores of the test rows."""
    from flaml import AutoML

    classifies = task == "classification"
    learner = AutoML()
    learner.fit(
        matrix[part == 0], target[part == 0], X_val=matrix[part == 1], y_val=target[part == 1], eval_method="holdout",
        task=task, metric="roc_auc" if classifies else "rmse", time_budget=seconds, n_jobs=threads, seed=7, verbose=0,
        estimator_list=["lgbm", "xgboost", "xgb_limitdepth", "rf", "extra_tree"], retrain_full=True,
    )  # fmt: skip
    test = matrix[part == 2]
    score = learner.predict_proba(test)[:, 1] if classifies else learner.predict(test)
    return str(learner.best_estimator), score


def autogluon(
    matrix: np.ndarray, target: np.ndarray, part: np.ndarray, task: str, seconds: float, threads: int
) -> tuple[str, np.ndarray]:
    """Return what AutoGluon chose and its scores of the test rows; no bagging, since random folds would mix the months."""
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    def table(which: int) -> Any:
        rows = pd.DataFrame(matrix[part == which], columns=[f"f{place}" for place in range(matrix.shape[1])])
        return rows.assign(target=target[part == which])

    classifies = task == "classification"
    kind, metric = ("binary", "roc_auc") if classifies else ("regression", "root_mean_squared_error")
    with tempfile.TemporaryDirectory() as folder:
        learner = TabularPredictor("target", problem_type=kind, eval_metric=metric, path=folder, verbosity=0)
        learner.fit(table(0), tuning_data=table(1), time_limit=seconds, num_cpus=threads, num_gpus=0)
        best = str(learner.model_best)
        rows = table(2).drop(columns="target")
        score = learner.predict_proba(rows)[1.0] if classifies else learner.predict(rows)
    return best, np.asarray(score, np.float64)


PEERS = {"flaml": flaml, "autogluon": autogluon}


def measured(classifies: bool, actual: np.ndarray, score: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import average_precision_score, log_loss, mean_absolute_error, roc_auc_score

    if classifies:
        return {
            "auc": float(roc_auc_score(actual, score)),
            "pr_auc": float(average_precision_score(actual, score)),
            "log_loss": float(log_loss(actual, score)),
        }
    rmse = float(np.sqrt(np.mean((score - actual) ** 2)))
    return {"rmse": rmse, "mae": float(mean_absolute_error(actual, score))}


if __name__ == "__main__":
    main()
