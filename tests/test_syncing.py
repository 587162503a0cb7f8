"""Versions go to every kind of remote and come back the same: a folder, S3, two kinds of MLflow, DVC; all of them real."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.connect.conftest import ObjectStore, s3  # noqa: F401
from tests.parity.conftest import CERTIFIED, START, TRAINED, made

from keepfit import actions, artifact, clock, governing, loop, steps, syncing
from keepfit.errors import RegistryError
from keepfit.evidence import PROMOTE, PULL
from keepfit.project import Project, open_project
from keepfit.stages.registry import copies
from keepfit.stages.registry.evidence import digests, evidence_of
from keepfit.stages.registry.remotes import Site, blobs, connect, dvc
from keepfit.stages.registry.version import BESIDE, DIGEST, Version

pytestmark = pytest.mark.slow
NOW = START + CERTIFIED * clock.DAY
MODEL = """
m = Model("m", observe, features[:5], sales.amount.sum(next="7d") > 60, estimator=XGBoost(n_estimators=30), metric="auc",
          gates=[Gate("auc", threshold=0.55), Gate.parity(), Gate.documents(){more}])
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Return a project with two versions: a champion that a person has approved, and one that came later."""
    project = made(tmp_path_factory.mktemp("syncing") / "team", MODEL.format(more=""))
    project.environment.update(os.environ)  # type: ignore[attr-defined]
    model = project.model()
    for day in (TRAINED - 30, TRAINED):
        actions.train(project, model, START + day * clock.DAY)
    governing.approve(project, model, "1", NOW, "Ann", "looked at it")
    governing.promote(project, model, "2", NOW, "Ann", None)
    yield project
    close(project)


def close(project: Project) -> None:
    project.registry.client._tracking_client.store.engine.dispose()
    project.registry.client._get_registry_client().store.engine.dispose()


@pytest.fixture
def other(trained: Project, tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Return a function that makes another project of the same definitions, without rows or versions."""
    opened = []

    def project(name: str = "other", more: str = "", environment: dict[str, str] | None = None) -> Project:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        text = (trained.folder / "definitions.py").read_text()
        (folder / "definitions.py").write_text(text.replace("Gate.documents()", f"Gate.documents(){more}"))
        shutil.copy(trained.folder / "keepfit.yaml", folder)
        opened.append(open_project(folder, None, environment or dict(os.environ)))
        return opened[-1]

    yield project
    for one in opened:
        close(one)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a real MLflow server on loopback, which keeps artifacts itself."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    served = f"run_simple('127.0.0.1', {port}, app, threaded=True)"
    code = f"from mlflow.server import app; from werkzeug.serving import run_simple; {served}"
    store = f"sqlite:///{folder}/mlflow.db"
    environment = {
        "_MLFLOW_SERVER_FILE_STORE": store,
        "_MLFLOW_SERVER_REGISTRY_STORE": store,
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "artifacts"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
        log.close()


def run(folder: Path, *words: str) -> None:
    subprocess.run(words, cwd=folder, check=True, capture_output=True, env={**os.environ, "DVC_NO_ANALYTICS": "1"})


def repository(folder: Path, content: Path) -> None:
    """Make a DVC repository of a project's folder, with a remote `team`."""
    if not (folder / ".dvc").is_dir():
        run(folder, "git", "init", "-q")
        run(folder, sys.executable, "-m", "dvc", "init", "-q")
        run(folder, sys.executable, "-m", "dvc", "remote", "add", "team", str(content))


KINDS = ["folder", "s3", "sqlite", "http"]


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path, trained: Project, monkeypatch: pytest.MonkeyPatch) -> str:
    kind = request.param
    if kind == "s3":
        store: ObjectStore = request.getfixturevalue("s3")
        store.clear()
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
            monkeypatch.setitem(trained.environment, name, value)
        return "s3://shop/models/team"
    if kind == "http":
        return str(request.getfixturevalue("server"))
    if kind == "dvc":
        repository(trained.folder, tmp_path / "content")
        shutil.rmtree(trained.folder / "registry", ignore_errors=True)
        run(trained.folder, sys.executable, "-m", "dvc", "remote", "modify", "team", "url", str(tmp_path / "content"))
        return "dvc://team"
    return f"sqlite:///{tmp_path}/there/mlflow.db" if kind == "sqlite" else str(tmp_path / "there")


