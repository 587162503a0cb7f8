"""Versions of the simulated shop as people decide on them: gates, approval, rejection, archive, and the ledger of it all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import at

from keepfit import actions, artifact, clock, governing, loop, replaying
from keepfit.begin import begin
from keepfit.cli import main
from keepfit.errors import RegistryError
from keepfit.evidence import AWAIT, KEEP, PROMOTE
from keepfit.project import Project, open_project
from keepfit.spec.gates import Gate
from keepfit.spec.model import Model
from keepfit.stages.serving import requested
from keepfit.steps.ledger import entries, require_no_later_move

pytestmark = pytest.mark.slow
WAYS = ("native", "single", "float16", "request", "events")
OCTOBER, LATER, NOVEMBER, DECEMBER = (at(f"2025-{day}") for day in ("10-01", "10-02", "11-01", "12-01"))
GATES = """gates=[
        Gate("f1", threshold=0.70), Gate.not_worse_than_champion(0.2), Gate.max_fairness_gap("segment", gap=0.5),
        Gate.calibrated(0.2), Gate.latency(p99_ms=2000), Gate.size(megabytes=50), Gate.documents(), Gate.approval(),
    ],"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the shop after the first turn of a model that a person must approve."""
    folder = tmp_path_factory.mktemp("projects") / "governed"
    begin(folder, "shop", "dev", at("2026-01-01"), 7)
    text = (folder / "definitions.py").read_text()
    (before,) = (line for line in text.splitlines() if line.strip().startswith("gates="))
    short = text.replace(before, f"    {GATES}").replace("XGBoost()", "XGBoost(n_estimators=60)")
    (folder / "definitions.py").write_text(short)
    project = open_project(folder, None, {})
    first = loop.run(project, None, OCTOBER)[0]
    assert (first.decision, first.champion) == (AWAIT, None)
    assert first.reasons[-1] == "waits for approval: 0 of 1 approvals"
    return project


@pytest.fixture(scope="module")
def model(shop: Project) -> Model:
    return shop.model("churn")


Say = Callable[..., tuple[int, Any]]


