"""Versions, aliases and the server's pointer, in a real MLflow on SQLite."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from keepfit import Events, Every, Files, Model, artifact, clock
from keepfit.artifact import Artifact, Pointer, read_pointer, write_pointer
from keepfit.errors import RegistryError
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.registry.identity import identity_of
from keepfit.stages.registry.mlflow import Registry
from keepfit.stages.registry.tracking import Tracked, training
from keepfit.stages.registry.version import Version

sales = Events("sales", Files("s.csv"), entity="id", time="at")
JANUARY, FEBRUARY, MARCH = (clock.to_micros(clock.parse_moment(f"2025-0{month}-01")) for month in (1, 2, 3))
names = (f"churn{count}" for count in itertools.count())


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One database for all tests here, in a folder whose name needs quoting; each test has a model of its own."""
    folder = tmp_path_factory.mktemp("a folder with 100% & #1 spaces")
    found = Registry(f"sqlite:///{folder}/state/mlflow.db", folder / "arti facts", folder / "serving")
    yield found
    close(found)


def close(registry: Registry) -> None:
    """Give the database's connections back: a leaked one is a warning, and so an error, in a later test."""
    registry.client._tracking_client.store.engine.dispose()
    registry.client._get_registry_client().store.engine.dispose()


@pytest.fixture
def model() -> str:
    return next(names)


@pytest.fixture
def record(registry: Registry, model: str, tmp_path: Path) -> Callable[..., Version]:
    """Record a version; its threshold tells it apart."""

    def recorded(as_of: int = JANUARY, threshold: float = 0.5, **options: Any) -> Version:
        spec = Model(model, Every("1 month", of=sales), [sales.count()], sales.count(next="30d") == 0)
        made = Artifact(spec, ("sales_count",), {}, threshold, 0.1, {"seed": 7}, {})
        folder = tmp_path / f"made {as_of} {threshold}"
        files = {"model.onnx": b"onnx", "evaluation.json": json.dumps({"metrics": {"f1": threshold}}).encode()}
        given = {
            "metrics": {"test_f1": 0.9},
            "parameters": {"max_depth": 4},
            "tags": {"keepfit.lineage": "{}"},
            **options,
        }
        told = Tracked(model, as_of, **given)
        run = registry.begin(told)
        with training(told, [run]):
            return registry.record(run, told, folder, artifact.write(made, files, folder))

    return recorded


def pointed(registry: Registry, model: str) -> Pointer | None:
    return read_pointer(registry.pointers / f"{model}.json")


def test_telemetry_is_off_before_mlflow_is_imported():
    code = (
        "import os, sys; import keepfit.stages.registry.mlflow; "
        "print('mlflow' in sys.modules, os.environ['MLFLOW_DISABLE_TELEMETRY'], os.environ['DO_NOT_TRACK'])"
    )
    clean = {
        name: value for name, value in os.environ.items() if name not in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean)
    assert done.stdout.split() == ["False", "true", "true"]


def test_a_training_is_one_run_and_one_version(registry, model, record):
    version = record(
        JANUARY,
        metrics={"test_f1": 0.875, "baseline_f1": 0.5, "test_auc": float("nan")},
        parameters={"max_depth": 4, "monotone_constraints": "x" * 9000},
        tags={"keepfit.definition": "abc", "keepfit.lineage": '{"tables": {"sales": 3}}'},
    )
    client = registry.client
    (run,) = client.search_runs([client.get_experiment_by_name(model).experiment_id])
    assert (version.model, version.number, version.trained_at, version.promoted_at, version.previous) == (
        model,
        "1",
        JANUARY,
        0,
        None,
    )
    assert (run.info.status, run.info.run_name, run.info.start_time) == (
        "FINISHED",
        f"{model} 2025-01-01",
        JANUARY // 1000,
    )
    assert {name: value for name, value in run.data.metrics.items() if not name.startswith("system/")} == {
        "test_f1": 0.875,
        "baseline_f1": 0.5,
    }
    assert run.data.params == {"max_depth": "4", "monotone_constraints": "x" * 5000}
    assert run.data.tags["keepfit.definition"] == "abc"
    assert json.loads(run.data.tags["keepfit.lineage"]) == {"tables": {"sales": 3}}
    assert run.data.tags["keepfit.digest"] == version.digest
    assert client.get_model_version(model, "1").run_id == run.info.run_id


def test_a_recorded_artifact_is_read_back_whole(registry, record):
    version = record(threshold=0.25)
    assert version.folder.is_relative_to(registry.artifacts)
    assert artifact.read(version.folder, version.digest).threshold == 0.25
    assert evidence_of(version) == {"metrics": {"f1": 0.25}}