def push(project: Project, address: str, **words: bool) -> list[dict[str, object]]:
    found = syncing.push(project, address, project.models(), None, NOW, **{"aliases": False, **words})["sent"]
    return list(found)


def pull(project: Project, address: str, number: str | None = None, **words: bool) -> dict[str, object]:
    return syncing.pull(project, address, project.models(), number, NOW, "Bo", **{"aliases": False, **words})


def failed(project: Project, address: str, number: str | None = None) -> dict[str, str]:
    """Return why the one version that is not whole did not come."""
    (one,) = pull(project, address, number)["failed"]  # type: ignore[misc]
    return dict(one)


def clone(project: Project, trained: Project) -> None:
    """Bring what git would: the committed files that DVC finds content by."""
    if (trained.folder / ".dvc").is_dir():
        shutil.copytree(trained.folder / ".dvc", project.folder / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
        run(project.folder, "git", "init", "-q")
        for path in trained.folder.glob("registry/**/*"):
            if path.suffix in (".dvc", ".json") and path.parent.name == "m":
                (project.folder / "registry" / "m").mkdir(parents=True, exist_ok=True)
                shutil.copy(path, project.folder / "registry" / "m" / path.name)


@pytest.mark.parametrize("address", KINDS, indirect=True)
def test_versions_go_there_and_come_back_the_same(
    trained: Project, other: Callable[..., Project], address: str
) -> None:
    assert_there_and_back(trained, other(), address)


@pytest.mark.parametrize("address", ["dvc"], indirect=True)
def test_versions_go_through_dvc_which_finds_them_by_their_committed_files(
    trained: Project, other: Callable[..., Project], address: str, tmp_path: Path
) -> None:
    assert_there_and_back(trained, other(), address)
    version = trained.registry.version("m", "2")
    place, got = str(Path("registry", "m", version.digest[: dvc.DIGITS])), tmp_path / "got"
    run(trained.folder, sys.executable, "-m", "dvc", "get", ".", place, "-o", str(got), "--remote", "team")
    assert artifact.read(got, version.digest).model.name == "m"
    run(trained.folder, "git", "check-ignore", place)


def assert_there_and_back(trained: Project, project: Project, address: str) -> None:
    sent = push(trained, address)
    assert [one["version"] for one in sent] == ["1", "2"]
    assert all(int(str(one["files"])) > 10 for one in sent)
    assert push(trained, address) == []
    clone(project, trained)
    came = pull(project, address)["came"]
    assert [one["version"] for one in came] == ["1", "2"]  # type: ignore[attr-defined]
    assert pull(project, address)["came"] == []
    for number in ("1", "2"):
        there, here = trained.registry.version("m", number), project.registry.version("m", number)
        assert_same(there, here)
        told = [copies.told(one.registry.client, run_id(one, number)) for one in (trained, project)]
        assert told[0]["metrics"] == told[1]["metrics"]
        assert {*told[0]["parameters"]} == {*told[1]["parameters"]}
    assert project.registry.version("m", "2").against == trained.registry.version("m", "2").against
    # nothing decides by itself: no alias came, and the ledger has who brought them
    assert project.registry.aliases.of("m") == {}
    assert [(one.action, one.about, one.by) for one in steps.entries(project, "m")] == [
        (PULL, "1", "Bo"),
        (PULL, "2", "Bo"),
    ]
    history = json.loads((project.registry.version("m", "1").folder / "sync.json").read_bytes())
    approved = next(one for one in history["steps"] if one["action"] == "approve")
    assert (approved["by"], approved["reasons"]) == ("Ann", ["looked at it"])
    verdicts = next(
        one["verdicts"] for one in history["steps"] if one["action"] in ("train", PROMOTE) and one["verdicts"]
    )
    assert {one["gate"] for one in verdicts} == {"auc", "parity", "documents"}
    # an approval that was given elsewhere is told, and counts nowhere else
    assert steps.stood(project, "m", NOW).approvals == {}


def run_id(project: Project, number: str) -> str:
    return str(project.registry.client.get_model_version("m", number).run_id)


def assert_same(there: Version, here: Version) -> None:
    """Two versions have equal files, equal evidence and equal answers."""
    own = {name: digest for name, digest in digests(here).items() if name != "sync.json"}
    assert own == digests(there)
    assert (here.digest, here.origin, here.trained_at) == (there.digest, there.evidence, there.trained_at)
    assert evidence_of(here) == evidence_of(there)
    rows = np.random.default_rng(4).normal(20, 30, (200, len(artifact.read(here.folder, here.digest).features)))
    answers = [artifact.Predictor.load(one.folder).score(rows.astype(np.float32)) for one in (there, here)]
    assert np.array_equal(*answers)


# aliases


def with_rows(project: Project, trained: Project) -> Project:
    """Return a project once it has ingested the same raw files: a server of the version needs rows."""
    shutil.copytree(trained.data, project.data)
    loop.ingest_all(project, NOW)
    return project


def test_a_champion_is_promoted_only_if_it_is_asked_for_and_passes_every_gate(
    trained: Project, other: Callable[..., Project], tmp_path: Path
) -> None:
    address = str(tmp_path / "there")
    push(trained, address)
    project = with_rows(other(), trained)
    (done,) = pull(project, address, aliases=True)["aliases"]  # type: ignore[misc]
    assert (done["alias"], done["lacking"]) == ("champion", [])
    live = steps.entries(project, "m")[-1]
    assert (live.action, live.by, live.version) == (PROMOTE, "Bo", "2")
    assert live.reasons[0] == f"promoted as the champion at {address}"
    strict = other("strict", ', Gate("accuracy", threshold=0.999)')
    (held,) = pull(strict, address, aliases=True)["aliases"]  # type: ignore[misc]
    assert held["alias"] is None
    assert "accuracy" in held["lacking"][0]
    assert strict.registry.aliases.of("m") == {}


@pytest.mark.parametrize("retired", ["rejected", "archived"])
def test_a_champion_that_was_retired_where_it_came_from_is_not_promoted(
    trained: Project, other: Callable[..., Project], tmp_path: Path, retired: str
) -> None:
    version = trained.registry.version("m", "2")
    parcel = syncing.packed(trained, version, NOW)
    elsewhere = {"number": "7", "aliases": ["champion"], "retired": None}
    own = parcel.said[trained.registry.place] | {"aliases": [], "retired": retired}
    said = {trained.registry.place: own, "elsewhere": elsewhere}
    address = str(tmp_path / "there")
    connect(address, Site(trained.folder, {})).send(replace(parcel, said=said), version.folder)
    project = other()
    (held,) = pull(project, address, aliases=True)["aliases"]  # type: ignore[misc]
    assert (held["alias"], held["lacking"]) == (None, [f"it is {retired} at {trained.registry.place}"])
    assert project.registry.aliases.of("m") == {}


def test_a_champion_that_waits_for_approval_here_is_the_challenger(
    trained: Project, other: Callable[..., Project], tmp_path: Path
) -> None:
    address = str(tmp_path / "there")
    push(trained, address)
    project = with_rows(other("asking", ", Gate.approval()"), trained)
    (held,) = pull(project, address, aliases=True)["aliases"]  # type: ignore[misc]
    assert (held["alias"], held["lacking"]) == ("challenger", ["waits for approval: 0 of 1 approvals"])
    found = governing.approve(project, project.model(), held["version"], NOW, "Cy", "it is good here, too")
    assert found["promoted"]
    assert project.registry.aliases.of("m") == {"champion": "2"}


def test_another_registry_gets_aliases_only_if_its_champion_is_not_its_own(
    trained: Project, other: Callable[..., Project], tmp_path: Path
) -> None:
    address = f"sqlite:///{tmp_path}/there/mlflow.db"
    push(trained, address)
    there = other("reader")
    assert pull(there, address)["came"]
    assert syncing.push(trained, address, trained.models(), None, NOW, aliases=True)["aliases"] == ["m: champion"]
    assert syncing.push(trained, address, trained.models(), None, NOW, aliases=True)["aliases"] == []
    there.registry.aliases.crown("m", "1")
    own = trained.registry.uri
    with pytest.raises(RegistryError, match="is the champion of m there, and was trained there"):
        push(there, own, aliases=True)


def test_a_registry_that_nobody_pushed_to_can_be_pulled_from(trained: Project, other: Callable[..., Project]) -> None:
    project = other()
    assert len(pull(project, trained.registry.uri)["came"]) == 2  # type: ignore[arg-type]
    assert_same(trained.registry.version("m", "2"), project.registry.version("m", "2"))


# numbers


def test_a_number_that_is_taken_is_another_number_here(
    trained: Project, other: Callable[..., Project], tmp_path: Path
) -> None:
    address = str(tmp_path / "there")
    push(trained, address)
    project = other()
    syncing.pull(project, address, project.models(), "2", NOW, "Bo", aliases=False)
    (version,) = project.registry.versions("m")
    assert (version.number, version.origin) == ("1", trained.registry.version("m", "2").evidence)
    # what it was compared with is not here, and is told by what it is there
    assert version.against == "" or version.against == trained.registry.version("m", "1").evidence
    with pytest.raises(RegistryError, match="there is no version 7 of m"):
        syncing.pull(project, address, project.models(), "7", NOW, "Bo", aliases=False)
    assert len(pull(project, address)["came"]) == 1  # type: ignore[arg-type]
    # pushed on, it is still the version that it was, and both registries are told of
    push(project, address)
    assert push(trained, address) == []
    assert push(project, address) == []


# what breaks on the way


@pytest.mark.parametrize("address", ["folder", "sqlite"], indirect=True)
def test_a_flipped_bit_is_named_and_refused_until_it_is_sent_again(
    trained: Project, other: Callable[..., Project], address: str, tmp_path: Path
) -> None:
    push(trained, address)
    model = (trained.registry.version("m", "1").folder / "model.onnx").read_bytes()
    (broken,) = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_size == len(model) and path.read_bytes() == model
    ]
    broken.chmod(0o644)
    broken.write_bytes(model[:100] + bytes([model[100] ^ 1]) + model[101:])
    project = other()
    why = failed(project, address)
    assert re.match(r"model\.onnx of m/1@\w+ is not what was sent", why["what"]) and why["fix"]
    assert [one.trained_at for one in project.registry.versions("m")] == [trained.registry.version("m", "2").trained_at]
    broken.write_bytes(model)
    assert len(pull(project, address)["came"]) == 1  # type: ignore[arg-type]


