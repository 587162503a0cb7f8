"""What a watch leaves: files that say what was seen, the same bytes each time, and numbers for the server."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from tests import weekly
from tests.weekly import week

from keepfit import artifact, loop, tables
from keepfit.cli import main
from keepfit.evidence import from_data
from keepfit.evidence.watched import Watched
from keepfit.project import Project, open_project

COLUMNS = 6
"""Three features, the answer, what happened, and what inputs mean."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a shop after two turns: the first made a champion, the second watched it."""
    folder = weekly.write(tmp_path_factory.mktemp("watching"), weekly.files(12), retrain="when.older_than('90d')")
    found = open_project(folder, None, {})
    for number in (10, 11):
        loop.run(found, None, week(number))
    return found


def contents(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.reports / "watch" / "habit").iterdir()}


def seen(project: Project) -> Watched:
    return from_data(
        Watched, json.loads(artifact.watched_of(project.serving("habit").pointer).read_bytes())
    )  # fmt: skip


def test_a_turn_leaves_what_it_saw(project: Project) -> None:
    found = contents(project)
    # the first turn had no champion to watch
    assert sorted(found) == ["drift_summary.csv", "input_stats_2025-03-24.json", "watch_2025-03-24.json"]
    told = json.loads(found["watch_2025-03-24.json"])
    assert (told["model"], told["champion"]["version"], len(told["drift"])) == ("habit", "1", COLUMNS)
    rows = list(csv.DictReader(found["drift_summary.csv"].decode().splitlines()))
    assert [row["column"] for row in rows] == [one["column"] for one in told["drift"]]
    assert float(rows[0]["psi"]) == told["drift"][0]["psi"]
    stats = json.loads(found["input_stats_2025-03-24.json"])
    both = stats["features"]["sales_count_28d"]
    count = next(one for one in told["drift"] if one["column"] == "sales_count_28d")
    assert set(both) == {"reference", "now"} and both["now"]["rows"] == count["rows"]
    assert (
        both["reference"]["quantiles"].keys() == both["now"]["quantiles"].keys() and stats["answer"]["now"]["max"] < 1
    )
    server = seen(project)
    assert (server.version, server.watched, server.columns, server.rows["predicted"]) == (
        "1",
        "1",
        COLUMNS,
        both["now"]["rows"],
    )
    assert {one.stage for one in server.metrics} >= {"evaluation", "estimated"}


def test_every_measure_of_drift_is_in_the_lake(project: Project) -> None:
    files = project.records.parquet_files(tables.METRICS.name)
    rows = project.engine.rows(files, "stage = 'drift'")
    named = {row["name"].partition(":")[0] for row in rows if row["name"].endswith(":sales_count_28d")}
    assert named == {
        "psi", "ks", "jensen_shannon", "wasserstein", "missingness", "chance", "effect", "relative_effect", "unseen", "severity",
    }  # fmt: skip
    assert len({row["evidence_id"] for row in rows}) == len(rows)
    chances = [row for row in rows if row["name"].startswith("chance:")]
    assert len(chances) == COLUMNS and all(0 < row["baseline"] < 1 for row in chances)


def say(monkeypatch, capsys, project: Project, *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["keepfit", "watch", "--project", str(project.folder), *words])
    try:
        main()
    except SystemExit as ended:
        assert ended.code in (0, None), capsys.readouterr()
    return capsys.readouterr().out


def test_the_command_says_it_again_with_a_page(project: Project, tmp_path: Path, monkeypatch, capsys) -> None:
    before, prom = contents(project), tmp_path / "habit.prom"
    words = ("--as-of", "2025-03-24", "--prometheus", str(prom))
    told = json.loads(say(monkeypatch, capsys, project, *words, "--json"))
    assert told["champion"]["version"] == "1" and told["symptoms"] == []
    first = contents(project)
    assert before.items() <= first.items(), "the same evidence makes the same bytes"
    assert {Path(path).name for path in told["files"]} | {Path(told["report"]).name} == set(first)
    assert f'keepfit_drift_columns{{model="habit"}} {COLUMNS}.0' in prom.read_text()
    history = list(csv.DictReader(first["drift_history.csv"].decode().splitlines()))
    assert {row["as_of"] for row in history} == {"2025-03-24"} and len(history) == COLUMNS
    out = say(monkeypatch, capsys, project, "--as-of", "2025-03-24", "--html", str(tmp_path / "page.html"))
    assert f"report: {tmp_path / 'page.html'}" in out
    assert (tmp_path / "page.html").read_bytes() == first["watch_2025-03-24.html"]
    assert contents(project) == first
    # the numbers of the turn itself stay the server's
    assert seen(project).rows["predicted"] > 0


def test_what_is_older_changes_nothing_that_is_newest(project: Project) -> None:
    from keepfit import watching

    before, told = contents(project), seen(project)
    watching.watch(project, project.model("habit"), week(10))
    after = contents(project)
    assert "watch_2025-03-17.json" in after
    assert (after["drift_summary.csv"], seen(project)) == (before["drift_summary.csv"], told)


def test_a_replay_leaves_no_files_and_a_blocked_turn_what_was_known(project: Project) -> None:
    again = project.replaying("test")
    before = contents(project)
    loop.turn(again, project.model("habit"), week(11), online=False)
    assert contents(project) == before and not artifact.watched_of(again.serving("habit").pointer).exists()
    known = seen(project)
    (project.data / "sales_99.csv").write_text(
        "who,at\nc1,2025-03-30T00:00:00Z\n"
    )  # a column is gone: the file is refused
    (turn,) = loop.run(project, None, week(12))
    assert turn.blocked
    now = seen(project)
    assert (now.blocked, now.as_of, now.metrics, now.drift) == (True, week(12), known.metrics, known.drift)


def test_a_watch_goes_on_beside_a_file_that_is_refused_and_says_so(project: Project, capsys, monkeypatch) -> None:
    torn = project.folder / "data" / "sales_torn.csv"
    torn.write_text("who,amount\nc01,2\n")
    monkeypatch.setattr(
        sys, "argv", ["keepfit", "watch", "--project", str(project.folder), "--as-of", "2025-03-24", "--json"]
    )
    try:
        main()
    finally:
        torn.unlink()
    told = json.loads(capsys.readouterr().out)
    assert told["champion"]["version"] == "1"
    assert [(one["kind"], one["severity"]) for one in told["symptoms"]] == [("quality", "critical")]
    assert "sales_torn.csv has no column" in told["symptoms"][0]["sentence"]