def test_a_version_without_evidence_has_none(record):
    version = record()
    (version.folder / "evaluation.json").unlink()
    assert evidence_of(version) == {}


def test_before_the_first_promotion_there_is_no_champion(registry, model, record):
    assert registry.champion(model) is None
    assert registry.trained_at(model) == ()
    record(FEBRUARY)
    assert registry.champion(model) is None
    assert pointed(registry, model) is None


def test_the_last_training_counts_promoted_or_not(registry, model, record):
    for moment in (JANUARY, MARCH, FEBRUARY):
        record(moment)
    registry.promote(model, "1", MARCH)
    assert registry.trained_at(model) == (JANUARY, FEBRUARY, MARCH)
    assert [version.number for version in registry.versions(model)] == ["1", "2", "3"]


def test_a_promotion_moves_the_alias_and_the_pointer(registry, model, record):
    record(JANUARY), record(FEBRUARY)
    first = registry.promote(model, "1", FEBRUARY)
    assert (first.number, first.promoted_at, first.previous) == ("1", FEBRUARY, None)
    second = registry.promote(model, "2", MARCH)
    assert (second.number, second.promoted_at, second.previous) == ("2", MARCH, "1")
    assert registry.champion(model) == second
    assert str(registry.client.get_model_version_by_alias(model, "champion").version) == "2"
    assert pointed(registry, model) == Pointer(model, "2", str(second.folder), second.digest)


def test_the_champion_cannot_be_promoted_again(registry, model, record):
    record()
    promoted = registry.promote(model, "1", FEBRUARY)
    with pytest.raises(RegistryError, match=f"version 1 of {model} is the champion already"):
        registry.promote(model, "1", MARCH)
    assert registry.champion(model) == promoted


def test_a_rollback_returns_to_the_predecessor(registry, model, record):
    for moment in (JANUARY, FEBRUARY):
        registry.promote(model, record(moment).number, moment)
    back = registry.roll_back(model, MARCH)
    assert (back.number, back.promoted_at) == ("1", JANUARY)
    assert registry.champion(model) == back
    assert pointed(registry, model).version == "1"
    assert registry.client.get_model_version(model, "2").tags["keepfit.rolled_back_at"] == str(MARCH)


def test_a_rollback_without_a_predecessor_is_refused(registry, model, record):
    with pytest.raises(RegistryError, match=f"{model} has no champion") as raised:
        registry.roll_back(model, MARCH)
    assert raised.value.fix == f"promote a version: keepfit promote {model} VERSION"
    registry.promote(model, record().number, FEBRUARY)
    with pytest.raises(RegistryError, match=f"the champion of {model} has no predecessor"):
        registry.roll_back(model, MARCH)
    assert registry.champion(model).number == "1"


def test_rollbacks_walk_back_through_the_promotions_and_end(registry, model, record):
    record(JANUARY), record(FEBRUARY)
    for number in "121":
        registry.promote(model, number, MARCH)
    assert [registry.roll_back(model, MARCH).number for _ in range(2)] == ["2", "1"]
    with pytest.raises(RegistryError, match="has no predecessor"):
        registry.roll_back(model, MARCH)


def test_an_unknown_version_lists_what_exists(registry, model, record):
    with pytest.raises(RegistryError, match=f"{model} has no version '1'") as raised:
        registry.promote(model, "1", MARCH)
    assert raised.value.fix == "versions are: none yet"
    record(), record(FEBRUARY)
    for number in ("3", "x"):
        with pytest.raises(RegistryError, match=f"{model} has no version '{number}'") as raised:
            registry.promote(model, number, MARCH)
        assert raised.value.fix == "versions are: 1, 2"


@pytest.mark.parametrize("left", ["the old pointer", "no pointer"])
def test_a_crash_between_alias_and_pointer_is_mended_by_the_next_look(registry, model, record, left):
    old = record(JANUARY)
    registry.promote(model, old.number, JANUARY)
    new = registry.promote(model, record(FEBRUARY).number, FEBRUARY)
    path = registry.pointers / f"{model}.json"
    path.unlink()
    if left == "the old pointer":
        write_pointer(Pointer(model, old.number, str(old.folder), old.digest), path)
    assert registry.champion(model) == new
    assert pointed(registry, model) == Pointer(model, new.number, str(new.folder), new.digest)


def test_two_models_share_a_registry_and_nothing_else(registry, model, record):
    registry.promote(model, record().number, FEBRUARY)
    other = next(names)
    assert registry.champion(other) is None
    assert registry.versions(other) == []
    assert registry.champion(model).number == "1"


