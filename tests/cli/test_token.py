"""Tokens on the command line, and where the server refuses to listen."""

from __future__ import annotations

import json
import sys

import pytest

from keepfit.cli.main import main
from keepfit.stages.serving.tokens import Tokens


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(monkeypatch, "init", "shop", "--template", "empty")
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def run(monkeypatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["keepfit", *words])
    try:
        main()
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def test_a_token_is_made_listed_and_opens(shop, monkeypatch, capsys):
    assert (
        run(monkeypatch, "token", "new", "--role", "predict", "--role", "events", "--name", "shopfront", "--json") == 0
    )
    made = json.loads(capsys.readouterr().out)
    assert Tokens(made["line"]).holder(f"Bearer {made['token']}".encode()).roles == {"predict", "events"}
    monkeypatch.setenv("KEEPFIT_TOKENS", made["line"])
    assert run(monkeypatch, "token", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"tokens": [{"name": "shopfront", "roles": ["events", "predict"]}]}


def test_a_name_that_would_break_the_file_is_refused(shop, monkeypatch, capsys):
    assert run(monkeypatch, "token", "new", "--role", "predict", "--name", "shop front") == 2
    assert "--name" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--host", "0.0.0.0"), ("--host", "::"), ("--artifact", ".", "--host", "10.0.0.1")])
def test_other_machines_are_not_listened_to_without_tokens(shop, monkeypatch, capsys, words):
    (shop / "definitions.py").write_text((shop / "definitions.py").read_text())
    monkeypatch.delenv("KEEPFIT_TOKENS", raising=False)
    code = run(monkeypatch, "serve", *words)
    told = capsys.readouterr().err
    assert code == 7, told
    assert "open to other machines, and no tokens are there" in told and "--insecure" in told


def test_a_wrong_variable_of_a_server_without_a_project_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KEEPFIT__SERVING__QUEUE", "many")
    assert run(monkeypatch, "serve", "--artifact", str(tmp_path)) == 2
    assert "KEEPFIT__SERVING__QUEUE does not fit" in capsys.readouterr().err
