"""The policies that a replay may set side by side: by name, or as definitions.py declares them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from keepfit.errors import ProjectError, did_you_mean
from keepfit.project import Project
from keepfit.spec.check import InvalidDefinitions, check
from keepfit.spec.model import Model
from keepfit.spec.policy import MetricBelow, Policy, when

DECLARED = "declared"
SCHEDULES = {
    "daily": "0 0 * * *",
    "weekly": "0 0 * * mon",
    "monthly": "0 0 1 * *",
    "quarterly": "0 0 1 */3 *",
    "yearly": "0 0 1 1 *",
}


def policy_named(project: Project, model: Model, name: str) -> Policy:
    """Return a policy by its name.

    Raises
    ------
    ProjectError
        If there is none, or the model says nothing that it could be made of.
    InvalidDefinitions
        If it is declared and does not fit the model.
    """
    own = model.policy
    if name in project.definitions.policies:
        policy = project.definitions.policies[name]
        if problems := check(project.definitions.tables, [replace(model, policy=policy)]):
            raise InvalidDefinitions(problems)
        return policy
    if name in SCHEDULES:
        return replace(own, retrain=when.schedule(SCHEDULES[name]), cooldown="1h", budget=None, quiet=None)
    made: dict[str, Callable[[], Policy]] = {
        DECLARED: lambda: own,
        "never": lambda: replace(own, retrain=when.never()),
        "on-drift": lambda: replace(own, retrain=when.drift()),
        "on-metric": lambda: replace(own, retrain=_on_metric(model)),
    }
    if name not in made:
        known = [*made, *SCHEDULES, *project.definitions.policies]
        raise ProjectError(f"unknown policy {name!r}", where="--policies", fix=did_you_mean(name, known))
    return made[name]()


def bounds(model: Model, *, gates: bool = False) -> list[float]:
    """Return how good the model's metric must stay, as its policy says, and then as its gates do if they are asked."""
    leaves = [leaf for leaf in model.policy.retrain.leaves() if isinstance(leaf, MetricBelow)]
    found = [leaf.threshold for leaf in leaves if leaf.metric == model.metric]
    asked = [gate for gate in model.gates if gate.kind == "threshold" and gate.metric == model.metric]
    return found + [gate.threshold for gate in asked if gates]


def _on_metric(model: Model) -> MetricBelow:
    """Return the bound of the declared policy, else of the gate on the model's metric."""
    found = bounds(model, gates=True)
    if not found:
        raise ProjectError(
            f"on-metric: neither the policy nor a gate says how good {model.metric} must be",
            where="--policies",
            fix=f"declare Gate({model.metric!r}, threshold=...), or leave on-metric out",
        )
    return MetricBelow(model.metric, found[0])
