"""A folder becomes a project: its definitions, its settings, and the lake, engine and registry they name.

`Project` only holds; what is done with it is in `loop.py`. Engine and registry are opened at the first use.
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock, Timeout

from keepfit.errors import DefinitionError, ProjectError, SettingsError, did_you_mean
from keepfit.rows import modules
from keepfit.spec import settings as settings_
from keepfit.spec.arguments import misspelt
from keepfit.spec.check import InvalidDefinitions, Problem, check
from keepfit.spec.model import Model
from keepfit.spec.policy import Policy
from keepfit.spec.settings import Settings
from keepfit.spec.tables import Table
from keepfit.stopwatch import LOG

if TYPE_CHECKING:
    from keepfit.connect import Place
    from keepfit.engines.protocol import Engine
    from keepfit.lake import Lake
    from keepfit.stages.registry.mlflow import Registry
    from keepfit.stages.registry.tracking import Run, Tracked

DEFINITIONS = "definitions.py"
SINGLE_ENGINE = "keepfit.engines"


class Occupied(ProjectError):
    """Another command writes to the project."""


@dataclass(frozen=True)
class Definitions:
    """The tables and models that a definitions file declares, in the order of their declaration, and its named policies."""

    tables: tuple[Table, ...]
    models: tuple[Model, ...]
    policies: Mapping[str, Policy] = field(default_factory=dict)

    def problems(self) -> list[Problem]:
        """Return everything that is wrong with them."""
        return check(self.tables, self.models)


class ServingFiles(NamedTuple):
    """The files of one model's server: which version answers, what it knows, what it answered.

    `shared` is the name of what it knows where servers on several machines share it.
    """

    pointer: Path
    store: Path
    outbox: Path
    shared: str


@dataclass(frozen=True)
class Project:
    """An opened project.

    Attributes
    ----------
    folder : Path
        Where definitions.py and keepfit.yaml lie.
    outcomes : Path
        Where models, predictions, evidence and decisions are kept: the state folder, or that of a replay.
    environment : mapping of str to str
        Environment variables: endpoints and secrets of sources are named there.
    """

    folder: Path
    settings: Settings
    definitions: Definitions
    outcomes: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def state(self) -> Path:
        """The profile's state folder."""
        return self.folder / self.settings.storage.state.replace("{profile}", self.settings.profile)

    @property
    def data(self) -> Path:
        """The folder of raw files."""
        return self.folder / self.settings.storage.data

    @property
    def reports(self) -> Path:
        """The folder of what is written for readers."""
        return self.folder / self.settings.storage.reports.replace("{profile}", self.settings.profile)

    @property
    def sources(self) -> Place:
        """Where raw rows come from, and where is kept what must be of those that are fetched."""
        from keepfit.connect import Place

        return Place(self.data, self.state / "landing", self.environment)

    @property
    def pointers(self) -> Path:
        """The folder in which a server finds each model's champion."""
        return self.outcomes / "serving"

    def serving(self, model: str) -> ServingFiles:
        """Return the files through which the loop and the server of a model meet."""
        names = (f"{model}.json", f"{model}.online.db", f"{model}.outbox.db")
        pointer, store, outbox = (self.pointers / name for name in names)
        return ServingFiles(pointer, store, outbox, f"{self.settings.profile}/{model}")

    @property
    def stages(self) -> Path:
        """The file that tells what each stage took: seconds, rows, memory."""
        return self.outcomes / LOG

    @cached_property
    def lake(self) -> Lake:
        """The source tables and the training sets."""
        from keepfit.lake import Lake

        return Lake(self.state / "lake")

    @cached_property
    def records(self) -> Lake:
        """What the loop leaves: predictions, metrics, decisions."""
        from keepfit.lake import Lake

        return Lake(self.outcomes / "lake")

    @cached_property
    def engine(self) -> Engine:
        """The engine that the settings name, by its entry point."""
        kind = self.settings.engine.kind
        known = {point.name: point for point in entry_points(group=SINGLE_ENGINE)}
        if kind not in known:
            raise SettingsError(f"unknown engine {kind!r}", where="engine.kind", fix=did_you_mean(kind, known))
        settings = self.settings.engine
        try:
            engine: Engine = known[kind].load()(settings.threads, settings.memory)
        except ValueError as error:
            raise SettingsError(
                f"the engine refuses its settings: {error}", where="engine", fix="memory: 4GB"
            ) from None
        return engine

    @cached_property
    def registry(self) -> Registry:
        """The model registry."""
        from keepfit.stages.registry.mlflow import Registry

        uri = self.settings.tracking.uri.replace("{state}", str(self.outcomes.resolve()))
        return Registry(uri, self.outcomes / "artifacts", self.pointers)

    def trackers(self, told: Tracked) -> list[Run]:
        """Return a run of this training in every tracker that the settings name beside MLflow; none in a replay."""
        comet = self.settings.tracking.comet
        if comet is None or self.is_replay:
            return []
        from keepfit.stages.registry.comet import CometRun

        return [CometRun(told, comet, self.outcomes / "comet", self.environment)]

    def model(self, name: str | None = None) -> Model:
        """Return a model by name; without a name, the only one.

        Raises
        ------
        DefinitionError
            If there is no such model, or there are several and none is named.
        """
        models = {model.name: model for model in self.definitions.models}
        if not models:
            fix = "assign a Model(...) to a name at its top level"
            raise DefinitionError("no model is declared", where=str(self.folder / DEFINITIONS), fix=fix)
        if name is None and len(models) == 1:
            return next(iter(models.values()))
        if name not in models:
            what = "which model?" if name is None else f"unknown model {name!r}"
            raise DefinitionError(what, where=str(self.folder / DEFINITIONS), fix=did_you_mean(name or "", models))
        return models[name]

    def models(self, name: str | None = None) -> list[Model]:
        """Return a model by name in a list; without a name, all of them."""
        return [self.model(name)] if name else list(self.definitions.models)

    def replaying(self, name: str) -> Project:
        """Return the same project with outcomes of its own below the state folder, so that a replay touches nothing."""
        return dataclasses.replace(self, outcomes=self.state / "replays" / name)

    @property
    def is_replay(self) -> bool:
        """Whether this project's outcomes are those of a replay."""
        return self.outcomes != self.state

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the project for one writer.

        Raises
        ------
        Occupied
            If another process holds it. The lock of a killed process is free again.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.state / "lock")
        try:
            with lock.acquire(timeout=0):
                yield
        except Timeout:
            raise Occupied(
                "another keepfit command is at work in this project",
                where=str(self.state / "lock"),
                fix="wait until it has ended",
            ) from None


