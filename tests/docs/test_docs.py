"""Every code block of README and docs runs, in order, as a reader would run it."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.M | re.S)


def blocks(page: Path, language: str) -> list[str]:
    return [body for name, body in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language]


def test_every_block_is_of_a_language_that_a_test_runs() -> None:
    found = {name for page in PAGES for name, _ in BLOCK.findall(page.read_text(encoding="utf-8"))}
    assert found <= {"python", "sh", "console", "text"}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_blocks_run_and_their_definitions_check(page: Path, tmp_path: Path) -> None:
    from keepfit.project import load_definitions

    (tmp_path / "definitions.py").write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    definitions = load_definitions(tmp_path)
    assert definitions.tables
    assert definitions.problems() == []


def test_the_readme_shows_the_template_that_init_writes() -> None:
    template = (ROOT / "src/keepfit/templates/shop/definitions.py").read_text(encoding="utf-8")
    assert template in blocks(ROOT / "README.md", "python")


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=lambda page: page.name)
def test_shell_blocks_name_targets_and_commands_that_exist(page: Path) -> None:
    for line in "\n".join(blocks(page, "sh")).splitlines():
        command = line.split("#")[0].split()
        if command[:1] == ["make"]:
            done = subprocess.run(["make", "-n", command[1]], cwd=ROOT, capture_output=True, check=False)
            assert done.returncode == 0, line
        elif command:
            assert command[0] == "keepfit", line
            # a word after the command may be one of its own: keepfit tables show
            words = itertools.takewhile(lambda word: not word.startswith("-"), command[1:])
            done = subprocess.run(
                [sys.executable, "-m", "keepfit", *words, "--help"], capture_output=True, text=True, check=False
            )
            for option in (word for word in command if word.startswith("--")):
                assert option in done.stdout, line


def _runs(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def _ready(port: str) -> bool:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    return False


@pytest.mark.slow
def test_the_readme_can_be_followed_from_the_first_command_to_the_server(tmp_path: Path) -> None:
    commands = [line[2:] for body in blocks(ROOT / "README.md", "console") for line in body.splitlines()]
    assert any("serve" in command for command in commands)
    assert any("/events" in command for command in commands)
    bin_folder = Path(sys.executable).parent
    cwd, server = tmp_path, None
    try:
        for command in commands:
            # `uv run` takes the environment of the checkout; the test is in it already
            line = command.replace("uv run keepfit", str(bin_folder / "keepfit"))
            if line.startswith("cd "):
                cwd = cwd / line[3:]
            elif line.endswith(" &"):
                server = subprocess.Popen(
                    ["bash", "-c", f"exec {line[:-2]}"], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                assert _ready(line.split("--port ")[1].split()[0]), command
            else:
                done = _runs(line, cwd)
                assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
                assert '"error"' not in done.stdout, f"{command}\n{done.stdout}"
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)
    assert (cwd / "scores.csv").stat().st_size > 1000
    assert (cwd / "churn.parquet").stat().st_size > 1000


def test_make_knows_the_two_commands_of_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo:", makefile, re.M)
    assert re.search(r"^test:", makefile, re.M)
    assert shutil.which("make") or os.name == "nt"
