"""Replays of a small market whose law is known: what they come to, what they share, and what they keep."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.replaying.market import market, sales, week

from keepfit import replaying
from keepfit.errors import ProjectError
from keepfit.evidence import Contest, Costs, as_data
from keepfit.project import Project, open_project

NAMES = ("never", "weekly", "declared")
START, END, COSTS = week(3), week(9), Costs(retrain=5, error=1)
Found = dict[str, Any]


def replay(project: Project, names: tuple[str, ...] = NAMES, **more: Any) -> Found:
    options = {"policies": names, "costs": COSTS, **more}
    return replaying.replay(project, project.model("habit"), START, END, "1 week", **options)


def told(found: Found, name: str) -> list[Any]:
    """Return what a policy's turns say, without how long they took."""
    return [{**as_data(turn), "seconds": None} for turn in found["policies"][name]]


def digests(project: Project) -> dict[str, Counter[str]]:
    """Return the digests of the models of every policy: of all their bytes."""
    made: dict[str, Counter[str]] = {}
    for path in sorted(project.state.glob("replays/*/*/artifacts")):
        manifests = [json.loads(one.read_text()) for one in path.rglob("artifact.json")]
        made[path.parent.name] = Counter(json.dumps([one["files"], one["lineage"]]) for one in manifests)
    return made


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A market that turns at its week 5."""
    return market(tmp_path_factory.mktemp("turned") / "market", 9, turned=5)


@pytest.fixture(scope="module")
def replayed(turned: Project) -> Found:
    found = replay(turned)
    return {**found, "json": json.loads(Path(found["report"]).with_suffix(".json").read_text())}


def test_after_a_turn_of_the_law_training_pays_and_never_is_the_dearest(replayed: Found) -> None:
    contest: Contest = replayed["contest"]
    never, _, declared = contest.outcomes
    assert contest.recommended == "declared"
    assert declared.saved.low > 0
    assert never.cost == max(one.cost for one in contest.outcomes)
    # it was seen when the labels of the first week after it were known, and not before
    assert min(declared.trainings_at[1:]) == week(6)


def test_without_a_drift_never_costs_least(tmp_path: Path) -> None:
    found = replay(market(tmp_path / "market", 8))
    contest: Contest = found["contest"]
    assert contest.recommended == "never"
    weekly = next(one for one in contest.outcomes if one.name == "weekly")
    assert weekly.saved.high < 0


def test_policies_at_once_come_to_what_they_come_to_one_after_another(
    turned: Project, replayed: Found, tmp_path: Path
) -> None:
    shutil.copytree(turned.folder, tmp_path / "market", ignore=shutil.ignore_patterns(".keepfit", "reports"))
    settings = tmp_path / "market" / "keepfit.yaml"
    settings.write_text(settings.read_text().replace("threads: 2", "threads: 1"))
    alone = open_project(tmp_path / "market", None, {})
    found = replay(alone)
    for name in NAMES:
        assert told(found, name) == told(replayed, name)
    assert as_data(found["contest"]) == as_data(replayed["contest"])
    assert digests(alone) == digests(turned)


def test_other_prices_run_no_turn_and_another_policy_runs_its_own(turned: Project, replayed: Found) -> None:
    listened: list[str] = []
    dear = replay(turned, costs=Costs(retrain=500, error=1), listen=lambda name, turn: listened.append(name))
    assert (dear["ran"], listened) == (0, [])
    assert {name: told(dear, name) for name in NAMES} == {name: told(replayed, name) for name in NAMES}
    before, now = replayed["contest"], dear["contest"]
    assert now.recommended == "never"
    assert [one.errors for one in now.outcomes] == [one.errors for one in before.outcomes]
    assert [one.cost for one in now.outcomes] == [500 * len(one.trainings_at) + one.errors for one in now.outcomes]
    more = replay(turned, (*NAMES, "on-drift"), listen=lambda name, turn: listened.append(name))
    assert set(listened) == {"on-drift"}
    assert told(more, "declared") == told(replayed, "declared")


CUT = """
import os, sys
from pathlib import Path
from keepfit import replaying
from keepfit.project import open_project
from keepfit.replaying import running

# one at a time: else others are cut off too
project, turn = open_project(Path(sys.argv[1]), None, {"KEEPFIT__ENGINE__THREADS": "1"}), running.loop.turn

def cut(own, model, as_of, **options):
    found = turn(own, model, as_of, **options)
    # after all that the turn did, and before that was noted
    return os._exit(9) if [as_of, own.outcomes.name] == [int(sys.argv[4]), "weekly"] else found

running.loop.turn = cut
found = replaying.replay(
    project, project.model("habit"), *map(int, sys.argv[2:4]), "1 week", policies=sys.argv[5:], to_newest=sys.argv[5:] == ["never"]
)
print(found["ran"])
"""


def elsewhere(project: Project, end: int, cut: int, names: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Replay in a process of its own, which dies within a turn."""
    command = [sys.executable, "-c", CUT, str(project.folder), str(START), str(end), str(cut), *names]
    return subprocess.run(command, check=False, text=True, capture_output=True)


def test_what_was_cut_off_goes_on_and_says_what_came_in_its_moments(
    turned: Project, replayed: Found, tmp_path: Path
) -> None:
    shutil.copytree(turned.folder, tmp_path / "market", ignore=shutil.ignore_patterns(".keepfit", "reports"))
    again = open_project(tmp_path / "market", None, {})
    assert elsewhere(again, END, week(6), NAMES).returncode == 9
    listened: list[str] = []
    found = replay(again, listen=lambda name, turn: listened.append(name))
    assert Counter(listened)["weekly"] == 7
    assert 0 < Counter(listened)["never"] < 7
    for name in NAMES:
        assert told(found, name) == told(replayed, name)
    assert [one.rows["appended"] > 0 for one in found["policies"]["weekly"]] == [True] * 7


def test_it_ends_at_the_newest_event_and_begins_anew_when_more_has_come(tmp_path: Path) -> None:
    project = market(tmp_path / "market", 6)
    assert elsewhere(project, week(80), 0, ("never",)).stdout.split() == ["3"]

    def run() -> Found:
        return replaying.replay(
            project, project.model("habit"), START, week(80), "1 week", policies=("never",), to_newest=True
        )

    found = run()
    assert [one.as_of for one in found["policies"]["never"]] == [week(3), week(4), week(5)]
    assert week(5) < found["newest_at"] < week(6)
    assert found["ran"] == 0
    (project.folder / "data" / "sales_late.csv").write_text(sales(4).replace("c", "d"))
    assert run()["ran"] == 3


def test_the_json_beside_the_page_holds_all_that_it_shows(replayed: Found) -> None:
    data = replayed["json"]
    assert list(data) == [
        "keepfit", "model", "metric", "every", "newest_at", "turns_at", "contest", "decisions",
    ]  # fmt: skip
    assert len(data["turns_at"]) == len(data["decisions"]["never"]) == 7
    assert data["contest"] == json.loads(json.dumps(as_data(replayed["contest"])))
    assert set(data["decisions"]) == set(NAMES)


def test_a_replay_without_turns_is_refused(turned: Project) -> None:
    with pytest.raises(ProjectError, match="no turn between"):
        replaying.replay(turned, turned.model("habit"), week(5), week(4), "1 week")
