"""A folder for elsewhere: the same bytes each time, what was edited stays, what is not keepfit's is left alone."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from tests.stages.deploy.world import deployed, shop
from tests.stages.serving.world import fill, promote, wait_until

from keepfit.cli import main
from keepfit.errors import ProjectError, SettingsError
from keepfit.packing import pinned
from keepfit.project import Project
from keepfit.stages.serving.sqlite import SQLiteStore


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return shop(tmp_path)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_project_makes_the_same_bytes(project, tmp_path) -> None:
    for name in ("one", "other"):
        deployed(project, tmp_path / name)
    assert content(tmp_path / "one") == content(tmp_path / "other")
    assert set(json.loads(content(tmp_path / "one")["deploy.json"])["files"]) == set(content(tmp_path / "one")) - {
        "deploy.json"
    }


def test_a_folder_that_is_there_is_refused_and_one_of_others_even_with_force(project, tmp_path) -> None:
    deployed(project, tmp_path / "out")
    with pytest.raises(ProjectError, match="is there already") as error:
        deployed(project, tmp_path / "out")
    assert "--force" in error.value.fix
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(ProjectError, match="is no deployment"):
        deployed(project, tmp_path / "mine", force=True)
    assert content(tmp_path / "mine") == {"thesis.txt": b"years"}


def test_what_was_edited_stays_and_the_rest_is_written_again(project, tmp_path) -> None:
    out = tmp_path / "out"
    deployed(project, out)
    before = content(out)
    (out / "alertmanager.yml").write_text("mine")
    (out / "secrets").mkdir()
    (out / "secrets" / "tokens").write_text("a secret")
    (out / "compose.yaml").unlink()
    (project.folder / "names.py").write_text('CHURN = "churn"  # newer\n')
    assert deployed(project, out, force=True)["edited"] == ["alertmanager.yml"]
    after = content(out)
    assert after["alertmanager.yml"] == b"mine"
    assert after["alertmanager.yml.new"] == before["alertmanager.yml"]
    assert after["secrets/tokens"] == b"a secret"
    assert after["compose.yaml"] == before["compose.yaml"]
    assert b"newer" in after["app/project/names.py"]
    # the same again changes nothing; an edit that is taken back is none
    assert deployed(project, out, force=True)["edited"] == ["alertmanager.yml"]
    assert content(out) == after
    (out / "alertmanager.yml").write_bytes(before["alertmanager.yml"])
    assert deployed(project, out, force=True)["edited"] == []
    assert "alertmanager.yml.new" not in content(out)


def test_what_is_written_no_more_goes_unless_it_was_edited(project, tmp_path) -> None:
    out = tmp_path / "out"
    (project.folder / "more.py").write_text("ONE = 1\n")
    (project.folder / "other.py").write_text("TWO = 2\n")
    deployed(project, out)
    (out / "app/project/other.py").write_text("TWO = 3\n")
    for name in ("more.py", "other.py"):
        (project.folder / name).unlink()
    deployed(project, out, force=True)
    assert not (out / "app/project/more.py").exists()
    assert (out / "app/project/other.py").read_text() == "TWO = 3\n"


def test_an_unknown_target_or_extra_says_what_there_is(project, tmp_path) -> None:
    from keepfit import deploying

    with pytest.raises(SettingsError, match="no target 'compost'") as error:
        deploying.deploy(project, project.model(), "compost", tmp_path / "out")
    assert error.value.fix == "did you mean 'compose'? there are: compose"
    with pytest.raises(SettingsError, match="no extra 'lightbgm'") as error:
        deployed(project, tmp_path / "out", extras=["lightbgm"])
    assert "did you mean 'lightgbm'?" in error.value.fix
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote(project, tmp_path, capsys, monkeypatch) -> None:
    words = ["keepfit", "deploy", "compose", "--project", str(project.folder)]
    monkeypatch.setattr(sys, "argv", words)
    main()
    shown = capsys.readouterr().out
    place = project.folder / "deploy" / "compose-churn"
    assert f"churn for compose: {place}" in shown and "compose.yaml" in shown
    monkeypatch.setattr(sys, "argv", [*words, "--json", "--force"])
    main()
    told = json.loads(capsys.readouterr().out)
    assert (told["target"], told["model"], told["path"], told["edited"]) == ("compose", "churn", str(place), [])
    assert told["count"] == len(content(place)) - 1


def test_pins_are_of_all_that_is_needed_and_of_no_extra_that_is_not_asked_for() -> None:
    plain, extended = (
        {line.partition("==")[0] for line in pinned([name])} for name in ("keepfit", "keepfit[lightgbm]")
    )
    assert extended - plain == {"lightgbm"}
    own = {Requirement(one).name for one in distribution("keepfit").requires or () if "extra ==" not in one}
    assert {name for name in own if "xgboost" not in name} <= plain


def isolated(requirements: Path, folder: Path) -> Path:
    """Return a folder with links to these distributions as they are installed here, and to nothing else."""
    folder.mkdir()
    for line in requirements.read_text().splitlines():
        name, _, version = line.partition("==")
        here = distribution(name)
        assert here.version == version
        for top in {path.parts[0] for path in here.files or () if path.parts[0] not in ("..", "__pycache__")}:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(here.locate_file(top))))
    return folder


@pytest.mark.slow
def test_the_service_runs_from_the_folder_with_what_it_pins_and_writes_to_its_state_alone(project, tmp_path) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    deployed(project, out)
    files = project.serving("churn")
    promote(state / "serving", "1")
    store = SQLiteStore(state / "serving" / files.store.name)
    fill(store)
    store.close()
    before = content(out)
    packages = isolated(out / "requirements/service.txt", tmp_path / "packages")
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": f"{out / 'app'}:{packages}", "PYTHONDONTWRITEBYTECODE": "1",
        # to compile the kernel anew would take half a minute
        "NUMBA_DISABLE_JIT": "1", "KEEPFIT__STORAGE__STATE": str(state), "HOME": str(tmp_path / "home"),
    }  # fmt: skip
    # -S: no installed package is seen but those
    command = [sys.executable, "-S", "-m", "keepfit", "serve", "churn", "--project", "project", "--profile", "prod"]
    options = ["--no-warm", "--port", "0", "--as-of", "2025-06-01", "--json"]
    running = subprocess.Popen(
        [*command, *options], cwd=out / "app", env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        told = json.loads("".join(iter(running.stdout.readline, "}\n")) + "}")
        with httpx.Client(base_url=told["url"], timeout=60) as http:
            wait_until(lambda: http.get("/readyz").status_code == 200, 90)
            answer = http.post("/predict", json={"customer_id": 17}).json()
            event = {"table": "sales", "customer_id": 17, "sold_at": "2025-05-30T00:00:00Z", "amount": 5}
            assert http.post("/events", json=event).status_code == 202
            assert all(http.get(path).status_code == 200 for path in ("/metrics", "/health", "/openapi.json", "/model"))
    finally:
        running.terminate()
        assert running.wait(timeout=20) is not None
        running.stdout.close()
    assert (answer["model"], answer["version"]) == ("churn", "1")
    assert 0 < answer["score"] < 1
    assert content(out) == before
    assert not (tmp_path / "home").exists()  # where ONNX Runtime's telemetry would keep its identifier


def test_raw_files_are_found_from_wherever_the_folder_is(project, tmp_path) -> None:
    for place in (project.folder / "deploy" / "compose-churn", tmp_path / "far" / "from it" / "out"):
        deployed(project, place)
        (line,) = [line for line in (place / ".env").read_text().splitlines() if line.startswith("RAW_FILES=")]
        (said,) = shlex.split(line.partition("=")[2])
        assert (place / said).resolve() == project.data.resolve()
