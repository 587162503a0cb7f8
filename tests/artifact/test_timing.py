"""How long single rows take is measured on real answers, with the machine it was measured on."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit import artifact as artifacts
from keepfit.artifact import Artifact, timing

FEATURES = {"amount": np.array([1.0, np.nan, 3.0]), "segment": np.array(["a", None, "b"], object)}


class Scored:
    """Answers with zeros, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    def score(self, matrix):
        self.asked.append(matrix)
        return np.zeros(len(matrix))


@pytest.fixture
def artifact():
    return Artifact(None, ("amount", "segment"), {"segment": ("a", "b")}, 0.5, 0.1, {}, {})  # type: ignore[arg-type]


def test_single_rows_are_answered_one_after_another(artifact):
    predictor = Scored()
    found = artifacts.latency(artifact, predictor, FEATURES)
    assert found.rows == timing.ANSWERS
    assert len(predictor.asked) == timing.WARM_UP + timing.ANSWERS
    assert {matrix.shape for matrix in predictor.asked} == {(1, 2)}
    np.testing.assert_array_equal(predictor.asked[3], predictor.asked[0])
    np.testing.assert_array_equal(predictor.asked[2], [[3.0, 1.0]])
    assert 0 < found.p50_ms <= found.p99_ms
    assert "cores" in found.machine


def test_a_slow_model_is_asked_less(artifact, monkeypatch):
    monkeypatch.setattr(timing, "LONGEST_S", 0.0)
    assert artifacts.latency(artifact, Scored(), FEATURES).rows == 1