def test_a_file_that_was_changed_here_is_not_sent_and_comes_back_by_a_pull(
    trained: Project, other: Callable[..., Project], tmp_path: Path
) -> None:
    address = str(tmp_path / "there")
    push(trained, address)
    project = other()
    pull(project, address)
    version = project.registry.version("m", "2")
    path = version.folder / "parity.json"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"flipped": 0', b'"flipped":  0'))
    model = project.model()
    for refused in (
        lambda: push(project, str(tmp_path / "elsewhere")),
        lambda: governing.gates(project, model, "2", NOW),
        lambda: governing.promote(project, model, "2", NOW, "Bo", None),
    ):
        with pytest.raises(RegistryError, match=r"parity\.json of m version 2 is not what was written") as raised:
            refused()
        assert raised.value.where == str(path)
    shown = {one["version"]: one["refused"] for one in governing.versions(project, [model], NOW)["versions"]}
    assert (shown["1"], "parity.json" in shown["2"]) == ("", True)
    pull(project, address)
    assert path.read_bytes() == content
    assert governing.gates(project, model, "2", NOW)["passed"]


KILLED = """
import os, sys
from pathlib import Path
from keepfit import syncing
from keepfit.project import open_project
from keepfit.stages.registry.remotes import blobs, folder
project = open_project(Path(sys.argv[1]), None, dict(os.environ))
count, original = 0, folder.Folder.{what}
def dying(own, *words):
    global count
    count += 1
    if count > {after}:
        os.kill(os.getpid(), 9)
    return original(own, *words)
folder.Folder.{what} = dying
syncing.{call}
"""


