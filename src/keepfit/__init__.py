"""The words of a definitions file. Importing them loads no engine.

from keepfit import Events, Files, Float, Model, Records, ...
"""

from keepfit.spec.columns import Boolean, Category, Float, Integer, Text, Time
from keepfit.spec.features import Calendar, Holiday, Input
from keepfit.spec.gates import Gate
from keepfit.spec.loading import Evolution, Expect, Key, Lookup
from keepfit.spec.model import Estimator, Model, XGBoost
from keepfit.spec.observe import EachRow, Every
from keepfit.spec.policy import Policy, when
from keepfit.spec.rows import Length, Python, Sentiment, col
from keepfit.spec.sources import Csv, Database, Delta, Excel, Files, FixedWidth, Json, Parquet
from keepfit.spec.tables import Events, Records

__version__ = "0.1.0"

__all__ = [
    "Boolean",
    "Calendar",
    "Category",
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
    "Holiday",
    "Input",
    "Integer",
    "Json",
    "Key",
    "Length",
    "Lookup",
    "Model",
    "Parquet",
    "Policy",
    "Python",
    "Records",
    "Sentiment",
    "Text",
    "Time",
    "XGBoost",
    "col",
    "when",
]
