"""Contributions are the Shapley values of their definition, whatever library grew the trees."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from keepfit.measure.forest import Forest, Tree
from keepfit.stages.training.estimators import Rows, Task, find

FEATURES = 5
CODES = 70  # of the last feature, a category; more than a word of bits


def grown(random: np.random.Generator, depth: int, output: int = 0) -> Tree:
    """Return a tree that asks anything at random, some of it twice on a path; a branch may end early."""
    rows: list[list[float]] = []
    codes: dict[int, list[int]] = {}

    def grow(left: int, cover: float) -> int:
        place = len(rows)
        rows.append([-1, -1, 0, 0, 0, cover, random.normal()])
        if left and random.random() < 0.9:
            feature = int(random.integers(FEATURES))
            if feature == FEATURES - 1:
                codes[place] = random.choice(CODES, 30, replace=False).tolist()
            share = random.uniform(0.05, 0.95)
            below = grow(left - 1, cover * share), grow(left - 1, cover * (1 - share))
            rows[place] = [*below, feature, random.normal(), random.integers(2), cover, 0]
        return place

    grow(depth, 100.0)
    return Tree(*np.array(rows).T[:4], np.array(rows)[:, 4] > 0, *np.array(rows).T[5:], codes, output)  # type: ignore[arg-type]


def rows_of(random: np.random.Generator, count: int) -> np.ndarray:
    matrix = random.normal(size=(count, FEATURES)).astype(np.float32)
    matrix[:, -1] = random.integers(-1, CODES + 60, count)
    matrix[random.random(matrix.shape) < 0.15] = np.nan
    return matrix


def said(tree: Tree, row: np.ndarray, known: set[int], node: int = 0) -> float:
    """Return what a tree says of a row of which some features are known, as the definition of the game has it."""
    left, right = int(tree.left[node]), int(tree.right[node])
    if left < 0:
        return float(tree.value[node])
    feature = int(tree.feature[node])
    if feature not in known:
        share = tree.cover[left] / tree.cover[node]
        return share * said(tree, row, known, left) + (1 - share) * said(tree, row, known, right)
    x = row[feature]
    goes_left = x in tree.codes[node] if node in tree.codes else x <= tree.threshold[node]
    return said(tree, row, known, left if (tree.missing_left[node] if np.isnan(x) else goes_left) else right)


def by_definition(tree: Tree, row: np.ndarray) -> np.ndarray:
    """Return the Shapley values, over all sets of features (Shapley 1953)."""
    found = np.zeros(FEATURES)
    for feature in range(FEATURES):
        others = [one for one in range(FEATURES) if one != feature]
        for size in range(FEATURES):
            weight = factorial(size) * factorial(FEATURES - 1 - size) / factorial(FEATURES)
            for known in map(set, combinations(others, size)):
                found[feature] += weight * (said(tree, row, known | {feature}) - said(tree, row, known))
    return found


@pytest.mark.parametrize("rows", [3, 40, 3000])  # computed, some of it looked up, all of it
@pytest.mark.parametrize("seed", range(4))
def test_contributions_are_those_of_the_definition(rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    trees = [grown(random, depth, output) for depth, output in ((0, 1), (1, 0), (3, 1), (6, 0), (8, 1))]
    forest, matrix = Forest.of(trees, FEATURES, outputs=2, start=(1.0, -2.0)), rows_of(random, rows)
    found, base = forest.contributions(matrix, threads=2)
    for output in range(2):
        own = [tree for tree in trees if tree.output == output]
        assert base[output] == pytest.approx(forest.start[output] + sum(said(tree, matrix[0], set()) for tree in own))
        for row in range(min(rows, 12)):
            wanted = sum(by_definition(tree, matrix[row]) for tree in own)
            assert found[row, output] == pytest.approx(wanted, abs=1e-12)


def test_contributions_do_not_depend_on_the_threads() -> None:
    random = np.random.default_rng(1)
    forest, matrix = Forest.of([grown(random, 6) for _ in range(5)], FEATURES), rows_of(random, 2000)
    assert np.array_equal(forest.contributions(matrix, threads=1)[0], forest.contributions(matrix, threads=3)[0])


def test_a_forest_is_kept_as_bytes_that_are_the_same_again() -> None:
    random = np.random.default_rng(2)
    forest = Forest.of([grown(random, 5, output) for output in (0, 1)], FEATURES, outputs=2, start=(1.0, 2.0))
    again, matrix = Forest.from_bytes(forest.as_bytes()), rows_of(random, 30)
    assert forest.as_bytes() == again.as_bytes()
    for one, other in zip(forest.contributions(matrix), again.contributions(matrix), strict=True):
        assert np.array_equal(one, other)


def test_a_path_that_asks_too_many_features_is_refused() -> None:
    size = 63
    inner, ends = np.arange(size), np.full(size + 1, -1)
    left, right = np.r_[inner + size, ends], np.r_[inner[1:], 2 * size, ends]
    blank = np.zeros(len(left))
    tree = Tree(left, right, np.r_[inner, ends], blank, blank > 0, blank + 1, blank)
    with pytest.raises(ValueError, match="asks 63 different features, 62 can be explained"):
        Forest.of([tree], size).contributions(np.zeros((1, size), np.float32))


def learnt(kind: str, task: str, of: str = "") -> tuple[object, np.ndarray]:
    """Return a model of numbers with gaps, whole numbers and a category, and rows that hold what it never saw."""
    random = np.random.default_rng(7)
    matrix = random.normal(size=(1500, 4)).astype(np.float32)
    matrix[:, 1] = np.round(matrix[:, 1])
    matrix[:, 3] = random.integers(0, 6, len(matrix))
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    told = (
        np.nan_to_num(matrix[:, 0]) * np.nan_to_num(matrix[:, 1]) + (matrix[:, 3] == 2) + 0.3 * random.normal(size=1500)
    )
    target = {
        "regression": told,
        "classification": (told > 0.4) * 1.0,
        "multiclass": np.digitize(told, [0.0, 1.0]) * 1.0,
    }
    names = ("a", "b", "c", "d")
    labels = 3 if task == "multiclass" else 0
    many = {"max_iter" if of else "n_estimators": 30}
    wanted = Task(task, names, {"d": tuple("uvwxyz")}, many, 3, of, labels=labels)
    model = find(kind)(wanted, Rows(matrix, target[task]), None)
    later = random.normal(size=(400, 4)).astype(np.float32)
    later[:, 3] = random.integers(0, 6, 400)
    later[random.random(later.shape) < 0.3] = np.nan
    return model, later


def raw_of(model: object, matrix: np.ndarray, task: str) -> np.ndarray:
    """Return the raw values that a model's own scores tell of, shape (rows, outputs); of several labels up to a number."""
    score = np.asarray(model.predict(matrix))  # type: ignore[attr-defined]
    if task == "multiclass":
        return np.log(score) - np.log(score).mean(axis=1, keepdims=True)
    return (np.log(score / (1 - score)) if task == "classification" else score)[:, None]


