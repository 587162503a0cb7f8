"""Did it help? What the ledger says of a decision once the labels of what followed are known."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from tests import weekly
from tests.weekly import week

from keepfit import governing, loop, reporting, steps, tables
from keepfit.evidence import Entry, Estimate, Turn, as_data
from keepfit.lake import Lake
from keepfit.project import open_project
from keepfit.snapshot import Snapshot, take
from keepfit.spec import codec
from keepfit.spec.policy import Policy
from keepfit.stages.retraining import decide
from keepfit.steps import hindsight
from keepfit.steps.hindsight import UNKNOWN, judged_steps, told
from keepfit.steps.ledger import column_of


def entry(step: int, at: int, action: str, version: str | None, about: str | None = None) -> Entry:
    return Entry(f"habit/{step}", step, week(at), "habit", action, version, about, None, ())


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return a shop whose buyers change in week 9: version 2, which has seen a little of it, does worse than version 1."""
    folder = tmp_path_factory.mktemp("outcomes") / "shop"
    written = weekly.files(14, turned=9)
    return open_project(weekly.write(folder, written, retrain="when.older_than('20d')", probation="14d"), None, {})


@pytest.fixture(scope="module")
def turns(shop):
    return [turn for number in (8, 14) for turn in loop.run(shop, None, week(number))]


@pytest.mark.parametrize(
    ("taken", "judged"),
    [
        ([("promote", "1", "1")], []),  # the first one took nobody's place
        ([("promote", "1", "1"), ("keep", "1", None), ("promote", "2", "2")], [("2", "1", 2, 4)]),
        # until the champion moves again
        (
            [("promote", "1", "1"), ("promote", "2", "2"), ("roll back", "1", None), ("keep", "1", None)],
            [("2", "1", 1, 2), ("1", "2", 2, 4)],
        ),
        ([("promote", "1", "1"), ("reject", "1", "2")], [("1", "2", 1, 3)]),
        ([("reject", None, "1"), ("promote", "2", "2")], []),
        (
            [("promote", "1", "1"), ("train", "1", "2"), ("approve", "1", "2"), ("promote", "2", None)],
            [("2", "1", 3, 5)],
        ),
    ],
)
def test_a_step_is_judged_if_it_left_one_version_answering_and_another_one_out(shop, taken, judged):
    model = replace(shop.model("habit"), policy=Policy(shop.model("habit").policy.retrain, probation="14d"))
    found = judged_steps(model, [entry(place, place, *one) for place, one in enumerate(taken)])
    assert [(one.entry.version, one.other, one.since, one.until) for one in found] == [
        (version, other, week(since), week(until)) for version, other, since, until in judged
    ]


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (0.021, 0.004, 0.038, "helped: auc +0.021 [0.004, 0.038] against version 1 on 1,432 matured rows"),
        (-0.02, -0.04, -0.01, "did harm: auc -0.02 [-0.04, -0.01] against version 1 on 1,432 matured rows"),
        (0.01, -0.01, 0.03, "made no sure difference: auc +0.01 [-0.01, 0.03] against version 1 on 1,432 matured rows"),
    ],
)
def test_it_is_said_whether_it_helped(value, low, high, said):
    assert hindsight._sentence("auc", "1", Estimate(value, low, high, 1432)) == said


@pytest.mark.slow
def test_what_became_of_a_promotion_is_told_once_its_labels_are_known(turns):
    assert [turn.decision for turn in turns] == ["promote", "keep", "keep", "promote", "roll back", "promote", "keep"]
    assert [len(turn.outcomes) for turn in turns] == [0, 0, 0, 0, 0, 1, 1]
    first, second = turns[5].outcomes[0], turns[6].outcomes[0]
    # version 2 answered for one week; a week later its labels were known
    assert (first.action, first.version, first.other) == ("promote", "2", "1")
    assert (first.from_at, first.until_at, first.as_of) == (week(11), week(12), week(13))
    assert first.gain.high < 0
    assert first.sentence.startswith("did harm: auc -0.0513 [-0.0838, -0.0184] against version 1 on 60")
    # it is what the loop had seen when it rolled back
    assert "gain -0.0513 [-0.0838, -0.0184] on 60 matured rows" in turns[4].reasons[0]
    assert (second.action, second.version, second.other) == ("roll back", "1", "2")


@pytest.mark.slow
def test_the_ledger_is_not_changed_and_an_outcome_is_told_once(shop, turns):
    known = told(shop, "habit")
    assert known == [one for turn in turns for one in turn.outcomes]
    again = loop.run(shop, None, week(14))
    assert again[0].outcomes == turns[-1].outcomes  # the same turn sees the same
    assert told(shop, "habit") == known
    assert told(shop, "habit", week(13)) == known[:1]


