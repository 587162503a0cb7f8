"""How predictions will turn out, as far as that can be told before their labels are known."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit.evidence.evaluation import Estimate


@dataclass(frozen=True)
class Estimated:
    """What is to be expected of predictions whose labels have not matured.

    Grain: one model version and one window of observations `[from_at, to_at]`.

    Attributes
    ----------
    rows : int
        Predictions of the window.
    metrics : dict of str to Estimate
        Each metric with its 90% interval.
    baseline : dict of str to float
        The same metrics on the test rows, when the version was trained.
    sentence : str
        What it says of the model's own metric.
    """

    version: str
    from_at: int
    to_at: int
    rows: int
    metrics: dict[str, Estimate]
    baseline: dict[str, float]
    sentence: str
