"""What learns: estimators by the names of their plug-ins, and their own parameters.

A new one is a function here that returns an `Estimator`, and a plug-in of that kind (`keepfit.stages.training.estimators`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

XGBOOST, LIGHTGBM, SKLEARN = "xgboost", "lightgbm", "sklearn"
LOGISTIC, LINEAR, RANDOM_FOREST, HIST = "Logistic", "Linear", "RandomForest", "HistGradientBoosting"
QUANTILE = "quantile"
"""The task of predicting a quantile: of a model that declares one, and of the bounds of an interval."""
# what scikit-learn's plug-in calls by a name of its own, and the tasks it learns
TASKS = {
    LOGISTIC: ("classification", "multiclass"),
    LINEAR: ("regression",),
    RANDOM_FOREST: ("classification", "multiclass", "regression"),
    HIST: ("classification", "multiclass", "regression", QUANTILE),
}


@dataclass(frozen=True)
class Estimator:
    """An estimator by the name of its plug-in (entry point group `keepfit.estimators`) and its parameters.

    Parameters
    ----------
    kind : str
        The plug-in.
    parameters : dict
        The library's own, over the plug-in's defaults.
    of : str
        Which one, of a plug-in that has several: 'Logistic', or 'package.module:Class'.
    """

    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)
    of: str = field(default="", metadata={"unwritten": ""})


def XGBoost(**parameters: Any) -> Estimator:  # noqa: N802 - it reads as a class in definitions
    """Gradient boosted trees; parameters are XGBoost's own, over defaults that suit a few thousand rows.

    `device="cuda"` trains on a GPU.
    """
    return Estimator(XGBOOST, parameters)


def LightGBM(**parameters: Any) -> Estimator:  # noqa: N802
    """Gradient boosted trees, grown leaf by leaf; parameters are LightGBM's own. Needs the extra `lightgbm`."""
    return Estimator(LIGHTGBM, parameters)


def Logistic(**parameters: Any) -> Estimator:  # noqa: N802
    """Logistic regression on scaled numbers and one column a label; parameters are those of `LogisticRegression`."""
    return Estimator(SKLEARN, parameters, LOGISTIC)


def Linear(**parameters: Any) -> Estimator:  # noqa: N802
    """Linear regression (ridge) on scaled numbers and one column a label; parameters are those of `Ridge`."""
    return Estimator(SKLEARN, parameters, LINEAR)


def RandomForest(**parameters: Any) -> Estimator:  # noqa: N802
    """A forest of trees that vote; parameters are those of scikit-learn's random forests."""
    return Estimator(SKLEARN, parameters, RANDOM_FOREST)


def HistGradientBoosting(**parameters: Any) -> Estimator:  # noqa: N802
    """Gradient boosted trees of scikit-learn; parameters are those of `HistGradientBoostingClassifier` and `...Regressor`."""
    return Estimator(SKLEARN, parameters, HIST)


def Sklearn(of: str, /, **parameters: Any) -> Estimator:  # noqa: N802
    """Any estimator with scikit-learn's interface that skl2onnx converts: Sklearn("sklearn.svm:SVR", C=10).

    Parameters
    ----------
    of : str
        "package.module:Class". A classifier needs `predict_proba`.
    **parameters
        Of the class.
    """
    return Estimator(SKLEARN, parameters, of)
