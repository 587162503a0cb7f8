"""The loop over the simulated shop: one replay and one production run, shared by the tests, looked at from many sides."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keepfit import actions, clock, governing, loop, replaying
from keepfit.begin import begin
from keepfit.errors import ProjectError, RegistryError, TrainingError
from keepfit.evidence import CONCEPT, KEEP, LABEL, PROMOTE, Contest, Costs, Turn, as_data
from keepfit.project import Project, open_project
from keepfit.spec.gates import Gate
from keepfit.spec.model import Model
from keepfit.stages.serving.online import OnlineFeatures
from keepfit.stages.serving.sqlite import SQLiteStore

pytestmark = pytest.mark.slow
END = clock.to_micros(datetime(2025, 10, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("projects") / "churn shop"
    begin(folder, "shop", "dev", clock.to_micros(datetime(2026, 1, 1, tzinfo=UTC)), 7)
    return open_project(folder, None, {})


@pytest.fixture(scope="module")
def model(shop: Project) -> Model:
    return shop.model("churn")


@pytest.fixture(scope="module")
def replayed(shop: Project, model: Model) -> tuple[list[Turn], Path]:
    found = replaying.replay(shop, model, clock.to_micros(datetime(2025, 3, 1, tzinfo=UTC)), END, "1 month")
    return found["turns"], Path(found["report"])


def test_the_first_turn_trains_and_promotes_with_its_baseline_beside(replayed: tuple[list[Turn], Path]) -> None:
    first = replayed[0][0]
    assert first.decision == PROMOTE
    assert first.champion is not None
    assert first.champion.version == "1"
    assert first.champion.metrics["f1"] > 0.8 > first.champion.baseline["f1"]
    assert first.champion.rows["train"] > 1000


def test_a_turn_reads_only_what_had_happened(replayed: tuple[list[Turn], Path]) -> None:
    known = [turn.rows["known"] for turn in replayed[0]]
    assert known == sorted(known)
    assert known[0] < known[-1]
    assert [turn.rows["appended"] > 0 for turn in replayed[0]] == [True] * len(known)


def test_labels_mature_one_horizon_after_their_predictions(replayed: tuple[list[Turn], Path], model: Model) -> None:
    matured = [(turn.as_of, turn.realised) for turn in replayed[0] if turn.realised]
    assert matured
    for as_of, realised in matured:
        assert realised.to_at + model.horizon <= as_of
        assert realised.metrics["f1"] > realised.baseline["f1"]


def test_the_planted_drift_is_seen_and_answered_by_a_training(replayed: tuple[list[Turn], Path]) -> None:
    drifted = [turn for turn in replayed[0] if any(item.psi > 0.5 and item.significant for item in turn.drift)]
    assert drifted
    assert drifted[0].as_of >= clock.to_micros(datetime(2025, 5, 1, tzinfo=UTC))
    assert drifted[0].challenger is not None
    assert any("drifted: psi" in reason for reason in drifted[0].reasons)


def test_labels_and_what_inputs_mean_are_watched_once_labels_mature(replayed: tuple[list[Turn], Path]) -> None:
    for turn in replayed[0]:
        late = {item.kind: item for item in turn.drift if item.kind in (LABEL, CONCEPT)}
        assert late.keys() == ({LABEL, CONCEPT} if turn.realised else set())
        bounds = {item.bound for item in turn.drift}
        assert len(bounds) <= 1  # one budget, shared evenly
        if turn.realised:
            assert {item.rows for item in late.values()} == {turn.realised.rows}
    quiet = [turn for turn in replayed[0] if turn.as_of < clock.to_micros(datetime(2025, 5, 1, tzinfo=UTC))]
    assert not any(item.significant for turn in quiet for item in turn.drift)


def test_before_the_drift_the_champion_is_kept(replayed: tuple[list[Turn], Path]) -> None:
    assert replayed[0][1].decision == KEEP


def test_the_report_stands_alone(replayed: tuple[list[Turn], Path]) -> None:
    page = replayed[1].read_text(encoding="utf-8")
    assert "<svg" in page
    assert "src=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_replay_touches_nothing_of_production(shop: Project, replayed: tuple[list[Turn], Path]) -> None:
    assert not shop.pointers.exists()
    assert not shop.records.exists("decisions")


def test_a_replay_is_reproducible_to_the_last_digit(
    shop: Project, model: Model, replayed: tuple[list[Turn], Path]
) -> None:
    start = replayed[0][0].as_of
    again = replaying.replay(shop, model, start, replayed[0][1].as_of, "1 month")["turns"]

    def measured(turns: list[Turn]) -> str:
        # of a lake that was filled by other turns, versions are numbered otherwise
        apart = dict.fromkeys(("seconds", "rows", "quarantine", "inputs"))
        return json.dumps([{**as_data(turn), **apart} for turn in turns])

    assert measured(again) == measured(replayed[0][:2])


KILLED = """
import itertools, os, sys
from pathlib import Path
from keepfit import replaying, steps
from keepfit.project import open_project

