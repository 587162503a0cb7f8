"""The command line as a script sees it: one JSON object on standard output, whatever happens, and an exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from keepfit.cli import main


def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["keepfit", *words])
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    found = capsys.readouterr()
    return code, found.out, found.err


@pytest.fixture
def keepfit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda *words: call(capsys, monkeypatch, *words)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("run", "--as-of", "nonsense"), "not a date"),
        (("dataset", "--as-of", "2025-01-01"), "--to"),
        (("replay", "--every", "1 fortnight"), "not a grid"),
        (("run", "--colour", "red"), "--colour"),
        (("rum",), "did you mean 'run'"),
    ],
)
def test_a_misused_command_answers_json_with_one_object(keepfit: Any, words: tuple[str, ...], what: str) -> None:
    code, out, _ = keepfit(*words, "--json")
    answer = json.loads(out)
    assert code == 2
    assert what in answer["what"]
    assert answer["fix"]


def test_a_misused_command_tells_a_person_on_standard_error(keepfit: Any) -> None:
    code, out, err = keepfit("run", "--as-of", "nonsense")
    assert (code, out) == (2, "")
    assert "not a date" in err


def test_no_project_is_said_with_the_way_to_one(keepfit: Any, tmp_path: Path) -> None:
    code, out, err = keepfit("check", "--project", str(tmp_path))
    assert (code, out) == (3, "")
    assert "there is no definitions.py here" in err
    assert "keepfit init" in err


def test_init_check_and_plan_answer_json_and_init_never_overwrites(keepfit: Any, tmp_path: Path) -> None:
    code, out, _ = keepfit("init", "churn", "--template", "empty", "--project", str(tmp_path), "--json")
    assert code == 0
    assert json.loads(out)["files"] == ["definitions.py", "keepfit.yaml"]
    code, out, _ = keepfit("check", "--project", str(tmp_path / "churn"), "--json")
    assert code == 0
    assert json.loads(out)["problems"] == []
    (tmp_path / "churn" / "definitions.py").write_text("import sys\nsys.exit(0)\n", encoding="utf-8")
    code, out, _ = keepfit("check", "--project", str(tmp_path / "churn"), "--json")
    assert code == 2
    assert "line 2" in json.loads(out)["where"]
    code, out, _ = keepfit("init", "churn", "--project", str(tmp_path), "--json")
    assert code == 3
    assert "is not empty" in json.loads(out)["what"]
    assert "sys.exit" in (tmp_path / "churn" / "definitions.py").read_text(encoding="utf-8")


def test_help_lists_every_command_in_the_order_of_the_loop(keepfit: Any) -> None:
    from keepfit.cli.main import COMMANDS

    code, out, _ = keepfit("--help")
    places = [out.index(f"  {name} ") for name in COMMANDS]
    assert code == 0
    assert places == sorted(places)
