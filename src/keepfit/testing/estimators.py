"""The contract of an estimator: what every plug-in does with the same rows, whatever it learns by.

A subclass names `kind` (and `of`); pytest runs the rest. Rows are drawn with a fixed seed: two numbers, one of them with nulls, one
that says nothing, one without any value, and a category with nulls.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from keepfit.artifact import Predictor
from keepfit.errors import DefinitionError, KeepfitError
from keepfit.spec.estimators import QUANTILE, Estimator
from keepfit.stages.training.estimators import Boosted, Fitted, Matrix, Rows, Task, can_learn, find

FEATURES = ("strong", "weak", "noise", "empty", "segment")
CATEGORIES: dict[str, tuple[str, ...]] = {"segment": ("a", "b", "c", "d")}
CLOSE = 1e-5
LABELS = 3


class EstimatorContract:
    """What every estimator must do.

    Attributes
    ----------
    estimator : Estimator
        As a definition declares it, small enough for a test.
    tasks : tuple of str
        What it learns.
    monotone : bool
        Whether it holds constraints.
    weighs : bool
        Whether it takes the weights of rows.
    stops : bool
        Whether it stops early on validation rows.
    size : str
        The parameter that says how far it grew, for those that stop.
    """

    estimator: ClassVar[Estimator]
    tasks: ClassVar[tuple[str, ...]] = ("classification", "multiclass", "regression")
    monotone: ClassVar[bool] = False
    weighs: ClassVar[bool] = True
    stops: ClassVar[bool] = False
    size: ClassVar[str] = "n_estimators"

    # what the tests share

    @pytest.fixture(params=["classification", "multiclass", "regression"])
    def task(self, request: pytest.FixtureRequest) -> Task:
        """Return each task that the estimator learns."""
        if request.param not in self.tasks:
            pytest.skip(f"it does not learn a {request.param}")
        labels = LABELS if request.param == "multiclass" else 0
        own = dict(self.estimator.parameters)
        return Task(request.param, FEATURES, CATEGORIES, own, 7, self.estimator.of, labels=labels)

    def fit(self, task: Task, rows: Rows, validation: Rows | None = None) -> Fitted:
        """Return what the plug-in learns."""
        return find(self.estimator.kind)(task, rows, validation)

    def served(self, fitted: Fitted, matrix: Matrix) -> NDArray[np.float64]:
        """Return the scores that are served, after holding them against the library's own; of several labels the mean place."""
        own = fitted.predict(matrix)
        scores = Predictor(fitted.onnx(), labels=own.shape[1] if own.ndim > 1 else 0).score(matrix)
        assert scores.shape == own.shape
        assert len(own) == len(matrix)
        assert own.ndim == 1 or np.allclose(scores.sum(axis=1), 1, atol=1e-5)
        assert np.isfinite(scores).all()
        assert np.abs(scores - own).max() <= CLOSE * max(1.0, float(np.ptp(own)))
        return scores if scores.ndim == 1 else np.asarray(scores @ np.arange(scores.shape[1]))

    # the contract

    def test_onnx_says_what_the_library_says(self, task: Task) -> None:
        """On rows learnt from, later ones, ones of nothing but nulls, and labels never seen."""
        fitted = self.fit(task, rows_of(task))
        nothing = np.full((3, len(FEATURES)), np.nan, np.float32)
        for matrix in (rows_of(task).matrix, rows_of(task, seed=2).matrix, nothing):
            self.served(fitted, matrix)

    def test_it_learns(self, task: Task) -> None:
        """Later rows are predicted better than by one number."""
        later = rows_of(task, seed=2)
        scores = self.served(self.fit(task, rows_of(task)), later.matrix)
        assert np.mean((scores - later.target) ** 2) < 0.8 * np.var(later.target)

    def test_the_same_rows_make_the_same_bytes(self, task: Task) -> None:
        """Twice the same native file and the same ONNX."""
        first, second = (self.fit(task, rows_of(task)) for _ in range(2))
        assert first.native() == second.native()
        assert first.onnx() == second.onnx()

    def test_a_row_scores_alone_as_among_others(self, task: Task) -> None:
        """Batch and request agree to the bit."""
        matrix = rows_of(task, seed=2).matrix[:45]
        predictor = Predictor(self.fit(task, rows_of(task)).onnx(), labels=task.labels)
        alone = np.concatenate([predictor.score(matrix[place : place + 1]) for place in range(len(matrix))])
        assert np.array_equal(alone, predictor.score(matrix))

    def test_labels_have_no_order(self, task: Task) -> None:
        """What only one label in the middle says is learnt."""
        rows = rows_of(task)
        code = rows.matrix[:, 4]
        target = target_of(task, np.nan_to_num(code, nan=0) == 1)
        scores = self.served(self.fit(task, Rows(rows.matrix, target)), rows.matrix)
        assert scores[code == 1].mean() > scores[code == 2].mean() + 0.3
        assert scores[code == 1].mean() > scores[code == 0].mean() + 0.3

    def test_what_was_never_null_may_be(self, task: Task) -> None:
        """Nulls in a column that had none in training."""
        rows = rows_of(task)
        full = np.nan_to_num(rows.matrix, nan=1.0)
        fitted = self.fit(task, Rows(full, rows.target))
        self.served(fitted, rows.matrix)

    def test_neighbouring_numbers_stay_apart(self, task: Task) -> None:
        """Values that are neighbours in float32, as large numbers are."""
        first = np.float32(2**24)
        rows = rows_of(task)
        matrix = rows.matrix.copy()
        matrix[:, 0] = np.where(np.arange(len(matrix)) % 2, first, np.nextafter(first, np.float32(np.inf)))
        target = target_of(task, matrix[:, 0] == first)
        self.served(self.fit(task, Rows(matrix, target)), matrix)

    def test_the_largest_numbers_are_numbers(self, task: Task) -> None:
        """Infinities come as the largest float32."""
        rows = rows_of(task)
        matrix = rows.matrix.copy()
        largest = np.finfo(np.float32).max
        matrix[::9, 0], matrix[::11, 1] = largest, -largest
        self.served(self.fit(task, Rows(matrix, rows.target)), matrix)

    def test_features_that_say_nothing_give_what_is_usual(self, task: Task) -> None:
        """One value in every row: the score is the mean, or near it."""
        rows = rows_of(task)
        matrix = np.ones_like(rows.matrix)
        scores = self.served(self.fit(task, Rows(matrix, rows.target)), matrix)
        assert abs(scores.mean() - rows.target.mean()) < 0.1 * max(1.0, float(np.std(rows.target)))

    def test_weights_count(self, task: Task) -> None:
        """A row of weight 0 is not there; equal weights change nothing but the rounding."""
        if not self.weighs:
            with pytest.raises(DefinitionError, match="weights"):
                self.fit(task, rows_of(task, weights=1.0))
            return
        rows, other = rows_of(task), rows_of(task)
        wrong = other.target.max() - other.target
        both = Rows(
            np.concatenate([rows.matrix, other.matrix]),
            np.concatenate([rows.target, wrong]),
            np.concatenate([np.full(len(wrong), 1.0), np.full(len(wrong), 1e-6)]),
        )
        later = rows_of(task, seed=2)
        scores = self.served(self.fit(task, both), later.matrix)
        assert np.mean((scores - later.target) ** 2) < np.var(later.target)

    def test_a_quantile_has_its_share_of_rows_below(self, task: Task) -> None:
        """Those that learn quantiles; served as any other score."""
        if task.task != "regression" or not can_learn(self.estimator, QUANTILE):
            pytest.skip("it learns no quantiles")
        rows, later = rows_of(task), rows_of(task, seed=2)
        low, high = (
            self.served(self.fit(replace(task, task=QUANTILE, quantile=level), rows), later.matrix)
            for level in (0.1, 0.9)
        )
        assert np.mean(later.target <= low) < 0.3 < 0.7 < np.mean(later.target <= high)
        assert np.mean(low <= high) > 0.95

    def test_constraints_are_held_or_refused(self, task: Task) -> None:
        """Scores never rise with a feature that they may only fall with."""
        if task.labels:
            pytest.skip("a constraint is of one score")
        held = replace(task, monotone={"strong": -1})
        if not self.monotone:
            with pytest.raises(DefinitionError, match="monotone"):
                self.fit(held, rows_of(task))
            return
        fitted = self.fit(held, rows_of(task))
        matrix = np.repeat(rows_of(task, seed=2).matrix[:20], 30, axis=0)
        matrix[:, 0] = np.tile(np.linspace(-3, 3, 30, dtype=np.float32), 20)
        steps = np.diff(self.served(fitted, matrix).reshape(20, 30), axis=1)
        assert steps.max() <= 1e-6

    def test_it_stops_on_later_rows(self, task: Task) -> None:
        """What was found on validation rows is grown again without them."""
        if not self.stops:
            pytest.skip("it does not stop early")
        random = np.random.default_rng(1)
        rows, later = rows_of(task), rows_of(task, seed=2)
        noise = Rows(later.matrix, random.permutation(later.target))
        stopped = self.fit(task, rows, noise)
        assert 0 < stopped.parameters[self.size] < self.fit(task, rows, None).parameters[self.size]
        again = self.fit(replace(task, parameters=stopped.parameters), rows, None)
        assert again.parameters[self.size] == stopped.parameters[self.size]
        assert np.array_equal(again.predict(later.matrix), stopped.predict(later.matrix))

    def test_its_history_tells_where_it_stopped(self, task: Task) -> None:
        """A loss for each round on both parts, the rounds kept are up to the best on validation rows; none unless asked."""
        rows, later = rows_of(task), rows_of(task, seed=2)
        asked = [replace(task, history=True)]
        if task.task == "regression" and can_learn(self.estimator, QUANTILE):
            asked.append(replace(asked[0], task=QUANTILE, quantile=0.9))
        for one in asked:
            fitted = self.fit(one, rows, later)
            if not isinstance(fitted, Boosted):
                assert not self.stops
                return
            history = fitted.history
            assert history is not None
            assert len(history.train) == len(history.validation) >= history.kept
            assert history.kept == fitted.parameters[self.size]
            assert history.validation[history.kept - 1] == min(history.validation)
            assert history.train[history.kept - 1] < history.train[0]
            for silent in (self.fit(one, rows), self.fit(replace(one, history=False), rows, later)):
                assert isinstance(silent, Boosted)
                assert silent.history is None
            assert self.fit(replace(one, history=False), rows, later).onnx() == fitted.onnx()

    def test_a_parameter_that_does_not_exist_is_refused(self, task: Task) -> None:
        """With its name, where it is and what to do."""
        with pytest.raises(KeepfitError) as raised:
            self.fit(replace(task, parameters={"no_such_thing": 3}), rows_of(task))
        assert "no_such_thing" in raised.value.what
        assert raised.value.where.startswith("definitions.py, ")
        assert raised.value.fix