def killed(project: Project, what: str, after: int, call: str) -> None:
    code = KILLED.format(what=what, after=after, call=call)
    done = subprocess.run(
        [sys.executable, "-c", code, str(project.folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr


def test_a_push_that_is_killed_shows_nothing_and_goes_on_where_it_was(
    trained: Project, other: Callable[..., Project], tmp_path: Path
) -> None:
    address = tmp_path / "there"
    call = f"push(project, {str(address)!r}, project.models(), None, {NOW}, aliases=False)"
    killed(trained, "write", 7, call)
    there = {path.name for path in address.rglob("*") if path.is_file() and not path.name.startswith(".")}
    assert len(there) == 7
    project = other()
    with pytest.raises(RegistryError, match="there is no version of m"):
        pull(project, str(address))
    first, _ = push(trained, str(address))
    whole = len(syncing.packed(trained, trained.registry.version("m", "1"), NOW).files)
    assert (
        first["files"] == len(set(syncing.packed(trained, trained.registry.version("m", "1"), NOW).files.values())) - 7
    )
    assert whole >= int(str(first["files"])) + 7
    assert len(pull(project, str(address))["came"]) == 2  # type: ignore[arg-type]


def test_a_pull_that_is_killed_fetches_what_is_missing(
    trained: Project, other: Callable[..., Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(tmp_path / "there")
    push(trained, address)
    project = other()
    killed(project, "read", 10, f"pull(project, {address!r}, project.models(), None, {NOW}, 'Bo', aliases=False)")
    assert project.registry.versions("m") == []
    kept = {path.name for path in (project.outcomes / "incoming").glob("*/*") if not path.name.startswith(".")}
    assert kept
    fetched = []

    def fetch(own: blobs.Blobs, parcel: object, name: str) -> bytes:
        fetched.append(name)
        return original(own, parcel, name)  # type: ignore[arg-type]

    original = blobs.Blobs.fetch
    monkeypatch.setattr(blobs.Blobs, "fetch", fetch)
    assert len(pull(project, address)["came"]) == 2  # type: ignore[arg-type]
    every = len(syncing.packed(trained, trained.registry.version("m", "1"), NOW).files)
    assert len(fetched) == 2 * every - len(kept)
    assert not list((project.outcomes / "incoming").glob("*"))


def test_a_version_that_arrives_twice_in_mlflow_is_one(
    trained: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"sqlite:///{tmp_path}/there/mlflow.db"

    def cut(own: copies.Copies, run_id: str, found: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(copies.Copies, "_tell", cut)
        push(trained, address)
    names: list[str] = []
    client = type(trained.registry.client)
    original = client.log_artifact
    monkeypatch.setattr(
        client, "log_artifact", lambda own, run, path, *more: (names.append(path), original(own, run, path, *more))
    )
    assert len(push(trained, address)) == 2
    # the files of the first were there: what came again is its parcel
    first = trained.registry.version("m", "1").digest
    assert [Path(name).parent.name for name in names if "model.onnx" in name] != []
    assert sum("model.onnx" in name for name in names) == 1, first


FAR = "f" * 64
OUT = "../" * 5 + "written"
STRANGE: dict[str, tuple[Callable[[Any], dict[str, object]], str]] = {
    "name": (lambda one: {"files": {**one["files"], OUT: FAR}}, "is no name of a file"),
    "digest": (lambda one: {"digest": OUT, "files": {**one["files"], "artifact.json": OUT}}, "is no SHA-256"),
    "file's digest": (lambda one: {"files": {**one["files"], "model.onnx": OUT}}, "is no SHA-256"),
    "upper case": (lambda one: {"files": {**one["files"], "model.onnx": "F" * 64}}, "is no SHA-256"),
    "model": (lambda one: {"model": "another"}, "a version of another lies there as one of m"),
    "manifest": (lambda one: {"files": {**one["files"], "more.json": FAR}}, "are not those that its manifest names"),
}


def say_anew(trained: Project, address: str, place: Path, change: Callable[[Any], dict[str, object]]) -> None:
    """Make a remote say something else of version 1, as whoever may write there could."""
    version = trained.registry.version("m", "1")
    said = json.loads(syncing.packed(trained, version, NOW).content())
    content = json.dumps(said | change(said)).encode()
    digest = hashlib.sha256(content).hexdigest()
    if address.startswith("sqlite"):
        client = connect(address, Site(trained.folder, {}))._client  # type: ignore[attr-defined]
        (item,) = [one for one in client.search_model_versions("name = 'm'") if one.tags[DIGEST] == version.digest]
        path = place / f"{digest}.json"
        path.write_bytes(content)
        client.log_artifact(item.run_id, str(path), "sync")
        client.set_model_version_tag("m", item.version, "keepfit.parcel", digest)
    else:
        (place / "blobs" / digest[:2]).mkdir(exist_ok=True)
        (place / "blobs" / digest[:2] / digest).write_bytes(content)
        (place / "models" / "m" / version.digest).write_text(digest)


def there_and_here(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*") if ".keepfit" not in path.parts}


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("address", ["folder", "sqlite"], indirect=True)
def test_a_parcel_that_leads_out_of_its_folder_is_refused(
    trained: Project, other: Callable[..., Project], address: str, strange: str, tmp_path: Path
) -> None:
    push(trained, address)
    change, what = STRANGE[strange]
    say_anew(trained, address, tmp_path / "there", change)
    project = other()
    before = there_and_here(tmp_path)
    why = failed(project, address, "1")
    assert what in why["what"] and why["fix"]
    assert project.registry.versions("m") == []
    assert there_and_here(tmp_path) == before


@pytest.mark.parametrize("what", ["manifest", "beside"])
def test_a_registry_that_nobody_pushed_to_leads_nowhere(
    trained: Project, other: Callable[..., Project], tmp_path: Path, what: str
) -> None:
    shutil.copytree(trained.outcomes, tmp_path / "there", ignore=shutil.ignore_patterns("lake"))
    address = f"sqlite:///{tmp_path}/there/mlflow.db"
    client = connect(address, Site(trained.folder, {}))._client  # type: ignore[attr-defined]
    version, number = trained.registry.version("m", "1"), "1"
    if what == "beside":
        if "keepfit.parcel" in client.get_model_version("m", "1").tags:  # another test has pushed to it
            client.delete_model_version_tag("m", "1", "keepfit.parcel")
        client.set_model_version_tag("m", "1", BESIDE, json.dumps({OUT: [FAR]}))
    else:
        manifest = json.loads((version.folder / "artifact.json").read_bytes())
        manifest["files"][OUT] = FAR
        content = json.dumps(manifest).encode()
        path = tmp_path / "artifact.json"
        path.write_bytes(content)
        made = client.create_run(client.get_experiment_by_name("m").experiment_id)
        client.log_artifact(made.info.run_id, str(path), "model")
        digest = hashlib.sha256(content).hexdigest()
        broken = client.create_model_version("m", source=str(path), run_id=made.info.run_id, tags={DIGEST: digest})
        number = str(broken.version)
    project = other()
    assert "is no name of a file" in failed(project, address, number)["what"]
    assert project.registry.versions("m") == []


# what a DVC user expects


def test_a_dvc_remote_that_is_not_there_says_which_are(other: Callable[..., Project], tmp_path: Path) -> None:
    project = other()
    with pytest.raises(RegistryError, match="dvc root"):
        push(project, "dvc://team")
    repository(project.folder, tmp_path / "content")
    with pytest.raises(RegistryError, match="no remote 'teem'") as raised:
        push(project, "dvc://teem")
    assert "team" in raised.value.fix


def test_an_unknown_scheme_says_which_there_are(other: Callable[..., Project]) -> None:
    with pytest.raises(RegistryError, match=r"no remote is installed for ftp://") as raised:
        push(other(), "ftp://host/models")
    assert "s3" in raised.value.fix
