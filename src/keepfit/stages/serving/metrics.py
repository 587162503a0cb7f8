"""What Prometheus scrapes: counted as requests go by (`counting.py`), and read off the server at a scrape."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version as installed

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from keepfit.artifact import Artifact
from keepfit.spec.model import CLASSIFICATION
from keepfit.stages.serving.admission import Admission
from keepfit.stages.serving.counting import Counts, Labels, Spread
from keepfit.stages.serving.laps import Lap

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SCORES = tuple(step / 20 for step in range(1, 21))
SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
ROUTES = frozenset(
    {
        "/predict", "/predict/rows", "/events", "/livez", "/readyz", "/health", "/metrics", "/model", "/docs", "/openapi.json",
    }
)  # fmt: skip
REFUSALS = ("unauthorized", "forbidden", "rate", "queue", "connections", "body", "bodies", "head", "timeout", "store")
OUTCOMES = ("canary", "shadow", "dropped", "failed")
MOST_VERSIONS = 8
"""Versions whose labels are kept bound."""
Gauges = Iterable[tuple[str, str, Labels, Mapping[Labels, float]]]
"""Of each gauge its name, what it tells, its labels, and labels -> value."""


class Metrics:
    """The metrics of one application, in a registry of their own.

    Parameters
    ----------
    admission : Admission
        Its places are shown.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._versions: dict[str, VersionMetrics] = {}
        self._gauges: list[Callable[[], Gauges]] = [self._own]
        self._requests = Counts("keepfit_requests", "Answers", ("route", "status"))
        self._refused = Counts("keepfit_refused", "Requests refused", ("reason",), [(one,) for one in REFUSALS])
        self._errors = Counts("keepfit_errors", "Answers that hold an error", ("kind",))
        self._predictions = Counts("keepfit_predictions", "Predictions", ("model", "version"))
        self._positives = Counts("keepfit_positives", "Positive decisions", ("model", "version"))
        self._rows = Counts("keepfit_rows", "Ready rows answered", ("model", "version"))
        self._unknown = Counts("keepfit_unknown_categories", "Labels that training has not seen", ("feature",))
        self._events = Counts("keepfit_events_accepted", "Events taken in", ("table",))
        self._seconds = Spread(
            "keepfit_request_duration_seconds", "From arrival to answer", ("route", "version"), SECONDS
        )
        self._waits = Spread("keepfit_queue_wait_seconds", "From arrival to turn", (), SECONDS)
        self._sizes = Spread("keepfit_batch_size", "Predictions a request", ("route",), SIZES)
        self._scores = Spread("keepfit_score", "Probability of the positive class", ("model", "version"), SCORES)
        self._challenged = Counts(
            "keepfit_challenger", "Requests that the challenger was to answer", ("version", "outcome")
        )
        self._shadow_scores = Spread(
            "keepfit_shadow_score", "As keepfit_score, of a shadow", ("model", "version"), SCORES
        )
        self._stages = Spread("keepfit_stage_duration_seconds", "Where a prediction's time goes", ("stage",), SECONDS)
        self._counted = (
            self._requests, self._refused, self._errors, self._predictions, self._positives, self._rows, self._unknown,
            self._events, self._seconds, self._waits, self._sizes, self._scores, self._stages,
            self._challenged, self._shadow_scores,
        )  # fmt: skip
        self.waited = self._waits.cell().observe
        self._registry = CollectorRegistry()
        self._registry.register(Scrape(self._families))
        ProcessCollector(registry=self._registry)

    def answered(self, route: str, version: str, status: int, seconds: float) -> None:
        """Count one answer; routes that do not exist are counted as one."""
        name = route_of(route)
        self._requests.add((name, STATUSES[status]))
        self._seconds.cell(name, version).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that is refused for one of `REFUSALS`."""
        self._refused.add((reason,))

    def failed(self, kind: str) -> None:
        """Count an answer that holds an error."""
        self._errors.add((kind,))

    def accepted(self, table: str, count: int = 1) -> None:
        """Count events."""
        self._events.add((table,), count)

    def staged(self, laps: Iterable[Lap]) -> None:
        """Note a request's share of how long its stages took."""
        for stage, began, ended, requests in laps:
            self._stages.cell(stage).observe((ended - began) / requests)

    def of(self, found: Artifact, version: str) -> VersionMetrics:
        """Return what counts the predictions of a version."""
        bound = self._versions.get(version)
        if bound is None or bound.artifact is not found:
            if len(self._versions) > MOST_VERSIONS:
                self._versions.clear()
            bound = self._versions[version] = VersionMetrics(self, found, version)
        return bound

    def batch(self, route: str, size: int) -> None:
        """Count one request's predictions."""
        self._sizes.cell(route).observe(size)

    def challenged(self, version: str, outcome: str) -> None:
        """Count what became of a request that the challenger was to answer: one of `OUTCOMES`."""
        self._challenged.add((version, outcome))

    def show(self, gauges: Callable[[], Gauges]) -> None:
        """Have gauges read at each scrape."""
        self._gauges.append(gauges)

    def page(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)

    def _own(self) -> Gauges:
        held = self._admission
        yield "keepfit_requests_in_flight", "Requests that wait or are in work", (), {(): held.taken + held.waiting}
        yield "keepfit_queue_length", "Requests that wait for their turn", (), {(): held.waiting}
        yield "keepfit_queue_limit", "Requests that may wait or be in work", (), {(): held.limit}
        yield "keepfit_connections", "Open connections", (), {(): held.connections}
        built = installed("keepfit"), platform.python_version()
        yield "keepfit_build_info", "What runs", ("version", "python"), {built: 1}

    def _families(self) -> Iterator[Metric]:
        yield from (each.family() for each in self._counted)
        for gauges in self._gauges:
            yield from families(gauges())


