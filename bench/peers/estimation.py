"""NannyML's estimates of windows that `bench/estimation.py` wrote.

python estimation.py FILE     prints one JSON line: for each window, metric -> estimate
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import nannyml
import numpy as np
import pandas as pd

NAMES = {"roc_auc": "auc", "f1": "f1", "accuracy": "accuracy", "precision": "precision", "recall": "recall"}
ERRORS = ("mae", "rmse")


def main() -> None:
    found = np.load(sys.argv[1], allow_pickle=False)
    windows = found["later_window"]
    fit = cbpe if str(found["task"]) == "classification" else dle
    estimate = fit(found)
    # one chunk for each window, whatever its size
    print(json.dumps([estimate(windows == window) for window in np.unique(windows)]))


def cbpe(found: Any) -> Callable[[np.ndarray], dict[str, float]]:
    """Return what gives confidence-based estimates of some rows."""
    threshold = float(found["threshold"])

    def frame(score: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame({"p": score, "y_pred": (score >= threshold).astype(int)})

    reference = frame(found["score"]).assign(y=found["actual"].astype(int))
    estimator = nannyml.CBPE(
        y_pred_proba="p", y_pred="y_pred", y_true="y", problem_type="classification_binary", metrics=list(NAMES),
        chunk_number=1,
    )  # fmt: skip
    estimator.fit(reference)
    return lambda rows: values(estimator.estimate(frame(found["later_score"][rows])), NAMES)


def dle(found: Any) -> Callable[[np.ndarray], dict[str, float]]:
    """Return what gives direct loss estimates of some rows."""
    names = [f"f{place}" for place in range(found["matrix"].shape[1])]

    def frame(matrix: np.ndarray, score: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(matrix, columns=names).assign(y_pred=score)

    estimator = nannyml.DLE(
        feature_column_names=names, y_pred="y_pred", y_true="y", metrics=list(ERRORS), chunk_number=1
    )
    estimator.fit(frame(found["matrix"], found["score"]).assign(y=found["actual"]))
    matrix, score, same = found["later_matrix"], found["later_score"], {name: name for name in ERRORS}
    return lambda rows: values(estimator.estimate(frame(matrix[rows], score[rows])), same)


def values(result: Any, names: dict[str, str]) -> dict[str, float]:
    """Return the estimates of the only chunk."""
    table = result.filter(period="analysis").to_df()
    return {ours: float(table[theirs, "value"].iloc[0]) for theirs, ours in names.items()}


if __name__ == "__main__":
    main()
