"""What is to be expected of a metric is the metric itself where outcomes are sure, and its mean over worlds where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.measure.between import between, windows
from keepfit.measure.calibrated import calibrated, chance
from keepfit.measure.expected import Possible, expected, foreseen
from keepfit.measure.metrics import measure, measure_all
from keepfit.spec.training import Cost, Training

COSTS = Training(cost=Cost(false_positive=1, false_negative=4))
SHARES = st.integers(0, 20).map(lambda part: part / 20)


def of(chances: np.ndarray) -> Possible:
    return Possible(np.broadcast_to([0.0, 1.0], (len(chances), 2)), np.stack([1 - chances, chances], axis=1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(SHARES, st.booleans()), min_size=1, max_size=12), SHARES)
def test_sure_outcomes_give_the_metrics_themselves(rows, threshold):
    score, actual = (np.array(values, np.float64) for values in zip(*rows, strict=True))
    found = expected(foreseen("classification", COSTS), of(actual).some, score, threshold, COSTS)
    assert found == pytest.approx(measure_all("classification", actual, score, threshold, COSTS), nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=6),
    st.sampled_from(["accuracy", "brier", "log_loss", "cost"]),
)
def test_a_mean_over_rows_is_expected_as_its_mean_over_all_worlds(rows, metric):
    score, chances = (np.array(values) for values in zip(*rows, strict=True))
    total = 0.0
    for world in np.ndindex(*(2,) * len(score)):
        actual = np.array(world, np.float64)
        likely = float(np.where(actual > 0, chances, 1 - chances).prod())
        total += likely * measure(metric, actual, score, 0.5, COSTS) if likely else 0.0
    assert expected([metric], of(chances).some, score, 0.5, COSTS)[metric] == pytest.approx(total)


def test_labels_and_values_take_the_same_way():
    scores = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.2, 0.2, 0.6]])
    sure = Possible(np.broadcast_to([0.0, 1.0, 2.0], (3, 3)), np.array([[1.0, 0, 0], [0, 0, 1], [0, 0, 1]]))
    actual = np.array([0.0, 2.0, 2.0])
    found = expected(foreseen("multiclass"), sure.some, scores)
    assert found == pytest.approx(measure_all("multiclass", actual, scores), nan_ok=True)

    value = np.array([1.0, 5.0])
    either = Possible(value[:, None] + np.array([[-1.0, 1.0], [-3.0, 3.0]]), np.full((2, 2), 0.5))
    assert expected(["mae", "rmse"], either.some, value) == pytest.approx({"mae": 2.0, "rmse": 5.0**0.5})
    assert "mape" not in foreseen("regression")


def test_many_rows_are_added_up_in_parts_to_the_same_metrics(monkeypatch):
    random = np.random.default_rng(4)
    answers = random.normal(1000, 1, 50)
    possible = Possible(answers[:, None] + random.normal(0, 2, (50, 3)), random.dirichlet([1, 1, 1], 50))
    names, asked = foreseen("regression"), []

    def ways(rows: slice) -> Possible:
        asked.append(len(answers[rows]))
        return possible.some(rows)

    whole = expected(names, possible.some, answers)
    monkeypatch.setattr("keepfit.measure.expected.PART", 7)
    assert expected(names, ways, answers) == pytest.approx(whole, rel=1e-12)
    assert max(asked) == 7
    each = measure_all("regression", possible.outcomes.ravel(), np.repeat(answers, 3))
    alike = Possible(possible.outcomes, np.full((50, 3), 1 / 3))
    assert expected(names, alike.some, answers) == pytest.approx({name: each[name] for name in names})


def test_a_map_of_scores_finds_what_they_mean_and_leaves_few_rows_as_they_are():
    random = np.random.default_rng(1)
    truth = random.beta(2, 3, 20_000)
    score, actual = truth**2, (random.random(20_000) < truth).astype(np.float64)
    found = calibrated(actual, score, np.arange(20_000))
    grid = np.linspace(0.15, 0.8, 9)
    assert chance(found.log_odds(grid**2)) == pytest.approx(grid, abs=0.03)
    # rows of one entity that say the same are told once
    rows, owner = np.repeat(np.arange(500), 5), np.arange(2500) // 5
    one, each = (calibrated(actual[rows], score[rows], codes) for codes in (owner, np.arange(2500)))
    assert one.weights == each.weights
    assert one.covariance[0][0] == pytest.approx(5 * each.covariance[0][0], rel=0.1)
    few = calibrated(np.array([0.0, 1.0]), np.array([0.2, 0.9]), np.arange(2))
    assert np.abs(few.weights).max() < 0.8


def test_windows_that_differ_no_more_than_chance_are_believed_to_be_alike():
    random = np.random.default_rng(2)
    alike = between(random.normal(0, 0.5, 40), np.full(40, 0.25), 0.01)
    apart = between(random.normal(0, 1.0, 400), np.full(400, 0.01), 0.01)
    assert alike.scale < 0.2
    assert apart.scale == pytest.approx(1.0, rel=0.1)
    assert between(np.array([0.3]), np.array([0.1]), 0.2).scale == 0.2


def test_windows_are_moments_or_stretches_of_thirty_rows_and_more():
    t = np.repeat(np.arange(10), [40, 5, 5, 40, 1, 1, 1, 1, 1, 1])
    assert np.unique(windows(t, 0), return_counts=True)[1].tolist() == [40, 56]
    assert set(windows(np.arange(5), 0)) == {0}
