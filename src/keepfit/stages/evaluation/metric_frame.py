"""The rates of groups as fairlearn's `MetricFrame`, for those who go on with its tools; the one home of fairlearn.

The report does not need it: its rates and intervals are `keepfit.stages.evaluation.fairness`, which a test holds equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import MissingExtra
from keepfit.stages.evaluation.groups import NO_LABEL
from keepfit.stages.evaluation.judged import Judged


def metric_frame(judged: Judged, labels: NDArray[Any]) -> Any:
    """Return fairlearn's frame of selection rate, true and false positive rate, precision and accuracy by group.

    Parameters
    ----------
    labels : object array, shape (rows,)
        Each row's group; None is the group '(none)'.

    Raises
    ------
    MissingExtra
        If fairlearn is not installed.
    """
    try:
        from fairlearn import metrics
    except ImportError:
        raise MissingExtra("fairness", "metric_frame") from None
    from sklearn.metrics import accuracy_score, precision_score

    return metrics.MetricFrame(
        metrics={
            "selection_rate": metrics.selection_rate,
            "tpr": metrics.true_positive_rate,
            "fpr": metrics.false_positive_rate,
            "precision": precision_score,
            "accuracy": accuracy_score,
        },
        y_true=judged.actual.astype(np.int64),
        y_pred=(judged.score >= judged.threshold).astype(np.int64),
        sensitive_features=np.array([NO_LABEL if label is None else str(label) for label in labels]),
    )