alone = {"KEEPFIT__ENGINE__THREADS": "1"}
project, calls, write = open_project(Path(sys.argv[1]), None, alone), itertools.count(1), steps.write_ledger
# the fifth turn ends after its promotion and before the ledger knows
steps.write_ledger = lambda *turn: os._exit(9) if next(calls) == 5 else write(*turn)
replaying.replay(project, project.model("churn"), *map(int, sys.argv[2:4]), "1 month", policies=sys.argv[4:])
"""


def test_policies_are_compared_on_the_same_rows_and_a_killed_replay_ends_as_any_other(
    shop: Project, model: Model
) -> None:
    start, end = (clock.to_micros(datetime(2025, month, 1, tzinfo=UTC)) for month in (4, 6))
    names, costs = ["never", "monthly", "declared"], Costs(retrain=50, error=2)
    command = [sys.executable, "-c", KILLED, str(shop.folder), str(start), str(end), *names]
    assert subprocess.run(command, check=False).returncode == 9
    turns: list[tuple[str, int]] = []

    def compared(names: list[str]) -> tuple[dict[str, list[Any]], Contest]:
        found = replaying.replay(
            shop, model, start, end, "1 month", policies=names, costs=costs,
            listen=lambda name, turn: turns.append((name, turn.as_of)),
        )  # fmt: skip
        return {name: [(one.decision, one.reasons) for one in done] for name, done in found["policies"].items()}, found[
            "contest"
        ]

    decided, contest = compared(names)
    # of the fifth turn's policy all are run again, of the others what was left
    assert Counter(name for name, _ in turns) == {"never": 1, "monthly": 3, "declared": 2}
    whole, beside = compared([*names, "on-drift"])
    assert decided == {name: whole[name] for name in names}
    assert [one.cost for one in contest.outcomes] == [one.cost for one in beside.outcomes[:3]]
    never, monthly, _ = contest.outcomes
    assert (len(never.trainings_at), len(monthly.trainings_at)) == (1, 3)
    assert {window.as_of for window in never.windows} == {window.as_of for window in monthly.windows}
    assert never.cost == 50 + 2 * never.errors
    assert monthly.saved.value == pytest.approx(never.cost - monthly.cost)
    assert contest.recommended == min(contest.outcomes, key=lambda one: one.cost).name


def test_run_reports_promotes_publishes_and_is_idempotent(shop: Project, model: Model) -> None:
    first = loop.run(shop, None, END)[0]
    assert first.decision == PROMOTE
    assert shop.serving("churn").pointer.is_file()
    second = loop.run(shop, None, END)[0]
    assert second.decision == KEEP
    assert second.champion == first.champion
    assert second.rows["appended"] == 0
    name = "predictions"
    rows = shop.engine.rows(shop.records.parquet_files(name))
    assert len(rows) == len({row["request_id"] for row in rows}) == first.rows["predicted"]
    assert actions.plan(shop, model, END)["decision"] == KEEP


def test_hands_can_train_promote_and_roll_back_and_the_ledger_tells(
    shop: Project, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.registry.champion("churn")
    assert before is not None
    later = clock.to_micros(datetime(2025, 11, 1, tzinfo=UTC))
    (sales,) = (table for table in model.events() if table.name == "sales")
    wider = replace(model, features=[*model.features, sales.amount.ewm("14d")])
    trained = actions.train(shop, wider, later)
    assert trained["conclusion"].action in ("promote", "reject")
    assert shop.registry.champion("churn") == before

    def answers(definition: Model) -> None:
        with closing(SQLiteStore(shop.serving("churn").store)) as store:
            OnlineFeatures(definition, store)  # refuses a store that lacks what it needs

    promote = shop.registry.promote
    monkeypatch.setattr(shop.registry, "promote", lambda *named: (answers(wider), answers(model), promote(*named))[2])
    moved = governing.promote(shop, wider, trained["version"], later, "ann", "a drill")
    assert moved["champion"] == trained["version"]
    back = governing.roll_back(shop, model, later, "ann", "the drill is over")
    assert back["champion"] == before.number
    answers(model)
    with pytest.raises(RegistryError, match="no predecessor"):
        governing.roll_back(shop, model, later, "ann", "once more")
    ledger = shop.engine.rows(shop.records.parquet_files("decisions"))
    assert [row["action"] for row in sorted(ledger, key=lambda row: row["step"])][-2:] == ["promote", "roll back"]


def test_dataset_is_the_training_set_as_of_a_moment(shop: Project, model: Model, tmp_path: Path) -> None:
    early = actions.dataset(shop, model, clock.to_micros(datetime(2025, 6, 1, tzinfo=UTC)), tmp_path / "early.parquet")
    late = actions.dataset(shop, model, END, tmp_path / "late.parquet")
    assert early["rows"] < late["rows"]
    assert early["to"] == "2025-05-01"
    rows = shop.engine.rows([str(tmp_path / "early.parquet")])
    kept = [row for row in shop.engine.rows([str(tmp_path / "late.parquet")]) if row["t"] <= rows[-1]["t"]]
    # what is known later changes nothing that was known earlier: the sets are equal on the rows they share
    assert kept == rows


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TrainingError("the estimator broke"), "the training failed: the estimator broke"),
        (OverflowError("beyond bounds"), "the training failed: OverflowError: beyond bounds"),
    ],
)
def test_a_failed_training_leaves_the_champion(
    shop: Project, model: Model, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    from keepfit import steps

    def broken(*_: object) -> object:
        raise error

    monkeypatch.setattr(steps, "challenge", broken)
    champion = shop.registry.champion("churn")
    later = clock.to_micros(datetime(2026, 1, 1, tzinfo=UTC))
    turn = loop.turn(shop, model, later)
    assert turn.decision == KEEP
    assert said in turn.reasons
    assert shop.registry.champion("churn") == champion


def test_a_turn_before_the_champion_was_trained_is_refused(shop: Project, model: Model) -> None:
    assert shop.registry.champion("churn") is not None
    early = clock.to_micros(datetime(2025, 6, 1, tzinfo=UTC))
    before = shop.records.version("predictions")
    with pytest.raises(ProjectError, match="was trained as of 2025-10-01, after 2025-06-01"):
        loop.run(shop, None, early)
    assert shop.records.version("predictions") == before


def test_the_same_turn_run_again_measures_nothing_twice(shop: Project) -> None:
    newest = clock.to_micros(datetime(2025, 11, 1, tzinfo=UTC))  # of the steps by hand above
    loop.run(shop, None, newest)
    loop.run(shop, None, newest)
    rows = [row["evidence_id"] for row in shop.engine.rows(shop.records.parquet_files("metrics"))]
    assert len(rows) == len(set(rows))


def test_a_champion_that_the_ledger_does_not_know_is_entered_with_its_evidence(shop: Project, model: Model) -> None:
    later = clock.to_micros(datetime(2025, 12, 1, tzinfo=UTC))
    version = actions.train(shop, model, later)["version"]
    shop.registry.promote("churn", version, later)  # as if the run was killed right after it had moved the alias
    loop.turn(shop, model, later)
    ledger = sorted(shop.engine.rows(shop.records.parquet_files("decisions")), key=lambda row: row["step"])
    entered = next(row for row in ledger if row["version"] == version)
    assert "the ledger did not know" in entered["reasons"]
    assert json.loads(entered["turn"])["evaluation"]["metrics"]["f1"] > 0.7
    measured = shop.engine.rows(
        shop.records.parquet_files("metrics"), f"stage = 'evaluation' and version = '{version}'"
    )
    assert {row["name"] for row in measured} >= {"f1", "auc"}


def test_another_target_is_another_question(shop: Project, model: Model) -> None:
    sales = next(table for table in model.events() if table.name == "sales")
    spend = replace(model, target=sales.amount.sum(next="30d"), metric="rmse", gates=[Gate.not_worse_than_champion()])
    later = clock.to_micros(datetime(2025, 12, 20, tzinfo=UTC))
    plan = actions.plan(shop, spend, later)
    assert plan["decision"] == "retrain"
    assert "the definition has changed since version" in plan["reasons"][0]
    trained = actions.train(shop, spend, later)
    assert [verdict.reason for verdict in trained["verdicts"]] == ["no champion to compare with"]
    assert trained["evaluation"].metrics["rmse"] < trained["evaluation"].baseline["rmse"]
