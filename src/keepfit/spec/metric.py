"""The metrics a definition may name: which task they measure and in which direction they are better."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keepfit.spec.training import Training

BINARY, LABELS, NUMBER = ("classification",), ("multiclass",), ("regression",)
CLASSES = BINARY + LABELS


@dataclass(frozen=True)
class Metric:
    """A metric's name, the tasks it measures, whether more is better, and the words of `Training` that make it exist.

    A metric with words is of models that declare one of them: `cost`, `interval`, `quantile`. One without is of every model of
    its tasks, but for a quantile: how far that lies from the mean is no fault.
    """

    name: str
    tasks: tuple[str, ...]
    greater_is_better: bool
    words: tuple[str, ...] = ()

    @property
    def direction(self) -> str:
        """'higher' or 'lower', whichever is better; '' of a coverage, which is best at the share that is declared."""
        return "" if self.name == COVERAGE else "higher" if self.greater_is_better else "lower"

    def better(self, value: float, than: float) -> bool:
        """Return whether `value` is strictly better than another; of what has no direction none is."""
        return bool(self.direction) and (value > than if self.greater_is_better else value < than)

    def reaches(self, value: float, threshold: float) -> bool:
        """Return whether `value` is at least as good as the threshold; a coverage, whether it is at least that."""
        return value >= threshold if self.greater_is_better else value <= threshold

    def gain(self, value: float, over: float, said: Training | None = None) -> float:
        """Return how much better `value` is, positive if better, in the metric's own unit.

        Of a coverage, how much nearer to the share that `said` declares; NaN without.
        """
        if self.direction:
            return value - over if self.greater_is_better else over - value
        share = said.share if said is not None else None
        return math.nan if share is None else abs(over - share) - abs(value - share)

    def measures(self, task: str, said: Training) -> bool:
        """Return whether a model of this task that is trained so has the metric."""
        if task not in self.tasks:
            return False
        if self.words:
            return any(getattr(said, word) is not None for word in self.words)
        return said.quantile is None or task not in NUMBER


COST = "cost"
"""The metric of models that declare `Training(cost=Cost(...))`, and of no others."""
PINBALL, COVERAGE, WIDTH = "pinball", "coverage", "width"
BOUNDED = ("interval", "quantile")
ONE_SIDED = (COVERAGE, WIDTH)
"""Metrics that an interval without bounds, or one of no width, is best at: they say nothing alone."""

METRICS = {
    metric.name: metric
    for metric in (
        Metric("f1", BINARY, True),
        Metric("auc", BINARY, True),
        Metric("pr_auc", BINARY, True),
        Metric("precision", BINARY, True),
        Metric("recall", BINARY, True),
        Metric("accuracy", CLASSES, True),
        Metric("log_loss", CLASSES, False),
        Metric("brier", CLASSES, False),
        Metric("ece", BINARY, False),
        Metric("lift_10", BINARY, True),
        Metric("gain_10", BINARY, True),
        Metric(COST, BINARY, False, ("cost",)),
        Metric("f1_macro", LABELS, True),
        Metric("balanced_accuracy", LABELS, True),
        Metric("auc_ovr", LABELS, True),
        Metric("rmse", NUMBER, False),
        Metric("mae", NUMBER, False),
        Metric("r2", NUMBER, True),
        Metric("mape", NUMBER, False),
        Metric("smape", NUMBER, False),
        Metric(PINBALL, NUMBER, False, BOUNDED),
        Metric(COVERAGE, NUMBER, True, BOUNDED),
        Metric(WIDTH, NUMBER, False, ("interval",)),
    )
}