@pytest.fixture
def say(shop: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return a function that runs a command as a user does, and returns its exit code and what it printed."""

    def run(*words: str) -> tuple[int, Any]:
        monkeypatch.setattr(sys, "argv", ["keepfit", *words, "--project", str(shop.folder)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        shown = capsys.readouterr()
        return code, json.loads(shown.out) if "--json" in words else shown.out + shown.err

    return run


def stages(project: Project) -> dict[str, str | None]:
    """Return version -> the older word that MLflow shows of it."""
    found = project.registry.client.search_model_versions("name = 'churn'")
    return {str(one.version): one.tags.get("stage") for one in found}


def refused(call: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(RegistryError) as error:
        call(*arguments)
    assert error.value.fix
    return f"{error.value.what} / {error.value.fix}"


def test_a_version_is_governed_from_its_training_to_the_archive(
    shop: Project, model: Model, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_for_approval(shop, model, say)
    is_promoted_when_it_is_approved(shop, model, say)
    the_ledger_tells_what_was_live(shop, model, say)
    a_second_version_is_rejected_and_taken_back(shop, model, say)
    a_second_version_challenges_the_first(shop, say)
    an_override_is_recorded(shop, model, say)
    an_archived_version_does_not_come_back(shop, model, say)
    parity_is_certified(shop, model, say)
    a_skew_is_a_failed_command(say, monkeypatch)


def waits_for_approval(shop: Project, model: Model, say: Say) -> None:
    assert shop.registry.aliases.of("churn") == {"challenger": "1"}
    assert stages(shop) == {"1": "staging"}
    again = loop.run(shop, None, LATER)[-1]
    assert (again.decision, again.reasons) == (KEEP, ("no champion yet", "version 1 awaits approval"))
    assert "keepfit approve churn 1" in refused(governing.promote, shop, model, "1", LATER, "bo", None)
    code, found = say("gates", "churn", "1", "--as-of", "2025-10-02", "--json")
    assert (code, found["passed"]) == (6, False)
    told = {one["gate"]: one for one in found["gates"]}
    assert [name for name, one in told.items() if not one["passed"]] == ["approval"]
    report = json.loads((shop.registry.version("churn", "1").folder / "report.json").read_text())
    assert told["f1"]["evidence"] == "churn/1/test.f1"
    assert told["f1"]["value"] == report["numbers"]["test.f1"]["value"]
    assert told["fairness_gap_segment"]["evidence"].removeprefix("churn/1/") in report["numbers"]
    assert 0 < told["latency"]["value"] < 2000
    assert "cores" in told["latency"]["reason"]
    assert told["documents"]["value"] == 4
    assert 0.1 < told["size"]["value"] < 50


def is_promoted_when_it_is_approved(shop: Project, model: Model, say: Say) -> None:
    code, error = say("approve", "churn", "1", "--by", " ", "--reason", "x", "--json")
    assert (code, "say something" in error["what"]) == (2, True)
    code, found = say(
        "approve", "churn", "1", "--by", "Ann", "--reason", "seen by risk", "--as-of", "2025-10-03", "--json"
    )
    assert (code, found["promoted"], found["champion"], found["by"]) == (0, True, "1", "Ann")
    assert shop.registry.aliases.of("churn") == {"champion": "1"}
    assert stages(shop) == {"1": "production"}
    assert shop.serving("churn").pointer.is_file()
    assert say("gates", "churn", "1", "--as-of", "2025-10-03")[0] == 0
    # nothing that came later counts
    assert say("gates", "churn", "1", "--as-of", "2025-10-02")[0] == 6


def the_ledger_tells_what_was_live(shop: Project, model: Model, say: Say) -> None:
    _, before = say("ledger", "churn", "--as-of", "2025-10-02", "--json")
    assert before["live"] == [{"model": "churn", "version": None}]
    assert [one["action"] for one in before["steps"]] == [AWAIT]
    _, found = say("ledger", "--as-of", "2025-10-20", "--json")
    (live,) = found["live"]
    assert (live["version"], live["since_at"], live["by"]) == ("1", "2025-10-03T00:00:00Z", "Ann")
    assert live["evidence"] == shop.registry.version("churn", "1").evidence
    assert [(one["by"], one["why"]) for one in live["approvals"]] == [("Ann", "seen by risk")]
    assert [one["passed"] for one in live["gates"]] == [True] * 8
    assert [(one["action"], one["by"], one["as_of"]) for one in found["steps"]] == [
        (AWAIT, None, "2025-10-01T00:00:00Z"),
        ("approve", "Ann", "2025-10-03T00:00:00Z"),
        ("promote", "Ann", "2025-10-03T00:00:00Z"),
    ]
    every = say("ledger", "--all", "--as-of", "2025-10-20", "--json")[1]["steps"]
    assert KEEP in [one["action"] for one in every]
    _, text = say("ledger", "churn", "--as-of", "2025-10-20")
    assert "version 1 was live" in text
    assert "approved:  2025-10-03 by Ann: seen by risk" in text
    early = refused(governing.archive, shop, model, "1", OCTOBER, "bo", "too late")
    assert "the ledger of churn goes on until 2025-10-03" in early


def a_second_version_is_rejected_and_taken_back(shop: Project, model: Model, say: Say) -> None:
    made = actions.train(shop, model, NOVEMBER)
    assert (made["version"], made["conclusion"].action) == ("2", AWAIT)
    assert stages(shop) == {"1": "production", "2": "staging"}
    newest = say("ledger", "churn", "--as-of", "2025-11-01", "--json")[1]["steps"][-1]
    assert (newest["action"], newest["about"], newest["version"]) == (AWAIT, "2", "1")
    assert newest["reasons"] == ["waits for approval: 0 of 1 approvals"]
    code, found = say(
        "reject", "churn", "2", "--by", "Bo", "--reason", "leans on age", "--as-of", "2025-11-01", "--json"
    )
    assert (code, found["decision"], found["champion"]) == (0, "reject", "1")
    assert shop.registry.aliases.of("churn") == {"champion": "1"}
    assert stages(shop) == {"1": "production", "2": "archived"}
    said = refused(governing.promote, shop, model, "2", NOVEMBER, "ann", "all the same")
    assert "version 2 of churn is rejected" in said
    assert "keepfit approve churn 2" in said
    assert "is rejected already" in refused(governing.reject, shop, model, "2", NOVEMBER, "bo", "again")
    code, text = say("approve", "churn", "2", "--by", " Ann ", "--reason", "age is fine", "--as-of", "2025-11-02")
    assert (code, "keepfit promote churn 2" in text) == (0, True)
    assert shop.registry.champion("churn").number == "1"  # type: ignore[union-attr]


def a_second_version_challenges_the_first(shop: Project, say: Say) -> None:
    words = ("--by", "Dee", "--reason", "under Monday's load", "--as-of", "2025-11-02")
    code, error = say("challenge", "churn", "1", *words, "--json")
    assert (code, "champion" in error["what"]) == (6, True)
    code, found = say("challenge", "churn", "2", *words, "--json")
    assert (code, found["decision"], found["by"], found["champion"]) == (0, "challenge", "Dee", "1")
    assert shop.registry.aliases.of("churn") == {"champion": "1", "challenger": "2"}
    files = artifact.challenger_of(shop.serving("churn").pointer)
    assert artifact.read_pointer(files).version == "2"  # type: ignore[union-attr]
    newest = say("ledger", "churn", "--as-of", "2025-11-02", "--json")[1]["steps"][-1]
    assert (newest["action"], newest["about"], newest["version"]) == ("challenge", "2", "1")


def an_override_is_recorded(shop: Project, model: Model, say: Say) -> None:
    strict = shop.folder / "definitions.py"
    text = strict.read_text()
    strict.write_text(text.replace("threshold=0.70", "threshold=0.99"))
    try:
        code, error = say("promote", "churn", "2", "--as-of", "2025-11-03", "--json")
        assert (code, "failed its gates: f1" in error["what"]) == (6, True)
        words = ("--by", "Cy", "--override", "the fair is on", "--as-of", "2025-11-03", "--json")
        code, found = say("promote", "churn", "2", *words)
    finally:
        strict.write_text(text)
    assert (code, found["champion"], found["before"]) == (0, "2", "1")
    (live,) = say("ledger", "churn", "--as-of", "2025-11-04", "--json")[1]["live"]
    assert (live["version"], live["by"], live["overridden"]) == ("2", "Cy", ["f1"])
    assert live["reasons"][0].endswith(": the fair is on")
    assert say("ledger", "churn", "--as-of", "2025-11-02", "--json")[1]["live"][0]["version"] == "1"
    code, found = say("models", "churn", "--as-of", "2025-11-04", "--json")
    one, two = found["versions"]
    assert (one["alias"], two["alias"], two["approved_by"]) == (None, "champion", ["Ann"])
    assert not artifact.challenger_of(shop.serving("churn").pointer).is_file()
    assert one["gates_failed"] == ["not_worse_than_champion"]  # version 1 was compared with no champion
    assert two["lineage"]["tables"] == artifact.read(shop.registry.version("churn", "2").folder).lineage["tables"]
    assert two["low"] <= two["value"] <= two["high"]
    assert two["age_days"] == 3.0
    then = say("models", "churn", "--as-of", "2025-10-20", "--json")[1]["versions"]
    assert [(one["version"], one["alias"]) for one in then] == [("1", "champion")]


def an_archived_version_does_not_come_back(shop: Project, model: Model, say: Say) -> None:
    assert "cannot be archived" in refused(governing.archive, shop, model, "2", DECEMBER, "bo", "old")
    assert say("archive", "churn", "1", "--by", "Bo", "--as-of", "2025-12-01")[0] == 0
    for call, *arguments in (
        (governing.promote, "1", DECEMBER, "ann", "all the same"),
        (governing.approve, "1", DECEMBER, "ann", "all the same"),
    ):
        assert "version 1 of churn is archived" in refused(call, shop, model, *arguments)
    assert "version 1 of churn is archived" in refused(governing.roll_back, shop, model, DECEMBER, "ann", "bad scores")
    assert shop.registry.champion("churn").number == "2"  # type: ignore[union-attr]
    assert stages(shop) == {"1": "archived", "2": "production"}
    _, text = say("models", "churn", "--as-of", "2025-12-01")
    assert "archived" in text
    rows = shop.engine.rows(shop.records.parquet_files("decisions"), "true order by step")
    assert [(row["action"], row["by"]) for row in rows if row["by"]] == [
        ("approve", "Ann"),
        ("promote", "Ann"),
        ("reject", "Bo"),
        ("approve", "Ann"),
        ("challenge", "Dee"),
        ("promote", "Cy"),
        ("archive", "Bo"),
    ]


def parity_is_certified(shop: Project, model: Model, say: Say) -> None:
    asked = replace(model, gates=[Gate.parity(1e-5)])
    (held,) = governing.gates(shop, asked, "2", DECEMBER)["gates"]
    assert (held["passed"], held["evidence"]) == (True, "churn/2/parity.native")
    assert 0 < held["value"] < 1e-5
    # float16 differs by design, and counts only where it is named
    by_name = replace(model, gates=[Gate.parity(1e-5, routes=["float16"]), Gate.parity(0.5, ["float16"], flips=0.05)])
    strict, loose = governing.gates(shop, by_name, "2", DECEMBER)["gates"]
    assert (strict["passed"], loose["passed"], strict["gate"]) == (False, True, "parity_float16")
    assert strict["evidence"] == "churn/2/parity.float16"
    # measured when it was trained; without it, the gate does not pass, until it is measured again
    version = shop.registry.version("churn", "2")
    run = shop.registry.client.get_model_version("churn", "2").run_id
    certificate = version.folder / "parity.json"
    told = json.loads(certificate.read_text())
    rows = {name: one["rows"] for name, one in told["routes"].items()}
    assert tuple(rows) == WAYS
    assert {rows["native"], rows["single"], rows["float16"], rows["request"] + rows["events"]} == {1000}
    assert shop.registry.client.get_run(run).data.metrics["parity/request_concerned"] == 0
    certificate.unlink()
    (without,) = governing.gates(shop, asked, "2", DECEMBER)["gates"]
    assert (without["passed"], without["value"], without["evidence"]) == (False, None, "")
    code, found = say("parity", "churn", "2", "--as-of", "2025-12-01", "--json")
    assert (code, found["verdicts"][0]["passed"], tuple(found["routes"])) == (0, True, WAYS[1:])
    assert found["to_at"] == "2025-12-01T00:00:00Z" > told["to_at"]
    assert json.loads(certificate.read_text())["routes"] == found["routes"]
    assert "passed" in say("parity", "churn", "2", "--as-of", "2025-12-01")[1]
    report = say("report", "churn", "--version", "2", "--as-of", "2025-12-01")[1]
    assert "parity on 1,000 rows" in report


def a_skew_is_a_failed_command(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requested, "_moment", lambda at, now: now - 40 * clock.DAY)
    code, text = say("parity", "churn", "2", "--as-of", "2025-12-01")
    assert code == 6
    assert "FAILED" in text
    assert "in a batch" in text
    assert "sales_time_since_last" in text


def test_nothing_is_asked_of_people_in_a_replay(shop: Project, model: Model) -> None:
    (turn,) = replaying.replay(shop, model, OCTOBER, OCTOBER, "1 month")["turns"]
    assert (turn.decision, len(turn.verdicts)) == ("promote", 4)


def test_a_version_is_not_known_before_it_was_trained(shop: Project, model: Model) -> None:
    assert "was trained as of 2025-10-01" in refused(governing.gates, shop, model, "1", at("2025-09-01"))


def test_no_turn_comes_before_a_promotion_that_was_made_already(shop: Project) -> None:
    newest = max(one.as_of for one in entries(shop, "churn") if one.action == PROMOTE)
    require_no_later_move(shop, "churn", newest)
    with pytest.raises(RegistryError, match="the ledger of churn goes on until") as raised:
        require_no_later_move(shop, "churn", newest - 1)
    assert raised.value.where.startswith("--as-of 2025-")


def test_measuring_latency_changes_no_digest(shop: Project) -> None:
    folder: Path = shop.registry.version("churn", "1").folder
    manifest = json.loads((folder / "artifact.json").read_text())
    assert "latency.json" not in manifest["files"]
    assert json.loads((folder / "latency.json").read_text())["rows"] == 1000
