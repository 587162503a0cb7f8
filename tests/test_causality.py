"""Nothing that comes after t changes what the loop did until t: the future is deleted, and every turn before stays as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests import weekly
from tests.weekly import BEGIN, week

from keepfit import clock, replaying
from keepfit.project import open_project

pytestmark = pytest.mark.slow
FILES = weekly.files(15, turned=9)
DAY = clock.DAY


def before(cut: int) -> dict[str, str]:
    """Return the files without what happened at or after a moment; one of which nothing is left is gone."""
    kept = {}
    for name, text in FILES.items():
        head, *rows = text.strip().splitlines()
        earlier = [
            row for row in rows if "never" not in row and clock.to_micros(clock.parse_moment(row.split(",")[1])) < cut
        ]
        if earlier:
            kept[name] = "\n".join([head, *earlier, "c0,never,1\n"])
    return kept


def replayed(folder: Path, files: dict[str, str], until: int) -> dict[str, list[str]]:
    """Return what each policy's turns until a moment saw and decided, as JSON."""
    project = open_project(weekly.write(folder, files, retrain="when.older_than('13d')"), None, {})
    model = project.model("habit")
    policies = ["declared", "on-drift"]
    turns = replaying.replay(project, model, week(8), until, "1 week", policies=policies)["policies"]
    return {name: [json.dumps(seen(turn)) for turn in own] for name, own in turns.items()}


def seen(turn: Any) -> dict[str, Any]:
    # how many rows of a file lie in the future is known when the file comes; nothing else is
    return {name: value for name, value in weekly.told(turn).items() if name not in ("rows", "quarantine")} | {
        "known": turn.rows["known"], "predicted": turn.rows["predicted"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return replayed(tmp_path_factory.mktemp("causality") / "whole", FILES, week(13))


def test_the_history_is_worth_the_test(whole):
    decisions = {name: [json.loads(one)["decision"] for one in own] for name, own in whole.items()}
    assert {"promote", "keep", "roll back"} <= set(decisions["declared"])
    assert decisions["declared"] != decisions["on-drift"]


@pytest.mark.parametrize(
    "cut",
    [week(10), week(12) + 3 * DAY],
    ids=lambda cut: f"{(clock.from_micros(cut) - BEGIN).days}d",  # at a turn; within a file, and before labels matured
)
def test_what_was_decided_until_a_moment_stays_when_all_after_it_is_deleted(tmp_path, whole, cut):
    found = replayed(tmp_path / "cut", before(cut), cut)
    assert all(len(own) >= 2 for own in found.values())
    assert found == {name: own[: len(found[name])] for name, own in whole.items()}
