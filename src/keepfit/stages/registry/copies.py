"""Versions that were trained elsewhere: taken into an MLflow registry, file by file, and visible when they are whole."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keepfit.stages.registry.remotes.parcel import Parcel
from keepfit.stages.registry.runs import FOLDER, MOST_METRICS, MOST_PARAMETERS
from keepfit.stages.registry.version import AGAINST, DIGEST, ORIGIN, TRAINED, Version, noted

ARRIVING = "keepfit.arriving"
OWN = "keepfit."
ELSEWHERE = {"keepfit.lineage": "keepfit.lineage_there"}
"""Tags that mean something in the registry that a version comes from only: table versions are those of its lake."""
LEFT_OUT = ("keepfit.place", ARRIVING)


class Copies:
    """What other registries have trained, in this one.

    Parameters
    ----------
    client : MlflowClient
        Of the registry.
    location : str or None
        Where a new experiment keeps its artifacts; None leaves it to the server.
    """

    def __init__(self, client: Any, location: str | None) -> None:
        self._client, self._location = client, location

    def run_of(self, version: Version) -> dict[str, Any]:
        """Return what a version's training shows: name, start and end (milliseconds), parameters, metrics, tags."""
        return told(self._client, self._client.get_model_version(version.model, version.number).run_id)

    def receive(self, parcel: Parcel, folder: Path, beside: Mapping[str, str], numbers: Mapping[str, str]) -> str:
        """Record a version from its files and return its number here; cut off, the next call sends what is missing.

        Parameters
        ----------
        folder : Path
            Where its files lie.
        beside : mapping of str to str
            Name -> SHA-256 of those that its manifest does not name.
        numbers : mapping of str to str
            Digest -> number of the versions that are here.
        """
        tags = {
            TRAINED: str(parcel.trained_at),
            DIGEST: parcel.digest,
            ORIGIN: parcel.origin,
            **noted({name: [digest] for name, digest in sorted(beside.items())}),
        }
        if parcel.against is not None:
            tags[AGAINST] = numbered(parcel.against, numbers)
        run = self._arriving(parcel)
        self.upload(run.info.run_id, folder, [*parcel.files, *beside])
        self._tell(run.info.run_id, parcel.run)
        source = f"{run.info.artifact_uri}/{FOLDER}"
        made = self._client.create_model_version(parcel.model, source=source, run_id=run.info.run_id, tags=tags)
        self._client.delete_tag(run.info.run_id, ARRIVING)
        return str(made.version)

    def upload(self, run_id: str, folder: Path, names: list[str]) -> list[Path]:
        """Log files of a version to its run, and return those that were not there yet."""
        there = {one.path.rpartition("/")[2]: one.file_size for one in self._client.list_artifacts(run_id, FOLDER)}
        paths = [folder / name for name in dict.fromkeys(names)]
        missing = [path for path in paths if there.get(path.name) != path.stat().st_size]
        for path in missing:
            self._client.log_artifact(run_id, str(path), FOLDER)
        return missing

    def experiment(self, model: str) -> str:
        """Return the id of a model's experiment; it is made, with the registered model, if it is not there."""
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(model)
        if found is not None:
            return str(found.experiment_id)
        made = self._client.create_experiment(model, artifact_location=self._location)
        try:
            self._client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return str(made)

    def _arriving(self, parcel: Parcel) -> Any:
        """Return the run that a version is being sent to; a new one, if none was begun."""
        experiment = self.experiment(parcel.model)
        begun = self._client.search_runs([experiment], f"tags.`{ARRIVING}` = '{parcel.digest}'")
        if begun:
            return begun[0]
        found = parcel.run
        tags = {ELSEWHERE.get(name, name): value for name, value in found.get("tags", {}).items()}
        return self._client.create_run(
            experiment,
            start_time=found.get("start"),
            run_name=found.get("name"),
            tags={**tags, ARRIVING: parcel.digest},
        )

    def _tell(self, run_id: str, found: dict[str, Any]) -> None:
        from mlflow.entities import Metric, Param

        start = found.get("start") or 0
        metrics = [Metric(name, value, start, 0) for name, value in found.get("metrics", {}).items()]
        parameters = [Param(name, value) for name, value in found.get("parameters", {}).items()]
        for place in range(0, len(metrics), MOST_METRICS):
            self._client.log_batch(run_id, metrics=metrics[place : place + MOST_METRICS])
        for place in range(0, len(parameters), MOST_PARAMETERS):
            self._client.log_batch(run_id, params=parameters[place : place + MOST_PARAMETERS])
        self._client.set_terminated(run_id, end_time=found.get("end"))


def told(client: Any, run_id: str) -> dict[str, Any]:
    """Return what a run shows, as a parcel carries it."""
    run = client.get_run(run_id)
    tags = {name: value for name, value in run.data.tags.items() if name.startswith(OWN) and name not in LEFT_OUT}
    back = {there: here for here, there in ELSEWHERE.items()}
    return {
        "name": run.info.run_name,
        "start": run.info.start_time,
        "end": run.info.end_time,
        "parameters": dict(sorted(run.data.params.items())),
        "metrics": {name: value for name, value in sorted(run.data.metrics.items()) if value == value},
        "tags": {back.get(name, name): value for name, value in sorted(tags.items())},
    }


def numbered(against: str, numbers: Mapping[str, str]) -> str:
    """Return which version here another one was compared with: its number, or what it was there if it is not here."""
    beginning = against.partition("@")[2]
    return next((one for digest, one in numbers.items() if beginning and digest.startswith(beginning)), against)


def downloaded(client: Any, run_id: str, path: str) -> bytes:
    """Return a file of a run."""
    with tempfile.TemporaryDirectory() as temporary:
        return Path(client.download_artifacts(run_id, path, temporary)).read_bytes()