@pytest.mark.slow
def test_what_was_known_of_an_outcome_at_a_moment_is_shown_where_versions_and_steps_are(shop, turns):
    model, (first,) = shop.model("habit"), turns[5].outcomes

    def shown(at):
        ledger = governing.ledger(shop, [model], at, every=False)
        version = governing.versions(shop, [model], at)["versions"][1]
        report = reporting.report(shop, model, at, "2", None)
        return [one.outcome for one in ledger["steps"]][:2], version["outcome"], report["outcome"]

    assert shown(first.as_of - 1) == (["", UNKNOWN], UNKNOWN, UNKNOWN)
    assert shown(first.as_of) == (["", first.sentence], first.sentence, first.sentence)


@pytest.mark.slow
def test_rows_whose_labels_a_version_could_learn_judge_nobody(shop, turns):
    model = shop.model("habit")
    snapshot = take(shop.engine, shop.lake, model.tables(), week(14))
    step = next(one for one in judged_steps(model, steps.entries(shop, "habit")) if one.entry.version == "2")
    wide = replace(step, since=week(8), until=week(14))  # of all its answers, those of week 11
    own, other = (steps.load(shop.registry.version("habit", number)) for number in ("2", "1"))
    assert hindsight._gain(shop, snapshot, wide, own, other)[0].rows == turns[5].outcomes[0].gain.rows
    learnt = replace(other, version=replace(other.version, trained_at=week(12)))
    assert hindsight._gain(shop, snapshot, wide, own, learnt) == (
        None, "cannot be told: no prediction from 2025-03-03 to 2025-04-14 has a label",
    )  # fmt: skip


class Past(Lake):
    """The records as they were when a turn began."""

    def __init__(self, root, at):
        super().__init__(root)
        self.at = at

    def exists(self, name):
        return self.at.get(name, 0) >= 0 and super().exists(name)

    def parquet_files(self, name, version=None):
        return super().parquet_files(name, self.at.get(name, version))


@pytest.mark.slow
def test_a_decision_is_repeated_from_what_the_ledger_names(shop, turns):
    model, ledger = shop.model("habit"), shop.engine.rows(shop.records.parquet_files("decisions"))
    rows, promoted, replaced = {row["as_of"]: row for row in ledger}, {}, {}
    for before, turn in zip([None, *turns], turns, strict=False):
        row, then = rows[turn.as_of], copy.copy(shop)
        inputs = json.loads(row["inputs"])
        assert (inputs, row["definition"]) == (turn.inputs, codec.fingerprint(codec.encode(model)))
        assert (inputs["decisions"] == -1) == (before is None)
        vars(then)["records"] = Past(shop.records.root, inputs)
        sources = {name.removeprefix("source/"): version for name, version in inputs.items() if "source/" in name}
        snapshot, scored = Snapshot(shop.engine, shop.lake, sources, turn.as_of), None
        if before is not None:
            number = before.champion.version
            version = replace(
                shop.registry.version("habit", number), promoted_at=promoted[number], previous=replaced[number]
            )
            scored = steps.answer(then, replace(steps.load(version), version=version), snapshot)
        evidence = steps.watch(then, model, snapshot, scored)
        decision = decide(evidence, model.policy)
        assert decision.action == {"promote": "retrain"}.get(turn.decision, turn.decision)
        if before is not None:
            assert decision.reasons == turn.reasons[: len(decision.reasons)]
        assert as_data([evidence.realised, evidence.estimated, evidence.drift]) == as_data(
            [turn.realised, turn.estimated, turn.drift]
        )
        if turn.decision == "promote":
            promoted[turn.champion.version], replaced[turn.champion.version] = (
                turn.as_of,
                before and before.champion.version,
            )


def test_a_ledger_of_an_earlier_keepfit_is_read_and_written_on(tmp_path):
    project = open_project(weekly.write(tmp_path / "old", {}), None, {})
    names = [name for name in tables.DECISIONS.columns if name not in ("inputs", "definition", "by", "evidence")]
    row = {"decision_id": "habit/0", "step": 0, "as_of": week(1), "reasons": "[]", "turn": "{}", "overridden": "[]"}
    columns = {name: column_of([row.get(name, "keep" if name == "action" else "habit")]) for name in names}
    kinds = {name: tables.DECISIONS.columns[name] for name in names}
    project.records.append(tables.DECISIONS.name, project.engine.relation(columns, kinds))
    before = steps.entries(project, "habit")
    turn = Turn("habit", week(2), "keep", ("as ever",), {}, inputs={"source/sales": 3}, definition="f00")
    steps.write_ledger(project, turn)
    old, new = steps.entries(project, "habit")
    assert [old] == before
    assert steps.turn_of(project, new)["inputs"] == {"source/sales": 3}
    assert steps.due(project, project.model("habit"), week(3), 9).moments == (week(3),)
