"""Metrics of one of several labels equal scikit-learn's, by hand and at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from keepfit.measure.baseline import baseline, constant
from keepfit.measure.bootstrap import estimate, estimates, paired_gain
from keepfit.measure.metrics import measure, measure_all, names_of
from keepfit.measure.sums import Floats

NAMES = ["accuracy", "log_loss", "brier", "f1_macro", "balanced_accuracy", "auc_ovr"]
ACTUAL = np.array([0.0, 1.0, 2.0, 2.0])
ANSWERS = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.1, 0.7, 0.2]])
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.tuples(*[st.integers(1, 9)] * 4)), min_size=1, max_size=40,
)  # fmt: skip


def test_by_hand() -> None:
    found = measure_all("multiclass", ACTUAL, ANSWERS)
    assert list(found) == NAMES == names_of("multiclass")
    assert found["accuracy"] == 0.5  # the first and the third
    assert found["log_loss"] == pytest.approx(-math.log(0.6 * 0.4 * 0.6 * 0.2) / 4)
    assert found["brier"] == pytest.approx((0.26 + 0.62 + 0.24 + 1.14) / 4)
    # called 0 twice, 1 once, 2 once: f1 is 2/3, 0 and 2/3; recall 1, 0 and 1/2
    assert found["f1_macro"] == pytest.approx((2 / 3 + 0 + 2 / 3) / 3)
    assert found["balanced_accuracy"] == pytest.approx(0.5)
    # 0 is above all others; 1 lies above 0.3 and 0.2 and below 0.7; 2 beats both others twice
    assert found["auc_ovr"] == pytest.approx((1 + 2 / 3 + 1) / 3)


def columns(rows: list[tuple[int, tuple[int, ...]]]) -> tuple[Floats, Floats]:
    scores = np.array([row[1] for row in rows], float)
    return np.array([row[0] for row in rows], float), scores / scores.sum(axis=1, keepdims=True)


@settings(deadline=None)
@given(ROWS)
@pytest.mark.filterwarnings("ignore")
def test_they_equal_scikit_learns(rows: list[tuple[int, tuple[int, ...]]]) -> None:
    actual, answers = columns(rows)
    called = answers.argmax(axis=1)
    found = measure_all("multiclass", actual, answers)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(actual, called))
    assert found["log_loss"] == pytest.approx(sk.log_loss(actual, answers, labels=[0, 1, 2, 3]))
    assert found["brier"] == pytest.approx(((answers - np.eye(4)[actual.astype(int)]) ** 2).sum(axis=1).mean())
    assert found["f1_macro"] == pytest.approx(sk.f1_score(actual, called, average="macro", zero_division=0.0))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(actual, called))
    if len(set(actual)) == 4:
        expected = sk.roc_auc_score(actual, answers, multi_class="ovr", average="macro")
        assert found["auc_ovr"] == pytest.approx(expected)


def test_labels_that_no_row_was_are_left_out_of_the_area() -> None:
    one = np.zeros(3)
    assert math.isnan(measure("auc_ovr", one, np.full((3, 3), 1 / 3)))
    two = np.array([0.0, 1.0, 1.0])
    answers = np.array([[0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.4, 0.6, 0.0]])
    assert measure("auc_ovr", two, answers) == 1.0
    assert all(math.isnan(value) for value in measure_all("multiclass", one[:0], ANSWERS[:0]).values())


def test_a_sure_mistake_is_finite() -> None:
    sure = np.array([[1.0, 0.0, 0.0]])
    assert measure("log_loss", np.array([2.0]), sure) == pytest.approx(36.04, abs=0.01)
    assert measure("brier", np.array([2.0]), sure) == 2.0


def test_the_baseline_gives_training_rates_and_calls_the_most_frequent() -> None:
    trained = np.array([0.0, 1.0, 1.0, 2.0])
    rates = constant("multiclass", trained, labels=4)
    assert rates.tolist() == [0.25, 0.5, 0.25, 0.0]
    found = baseline("multiclass", rates, ACTUAL)
    assert found["accuracy"] == 0.25
    assert found["balanced_accuracy"] == pytest.approx(1 / 3)
    assert found["auc_ovr"] == 0.5
    assert found["log_loss"] == pytest.approx(-math.log(0.25 * 0.5 * 0.25 * 0.25) / 4)


@pytest.mark.parametrize("metric", NAMES)
def test_every_metric_has_an_interval_and_is_measured_on_drawn_rows(metric: str) -> None:
    random = np.random.default_rng(2)
    actual = random.integers(0, 3, 600).astype(float)
    answers = random.dirichlet([1, 1, 1], 600) + 0.4 * np.eye(3)[actual.astype(int)]
    answers /= answers.sum(axis=1, keepdims=True)
    found = estimate(metric, actual, answers, 0.5, clusters=np.arange(600) // 2, seed=1)
    assert found.low < found.value < found.high
    codes = np.repeat([7, 3, 9, 1, 2, 8], 100)
    drawn = np.random.default_rng(4).integers(0, 6, 6)
    rows = np.concatenate([np.flatnonzero(codes == np.unique(codes)[cluster]) for cluster in drawn])
    one_round = estimates([metric], actual, answers, 0.5, clusters=codes, seed=4, rounds=1)[metric]
    assert one_round.high == pytest.approx(measure(metric, actual[rows], answers[rows]))
    prior = np.full((600, 3), 1 / 3)
    assert paired_gain(metric, actual, answers, 0.5, prior, 0.5, clusters=np.arange(600), seed=1).low > 0
