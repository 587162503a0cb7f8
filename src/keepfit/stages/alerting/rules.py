"""What counts as a symptom of a model: the bounds that its policy and its gates declare, and what the settings say of telling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keepfit import clock
from keepfit.spec.alerts import Alerts
from keepfit.spec.gates import THRESHOLD
from keepfit.spec.metric import METRICS
from keepfit.spec.model import Model
from keepfit.spec.policy import EstimatedBelow, MetricBelow


@dataclass(frozen=True)
class Rules:
    """What is told of a model.

    Attributes
    ----------
    realised, estimated : mapping of str to float
        Metric -> bound, for what came out and for what is expected to.
    severity : str
        The least that is told.
    cooldown : int
        Microseconds.
    link : str
        Where to read on, with {model}, {version} and {as_of}.
    """

    realised: Mapping[str, float] = field(default_factory=dict)
    estimated: Mapping[str, float] = field(default_factory=dict)
    severity: str = "warning"
    cooldown: int = clock.DAY
    link: str = ""


def rules_of(model: Model, settings: Alerts) -> Rules:
    """Return the rules of a model: bounds of its policy come before those of its gates."""
    gates = {gate.metric: gate.threshold for gate in model.gates if gate.kind == THRESHOLD and gate.metric in METRICS}
    leaves = model.policy.retrain.leaves()
    realised = gates | {leaf.metric: leaf.threshold for leaf in leaves if isinstance(leaf, MetricBelow)}
    estimated = realised | {leaf.metric: leaf.threshold for leaf in leaves if isinstance(leaf, EstimatedBelow)}
    return Rules(realised, estimated, settings.severity, clock.duration(settings.cooldown), settings.link)
