"""Alerts over the whole loop: a turn that is blocked is told, once, and so is that it has passed."""

from __future__ import annotations

import json
import sys

import pytest
from tests.conftest import at
from tests.stages.alerting.world import taking
from tests.test_blocked import DEFINITIONS, SALES

from keepfit import alerting, loop, steps
from keepfit.cli import main
from keepfit.errors import RegistryError
from keepfit.evidence.alerts import RESOLVED
from keepfit.project import open_project
from keepfit.stages.ingest import ingest

STALE, LATER, LAST = at("2025-01-07"), at("2025-01-08"), at("2025-01-09")
SETTINGS = "alerts: {channels: [{kind: webhook, url_from: HOOK}], cooldown: 36h}\nprofiles:\n  dev: {}\n"


@pytest.fixture
def folder(project):
    return project(DEFINITIONS, {"sales.csv": SALES, "people.csv": "who\na\nb\n"}, SETTINGS)


def opened(folder, tracking, hook=""):
    return open_project(folder, None, {"KEEPFIT__TRACKING__URI": tracking, "HOOK": hook})


def said(taker):
    """Return (kind, status, about) of all that came."""
    every = [json.loads(body) for body in taker.bodies]
    return [(one["kind"], notice["status"], notice["about"]) for one in every for notice in one["notices"]]


def test_a_blocked_turn_is_told_once_and_so_is_its_end(folder, tracking):
    with taking() as taker:
        project = opened(folder, tracking, taker.url)
        for _ in range(2):
            loop.run(project, "spend", STALE)
            alerting.send(project, STALE)
        first = [("stale", "new", "sales: timeliness at most 2"), ("quality", "new", "people: volume at least 9")]
        assert said(taker) == first
        loop.run(project, "spend", LATER)  # within the cooldown
        accept = ("sales", "people")
        ingest(project.engine, project.lake, project.sources, project.definitions.tables, LAST, accept=accept)
        loop.run(project, "spend", LAST)
        alerting.send(project, LAST)
    assert [(kind, status) for kind, status, _ in said(taker)[2:]] == [("stale", RESOLVED), ("quality", RESOLVED)]


def test_a_loop_that_is_killed_before_it_tells_is_caught_up(folder, tracking, monkeypatch):
    project = opened(folder, tracking)
    loop.run(project, "spend", STALE)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "alert", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            loop.run(project, "spend", at("2025-01-09"))  # after the cooldown: told again
    loop.run(project, "spend", at("2025-01-10"))
    statuses = [notice.status for one in steps.open_alerts(project).waiting() for notice in one.message.notices]
    assert statuses == ["new", "new", "again", "again"]


def test_a_replay_tells_nobody(folder, tracking):
    project = opened(folder, tracking).replaying("once")
    turn = loop.turn(project, project.model("spend"), STALE)
    steps.alert(project, project.model("spend"))
    assert turn.symptoms and not steps.open_alerts(project).path.exists()


def test_the_commands_list_send_and_try(folder, tracking, capsys, monkeypatch):
    def keepfit(*words):
        monkeypatch.setattr(sys, "argv", ["keepfit", *words, "--project", str(folder)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    monkeypatch.setenv("KEEPFIT__TRACKING__URI", tracking)
    code, out, err = keepfit("run", "--as-of", "2025-01-07", "--json")
    assert code == 8 and json.loads(out)["blocked"]
    assert "alerts: webhook: the environment has no HOOK; 2 wait" in err
    code, out, _ = keepfit("alerts", "list")
    assert code == 0
    assert "sales is 5.0 days old, at most 2 expected" in out
    assert "waits for webhook: critical: spend: data are older than expected (2025-01-07), tried 1 times" in out
    assert keepfit("alerts", "test")[0] == 1
    with taking() as taker:
        monkeypatch.setenv("HOOK", taker.url)
        code, out, _ = keepfit("alerts", "test", "--json")
        assert (code, json.loads(out)["channels"][0]["sent"]) == (0, 1)
        code, out, _ = keepfit("alerts", "send", "--json")
        assert (code, json.loads(out)["channels"]) == (
            0,
            [{"channel": "webhook", "sent": 2, "waiting": 0, "problem": ""}],
        )
        assert [kind for kind, *_ in said(taker)] == ["test", "stale", "quality"]
    code, _, err = keepfit("alerts", "test", "pager")
    assert code == 2 and "there is no channel 'pager'" in err


def test_a_run_that_raises_is_told_delivered_and_resolved_by_the_next_good_one(folder, tracking, capsys, monkeypatch):
    def run(day):
        monkeypatch.setattr(sys, "argv", ["keepfit", "run", "--as-of", day, "--project", str(folder)])
        try:
            main()
        except SystemExit as stop:
            return stop.code
        return 0

    monkeypatch.setenv("KEEPFIT__TRACKING__URI", tracking)

    def broken(*_):
        raise RegistryError("it is gone", where="here", fix="put it back")

    with taking() as taker:
        monkeypatch.setenv("HOOK", taker.url)
        assert run("2025-01-03") == 0
        assert said(taker) == [("quality", "new", "people: volume at least 9")]
        with monkeypatch.context() as patch:
            patch.setattr(steps, "champion_at", broken)
            assert run("2025-01-04") == RegistryError.exit_code
            assert "it is gone" in capsys.readouterr().err
            assert said(taker)[1:] == [("turn", "new", "turn")]
            assert json.loads(taker.bodies[-1])["notices"][0]["severity"] == "critical"
            assert run("2025-01-04") == RegistryError.exit_code  # the same turn again says nothing twice
        assert run("2025-01-04") == 0
        assert said(taker)[2:] == [("turn", RESOLVED, "turn")]


def test_a_turn_that_fails_before_the_first_is_told_and_the_first_resolves_it(folder, tracking, monkeypatch):
    project = opened(folder, tracking)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "champion_at", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            loop.run(project, "spend", at("2025-01-03"))
    loop.run(project, "spend", at("2025-01-03"))
    every = [
        (one.message.kind, notice.status)
        for one in steps.open_alerts(project).waiting()
        for notice in one.message.notices
    ]
    assert every == [("turn", "new"), ("turn", RESOLVED), ("quality", "new")]


def test_what_cannot_be_written_down_is_sent_at_once(folder, tracking, monkeypatch):
    def full(*_, **__):
        raise OSError("No space left on device")

    with taking() as taker:
        project = opened(folder, tracking, taker.url)
        monkeypatch.setattr("keepfit.stages.alerting.outbox.Outbox.commit", full)
        monkeypatch.setattr(loop, "ingest", full)
        with pytest.raises(OSError, match="No space"):
            loop.run(project, "spend", STALE)
        assert said(taker) == [("turn", "new", "ingest")]