def rows_of(task: Task, seed: int = 1, weights: float | None = None) -> Rows:
    """Return 400 rows of `FEATURES` with a target that `strong`, `weak` and two of the labels tell."""
    random = np.random.default_rng(seed)
    count = 400
    matrix: Any = random.normal(0, 1, (count, len(FEATURES))).astype(np.float32)
    matrix[:, 3] = np.nan
    matrix[:, 4] = random.integers(0, 4, count)
    told = 2 * matrix[:, 0] + matrix[:, 1] + 1.5 * (matrix[:, 4] == 1) + random.logistic(0, 0.5, count)
    matrix[random.random(count) < 0.1, 1] = np.nan
    matrix[random.random(count) < 0.1, 4] = np.nan
    target = told.astype(np.float64)
    if task.task == "classification":
        target = (told > 0.5).astype(np.float64)
    elif task.labels:
        target = np.digitize(told, [-0.5, 1.5]).astype(np.float64)
    return Rows(matrix, target, None if weights is None else np.full(count, weights))


def target_of(task: Task, hit: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a target that is highest where something holds; of several labels, each is that of some row."""
    if not task.labels:
        return hit.astype(np.float64)
    target = hit.astype(np.float64) * (task.labels - 1)
    target[:: max(1, len(hit) // 8)] = 1.0
    return target
