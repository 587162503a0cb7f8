"""The folder: what Docker Compose and a build would find in it, as far as that shows without a daemon."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
from pathlib import Path

from tests.connect.servers import program

from keepfit.packing import USER

from .world import read

HEAVY = {"mlflow-skinny", "duckdb", "deltalake", "xgboost-cpu", "scikit-learn", "scipy", "onnx", "optuna", "sqlglot"}


def services(place: Path) -> dict[str, dict]:
    return read(place / "compose.yaml")["services"]


def stages(place: Path) -> dict[str, list[str]]:
    """Return the instructions of the Dockerfile by stage, each as one line."""
    text = re.sub(r"\\\n\s*", "", (place / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("FROM "):
            found[line.split(" AS ")[1]] = own = []
        own.append(line)
    return found


def test_compose_reads_the_file(place) -> None:
    done = subprocess.run(
        [program("docker-compose"), "-f", "compose.yaml", "--profile", "loop", "config"],
        cwd=place, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "not set" not in done.stderr  # every variable is in .env
    assert f"{place.parent / 'shop' / 'data'}:/data:ro" in done.stdout


def test_every_container_is_bound_and_none_listens_to_others(place) -> None:
    for name, one in services(place).items():
        assert one["read_only"] and one["cap_drop"] == ["ALL"] and one["init"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert {"cpus", "memory"} <= set(one["deploy"]["resources"]["limits"]), name
        assert one["restart"] == ("no" if name == "loop" else "unless-stopped"), name
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", [])), name
        assert "healthcheck" in one or one["build"]["target"] in stages(place), name
        assert "build" in one or re.search(r":v?\d+\.\d+\.\d+$", one["image"]), name


def test_what_is_mounted_is_there_and_every_secret_is_a_file_that_the_readme_makes(place) -> None:
    told = read(place / "compose.yaml")
    mounts = [mount.split(":")[0] for one in told["services"].values() for mount in one.get("volumes", [])]
    assert {mount for mount in mounts if not mount.startswith((".", "$"))} == set(told["volumes"])
    assert all((place / mount).exists() for mount in mounts if mount.startswith("."))
    used = {secret for one in told["services"].values() for secret in one.get("secrets", [])}
    assert used == set(told["secrets"])
    assert all((place / one["file"]).read_text() for one in told["secrets"].values())
    assert all((place / path).is_file() for one in told["services"].values() for path in one.get("env_file", []))


def test_the_readme_makes_tokens_of_which_the_server_gets_hashes_only(place) -> None:
    lines = [line.split() for line in (place / "secrets/tokens").read_text().splitlines()]
    assert [(name, roles) for name, roles, _ in lines] == [("prometheus", "admin"), ("client", "predict,events")]
    for (_, _, digest), name in zip(lines, ("metrics_token", "client_token"), strict=True):
        token = (place / "secrets" / name).read_bytes()
        assert re.fullmatch(rb"[0-9a-f]{64}", token)
        assert digest == f"sha256:{hashlib.sha256(token).hexdigest()}"
    assert "secrets/" in (place / ".gitignore").read_text()
    assert (place / "secrets").stat().st_mode & 0o077 == 0


def test_images_run_as_nobody_and_hold_what_is_there(place) -> None:
    ignored = (place / ".dockerignore").read_text().split()
    assert list(stages(place)) == ["base", "loop", "service"]
    assert not [
        line for lines in stages(place).values() for line in lines if line.startswith("ADD") or ":latest" in line
    ]
    for name in ("loop", "service"):
        lines = stages(place)[name]
        words = [line.split(" ", 1)[0] for line in lines]
        assert f"USER {USER}" in lines
        assert words.index("USER") > max(at for at, word in enumerate(words) if word in ("RUN", "COPY"))
        assert all(line.split(" ", 1)[1].startswith("[") for line in lines if line.startswith(("CMD", "ENTRYPOINT")))
        for line in lines:
            if line.startswith("COPY"):
                source = shlex.split(line)[1]
                assert (place / source).exists()
                assert f"!{source.split('/')[0]}" in ignored
            assert "pip install" not in line or "--no-cache-dir --no-deps" in line
    assert any(line.startswith("HEALTHCHECK") and "/livez" in line for line in stages(place)["service"])
    assert f"install --directory --owner=keepfit --group=keepfit {_volume(place)}" in stages(place)["base"][1]


def _volume(place: Path) -> str:
    (line,) = [line for line in stages(place)["base"] if line.startswith("VOLUME")]
    return line.split()[1]


def test_the_command_of_an_image_is_one_that_keepfit_has(place) -> None:
    from keepfit.cli.deploy import deploy  # the words are in the folder's README too
    from keepfit.cli.serve import serve
    from keepfit.cli.turns import run

    for name, command in (("service", serve), ("loop", run)):
        words = [
            word
            for line in stages(place)[name]
            if line.startswith(("ENTRYPOINT", "CMD"))
            for word in re.findall(r'"([^"]+)"', line)
        ]
        own = words[words.index(command.name) + 1 :]
        command.make_context(command.name, own)
    readme = (place / "README.md").read_text()
    (again,) = re.findall(r"^keepfit deploy (.*)$", readme, re.M)
    assert deploy.make_context("deploy", again.split()).params["extras"] == ("lightgbm",)


def test_the_service_is_small_and_the_loop_has_everything(place) -> None:
    held = {
        name: {line.partition("==")[0] for line in (place / f"requirements/{name}.txt").read_text().splitlines()}
        for name in ("service", "loop")
    }
    assert not held["service"] & HEAVY
    assert held["service"] | HEAVY <= held["loop"]
    assert "lightgbm" in held["loop"] and "libgomp1" in (place / "Dockerfile").read_text()
    assert not {"pytest", "comet-ml", "keepfit"} & held["loop"]


def test_what_definitions_are_made_of_comes_along_and_keepfit_with_its_plug_ins(place) -> None:
    app = {path.relative_to(place / "app").as_posix() for path in (place / "app").rglob("*") if path.is_file()}
    assert {f"project/{name}" for name in ("definitions.py", "keepfit.yaml", "names.py", "tools/__init__.py")} <= app
    assert {"keepfit/cli/serve.py", "keepfit/stages/reports/style.css"} <= app
    (points,) = (place / "app").glob("keepfit-*.dist-info/entry_points.txt")
    assert "[keepfit.engines]" in points.read_text()
    assert not [name for name in app if "__pycache__" in name or name.startswith("project/data")]
    left = [
        path for path in place.rglob("*") if path.is_file() and re.search(r"@[A-Z]+@", path.read_text(errors="replace"))
    ]
    assert [path for path in left if "app/keepfit" not in str(path)] == []
