"""A part of the rows where the model is planted to be wrong is found, and chance is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.evaluation.slices import holm, weak_slices

RANDOM = np.random.default_rng(0)
N = 2000
AGE = RANDOM.integers(18, 80, N).astype(np.float64)
SEGMENT = RANDOM.choice(np.array(["plain", "gold", "new"], dtype=object), N)
NOISE = RANDOM.random(N)


def judged(error: Any, clusters: Any = None) -> Judged:
    features = {"age": AGE, "segment": SEGMENT, "noise": NOISE}
    rows = np.arange(N)
    matrix = np.zeros((N, 3), np.float32)
    owners = rows if clusters is None else clusters
    return Judged("regression", rows.astype(object), rows, features, matrix, np.abs(error), np.zeros(N), 0.5, owners)


def test_a_planted_conjunction_is_found_first_with_its_effect() -> None:
    weak = (SEGMENT == "gold") & (np.quantile(AGE, 0.25, method="lower") >= AGE)
    found = weak_slices(judged(RANDOM.normal(0, 1, N) + 4 * weak), ["age", "segment", "noise"])
    worst = found.found[0]
    assert set(worst.conditions) == {f"age <= {np.quantile(AGE, 0.25, method='lower'):g}", "segment is gold"}
    assert worst.rows == weak.sum()
    assert worst.effect == pytest.approx(worst.loss - worst.elsewhere)
    assert worst.effect > 2
    assert worst.p_value < 1e-6


def test_noise_has_no_weak_slices() -> None:
    found = weak_slices(judged(np.random.default_rng(7).normal(0, 1, N)), ["age", "segment", "noise"])
    assert found.tried > 40
    assert found.found == ()


def test_missing_values_are_a_slice_of_their_own() -> None:
    missing = RANDOM.random(N) < 0.1
    rows = judged(RANDOM.normal(0, 1, N) + 5 * missing)
    gone = np.where(missing, np.nan, AGE)
    found = weak_slices(Judged(**{**vars(rows), "features": {"age": gone}}), ["age"])
    assert found.found[0].conditions == ("age is null",)


def test_a_number_that_is_nearly_always_its_greatest_is_parted_below_it() -> None:
    often = np.where(RANDOM.random(N) < 0.1, RANDOM.integers(0, 9, N), 10).astype(np.float64)
    rows = judged(RANDOM.normal(0, 1, N) + 5 * (often < 10))
    found = weak_slices(Judged(**{**vars(rows), "features": {"often": often}}), ["often"])
    assert found.found[0].conditions == ("often <= 8",)


def test_rows_of_few_entities_are_less_sure_than_as_many_independent_rows() -> None:
    error = np.abs(RANDOM.normal(0, 1, N)) + 0.25 * (SEGMENT == "gold")
    alone = weak_slices(judged(error), ["segment"])
    together = weak_slices(judged(error, np.argsort(np.argsort(error)) // 100), ["segment"])
    assert alone.found and not together.found


def test_holm_steps_down_and_never_falls() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.array([0.6, 0.9])) == pytest.approx([1.0, 1.0])
