"""Contributions add up to the prediction, and a feature that decides matters most."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.inspection import permutation_importance as sk_permutation
from sklearn.linear_model import LinearRegression

from keepfit import Cost, Training
from keepfit.measure.forest import forest_of
from keepfit.measure.metrics import measure
from keepfit.stages.evaluation.explain import contributions, permutation_importance
from keepfit.stages.evaluation.judged import Judged
from keepfit.stages.training.estimators import Rows, Task
from keepfit.stages.training.estimators.xgboost import fit

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.random((400, 3)).astype(np.float32)
ACTUAL = (MATRIX[:, 0] + 0.1 * RANDOM.random(400) > 0.55).astype(np.float64)


def judged(matrix: np.ndarray, actual: np.ndarray, score: np.ndarray, task: str = "classification") -> Judged:
    rows = np.arange(len(actual))
    features = {f"f{place}": matrix[:, place].astype(np.float64) for place in range(matrix.shape[1])}
    return Judged(task, rows.astype(str).astype(object), rows, features, matrix, actual, score, 0.5, rows)


def test_contributions_and_the_base_add_up_to_the_log_odds_of_the_score() -> None:
    task = Task("classification", ("a", "b", "c"), {}, {"n_estimators": 20, "min_child_weight": 1}, 1)
    model = fit(task, Rows(MATRIX, ACTUAL), None)
    found = contributions(forest_of(model), MATRIX)
    assert found is not None
    assert found.values.shape == (400, 3)
    score = model.predict(MATRIX)
    assert found.values.sum(axis=1) + found.base == pytest.approx(np.log(score / (1 - score)), abs=1e-4)
    assert int(found.importance.argmax()) == 0


def test_a_model_that_cannot_tell_has_no_contributions() -> None:
    assert contributions(forest_of(object()), MATRIX) is None


def test_a_model_without_its_own_is_explained_by_shap_where_that_is_installed() -> None:
    pytest.importorskip("shap", reason="the extra `explain` is not installed")
    found = contributions(None, MATRIX[:40], lambda matrix: 2.0 * matrix[:, 0] - matrix[:, 1], seed=1)
    assert found is not None
    assert found.values.sum(axis=1) + found.base == pytest.approx(2.0 * MATRIX[:40, 0] - MATRIX[:40, 1], abs=1e-6)
    assert found.importance[0] > found.importance[1] > found.importance[2] == pytest.approx(0.0)


def test_a_feature_that_is_not_used_has_no_importance_and_the_one_that_decides_has_most() -> None:
    mean, spread = permutation_importance(
        "auc", judged(MATRIX, ACTUAL, MATRIX[:, 0]), lambda matrix: matrix[:, 0].astype(np.float64), seed=1
    )
    assert mean[0] > 0.3
    assert list(mean[1:]) == [0.0, 0.0]
    assert list(spread[1:]) == [0.0, 0.0]


def test_importance_counts_what_mistakes_cost() -> None:
    rows = judged(MATRIX, ACTUAL, MATRIX[:, 0])

    def lost(cost: Cost) -> float:
        said = Training(cost=cost)
        return float(permutation_importance("cost", rows, lambda one: one[:, 0].astype(float), seed=1, said=said)[0][0])

    assert lost(Cost(3, 3)) == pytest.approx(3 * lost(Cost(1, 1)))


def test_permutation_importance_is_near_scikit_learns() -> None:
    target = (3 * MATRIX[:, 0] + MATRIX[:, 1]).astype(np.float64)
    linear = LinearRegression().fit(MATRIX, target)
    mean, _ = permutation_importance(
        "rmse", judged(MATRIX, target, target, "regression"), linear.predict, seed=1, repeats=20
    )
    theirs = sk_permutation(
        linear, MATRIX, target, scoring="neg_root_mean_squared_error", n_repeats=20, random_state=1
    ).importances_mean
    assert mean == pytest.approx(theirs, rel=0.05, abs=0.01)


def test_a_sample_is_the_same_for_the_same_seed_and_keeps_the_order() -> None:
    rows = judged(MATRIX, ACTUAL, MATRIX[:, 0])
    some = rows.sample(50, seed=3)
    assert len(some) == 50
    assert list(some.t) == sorted(some.t)
    assert list(some.t) == list(rows.sample(50, seed=3).t) != list(rows.sample(50, seed=4).t)
    assert measure("auc", some.actual, some.score) > 0.9
