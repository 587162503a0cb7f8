"""Where it runs: keepfit.yaml, its profiles, and KEEPFIT__SECTION__KEY overrides.

The settings of a profile are the file's top level, overlaid by `profiles: <name>:`, overlaid by the environment. What a
definition means never depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keepfit.errors import SettingsError, did_you_mean
from keepfit.spec.alerts import Alerts
from keepfit.spec.serving import Serving

FILE = "keepfit.yaml"
PREFIX = "KEEPFIT__"


class Section(BaseModel):
    """A section of the settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Storage(Section):
    """Folders, relative to the project: raw files, everything that keepfit needs again, and what it writes for readers."""

    data: str = "data"
    state: str = ".keepfit/{profile}"
    reports: str = "reports"


class Comet(Section):
    """Where Comet shows trainings too: online if the environment has COMET_API_KEY, else as archives in the state folder."""

    project: str = "keepfit"
    workspace: str | None = None
    offline: bool = False


class Tracking(Section):
    """The MLflow tracking and registry URI; `{state}` is the state folder. Comet is told as well if it has a section."""

    uri: str = "sqlite:///{state}/mlflow.db"
    comet: Comet | None = None


class Engine(Section):
    """Where rows are computed: `local` is DuckDB in this process. Memory such as '4GB'; null leaves it to DuckDB."""

    kind: str = "local"
    threads: int | None = Field(default=None, ge=1)
    memory: str | None = None


class Training(Section):
    """Seed of every random choice, and the least number of mature rows to train on."""

    seed: int = 7
    min_rows: int = Field(default=200, ge=20)


class Settings(Section):
    """All settings of one profile."""

    profile: str
    storage: Storage = Storage()
    tracking: Tracking = Tracking()
    engine: Engine = Engine()
    serving: Serving = Serving()
    training: Training = Training()
    alerts: Alerts = Alerts()


def load(folder: Path, profile: str | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings of a profile.

    Parameters
    ----------
    folder : Path
        The project folder, which holds keepfit.yaml; without it, all is as by default.
    profile : str or None
        A profile of the file; None takes its `default_profile`.
    environment : mapping
        Variables; those named KEEPFIT__SECTION__KEY override.

    Raises
    ------
    SettingsError
        If the file is no YAML mapping, the profile is unknown or a value does not fit.
    """
    content = _read(folder / FILE)
    profiles = _profiles(content.pop("profiles", None) or {"dev": {}}, folder / FILE)
    name = profile or content.pop("default_profile", None) or next(iter(profiles))
    content.pop("default_profile", None)
    if name not in profiles:
        raise SettingsError(f"unknown profile {name!r}", where=str(folder / FILE), fix=did_you_mean(name, profiles))
    values = _overlay(content, profiles[name])
    values = _overlay(values, _from_environment(environment))
    if "profile" in values:
        where = f"{folder / FILE} or {PREFIX}PROFILE"
        raise SettingsError("a profile is not a setting", where=where, fix="set default_profile, or give --profile")
    try:
        return Settings(profile=name, **values)
    except ValidationError as error:
        raise _explained(error, folder / FILE) from None


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise SettingsError(
            f"{FILE} is not valid YAML: {error}", where=str(path), fix="mend the line named above"
        ) from None
    if not isinstance(content, dict):
        raise SettingsError(f"{FILE} must hold sections", where=str(path), fix="start from `keepfit init`")
    return content


def _profiles(found: Any, path: Path) -> dict[str, dict[str, Any]]:
    if not isinstance(found, dict) or not all(isinstance(one, dict | None) for one in found.values()):
        fix = "write profiles: {dev: {engine: {kind: local}}}"
        raise SettingsError("profiles must hold sections below each profile's name", where=str(path), fix=fix)
    return {str(name): one or {} for name, one in found.items()}


def _overlay(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), dict)
        merged[key] = _overlay(merged[key], value) if both else value
    return merged


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    # a section's own variable comes before those of its keys, which win
    for variable, text in sorted(environment.items()):
        if variable.startswith(PREFIX):
            *sections, key = variable[len(PREFIX) :].lower().split("__")
            place = values
            for section in sections:
                if not isinstance(place.get(section), dict):
                    place[section] = {}
                place = place[section]
            try:
                place[key] = yaml.safe_load(text)
            except yaml.YAMLError:
                place[key] = text
    return values


def _explained(error: ValidationError, path: Path) -> SettingsError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    unknown = first["type"] == "extra_forbidden"
    near = did_you_mean(str(first["loc"][-1]), _known(first["loc"][:-1])) if unknown else ""
    # what is said of channels may hold a secret
    found = "" if first["loc"][0] == "alerts" else f"; found {first.get('input')!r}"
    fix = near or f"{first['msg']}{found}"
    what = f"unknown setting {key!r}" if unknown else f"setting {key!r} does not fit"
    return SettingsError(what, where=f"{path} or a {PREFIX} variable", fix=fix)


def _known(sections: tuple[int | str, ...]) -> list[str]:
    """Return the keys of a section, by the names of the sections around it; none if there is no such section."""
    if not sections:
        return [*(name for name in Settings.model_fields if name != "profile"), "profiles", "default_profile"]
    section: type[BaseModel] = Settings
    for name in sections:
        kind = section.model_fields[str(name)].annotation
        inner = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel)]
        if not inner:
            return []
        section = inner[0]
    return list(section.model_fields)