@pytest.mark.parametrize("task", ["regression", "classification", "multiclass"])
@pytest.mark.parametrize(("kind", "of"), [("xgboost", ""), ("lightgbm", ""), ("sklearn", "HistGradientBoosting")])
def test_contributions_and_base_add_up_to_what_each_library_says(kind: str, of: str, task: str) -> None:
    if kind == "lightgbm":
        pytest.importorskip("lightgbm", reason="the extra `lightgbm` is not installed")
    model, matrix = learnt(kind, task, of)
    found, base = model.forest().contributions(matrix)  # type: ignore[attr-defined]
    total = found.sum(axis=2) + base
    if task == "multiclass":
        total -= total.mean(axis=1, keepdims=True)
    assert total == pytest.approx(raw_of(model, matrix, task), abs=2e-5)


def test_contributions_are_those_of_xgboost_itself() -> None:
    model, matrix = learnt("xgboost", "classification")
    found, base = model.forest().contributions(matrix)  # type: ignore[attr-defined]
    import xgboost

    data = xgboost.DMatrix(matrix, feature_types=["q", "q", "q", "c"], enable_categorical=True)
    own = model.booster.predict(data, pred_contribs=True)  # type: ignore[attr-defined]
    assert found[:, 0] == pytest.approx(own[:, :-1], abs=2e-5)
    assert base[0] == pytest.approx(own[0, -1], abs=2e-5)


def test_contributions_are_those_of_lightgbm_itself() -> None:
    pytest.importorskip("lightgbm", reason="the extra `lightgbm` is not installed")
    model, matrix = learnt("lightgbm", "regression")
    found, base = model.forest().contributions(matrix)  # type: ignore[attr-defined]
    own = model.booster.predict(matrix, pred_contrib=True)  # type: ignore[attr-defined]
    assert found[:, 0] == pytest.approx(own[:, :-1], abs=1e-9)
    assert base[0] == pytest.approx(own[0, -1], abs=1e-9)
