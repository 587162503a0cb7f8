"""Rates and gaps of groups equal their counts, and are as unsure as few entities make them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from keepfit.errors import MissingExtra
from keepfit.stages.evaluation.fairness import fairness
from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.evaluation.metric_frame import metric_frame

RANDOM = np.random.default_rng(0)
N = 400
GROUP = RANDOM.choice(np.array(["f", "m"], dtype=object), N)
ACTUAL = (RANDOM.random(N) < 0.4).astype(np.float64)
SCORE = np.clip(0.5 * ACTUAL + 0.2 * (GROUP == "m") + RANDOM.normal(0.2, 0.2, N), 0, 1)


def judged(clusters: np.ndarray) -> Judged:
    rows = np.arange(N)
    matrix = np.zeros((N, 1), np.float32)
    return Judged("classification", rows.astype(object), rows, {}, matrix, ACTUAL, SCORE, 0.5, clusters)


def test_rates_and_gaps_equal_the_confusion_of_each_group() -> None:
    found = fairness(judged(np.arange(N)), {"sex": GROUP}, seed=1)["sex"]
    rates = {}
    for name in ("f", "m"):
        inside = name == GROUP
        tn, fp, fn, tp = confusion_matrix(ACTUAL[inside], SCORE[inside] >= 0.5).ravel()
        one = found["groups"][name]
        assert one["rows"] == inside.sum()
        assert one["tpr"].value == pytest.approx(tp / (tp + fn))
        assert one["fpr"].value == pytest.approx(fp / (fp + tn))
        assert one["selection_rate"].value == pytest.approx((tp + fp) / inside.sum())
        rates[name] = one["fpr"].value
    gap = found["gaps"]["fpr"]
    assert gap.value == pytest.approx(abs(rates["m"] - rates["f"]))
    assert 0 < gap.low < gap.value < gap.high


def test_the_interval_of_a_gap_is_wider_when_rows_belong_to_few_entities() -> None:
    alone = fairness(judged(np.arange(N)), {"sex": GROUP}, seed=1)["sex"]["gaps"]["selection_rate"]
    few = fairness(judged(np.argsort(np.argsort(SCORE)) // 40), {"sex": GROUP}, seed=1)["sex"]["gaps"]["selection_rate"]
    assert few.high - few.low > alone.high - alone.low


def test_a_small_group_is_shown_and_left_out_of_the_gaps() -> None:
    labels = GROUP.copy()
    labels[:5] = None
    found = fairness(judged(np.arange(N)), {"sex": labels}, seed=1)["sex"]
    assert found["groups"]["(none)"]["rows"] == 5
    assert found["gaps"]["tpr"].rows == N - 5


def test_rates_and_gaps_equal_fairlearns() -> None:
    pytest.importorskip("fairlearn", reason="the extra `fairness` is not installed")
    rows = judged(np.arange(N))
    ours, theirs = fairness(rows, {"sex": GROUP}, seed=1, rounds=5)["sex"], metric_frame(rows, GROUP)
    for rate in ("selection_rate", "tpr", "fpr", "precision", "accuracy"):
        found = {name: one[rate].value for name, one in ours["groups"].items()}
        assert found == pytest.approx(theirs.by_group[rate].to_dict())
        assert ours["gaps"][rate].value == pytest.approx(theirs.difference()[rate])
        assert ours["all"][rate] == pytest.approx(theirs.overall[rate])


def test_without_fairlearn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fairlearn", None)
    with pytest.raises(MissingExtra) as caught:
        metric_frame(judged(np.arange(N)), GROUP)
    assert caught.value.fix == "pip install 'keepfit[fairness]'"
