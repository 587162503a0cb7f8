"""Tokens: what is kept of one, what a role opens, and how a file of them changes."""

from __future__ import annotations

import os

import pytest

from keepfit.errors import SettingsError
from keepfit.stages.serving.tokens import Tokens, new_token, parse_tokens


def shown(secret: str) -> bytes:
    return f"Bearer {secret}".encode()


def test_a_token_is_known_by_its_hash_alone():
    secret, kept = new_token("shopfront", ["predict"])
    assert secret not in kept.line() and len(secret) > 48
    assert Tokens(kept.line()).holder(shown(secret)).name == "shopfront"
    assert Tokens(kept.line()).holder(b"bearer  " + secret.encode()) is not None


@pytest.mark.parametrize("header", [b"", b"Bearer ", b"Bearer keepfit_x", b"Basic YTpi", b"\xff\xfe"])
def test_nothing_else_is_a_token(header):
    assert Tokens(new_token("shopfront", ["predict"])[1].line()).holder(header) is None


@pytest.mark.parametrize(
    ("roles", "opens", "closed"),
    [
        (["predict"], ["/predict", "/predict/rows", "/model", "/docs"], ["/events", "/metrics", "/health", "/new"]),
        (["events"], ["/events", "/openapi.json"], ["/predict", "/model", "/metrics"]),
        (["predict", "events"], ["/predict", "/events"], ["/metrics", "/health"]),
        (["admin"], ["/predict", "/events", "/metrics", "/health", "/new"], []),
    ],
)
def test_a_role_opens_its_routes(roles, opens, closed):
    _, token = new_token("somebody", roles)
    assert [route for route in opens if not token.may(route)] == []
    assert [route for route in closed if token.may(route)] == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("shopfront predict", "no token's line"),
        ("shopfront predict keepfit_secret", "no token's line"),
        ("shop front predict sha256:" + "0" * 64, "no token's line"),
        ("shopfront boss sha256:" + "0" * 64, "unknown role boss"),
        ("\n".join(["a predict sha256:" + "0" * 64] * 2), "'a' stands twice"),
    ],
)
def test_a_wrong_line_is_named_and_not_shown(text, what):
    with pytest.raises(SettingsError, match=what) as caught:
        parse_tokens(text, "tokens.txt")
    assert "tokens.txt" in caught.value.where and "keepfit_secret" not in str(caught.value)


def test_a_changed_file_counts_and_a_broken_one_does_not(tmp_path, caplog):
    (first, kept), (second, more) = new_token("one", ["predict"]), new_token("two", ["events"])
    path = tmp_path / "tokens"
    path.write_text(f"# who may ask\n{kept.line()}\n")
    tokens = Tokens(path=path)
    path.write_text(more.line())
    os.utime(path, ns=(1, 1))
    tokens.refresh()
    assert tokens.holder(shown(first)) is None and tokens.holder(shown(second)).name == "two"
    path.write_text("nonsense")
    os.utime(path, ns=(2, 2))
    tokens.refresh()
    assert tokens.holder(shown(second)).name == "two"
    assert "the tokens stay as they were" in caplog.text
    path.write_text("")
    os.utime(path, ns=(3, 3))
    tokens.refresh()
    assert tokens.asked and tokens.held == []


def test_a_file_that_is_bad_or_gone_is_told_once_a_change(tmp_path, caplog):
    path = tmp_path / "tokens"
    path.write_text(new_token("one", ["predict"])[1].line())
    tokens = Tokens(path=path)
    for change, content in enumerate(("nonsense", "other nonsense", None, "nonsense"), start=1):
        if content is None:
            path.unlink()
        else:
            path.write_text(content)
            os.utime(path, ns=(change, change))
        for _ in range(5):
            tokens.refresh()
        assert caplog.text.count("the tokens stay as they were") == change
    assert [token.name for token in tokens.held] == ["one"]


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="no such file of tokens"):
        Tokens(path=tmp_path / "none")
