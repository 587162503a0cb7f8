"""The words of a definitions file. Importing them loads no engine.

from keepfit import Events, Files, Float, Model, Records, ...
"""

from keepfit.spec.columns import Boolean, Category, Float, Integer, Text, Time
from keepfit.spec.estimators import (
    Estimator,
    HistGradientBoosting,
    LightGBM,
    Linear,
    Logistic,
    RandomForest,
    Sklearn,
    XGBoost,
)
from keepfit.spec.features import Calendar, Holiday, Input
from keepfit.spec.gates import Gate
from keepfit.spec.loading import Evolution, Expect, Key, Lookup
from keepfit.spec.model import Model
from keepfit.spec.observe import EachRow, Every
from keepfit.spec.policy import Policy, when
from keepfit.spec.rows import Length, Python, Sentiment, col
from keepfit.spec.sources import Csv, Database, Delta, Excel, Files, FixedWidth, Json, Parquet
from keepfit.spec.tables import Events, Records
from keepfit.spec.training import Cost, Select, Training
from keepfit.spec.tuning import Tune
from keepfit.spec.watch import Watch

__version__ = "0.1.0"

__all__ = [
    "Boolean",
    "Calendar",
    "Category",
    "Cost",
    "Csv",
    "Database",
    "Delta",
    "EachRow",
    "Estimator",
    "Events",
    "Every",
    "Evolution",
    "Excel",
    "Expect",
    "Files",
    "FixedWidth",
    "Float",
    "Gate",
    "HistGradientBoosting",
    "Holiday",
    "Input",
    "Integer",
    "Json",
    "Key",
    "Length",
    "LightGBM",
    "Linear",
    "Logistic",
    "Lookup",
    "Model",
    "Parquet",
    "Policy",
    "Python",
    "RandomForest",
    "Records",
    "Select",
    "Sentiment",
    "Sklearn",
    "Text",
    "Time",
    "Training",
    "Tune",
    "Watch",
    "XGBoost",
    "col",
    "when",
]
