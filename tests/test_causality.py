"""Nothing that comes after t changes what the loop did until t: the future is deleted, and every turn before stays as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests import weekly
from tests.weekly import BEGIN, week

from keepfit import clock, steps
from keepfit.project import open_project
from keepfit.replaying.kept import taken_up
from keepfit.replaying.past import Past
from keepfit.replaying.running import side_by_side
from keepfit.spec.policy import when

pytestmark = pytest.mark.slow
WEEKS = (8, 10, 11, 12, 13)
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
    contenders = [
        steps.Contender(name, project.replaying(name), replace(model, policy=replace(model.policy, retrain=retrain)))
        for name, retrain in {"declared": model.policy.retrain, "on-drift": when.drift()}.items()
    ]
    moments = [week(number) for number in WEEKS if week(number) <= until]
    past, done = Past(project.replaying("past"), model, moments), {one.name: taken_up(one) for one in contenders}
    turns = side_by_side(contenders, moments, past, done, 2, lambda name, turn: None)
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
    decisions = [json.loads(one)["decision"] for one in whole["declared"]]
    assert decisions == ["promote", "promote", "roll back", "promote", "keep"] or len(set(decisions)) > 1
    assert whole["declared"] != whole["on-drift"]


@pytest.mark.parametrize(
    "cut",
    [week(10), week(12) + 3 * DAY],
    ids=lambda cut: f"{(clock.from_micros(cut) - BEGIN).days}d",  # at a turn; within a file, and before labels matured
)
def test_what_was_decided_until_a_moment_stays_when_all_after_it_is_deleted(tmp_path, whole, cut):
    found = replayed(tmp_path / "cut", before(cut), cut)
    assert found == {name: own[: len(found[name])] for name, own in whole.items()}