def open_project(folder: Path, profile: str | None, environment: Mapping[str, str]) -> Project:
    """Return the project in a folder, its definitions checked.

    Raises
    ------
    ProjectError
        If the folder holds no project.
    InvalidDefinitions
        With every problem of the definitions.
    """
    found = load_settings(folder, profile, environment)
    definitions = load_definitions(folder)
    if problems := definitions.problems():
        raise InvalidDefinitions(problems)
    project = Project(folder, found, definitions, folder, environment)
    return dataclasses.replace(project, outcomes=project.state)


def load_settings(folder: Path, profile: str | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings of a project folder; see `keepfit.spec.settings.load`."""
    for name in (DEFINITIONS, settings_.FILE):
        if not (folder / name).is_file():
            raise ProjectError(
                f"there is no {name} here",
                where=str(folder),
                fix="keepfit init NAME --template shop, then --project NAME",
            )
    return settings_.load(folder, profile, environment)


def load_definitions(folder: Path) -> Definitions:
    """Run definitions.py and return the tables, models and policies at its top level.

    Raises
    ------
    DefinitionError
        If the file cannot be run, with the line it failed at.
    """
    path = folder / DEFINITIONS
    module = _run(path)
    values = [value for name, value in vars(module).items() if not name.startswith("_")]
    models = tuple(dict.fromkeys(value for value in values if isinstance(value, Model)))
    declared = dict.fromkeys(value for value in values if isinstance(value, Table))
    policies = {name.replace("_", "-"): value for name, value in vars(module).items() if isinstance(value, Policy)}
    return Definitions(tuple(declared), models, policies)


def _run(path: Path) -> ModuleType:
    try:
        # a function that it declares is found again under this name
        return modules.run(modules.DEFINITIONS, path)
    except (Exception, SystemExit) as error:
        what, fix = misspelt(error) or (f"{type(error).__name__}: {error}", "mend that line")
        raise DefinitionError(what, where=f"{path}, line {_line(error, path)}", fix=fix) from error


def _line(error: BaseException, path: Path) -> int:
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return (frames[-1].lineno or 0) if frames else 0