def test_another_process_finds_the_champion(registry, model, record):
    champion = registry.promote(model, record().number, FEBRUARY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = Registry(registry.uri, registry.artifacts, registry.pointers)
        assert again.champion(model) == champion
        close(again)


def older_words(registry, model):
    return {
        str(one.version): one.tags.get("stage") for one in registry.client.search_model_versions(f"name = '{model}'")
    }


def test_a_version_notes_the_champion_of_its_day(registry, model, record):
    assert record(JANUARY).against == ""
    registry.promote(model, "1", JANUARY)
    assert record(FEBRUARY).against == "1"


def test_a_move_of_the_champion_ends_the_challenge(registry, model, record):
    for moment in (JANUARY, FEBRUARY, MARCH):
        record(moment)
    registry.promote(model, "1", JANUARY)
    registry.aliases.challenge(model, "3")
    assert registry.aliases.of(model) == {"champion": "1", "challenger": "3"}
    assert older_words(registry, model) == {"1": "production", "2": None, "3": "staging"}
    registry.promote(model, "2", MARCH)
    assert registry.aliases.of(model) == {"champion": "2"}
    assert older_words(registry, model) == {"1": None, "2": "production", "3": None}
    registry.aliases.challenge(model, "3")
    registry.roll_back(model, MARCH)
    assert registry.aliases.of(model) == {"champion": "1"}


@pytest.mark.parametrize("why", ["archived", "rejected"])
def test_a_retired_version_is_not_promoted_until_it_is_restored(registry, model, record, why):
    record(JANUARY), record(FEBRUARY)
    registry.promote(model, "1", JANUARY)
    registry.aliases.challenge(model, "2")
    registry.aliases.retire(model, "2", why)
    assert registry.version(model, "2").retired == why
    assert registry.aliases.of(model) == {"champion": "1"}
    assert older_words(registry, model) == {"1": "production", "2": "archived"}
    with pytest.raises(RegistryError, match=f"version 2 of {model} is {why}") as raised:
        registry.promote(model, "2", MARCH)
    assert ("keepfit approve" in raised.value.fix) == (why == "rejected")
    registry.aliases.restore(model, "2")
    assert registry.promote(model, "2", MARCH).number == "2"
    assert older_words(registry, model) == {"1": None, "2": "production"}


def test_no_rollback_returns_to_a_retired_version(registry, model, record):
    for moment in (JANUARY, FEBRUARY):
        registry.promote(model, record(moment).number, moment)
    registry.aliases.retire(model, "1", "archived")
    with pytest.raises(RegistryError, match=f"version 1 of {model} is archived"):
        registry.roll_back(model, MARCH)
    assert registry.champion(model).number == "2"
    assert "keepfit.rolled_back_at" not in registry.client.get_model_version(model, "2").tags


def test_the_servers_second_pointer_follows_the_challenger(registry, model, record):
    first, second, third = (record(threshold=threshold) for threshold in (0.1, 0.2, 0.3))
    path = artifact.challenger_of(registry.pointers / f"{model}.json")
    registry.promote(model, first.number, JANUARY)
    assert registry.challenger(model) is None and read_pointer(path) is None
    registry.aliases.challenge(model, second.number)
    assert registry.challenger(model) == second
    assert read_pointer(path) == Pointer(model, second.number, str(second.folder), second.digest)
    registry.aliases.challenge(model, third.number)
    registry.champion(model)  # whoever asks for the champion brings both
    assert read_pointer(path).version == third.number
    registry.promote(model, second.number, FEBRUARY)
    assert read_pointer(path) is None
    registry.aliases.challenge(model, third.number)
    registry.challenger(model)
    registry.roll_back(model, MARCH)
    assert read_pointer(path) is None
    registry.aliases.challenge(model, third.number)
    registry.aliases.retire(model, third.number, "rejected")
    registry.challenger(model)
    assert read_pointer(path) is None


def test_a_registry_is_the_same_on_every_machine_that_mounts_its_state(tmp_path, monkeypatch):
    def there():
        return Registry(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts", tmp_path / "serving").place

    own = there()
    monkeypatch.setattr("platform.node", lambda: "another-container")
    assert there() == own
    other = Registry("sqlite://", tmp_path / "elsewhere" / "artifacts", tmp_path / "serving").place
    assert (len(own), other == own) == (16, False)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["registry.id"]


def test_processes_that_come_first_at_once_are_one_registry(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(identity_of, [tmp_path / "state"] * 64))) == 1
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["registry.id"]