class VersionMetrics:
    """What counts the predictions of one version, its labels bound once."""

    def __init__(self, metrics: Metrics, found: Artifact, version: str) -> None:
        self.artifact = found
        self._labels = found.model.name, version
        self._score = metrics._scores.cell(*self._labels).observe
        self._shadow_score = metrics._shadow_scores.cell(*self._labels).observe
        self._predictions, self._positives = metrics._predictions, metrics._positives
        self._unknown, self._sizes, self._rows = metrics._unknown, metrics._sizes, metrics._rows
        self._categories = [(name, frozenset(seen)) for name, seen in found.categories.items()]
        self._threshold = found.threshold if found.model.task == CLASSIFICATION else None

    def predicted(self, score: float, features: Mapping[str, object]) -> None:
        """Count one prediction and, of its features, the labels that training has not seen."""
        self._predictions.add(self._labels)
        if self._threshold is not None:
            self._score(score)
            if score >= self._threshold:
                self._positives.add(self._labels)
        for name, seen in self._categories:
            label = features[name]
            if label is not None and label not in seen:
                self._unknown.add((name,))

    def shadowed(self, score: float) -> None:
        """Count one answer that nobody was given."""
        if self._threshold is not None:
            self._shadow_score(score)

    def ready_rows(self, size: int) -> None:
        """Count one request's ready rows; their scores are not those of requests for entities."""
        self._rows.add(self._labels, size)
        self._sizes.cell("/predict/rows").observe(size)


def route_of(path: str) -> str:
    """Return a path as a label: those that do not exist are one."""
    return path if path in ROUTES else "other"


def champion_gauges(model: str, version: str) -> Gauges:
    """Yield what says which version answers."""
    yield "keepfit_ready", "Whether a version is loaded", (), {(): 1}
    yield "keepfit_champion_info", "The version that answers", ("model", "version"), {(model, version): 1}


def families(gauges: Gauges) -> Iterator[Metric]:
    """Yield gauges as a scrape shows them."""
    for name, told, labels, values in gauges:
        family = GaugeMetricFamily(name, told, labels=labels)
        for each, value in values.items():
            family.add_metric(each, value)
        yield family


STATUSES = {status: str(status) for status in range(1000)}


class Scrape(Collector):
    """What is made anew at each scrape."""

    def __init__(self, families: Callable[[], Iterator[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Return what is shown now."""
        return self._families()

    def describe(self) -> list[Metric]:
        """Return nothing: it is not known before the first scrape."""
        return []  # nothing is read before the first scrape
