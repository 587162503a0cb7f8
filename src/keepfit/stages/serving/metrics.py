"""What Prometheus scrapes; the one home of prometheus_client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:  # a server of ready rows has neither, nor the kernel behind them
    from keepfit.stages.serving.outbox import Outbox
    from keepfit.stages.serving.scorer import Champion, Scorer

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
SCORES = tuple(step / 20 for step in range(1, 21))
ROUTES = (
    "/predict",
    "/predict/rows",
    "/events",
    "/livez",
    "/readyz",
    "/health",
    "/metrics",
    "/model",
    "/docs",
    "/openapi.json",
)


class Metrics:
    """Counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "keepfit_requests", "Answers by route and status", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "keepfit_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=registry
        )
        self._predictions = Counter("keepfit_predictions", "Predictions", ["model", "version"], registry=registry)
        self._scores = Histogram(
            "keepfit_score",
            "Probability of the positive class",
            ["model", "version"],
            buckets=SCORES,
            registry=registry,
        )
        self._rows = Counter("keepfit_rows", "Ready rows answered", ["model", "version"], registry=registry)
        self._events = Counter("keepfit_events_accepted", "Events taken in", ["table"], registry=registry)
        self._champion = Gauge(
            "keepfit_champion_info", "The version that answers", ["model", "version"], registry=registry
        )
        self._ready = Gauge("keepfit_ready", "Whether a champion is loaded", registry=registry)
        self._backlog = Gauge("keepfit_outbox_backlog", "Answers that wait to be moved to the lake", registry=registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer; routes that do not exist are counted as one."""
        name = route if route in ROUTES else "other"
        self._requests.labels(name, status).inc()
        self._seconds.labels(name).observe(seconds)

    def predicted(self, scorer: Scorer, score: float) -> None:
        """Count one prediction of a version."""
        labels = scorer.pointer.model, scorer.pointer.version
        self._predictions.labels(*labels).inc()
        if scorer.classifies:
            self._scores.labels(*labels).observe(score)

    def rows(self, model: str, version: str, count: int) -> None:
        """Count rows of ready features; their scores are not those of requests for entities."""
        self._rows.labels(model, version).inc(count)

    def accepted(self, table: str, count: int = 1) -> None:
        """Count events."""
        self._events.labels(table).inc(count)

    def page(self, champion: Champion, outbox: Outbox) -> bytes:
        """Return all of it in Prometheus' text format."""
        scorer = champion.current
        self._champion.clear()
        if scorer is not None:
            self._champion.labels(scorer.pointer.model, scorer.pointer.version).set(1)
        self._ready.set(scorer is not None)
        self._backlog.set(outbox.backlog())
        return generate_latest(self._registry)

    def requests(self) -> bytes:
        """Return the same of a server whose version never changes."""
        self._ready.set(True)
        return generate_latest(self._registry)
