"""The language of features and targets: expressions over an observation (entity, t).

A leaf is an aggregate over a window of events (`aggregate`), an attribute of the entity's record (`attribute`), or what
the moment t itself tells (`calendar`). Leaves combine by arithmetic and comparison (`expression`). `meaning` puts any of
them into words. A new aggregate is a line in `aggregate.FUNCTIONS`, a method of `EventColumn`, and its lowering in
`keepfit.kernel.lower`.
"""

from keepfit.spec.features.aggregate import (
    FUNCTIONS,
    OF_ANY_COLUMN,
    Aggregate,
    ByCategory,
    Narrowed,
    Windows,
    aggregates,
)
from keepfit.spec.features.attribute import Attribute
from keepfit.spec.features.calendar import CALENDAR_PARTS, Calendar, Cyclic, Holiday
from keepfit.spec.features.event_column import EventColumn, time_to_next
from keepfit.spec.features.expression import (
    Among,
    Banded,
    Combined,
    Compared,
    Constant,
    Expression,
    Labelled,
    Mapped,
    Named,
)
from keepfit.spec.features.request import Input

__all__ = [
    "CALENDAR_PARTS",
    "FUNCTIONS",
    "OF_ANY_COLUMN",
    "Aggregate",
    "Among",
    "Attribute",
    "Banded",
    "ByCategory",
    "Calendar",
    "Combined",
    "Compared",
    "Constant",
    "Cyclic",
    "EventColumn",
    "Expression",
    "Holiday",
    "Input",
    "Labelled",
    "Mapped",
    "Named",
    "Narrowed",
    "Windows",
    "aggregates",
    "time_to_next",
]
