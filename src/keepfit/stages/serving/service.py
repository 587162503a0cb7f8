"""What all routes of one server share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keepfit.stages.serving.challenger import Challenger
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
    max_rows : int
        How many entities, rows or events one request may hold.
    """

    champion: Champion
    challenger: Challenger
    store: OnlineStore
    outbox: Outbox
    now: Callable[[], int]
    metrics: Metrics
    max_rows: int
