"""A training as a Comet experiment; the one home of comet_ml. Needs the extra `comet`.

An experiment is written as an archive first, in the state folder. If the environment has COMET_API_KEY the archive is uploaded;
what cannot be uploaded stays there, for `comet upload`. Comet looks at nothing by itself: it is told what MLflow is told.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keepfit import clock
from keepfit.errors import MissingExtra
from keepfit.spec.settings import Comet
from keepfit.stages.registry.tracking import Tracked

KEY = "COMET_API_KEY"
# what it would do beside what it is told: patch libraries, watch the machine, report errors, announce
QUIET = {
    "COMET_DISABLE_AUTO_LOGGING": "1",
    "COMET_ERROR_TRACKING_ENABLE": "0",
    "COMET_INTERNAL_SENTRY_DSN": "",
    "COMET_DISABLE_ANNOUNCEMENT": "1",
    "COMET_LOGGING_CONSOLE": "CRITICAL",
}
OFF: dict[str, Any] = {
    "log_code": False,
    "log_graph": False,
    "auto_param_logging": False,
    "auto_metric_logging": False,
    "parse_args": False,
    "auto_output_logging": False,
    "log_env_details": False,
    "log_env_gpu": False,
    "log_env_host": False,
    "log_env_cpu": False,
    "log_env_network": False,
    "log_env_disk": False,
    "log_git_metadata": False,
    "log_git_patch": False,
    "auto_histogram_weight_logging": False,
    "auto_histogram_gradient_logging": False,
    "auto_histogram_activation_logging": False,
    "display_summary_level": 0,
}


class CometRun:
    """One experiment; it is written when the training ends, all at once.

    Parameters
    ----------
    told : Tracked
        What there is to tell.
    folder : Path
        Where archives are written.
    environment : mapping of str to str
        Where the key is looked for.

    Raises
    ------
    MissingExtra
        If comet_ml is not installed.
    """

    def __init__(self, told: Tracked, settings: Comet, folder: Path, environment: Mapping[str, str]) -> None:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        try:
            from comet_ml import OfflineExperiment
        except ImportError as error:
            raise MissingExtra("comet", "keepfit.yaml, tracking.comet") from error
        self._told, self._settings, self._folder, self._made = told, settings, folder, OfflineExperiment
        self._key = None if settings.offline else environment.get(KEY)

    @property
    def name(self) -> str:
        """What a reader finds the run by."""
        return f"the Comet experiment {self._told.model} {clock.show(self._told.as_of)}"

    def end(self, status: str, seconds: float) -> None:
        """Write the archive, and upload it if there is a key; what cannot be uploaded is noted."""
        archive = self._written(status, seconds)
        if not archive.is_file():
            self._told.notes.append(f"Comet wrote no archive into {self._folder}")
        elif self._key and (why := _refused(archive, self._key)):
            self._told.notes.append(f"Comet did not take {archive} ({why}); `comet upload` tries again")

    def _written(self, status: str, seconds: float) -> Path:
        told = self._told
        self._folder.mkdir(parents=True, exist_ok=True)
        experiment = self._made(
            project_name=self._settings.project,
            workspace=self._settings.workspace,
            offline_directory=str(self._folder),
            **OFF,
        )
        experiment.set_name(f"{told.model} {clock.show(told.as_of)}")
        experiment.log_parameters(told.parameters)
        experiment.log_metrics({name: value for name, value in told.metrics.items() if value == value})
        for name, points in told.series.items():
            for point in points:
                if point.value == point.value:
                    experiment.log_metric(name, point.value, step=point.step)
        experiment.log_others({**told.tags, "status": status, "seconds": round(seconds, 3)})
        for one in told.sources:
            experiment.log_other(f"input.{one.name}", f"version {one.version}, {one.rows:,} rows, digest {one.digest}")
        for name, content in told.files.items():
            experiment.log_asset_data(content, name=name)
        experiment.add_tag(status.lower())
        experiment.end()
        return self._folder / f"{experiment.get_key()}.zip"


def _refused(archive: Path, key: str) -> str:
    """Upload an archive, and return why that failed; empty if it did not."""
    from comet_ml.offline import upload_single_offline_experiment

    try:
        done = upload_single_offline_experiment(str(archive), key, force_upload=False, display_level="debug")
    except Exception as error:  # whatever Comet raises, the training is done
        return f"{type(error).__name__}: {error}"
    return "" if done else "see comet.log"
