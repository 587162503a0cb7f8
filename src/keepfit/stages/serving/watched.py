"""What the loop's last turn saw of the model, for Prometheus: read at a scrape from a small file beside the pointer.

The loop writes the file whole, in one step; the server knows of it what is in here, and loads nothing that watches. Whoever
has no server gives the same text to node_exporter's textfile collector (`textfile`).
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from keepfit import clock
from keepfit.evidence import CONCEPT, MULTIVARIATE, SEVERITIES, Drift, from_data
from keepfit.evidence.watched import Measured, Watched
from keepfit.stages.serving.counting import Labels
from keepfit.stages.serving.metrics import Gauges, Scrape, families

log = logging.getLogger("keepfit.serving")

WHOLE = (CONCEPT, MULTIVARIATE)
"""Drift that is of no single column, and of which there is no PSI."""
Values = dict[Labels, float]
METRIC = ("model", "version", "stage", "metric")
COLUMN = ("model", "version", "column")


class Following:
    """The newest turn that a file tells of, read again when the file has changed.

    Parameters
    ----------
    path : Path
        See `keepfit.artifact.watched_of`; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._held: Watched | None = None

    def current(self) -> Watched | None:
        """Return what the newest turn saw; None before the first one. A file that cannot be read leaves what was known."""
        try:
            found = self.path.stat()
            seen = found.st_ino, found.st_mtime_ns, found.st_size
            if seen != self._seen:
                self._seen = seen
                self._held = from_data(Watched, json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            self._seen = self._held = None
        # whatever is wrong with it, the server answers and its other metrics are shown
        except Exception as error:
            log.error("%s is not what a turn writes: %s: %s", self.path, type(error).__name__, error)
        return self._held

    def gauges(self) -> Gauges:
        """Yield what a scrape shows of it; the names alone, without values, before the first turn."""
        return watched_gauges(self.current())


def textfile(found: Watched) -> bytes:
    """Return the same in Prometheus' text format, for node_exporter's textfile collector."""
    registry = CollectorRegistry()
    registry.register(Scrape(lambda: families(watched_gauges(found))))
    return generate_latest(registry)


def watched_gauges(found: Watched | None) -> Gauges:
    """Yield each gauge of what a turn saw; without a turn, its name and no value."""
    yield from _turn(found)
    yield from _metrics(found)
    yield from _drift(found)


def _turn(found: Watched | None) -> Gauges:
    at: Values = {(found.model,): found.as_of / clock.SECOND} if found else {}
    blocked: Values = {(found.model,): found.blocked} if found else {}
    rows: Values = {(found.model, kind): count for kind, count in found.rows.items()} if found else {}
    fresh: Values = {(found.model,): found.new_labels} if found and found.new_labels is not None else {}
    trained: Values = {}
    if found and found.version is not None and found.trained_at is not None:
        trained = {(found.model, found.version): found.trained_at / clock.SECOND}
    yield "keepfit_last_turn_timestamp_seconds", "What the last turn of the loop acted as of", ("model",), at
    yield "keepfit_turn_blocked", "Whether data that are not as expected stopped it", ("model",), blocked
    yield "keepfit_turn_rows", "Rows of the last turn", ("model", "kind"), rows
    yield "keepfit_new_labels", "Labels that matured since the champion was trained", ("model",), fresh
    name, told = "keepfit_champion_trained_timestamp_seconds", "What the champion was trained as of"
    yield name, told, ("model", "version"), trained


METRICS: tuple[tuple[str, str, Callable[[Measured], float | None]], ...] = (
    ("", "What a metric came to: on test rows, on matured rows, or by estimate", lambda one: one.value),
    ("_low", "Lower end of its 90% interval", lambda one: one.low),
    ("_high", "Upper end of its 90% interval", lambda one: one.high),
    ("_baseline", "Of the constant on the same rows; of an estimate, on the test rows", lambda one: one.baseline),
    ("_rows", "Rows it was measured on", lambda one: one.rows),
)
DRIFT: tuple[tuple[str, str, Callable[[Drift], float | None]], ...] = (
    (
        "psi",
        "How far a column has moved: population stability index",
        lambda one: None if one.kind in WHOLE else one.psi,
    ),
    ("chance", "How likely so much is while nothing moves", lambda one: one.chance),
    ("effect_ratio", "Expected rise of the loss by it, as a share of the loss", lambda one: one.relative_effect),
    ("severity", "0 info, 1 warning, 2 critical", lambda one: SEVERITIES.index(one.severity)),
)


def _metrics(found: Watched | None) -> Gauges:
    for end, told, part in METRICS:
        values: Values = {}
        for one in found.metrics if found else ():
            number = part(one)
            if found and number is not None and math.isfinite(number):
                values[found.model, one.version, one.stage, one.metric] = number
        yield f"keepfit_model_metric{end}", told, METRIC, values


def _drift(found: Watched | None) -> Gauges:
    for name, told, part in DRIFT:
        values: Values = {}
        for one in found.drift if found else ():
            number = part(one)
            if found and number is not None and math.isfinite(number):
                values[found.model, found.watched or "", one.column] = number
        yield f"keepfit_drift_{name}", told, COLUMN, values
    alarms: Values = {(found.model, severity): count for severity, count in found.alarms.items()} if found else {}
    yield "keepfit_drift_alarms", "Columns that drifted, by severity", ("model", "severity"), alarms
    compared: Values = {(found.model,): found.columns} if found else {}
    yield "keepfit_drift_columns", "Columns that were compared", ("model",), compared
