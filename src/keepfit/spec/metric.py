"""The metrics a definition may name: which task they measure and in which direction they are better."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric's name, its task ('classification' or 'regression'), and whether more is better."""

    name: str
    task: str
    greater_is_better: bool

    def better(self, value: float, than: float) -> bool:
        """Return whether `value` is strictly better than another."""
        return value > than if self.greater_is_better else value < than

    def reaches(self, value: float, threshold: float) -> bool:
        """Return whether `value` is at least as good as the threshold."""
        return value >= threshold if self.greater_is_better else value <= threshold

    def gain(self, value: float, over: float) -> float:
        """Return how much better `value` is, positive if better, in the metric's own unit."""
        return value - over if self.greater_is_better else over - value


COST = "cost"
"""The metric of models that declare `Training(cost=Cost(...))`, and of no others."""

METRICS = {
    metric.name: metric
    for metric in (
        Metric("f1", "classification", True),
        Metric("auc", "classification", True),
        Metric("pr_auc", "classification", True),
        Metric("precision", "classification", True),
        Metric("recall", "classification", True),
        Metric("accuracy", "classification", True),
        Metric("log_loss", "classification", False),
        Metric("brier", "classification", False),
        Metric("ece", "classification", False),
        Metric("lift_10", "classification", True),
        Metric("gain_10", "classification", True),
        Metric(COST, "classification", False),
        Metric("rmse", "regression", False),
        Metric("mae", "regression", False),
        Metric("r2", "regression", True),
        Metric("mape", "regression", False),
        Metric("smape", "regression", False),
    )
}
