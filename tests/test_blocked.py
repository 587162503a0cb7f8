"""A turn over a table that is not as expected: it stops after the ingest, says why, and changes nothing."""

from __future__ import annotations

import json
import sys

import pytest
from tests.conftest import at

from keepfit import actions, loop
from keepfit.cli import main
from keepfit.evidence import KEEP
from keepfit.project import open_project
from keepfit.stages.ingest import ingest

DEFINITIONS = """
from keepfit import Events, Every, Expect, Files, Float, Model, Records

people = Records("people", Files("people.csv"), entity="who", expect=[Expect.volume(min=9, otherwise="warn")])
sales = Events("sales", Files("sales.csv"), entity="who", time="at", columns={"amount": Float()}, quiet="99d",
               expect=[Expect.fresh("2d")])
spend = Model("spend", observe=Every("1 day", of=people), features=[sales.count(last="7d")],
              target=sales.amount.sum(next="1d"))
"""
SALES = "who,at,amount\na,2025-01-01T00:00Z,1\nb,2025-01-02T00:00Z,2\n"
FRESH, STALE = at("2025-01-03"), at("2025-01-07")
SAID = "blocked: sales is 5.0 days old, at most 2 expected"
WARNED = "warning: the load of people has 2 rows, at least 9 expected"


@pytest.fixture
def folder(project):
    return project(DEFINITIONS, {"sales.csv": SALES, "people.csv": "who\na\nb\n"})


@pytest.fixture
def opened(folder, tracking):
    return open_project(folder, None, {"KEEPFIT__TRACKING__URI": tracking})


def test_a_stale_table_stops_the_turn_before_anything_is_predicted_watched_or_trained(opened):
    stages = []
    (turn,) = loop.run(opened, "spend", STALE, listen=stages.append)
    assert (turn.decision, turn.blocked, turn.reasons) == (KEEP, True, (SAID, WARNED))
    assert (turn.rows["predicted"], turn.rows["appended"]) == (0, 4)
    assert stages == ["ingest", "registry"]


def test_a_warning_is_told_and_stops_nothing(opened):
    stages = []
    (turn,) = loop.run(opened, "spend", FRESH, listen=stages.append)
    assert (turn.blocked, turn.reasons[-1]) == (False, WARNED)
    assert "watch" in stages


def test_a_plan_says_what_would_block_the_turn(opened):
    ingest(opened.engine, opened.lake, opened.sources, opened.definitions.tables, STALE)
    found = actions.plan(opened, opened.model("spend"), STALE)
    assert (found["decision"], found["blocked"], found["reasons"]) == (KEEP, True, [SAID, WARNED])


def test_a_table_that_was_accepted_blocks_no_turn(opened):
    accept = ("sales", "people")
    ingest(opened.engine, opened.lake, opened.sources, opened.definitions.tables, STALE, accept=accept)
    assert not loop.run(opened, "spend", STALE)[0].blocked


def test_run_ends_with_exit_code_8_when_a_turn_was_blocked(folder, tracking, capsys, monkeypatch):
    monkeypatch.setenv("KEEPFIT__TRACKING__URI", tracking)
    command = ["keepfit", "run", "--project", str(folder), "--as-of", "2025-01-07", "--json"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 8
    assert json.loads(capsys.readouterr().out)["reasons"] == [SAID, WARNED]


@pytest.mark.parametrize("command", ["train", "predict"])
def test_nothing_is_trained_or_predicted_by_hand_on_a_table_that_is_not_as_expected(
    folder, tracking, capsys, monkeypatch, command
):
    monkeypatch.setenv("KEEPFIT__TRACKING__URI", tracking)
    monkeypatch.setattr(sys, "argv", ["keepfit", command, "--project", str(folder), "--as-of", "2025-01-07", "--json"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 8
    assert SAID in json.loads(capsys.readouterr().out)["what"]


# a file that is refused

TWO = (
    DEFINITIONS
    + """
visits = Events("visits", Files("visits*.csv"), entity="who", time="at")
bare = Model("bare", observe=Every("1 day", of=people), features=[visits.count(last="7d")],
             target=visits.count(next="1d"))
"""
)
VISITS = "who,at\na,2025-01-01T00:00Z\nb,2025-01-02T00:00Z\n"
LATER = "whom,at\na,2025-01-03T12:00Z\n"
LACKS = "visits_2.csv has no column 'who', which visits declares"


@pytest.fixture
def two(project, tracking):
    raw = {"sales.csv": SALES, "people.csv": "who\na\nb\n", "visits.csv": VISITS, "visits_2.csv": LATER}
    return open_project(project(TWO, raw), None, {"KEEPFIT__TRACKING__URI": tracking})


def test_a_refused_file_blocks_the_models_that_read_its_table_and_is_told_to_the_others(two):
    turns = {turn.model: turn for turn in loop.run(two, None, at("2025-01-04"))}
    assert turns["bare"].blocked and turns["bare"].reasons[0].startswith(f"blocked: {LACKS} (")
    assert not turns["spend"].blocked
    assert any(reason.startswith(f"warning: {LACKS}") for reason in turns["spend"].reasons)
    assert [(one.kind, one.about, one.severity) for one in turns["bare"].symptoms if "visits" in one.about] == [
        ("quality", "visits: visits_2.csv", "critical")
    ]


def test_a_refused_file_of_the_future_blocks_no_turn_of_before(two):
    assert not loop.run(two, "bare", at("2025-01-03"))[0].blocked
    assert loop.run(two, "bare", at("2025-01-04"))[0].blocked


def test_a_turn_goes_on_once_the_file_is_mended(two):
    loop.run(two, "bare", at("2025-01-05"))
    (two.folder / "data" / "visits_2.csv").write_text(LATER.replace("whom", "who"))
    assert not loop.run(two, "bare", at("2025-01-05"))[0].blocked
