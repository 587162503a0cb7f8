"""Values that pass between stages: what was measured, and what was decided on it.

Stages do not know each other; they meet in tables (`keepfit.tables`) and in these. All are frozen, hold plain numbers and
texts, and turn into JSON with `as_data`. Times are microseconds UTC.
"""

from keepfit.evidence.data import as_data
from keepfit.evidence.evaluation import (
    CONSTANT,
    EMPTY,
    REDUNDANT,
    SUSPICIOUS,
    UNSTABLE,
    UNUSED,
    Estimate,
    Evaluation,
    FeatureNote,
    Fold,
    Verdict,
    evaluation_from,
)
from keepfit.evidence.training import History, LearntFrom, Search
from keepfit.evidence.turn import (
    ALARM,
    KEEP,
    NOTE,
    PROMOTE,
    REJECT,
    RETRAIN,
    ROLL_BACK,
    Champion,
    Decision,
    Drift,
    Evidence,
    Finding,
    Realised,
    Tested,
    Turn,
    VersionFacts,
)

__all__ = [
    "ALARM",
    "CONSTANT",
    "EMPTY",
    "KEEP",
    "NOTE",
    "PROMOTE",
    "REDUNDANT",
    "REJECT",
    "RETRAIN",
    "ROLL_BACK",
    "SUSPICIOUS",
    "UNSTABLE",
    "UNUSED",
    "Champion",
    "Decision",
    "Drift",
    "Estimate",
    "Evaluation",
    "Evidence",
    "FeatureNote",
    "Finding",
    "Fold",
    "History",
    "LearntFrom",
    "Realised",
    "Search",
    "Tested",
    "Turn",
    "Verdict",
    "VersionFacts",
    "as_data",
    "evaluation_from",
]
