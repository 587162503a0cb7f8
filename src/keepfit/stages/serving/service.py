"""What all routes of one server share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keepfit.stages.serving.metrics import Metrics
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.scorer import Champion
from keepfit.stages.serving.store import OnlineStore


@dataclass(frozen=True)
class Service:
    """One model's server: who answers, from what, and where answers are logged.

    Attributes
    ----------
    now : callable
        Microseconds UTC; the only clock.
    """

    champion: Champion
    store: OnlineStore
    outbox: Outbox
    now: Callable[[], int]
    metrics: Metrics
