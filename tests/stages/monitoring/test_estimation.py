"""Estimates before labels are there: they follow inputs that move, and their intervals hold what comes out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from keepfit.measure.metrics import measure, measure_all
from keepfit.stages.monitoring.confidence import Confidence, learn_confidence, possible_labels
from keepfit.stages.monitoring.estimation import estimated, estimates
from keepfit.stages.monitoring.losses import Losses, learn_losses, possible_values, target_of

Floats = np.ndarray


def world(random: np.random.Generator, rows: int, level: float = 0.0, spread: float = 1.0) -> tuple[Floats, Floats]:
    """Return what happened and scores that are too sure."""
    odds = random.normal(level, spread, rows)
    return (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.float64), 1 / (1 + np.exp(-1.7 * odds))


def learnt(random: np.random.Generator, rows: int = 3000) -> list[Confidence]:
    actual, score = world(random, rows)
    return learn_confidence(actual, score, np.arange(rows), np.arange(rows) * 6 // rows, np.ones(rows, bool))


def of(known: list[Confidence], score: Floats) -> Callable:
    return lambda rows, draw: possible_labels(known, score[rows], draw)


def test_intervals_hold_what_comes_out_as_often_as_they_say():
    random, metrics = np.random.default_rng(7), ["auc", "accuracy", "log_loss"]
    held = {name: 0 for name in metrics}
    for _ in range(40):
        known = learnt(random, 1000)
        actual, score = world(random, 400)
        found = estimates(metrics, of(known, score), score, 0.5, rounds=60)
        for name, one in found.items():
            held[name] += one.low <= measure(name, actual, score) <= one.high
    # 90% of 40 are 36; with the allowance for windows that differ, which these do not, more
    assert all(count >= 34 for count in held.values()), held


def test_the_estimate_follows_inputs_that_move():
    random = np.random.default_rng(3)
    known = learnt(random)
    for level, spread in ((0.0, 1.0), (1.5, 0.5), (-1.0, 2.0)):
        actual, score = world(random, 30_000, level, spread)
        found = estimates(["accuracy", "auc", "f1"], of(known, score), score, 0.5, rounds=10)
        real = {name: measure(name, actual, score) for name in found}
        assert {name: one.value for name, one in found.items()} == pytest.approx(real, abs=0.025)


def test_windows_that_differed_make_an_interval_wider():
    random = np.random.default_rng(4)
    parts = [world(random, 500, level) for level in (0.0,) * 6]
    shifted = [(((random.random(500) < 0.3) | (actual > 0)).astype(float), score) for actual, score in parts[:3]]
    score = world(random, 500)[1]

    def width(rows: list[tuple[Floats, Floats]]) -> float:
        actual, told = (np.concatenate(one) for one in zip(*rows, strict=True))
        known = learn_confidence(actual, told, np.arange(3000), np.repeat(np.arange(6), 500), np.ones(3000, bool))
        one = estimates(["accuracy"], of(known, score), score, 0.5)["accuracy"]
        return one.high - one.low

    assert width(shifted + parts[3:]) > 1.2 * width(parts)


def test_errors_that_are_larger_where_inputs_move_to_are_foreseen():
    random = np.random.default_rng(5)
    place = random.uniform(0, 1, 6000)
    error = (0.5 + 4 * place) * random.normal(0, 1, 6000)
    told = np.sqrt(0.5 + 4 * place) * 0.9  # the model of losses may be wrong by a factor
    known = learn_losses(error, told, told, np.arange(6000) // 1000)
    assert Losses.of(known.as_data()) == known
    later = random.uniform(0.8, 1, 4000)
    actual, answers = (0.5 + 4 * later) * random.normal(0, 1, 4000), np.zeros(4000)
    said = np.sqrt(0.5 + 4 * later) * 0.9
    found = estimates(
        ["mae", "rmse"], lambda rows, draw: possible_values(known, answers[rows], said[rows], draw), answers, 0.5
    )
    for name, one in found.items():
        assert one.value == pytest.approx(measure(name, actual, answers), rel=0.05)
        assert one.low <= measure(name, actual, answers) <= one.high
    assert found["mae"].value > 1.3 * np.abs(error).mean()


def test_errors_of_none_and_constant_losses_are_no_trouble():
    nothing = np.zeros(100)
    known = learn_losses(nothing, nothing, nothing, np.zeros(100, int))
    found = estimates(
        ["mae"], lambda rows, draw: possible_values(known, nothing[rows], nothing[rows], draw), nothing, 0.5
    )
    assert found["mae"].value == 0
    assert target_of(np.array([-4.0, 9.0])).tolist() == [2.0, 3.0]


def test_several_labels_are_estimated_as_well():
    random = np.random.default_rng(6)
    chances = random.dirichlet([1, 2, 3], 4000)
    actual = (random.random(4000)[:, None] > np.cumsum(chances, axis=1)[:, :-1]).sum(axis=1).astype(float)
    known = learn_confidence(actual, chances, np.arange(4000), np.arange(4000) // 1000, np.ones(4000, bool))
    assert [Confidence.of(one.as_data()).level for one in known] == [one.level for one in known]
    rare = random.dirichlet([3, 1, 1], 4000)
    later = (random.random(4000)[:, None] > np.cumsum(rare, axis=1)[:, :-1]).sum(axis=1).astype(float)
    names = ["accuracy", "f1_macro", "auc_ovr", "log_loss"]
    found = estimates(names, of(known, rare), rare, 0.5, rounds=5)
    real = measure_all("multiclass", later, rare)
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {name: real[name] for name in names}, abs=0.04
    )


def test_the_same_rows_give_the_same_interval_and_a_sentence_with_numbers():
    known = learnt(np.random.default_rng(8))
    score = world(np.random.default_rng(9), 300)[1]
    once, again = (estimates(["auc", "ece"], of(known, score), score, 0.5) for _ in range(2))
    assert once == again
    assert all(one.low <= one.value <= one.high for one in once.values())
    told = estimated("3", "auc", np.full(300, 1_750_000_000_000_000), once, {"auc": 0.8})
    assert "of 300 rows of 2025-06-15" in told.sentence
    assert "its test had 0.8" in told.sentence
