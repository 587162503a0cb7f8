"""The words of a definitions file. Importing them loads no engine.

from keepfit import Events, Files, Float, Model, Records, ...
"""

from keepfit.spec.columns import Boolean, Category, Float, Integer, Text
from keepfit.spec.features import Calendar, Holiday, Input
from keepfit.spec.gates import Gate
from keepfit.spec.model import Estimator, Model, XGBoost
from keepfit.spec.observe import EachRow, Every
from keepfit.spec.policy import Policy, when
from keepfit.spec.rows import Length, Python, Sentiment, col
from keepfit.spec.sources import Files
from keepfit.spec.tables import Events, Records

__version__ = "0.1.0"

__all__ = [
    "Boolean",
    "Calendar",
    "Category",
    "EachRow",
    "Estimator",
    "Events",
    "Every",
    "Files",
    "Float",
    "Gate",
    "Holiday",
    "Input",
    "Integer",
    "Length",
    "Model",
    "Policy",
    "Python",
    "Records",
    "Sentiment",
    "Text",
    "XGBoost",
    "col",
    "when",
]
