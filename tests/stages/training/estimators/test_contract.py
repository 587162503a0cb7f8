"""Every estimator that keepfit brings passes the contract."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit import HistGradientBoosting, LightGBM, Linear, Logistic, RandomForest, Sklearn, XGBoost
from keepfit.stages.training.estimators import Rows
from keepfit.testing import EstimatorContract
from keepfit.testing.estimators import rows_of


class TestXGBoost(EstimatorContract):
    estimator = XGBoost(n_estimators=60, early_stopping_rounds=5, learning_rate=0.2)
    monotone = stops = True


class TestLightGBM(EstimatorContract):
    estimator = LightGBM(n_estimators=60, early_stopping_rounds=5, learning_rate=0.2)
    monotone = stops = True


class TestHistGradientBoosting(EstimatorContract):
    estimator = HistGradientBoosting(max_iter=60, n_iter_no_change=5, learning_rate=0.2)
    monotone = stops = True
    size = "max_iter"


class TestLogistic(EstimatorContract):
    estimator = Logistic()
    tasks = ("classification", "multiclass")


class TestLinear(EstimatorContract):
    estimator = Linear()
    tasks = ("regression",)


class TestRandomForest(EstimatorContract):
    estimator = RandomForest(n_estimators=30)


class TestAnyClass(EstimatorContract):
    estimator = Sklearn("sklearn.ensemble:GradientBoostingRegressor", n_estimators=30)
    tasks = ("regression",)


class TestClassWithoutWeights(EstimatorContract):
    estimator = Sklearn("sklearn.cross_decomposition:PLSRegression", n_components=1)
    tasks = ("regression",)
    weighs = False

    def test_features_that_say_nothing_give_what_is_usual(self, task):
        """It needs a feature that varies, and says so."""
        rows = rows_of(task)
        with pytest.raises(ValueError, match="NaN"):
            self.fit(task, Rows(np.ones_like(rows.matrix), rows.target))
