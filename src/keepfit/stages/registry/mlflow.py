"""The registry on MLflow; its one home, with `runs.py`. A run for each training, a version for each that ended, an alias.

What a version is lies in its artifact folder, so that MLflow's own tools show it and nothing depends on them. MLflow is
imported at the first use (3 s), and its telemetry is off.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from keepfit import artifact as artifacts
from keepfit.errors import RegistryError
from keepfit.evidence import REJECTED
from keepfit.stages.registry.aliases import CHALLENGER, CHAMPION, Aliases
from keepfit.stages.registry.copies import Copies
from keepfit.stages.registry.database import lay
from keepfit.stages.registry.evidence import digest_of
from keepfit.stages.registry.identity import identity_of
from keepfit.stages.registry.pointing import point, point_challenger
from keepfit.stages.registry.runs import FOLDER, MlflowRun
from keepfit.stages.registry.tracking import KILLED, Tracked
from keepfit.stages.registry.version import AGAINST, DIGEST, PREVIOUS, PROMOTED, TRAINED, Version, noted, version_from

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
# standard output is the command line's, one JSON object with --json
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# a tracking server that cannot be reached is said within seconds, not after minutes of silence
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

ROLLED_BACK = "keepfit.rolled_back_at"
LINEAGE = "keepfit.lineage"
PLACE = "keepfit.place"


class Registry:
    """Versions of the models of one project.

    Parameters
    ----------
    uri : str
        MLflow tracking and registry URI, such as 'sqlite:///.../mlflow.db'.
    artifacts : Path
        Where artifacts lie for a local store, and where those of a remote one are fetched to.
    pointers : Path
        The folder in which a server finds each model's champion and challenger.
    """

    def __init__(self, uri: str, artifacts: Path, pointers: Path) -> None:
        self.uri, self.artifacts, self.pointers = uri, artifacts, pointers

    @cached_property
    def client(self) -> Any:
        """MLflow's own client of it."""
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        if self.uri.startswith("sqlite:///"):
            database = Path(self.uri.removeprefix("sqlite:///"))
            database.parent.mkdir(parents=True, exist_ok=True)
            lay(database)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mlflow.tracking import MlflowClient

            return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @cached_property
    def aliases(self) -> Aliases:
        """Which version is the champion, and which the challenger."""
        return Aliases(self.client)

    @cached_property
    def copies(self) -> Copies:
        """What other registries have trained, in this one."""
        return Copies(self.client, self.artifacts.resolve().as_uri())

    def begin(self, told: Tracked) -> MlflowRun:
        """Begin the run of a training; `keepfit.stages.registry.tracking.training` ends it.

        Runs that a kill left open are closed: the project's lock says that they are at work no more.
        """
        experiment, place = self.copies.experiment(told.model), self.place
        open_ = f"attributes.status = 'RUNNING' and tags.`{PLACE}` = '{place}'"
        for left in self.client.search_runs([experiment], open_):
            self.client.set_terminated(left.info.run_id, KILLED, end_time=left.info.start_time)
        tags = {TRAINED: str(told.as_of), PLACE: place, **told.tags}
        return MlflowRun(self.client, self.uri, experiment, told, tags)

    def record(self, run: MlflowRun, told: Tracked, folder: Path, digest: str) -> Version:
        """Log an artifact folder to the run of its training, and return the version made from it."""
        run.tag({DIGEST: digest, **told.tags})
        before = self.aliases.of(told.model).get(CHAMPION, "")
        beside = {name: [own] for name, own in artifacts.beside(folder).items()}
        tags = {TRAINED: str(told.as_of), DIGEST: digest, AGAINST: before, **noted(beside)}
        made = self.client.create_model_version(told.model, source=run.log_folder(folder), run_id=run.id, tags=tags)
        return self.version(told.model, made.version)

    def amend(self, version: Version, name: str, content: bytes, metrics: Mapping[str, float], as_of: int) -> None:
        """Put a file beside those of a recorded version, here and in its run, which shows the metrics as of now.

        Cut off at any moment, what lies there is the file of before or the new one, and both are noted.
        """
        found = self.client.get_model_version(version.model, version.number)
        own = digest_of(content)
        self._note(version, name, [*version.beside.get(name, ()), own])
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / name
            path.write_bytes(content)
            if _is_remote(found):
                self.client.log_artifact(found.run_id, str(path), FOLDER)
        written = version.folder / f".{name}.writing"
        written.write_bytes(content)
        written.replace(version.folder / name)
        self._note(version, name, [own])
        for metric, value in metrics.items():
            self.client.log_metric(found.run_id, metric, value, timestamp=as_of // 1000)

    def _note(self, version: Version, name: str, may: list[str]) -> None:
        for tag, value in noted({**version.beside, name: may}).items():
            self._tag(version, tag, value)

    @property
    def place(self) -> str:
        """What tells this project's runs from those of another one that shares the tracking server."""
        return identity_of(self.artifacts.parent)

    def version(self, model: str, number: str) -> Version:
        """Return a version by its number.

        Raises
        ------
        RegistryError
            If the model has no such version.
        """
        from mlflow.exceptions import MlflowException

        try:
            return self._known(self.client.get_model_version(model, str(number)))
        except MlflowException:
            numbers = ", ".join(version.number for version in self.versions(model)) or "none yet"
            raise RegistryError(
                f"{model} has no version {number!r}", where=self.uri, fix=f"versions are: {numbers}"
            ) from None

    def versions(self, model: str) -> list[Version]:
        """Return all versions of a model, oldest first."""
        found = self.client.search_model_versions(f"name = '{model}'")
        return sorted((self._known(item) for item in found), key=lambda version: int(version.number))

    def champion(self, model: str) -> Version | None:
        """Return the champion, or None if nothing was promoted; the server's pointers are brought to the aliases."""
        from mlflow.exceptions import MlflowException

        self.copies.experiment(model)
        try:
            version = self._known(self.client.get_model_version_by_alias(model, CHAMPION))
        except MlflowException:
            return None
        self.challenger(model)  # a challenge that has ended ends before its version may be the champion
        point(self.pointers, version)
        return version

    def challenger(self, model: str) -> Version | None:
        """Return the challenger, or None if there is none; the server's pointer is brought to it."""
        version = self.version(model, number) if (number := self.aliases.of(model).get(CHALLENGER)) else None
        point_challenger(self.pointers, model, version)
        return version

    def promotable(self, model: str, number: str) -> Version:
        """Return a version that may be promoted, as far as the registry knows.

        Raises
        ------
        RegistryError
            If it is the champion already, or was archived or rejected.
        """
        version, fix = self.version(model, number), "promote another version, or train one"
        if version.number == self.aliases.of(model).get(CHAMPION):
            raise RegistryError(
                f"version {number} of {model} is the champion already", where=self.uri, fix="nothing to do"
            )
        if version.retired is None:
            return version
        if version.retired == REJECTED:
            fix = f"{fix}; to take the rejection back: keepfit approve {model} {number} --reason WHY"
        raise RegistryError(f"version {number} of {model} is {version.retired}", where=self.uri, fix=fix)

    def promote(self, model: str, number: str, as_of: int) -> Version:
        """Make a version the champion and return it; the one before stays recorded as its predecessor."""
        version, before = self.promotable(model, number), self.champion(model)
        self._tag(version, PROMOTED, str(as_of))
        self._tag(version, PREVIOUS, before.number if before else "")
        return self._crown(version)

    def roll_back(self, model: str, as_of: int) -> Version:
        """Give the alias back to the champion's predecessor and return it.

        Raises
        ------
        RegistryError
            If there is no champion, or it had no predecessor that may answer again.
        """
        champion = self.champion(model)
        if champion is None or champion.previous is None:
            what = f"{model} has no champion" if champion is None else f"the champion of {model} has no predecessor"
            raise RegistryError(what, where=self.uri, fix=f"promote a version: keepfit promote {model} VERSION")
        before = self.promotable(model, champion.previous)
        self._tag(champion, ROLLED_BACK, str(as_of))
        back = self._crown(before)
        self._tag(champion, PREVIOUS, "")  # it has given its place back; else two versions would take turns for ever
        return back

    def trained_at(self, model: str) -> tuple[int, ...]:
        """Return the as_of of every training, promoted or not, ascending; once, where a turn that was cut off was run again."""
        return tuple(sorted({version.trained_at for version in self.versions(model)}))

    def lineages(self) -> Iterator[tuple[str, str]]:
        """Yield each training's name and what it recorded to be built from, as JSON text."""
        local = self.uri.removeprefix("sqlite:///")
        if local != self.uri and not Path(local).is_file():
            return
        experiments = [one.experiment_id for one in self.client.search_experiments()]
        token: str | None = ""
        while experiments and token is not None:
            runs = self.client.search_runs(experiments, f"tags.`{LINEAGE}` != ''", page_token=token or None)
            yield from ((run.info.run_name, run.data.tags[LINEAGE]) for run in runs)
            token = runs.token or None

    def _crown(self, version: Version) -> Version:
        self.aliases.crown(version.model, version.number)
        return self.champion(version.model) or version

    def _tag(self, version: Version, name: str, value: str) -> None:
        self.client.set_model_version_tag(version.model, version.number, name, value)

    def _known(self, item: Any) -> Version:
        return version_from(item.name, str(item.version), self._folder(item), item.tags)

    def _folder(self, item: Any) -> Path:
        if not _is_remote(item):
            return Path(unquote(urlparse(item.source).path))
        target = self.artifacts / str(item.run_id)
        if not (target / FOLDER).is_dir():
            target.mkdir(parents=True, exist_ok=True)
            self.client.download_artifacts(item.run_id, FOLDER, str(target))
        return target / FOLDER


def _is_remote(item: Any) -> bool:
    """Return whether a version's files lie behind a server."""
    return urlparse(item.source).scheme not in ("", "file")
