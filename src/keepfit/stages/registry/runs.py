"""A training as an MLflow run: begun before it trains, ended with all that there is to tell. MLflow is imported at its use."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from keepfit import clock
from keepfit.errors import MissingExtra
from keepfit.stages.registry.tracking import Point, Source, Tracked

FOLDER = "model"
MONITORED = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
"""MLflow's own switch: with it, its monitor samples processor, memory, disk and network while a training runs."""
LONGEST = 5000
"""Of a parameter's value, in letters; MLflow holds 6,000."""
MOST_METRICS, MOST_PARAMETERS = 1000, 100
"""In one request, as MLflow limits it."""


class MlflowRun:
    """One run of an experiment.

    Parameters
    ----------
    client : MlflowClient
        Of the tracking store.
    experiment : str
        Its id.
    told : Tracked
        What there is to tell; read when the run ends.
    """

    def __init__(self, client: Any, uri: str, experiment: str, told: Tracked, tags: dict[str, str]) -> None:
        self._client, self._told, self._moment = client, told, told.as_of // 1000
        name = f"{told.model} {clock.show(told.as_of)}"
        run = client.create_run(experiment, start_time=self._moment, run_name=name, tags=tags)
        self.id: str = run.info.run_id
        self.artifacts: str = run.info.artifact_uri
        self._monitor = _monitor(self.id, uri)

    @property
    def name(self) -> str:
        """What a reader finds the run by."""
        return f"MLflow run {self.id}"

    def log_folder(self, folder: Path) -> str:
        """Log an artifact folder, and return where it lies."""
        self._client.log_artifacts(self.id, str(folder), FOLDER)
        return f"{self.artifacts}/{FOLDER}"

    def tag(self, tags: dict[str, str]) -> None:
        """Set tags at once."""
        for name, value in tags.items():
            self._client.set_tag(self.id, name, value)

    def end(self, status: str, seconds: float) -> None:
        """Show all that was told, and close the run; its length is that of the training, its beginning the turn's moment."""
        if self._monitor is not None:
            self._monitor.finish()
        try:
            self._log_values()
            self._log_sources()
            self._log_files()
        finally:
            self._client.set_terminated(self.id, status, end_time=self._moment + round(seconds * 1000))

    def _log_values(self) -> None:
        from mlflow.entities import Param, RunTag

        told = self._told
        parameters = [Param(_named(name), str(value)[:LONGEST]) for name, value in told.parameters.items()]
        self._client.log_batch(self.id, tags=[RunTag(name, value) for name, value in told.tags.items()])
        for metrics in _batches(self._metrics, MOST_METRICS):
            self._client.log_batch(self.id, metrics=metrics)
        for some in _batches(parameters, MOST_PARAMETERS):
            self._client.log_batch(self.id, params=some)

    @property
    def _metrics(self) -> list[Any]:
        from mlflow.entities import Metric

        once = {name: [Point(value, 0, self._told.as_of)] for name, value in self._told.metrics.items()}
        return [
            Metric(_named(name), point.value, point.at // 1000, point.step)
            for name, points in (once | self._told.series).items()
            for point in points
            if point.value == point.value
        ]

    def _log_sources(self) -> None:
        from mlflow.entities import DatasetInput, InputTag

        inputs = [
            DatasetInput(_dataset(one), [InputTag("mlflow.data.context", one.role)]) for one in self._told.sources
        ]
        if inputs:
            self._client.log_inputs(self.id, inputs)

    def _log_files(self) -> None:
        if not self._told.files:
            return
        with tempfile.TemporaryDirectory() as temporary:
            for name, content in self._told.files.items():
                path = Path(temporary, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self._client.log_artifacts(self.id, temporary)


def _dataset(one: Source) -> Any:
    from mlflow.entities import Dataset

    return Dataset(
        name=one.name,
        digest=one.digest,
        source_type="delta_table",
        source=json.dumps({"path": one.path, "delta_table_version": one.version}),
        schema=json.dumps({"mlflow_colspec": [{"name": name, "type": kind} for name, kind in one.columns.items()]})
        if one.columns
        else None,
        profile=json.dumps({"num_rows": one.rows}),
    )


def _batches(found: list[Any], size: int) -> Iterator[list[Any]]:
    for place in range(0, len(found), size):
        yield found[place : place + size]


def _named(name: str) -> str:
    """Return a name in the letters that MLflow allows."""
    return re.sub(r"[^\w\-. :/]", "_", name)


def _monitor(run_id: str, uri: str) -> Any:
    if os.environ.get(MONITORED, "").lower() not in ("true", "1"):
        return None
    if find_spec("psutil") is None:
        raise MissingExtra("ui", MONITORED)
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor: Any = SystemMetricsMonitor(run_id, tracking_uri=uri)  # type: ignore[no-untyped-call]
    monitor.start()
    return monitor
