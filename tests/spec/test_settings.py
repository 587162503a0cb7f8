"""Profiles over the file, the environment over both, and errors that name the place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from keepfit.errors import SettingsError
from keepfit.spec.settings import Settings, load

FILE = """
default_profile: dev
storage: {data: raw}
engine: {threads: 2}
profiles:
  dev:
  prod:
    engine: {memory: 4GB}
    serving: {port: 80}
"""


@pytest.fixture
def settings(tmp_path: Path):
    def read(text: str, profile: str | None = None, environment: Mapping[str, str] | None = None) -> Settings:
        (tmp_path / "keepfit.yaml").write_text(text, encoding="utf-8")
        return load(tmp_path, profile, environment or {})

    return read


def test_an_empty_file_is_a_laptop(settings):
    found = settings("")
    assert found == Settings(profile="dev")
    assert (found.engine.kind, found.tracking.uri, found.training.seed) == ("local", "sqlite:///{state}/mlflow.db", 7)


def test_a_profile_lies_over_the_top_level_key_by_key(settings):
    prod = settings(FILE, "prod")
    assert (prod.profile, prod.storage.data, prod.serving.port) == ("prod", "raw", 80)
    assert (prod.engine.threads, prod.engine.memory) == (2, "4GB")


def test_without_a_profile_the_default_one_is_taken_and_without_that_the_first(settings):
    assert settings(FILE).profile == "dev"
    assert settings(FILE).serving.port == 8000
    assert settings("profiles: {cloud: {}, dev: {}}").profile == "cloud"


def test_the_environment_lies_over_both_and_brings_its_types(settings):
    environment = {
        "KEEPFIT__ENGINE__THREADS": "3",
        "KEEPFIT__ENGINE__MEMORY": "null",
        "KEEPFIT__SERVING__REFRESH_S": "0.25",
        "KEEPFIT__TRACKING__URI": "http://mlflow:5000",
        "KEEPFIT__STORAGE__DATA": "2024",
        "OTHER__ENGINE__THREADS": "9",
    }
    found = settings(FILE, "prod", environment)
    assert (found.engine.threads, found.engine.memory, found.serving.refresh_s) == (3, None, 0.25)
    assert (found.tracking.uri, found.storage.data, found.serving.port) == ("http://mlflow:5000", "2024", 80)


def test_a_variable_that_is_no_yaml_is_a_text(settings):
    assert settings("", None, {"KEEPFIT__STORAGE__DATA": "[raw"}).storage.data == "[raw"


def test_settings_cannot_be_changed(settings):
    with pytest.raises(ValueError, match="frozen"):
        settings("").engine.kind = "spark"


@pytest.mark.parametrize(
    ("text", "environment", "what", "fix"),
    [
        ("engine: {thread: 2}", {}, "unknown setting 'engine.thread'", "did you mean 'threads'? there are: kind, memory, threads"),
        ("", {"KEEPFIT__SERVING__PRT": "1"}, "unknown setting 'serving.prt'", "did you mean 'port'? there are: bodies, burst"),
        ("engin: {threads: 2}", {}, "unknown setting 'engin'", "did you mean 'engine'? there are: alerts, default_profile, engine"),
        ("profils: {dev: {}}", {}, "unknown setting 'profils'", "did you mean 'profiles'?"),
        ("engine: {threads: 0}", {}, "setting 'engine.threads' does not fit", "greater than or equal to 1; found 0"),
        ("", {"KEEPFIT__SERVING__PORT": "http"}, "setting 'serving.port' does not fit", "found 'http'"),
        ("engine: spark", {}, "setting 'engine' does not fit", "found 'spark'"),
        ("training: {min_rows: 5}", {}, "setting 'training.min_rows' does not fit", "greater than or equal to 20"),
        ("default_profile: pord\nprofiles: {prod: {}, dev: {}}", {}, "unknown profile 'pord'", "did you mean 'prod'?"),
        ("profiles: {1: {}, dev: {}}\ndefault_profile: x", {}, "unknown profile 'x'", "there are: 1, dev"),
        ("profiles: [dev]", {}, "profiles must hold sections below each profile's name", "profiles: {dev:"),
        ("profiles: {dev: local}", {}, "profiles must hold sections below each profile's name", "profiles: {dev:"),
        ("profile: dev", {}, "a profile is not a setting", "default_profile"),
        ("", {"KEEPFIT__PROFILE": "dev"}, "a profile is not a setting", "--profile"),
        ("engine: [", {}, "keepfit.yaml is not valid YAML", "mend the line named above"),
        ("- engine", {}, "keepfit.yaml must hold sections", "keepfit init"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_the_way_out(settings, tmp_path, text, environment, what, fix):
    with pytest.raises(SettingsError) as raised:
        settings(text, None, environment)
    assert raised.value.what.startswith(what)
    assert fix in raised.value.fix
    assert str(tmp_path / "keepfit.yaml") in raised.value.where


def test_a_yaml_mistake_names_its_line(settings):
    with pytest.raises(SettingsError, match=r"line 3, column"):
        settings("engine:\n  kind: local\n bad")


def test_an_unknown_profile_on_the_command_line_lists_what_exists(settings):
    with pytest.raises(SettingsError, match="unknown profile 'staging'") as raised:
        settings(FILE, "staging")
    assert raised.value.fix == "there are: dev, prod"


def test_a_sections_variable_gives_way_to_those_of_its_keys(settings):
    both = {"KEEPFIT__ENGINE__THREADS": "4", "KEEPFIT__ENGINE": "{memory: 1GB, threads: 1}"}
    engine = settings("", None, both).engine
    assert (engine.threads, engine.memory) == (4, "1GB")


def test_comet_is_told_nothing_unless_it_has_a_section(settings):
    assert settings("profiles: {dev: {}}").tracking.comet is None
    told = settings("tracking: {comet: {project: churn}}").tracking.comet
    assert (told.project, told.workspace, told.offline) == ("churn", None, False)
    with pytest.raises(SettingsError) as raised:
        settings("tracking: {comet: {projct: churn}}")
    assert raised.value.what == "unknown setting 'tracking.comet.projct'"
    assert raised.value.fix == "did you mean 'project'? there are: offline, project, workspace"
