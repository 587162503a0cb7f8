"""FLAML on rows that `bench/automl.py` wrote.

python automl.py FILE SECONDS THREADS     prints one JSON line: what it chose, and its metrics on the test rows
"""

from __future__ import annotations

import json
import sys

import numpy as np


def main() -> None:
    from flaml import AutoML

    file, seconds, threads = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    found = np.load(file, allow_pickle=False)
    matrix, target, part, task = found["matrix"], found["target"], found["part"], str(found["task"])
    classifies = task == "classification"
    learner = AutoML()
    learner.fit(
        matrix[part == 0], target[part == 0], X_val=matrix[part == 1], y_val=target[part == 1], eval_method="holdout",
        task=task, metric="roc_auc" if classifies else "rmse", time_budget=seconds, n_jobs=threads, seed=7, verbose=0,
        estimator_list=["lgbm", "xgboost", "xgb_limitdepth", "rf", "extra_tree"], retrain_full=True,
    )  # fmt: skip
    test, actual = matrix[part == 2], target[part == 2]
    score = learner.predict_proba(test)[:, 1] if classifies else learner.predict(test)
    print(json.dumps({"best": learner.best_estimator, "metrics": measured(classifies, actual, score)}))


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
