"""A loop that was off for weeks takes the turns that it missed, and ends where one that was never off has ended."""

from __future__ import annotations

import itertools
import json
import sys
from typing import Any

import pytest
from tests import weekly
from tests.weekly import week

from keepfit import loop, steps, tables
from keepfit.artifact.pointer import read_pointer
from keepfit.cli import main
from keepfit.evidence import Entry
from keepfit.lake import Lake
from keepfit.project import Project, open_project
from keepfit.stages.alerting import Outbox

FILES = weekly.files(13, turned=10)


def opened(folder: Any) -> Project:
    return open_project(weekly.write(folder, {}, retrain="when.older_than('13d')"), None, {})


def arrive(project: Project, before: int) -> None:
    for number, (name, text) in enumerate(FILES.items()):
        if number < before:
            (project.data / name).write_text(text)


def answers(project: Project) -> list[tuple[Any, ...]]:
    rows = project.engine.rows(project.records.parquet_files(tables.PREDICTIONS.name))
    return sorted((row["request_id"], row["score"], row["positive"]) for row in rows)


def said(project: Project) -> list[Any]:
    return [(model, held.as_of, held.alerts) for model, held in steps.open_alerts(project).alerts().items()]


@pytest.fixture(scope="module")
def always(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a loop that was run every week."""
    always = opened(tmp_path_factory.mktemp("always") / "shop")
    for number in (10, 11, 12, 13):
        arrive(always, number)
        (turn,) = loop.run(always, None, week(number))
        assert turn.as_of == week(number)
    return always


@pytest.mark.slow
def test_a_loop_that_was_off_ends_as_one_that_never_was(tmp_path, always):
    off = opened(tmp_path / "off")
    arrive(off, 10)
    loop.run(off, None, week(10))
    arrive(off, 13)
    seen = []
    caught = loop.run(off, None, week(13), ended=seen.append)
    assert [turn.as_of for turn in caught] == [week(11), week(12), week(13)]
    assert seen == caught
    assert weekly.ledger(off) == weekly.ledger(always)
    assert [turn["decision"] for turn in weekly.ledger(off)] == ["promote", "keep", "promote", "roll back"]
    assert answers(off) == answers(always)
    assert said(off) == said(always)
    assert {alert.kind for _, _, alerts in said(off) for alert in alerts} >= {"decision"}
    assert [one.registry.champion("habit").number for one in (off, always)] == ["1", "1"]
    # what was caught up is not caught up again
    assert [turn.as_of for turn in loop.run(off, None, week(13))] == [week(13)]


def lasting(project: Project) -> list[Any]:
    """Return the alerts that last, and the decisions that were told."""
    every = [one for _, _, alerts in said(project) for one in alerts]
    return sorted((one.kind, one.about) for one in every if one.active or one.kind == "decision")


class Killed(BaseException):
    """As a kill: nothing that catches errors catches it."""


def dying(patch: pytest.MonkeyPatch, project: Project, event: int) -> None:
    """Have the project end before or after one of its writes: `event` counts both of each, from 1."""
    left = itertools.count(1)

    def deadly(write: Any) -> Any:
        def written(*given: Any, **named: Any) -> Any:
            if next(left) == event:
                raise Killed
            done = write(*given, **named)
            if next(left) == event:
                raise Killed
            return done

        return written

    for owner, name in (
        (Lake, "append"),
        (Lake, "replace"),
        (Lake, "commit"),
        (Outbox, "commit"),
        (project.registry, "record"),
        (project.registry, "promote"),
        (project.registry, "roll_back"),
        (project.registry.aliases, "crown"),
        (steps, "publish_online"),
    ):
        patch.setattr(owner, name, deadly(getattr(owner, name)))


@pytest.mark.slow
def test_a_catching_up_that_is_killed_again_and_again_ends_as_one_that_never_was(tmp_path, always, monkeypatch):
    off = opened(tmp_path / "killed")
    arrive(off, 10)
    loop.run(off, None, week(10))
    arrive(off, 13)
    for event in itertools.count(1, 4):
        with monkeypatch.context() as patch:
            dying(patch, off, event)
            try:
                loop.run(off, None, week(13))
            except Killed:
                assert event < 100
            else:
                break
    assert event > 20
    moves = ("promote", "roll back")

    def told(project: Project) -> list[tuple[Any, ...]]:
        """Return who moved when, by when each version was trained: one that was trained twice has another number."""
        trained = {one.number: one.trained_at for one in project.registry.versions("habit")}
        every = [one for one in steps.entries(project, "habit") if one.action in moves]
        return [(one.action, one.as_of, trained[one.version]) for one in every]

    def answered(project: Project) -> list[Any]:
        return sorted((name.split("/", 2)[2], score) for name, score, _ in answers(project))

    assert told(off) == told(always)
    assert {one.as_of for one in steps.entries(off, "habit")} == {week(number) for number in (10, 11, 12, 13)}
    assert answered(off) == answered(always)
    # a turn that was cut off after its promotion is run again by the new champion: drift of it may come, and go
    assert lasting(off) == lasting(always)
    champion = off.registry.champion("habit")
    assert champion.trained_at == week(10)
    assert (
        read_pointer(off.serving("habit").pointer).version == champion.number == steps.entries(off, "habit")[-1].version
    )
    source = off.engine.rows(off.lake.parquet_files("source/sales"), columns=["_file", "_record"])
    assert len(source) == len({tuple(row.values()) for row in source})


def due(opened: Project, monkeypatch: pytest.MonkeyPatch, taken: list[int], as_of: int, most: int = 60) -> steps.Due:
    entries = [steps_entry(moment) for moment in taken]
    monkeypatch.setattr("keepfit.steps.missing.entries", lambda *_: entries)
    return steps.due(opened, opened.model("habit"), as_of, most)


def steps_entry(moment: int) -> Any:
    return Entry("habit/0", 0, moment, "habit", "keep", "1", None, None, ())


HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("taken", "as_of", "most", "moments", "skipped"),
    [
        ([], week(9), 60, [week(9)], []),  # nothing was missed before the first turn
        ([week(3)], week(4), 60, [week(4)], []),
        ([week(3)], week(7), 60, [week(4), week(5), week(6), week(7)], []),
        ([week(3)], week(3), 60, [week(3)], []),  # the same turn again
        ([week(5)], week(3), 60, [week(3)], []),  # refused later, or not, as ever
        ([week(3) + HOUR], week(4) + HOUR, 60, [week(4) + HOUR], []),  # every week an hour late: none was missed
        ([week(3) + HOUR], week(5) + HOUR, 60, [week(4), week(5) + HOUR], []),
        ([week(2), week(6)], week(8), 60, [week(7), week(8)], []),  # in whatever order they were taken
        ([week(3)], week(8), 2, [week(6), week(7), week(8)], [week(4), week(5)]),
        ([week(3)], week(8), 0, [week(8)], []),
    ],
)
def test_missed_are_the_moments_that_no_turn_has_answered(tmp_path, monkeypatch, taken, as_of, most, moments, skipped):
    found = due(opened(tmp_path / "shop"), monkeypatch, taken, as_of, most)
    assert (list(found.moments), list(found.skipped)) == (moments, skipped)
    said = found.remarks(moments[0])
    assert bool(said) == bool(skipped)
    assert found.remarks(as_of + 1) == ()
    if skipped:
        assert said == (
            "2 missed turns of 2025-02-03 to 2025-02-10 not caught up: a run takes the newest 2 (--catch-up)",
        )


def test_of_a_model_that_observes_each_row_windows_are_missed(tmp_path, monkeypatch):
    project = opened(tmp_path / "shop")
    text = (project.folder / "definitions.py").read_text()
    text = text.replace('Every("1 week", of=sales)', "EachRow(of=sales)").replace("Every,", "EachRow, Watch,")
    text = text.replace("gates=[", 'watch=Watch(every="1 day"), gates=[')
    (project.folder / "definitions.py").write_text(text)
    each = open_project(project.folder, None, {})
    day = 24 * HOUR
    found = due(each, monkeypatch, [week(3) + HOUR], week(3) + 3 * day + HOUR)
    assert found.moments == (week(3) + day, week(3) + 2 * day, week(3) + 3 * day + HOUR)


def test_the_command_says_every_turn(tmp_path, tracking, capsys, monkeypatch):
    project = opened(tmp_path / "shop")
    arrive(project, 3)  # too little to train on
    monkeypatch.setenv("KEEPFIT__TRACKING__URI", tracking)

    def keepfit(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["keepfit", "run", *words, "--project", str(project.folder)])
        with pytest.raises(SystemExit) as stop:
            main()
            raise SystemExit(0)
        return stop.value.code, *capsys.readouterr()

    assert keepfit("--as-of", "2025-01-20")[0] == 0
    code, out, err = keepfit("--as-of", "2025-02-10")
    assert code == 0
    assert "caught up: habit 2025-01-27  keep      no champion yet" in err
    assert "habit 2025-02-03  keep" in out and "habit as of 2025-02-10: keep" in out
    code, out, _ = keepfit("--as-of", "2025-03-10", "--catch-up", "1", "--json")
    turns = json.loads(out)["turns"]
    assert [turn["as_of"] for turn in turns] == ["2025-03-03T00:00:00Z", "2025-03-10T00:00:00Z"]
    assert any("2 missed turns of 2025-02-17 to 2025-02-24 not caught up" in reason for reason in turns[0]["reasons"])
    code, out, _ = keepfit("--as-of", "2025-03-31", "--catch-up", "1")
    assert code == 0 and "1 missed turn of 2025-03-17 not caught up" in out
    code, out, _ = keepfit("--as-of", "2025-04-07", "--catch-up", "none", "--json")
    assert json.loads(out)["decision"] == "keep"
    assert keepfit("--catch-up", "many")[0] == 2


@pytest.mark.slow
def test_a_training_that_fails_changes_nothing_and_is_told(always, monkeypatch):
    def broken(*_: object) -> object:
        raise OverflowError("beyond bounds")

    before, versions = always.registry.aliases.of("habit"), always.registry.versions("habit")
    monkeypatch.setattr(steps, "challenge", broken)
    (turn,) = loop.run(always, None, week(14))
    assert (turn.decision, turn.reasons[-1]) == ("keep", "the training failed: OverflowError: beyond bounds")
    assert always.registry.aliases.of("habit") == before
    assert always.registry.versions("habit") == versions
    told = {one.kind: one for _, _, alerts in said(always) for one in alerts if one.active}
    assert (told["training"].severity, told["training"].sentence) == ("warning", turn.reasons[-1])
