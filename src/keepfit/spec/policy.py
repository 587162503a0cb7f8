"""When to retrain: conditions on the evidence, combined with | and &, and a cooldown.

Policy(retrain=when.metric_below("f1", 0.80) | when.drift() | when.older_than("90d"), cooldown="14d")
"""

from __future__ import annotations

from dataclasses import dataclass


class Condition:
    """A condition on the evidence of a turn; `keepfit.stages.retraining` decides whether it holds."""

    def __or__(self, other: Condition) -> Condition:
        return AnyOf(self, other)

    def __and__(self, other: Condition) -> Condition:
        return AllOf(self, other)

    def __bool__(self) -> bool:
        raise TypeError("a condition has no truth value before there is evidence; combine conditions with | and &")

    def parts(self) -> tuple[Condition, ...]:
        """Return the conditions this one is made of."""
        return ()

    def leaves(self) -> list[Condition]:
        """Return the simple conditions of the tree, from left to right."""
        parts = self.parts()
        return [leaf for part in parts for leaf in part.leaves()] if parts else [self]


@dataclass(frozen=True)
class AnyOf(Condition):
    """Holds if either side holds."""

    left: Condition
    right: Condition

    def parts(self) -> tuple[Condition, ...]:
        """Return both sides."""
        return self.left, self.right


@dataclass(frozen=True)
class AllOf(Condition):
    """Holds if both sides hold."""

    left: Condition
    right: Condition

    def parts(self) -> tuple[Condition, ...]:
        """Return both sides."""
        return self.left, self.right


@dataclass(frozen=True)
class MetricBelow(Condition):
    """The champion's realised metric is worse than the threshold (for an error such as rmse: above it)."""

    metric: str
    threshold: float


@dataclass(frozen=True)
class Drift(Condition):
    """A feature or the score has drifted: PSI of at least `psi`, and KS or chi-square significant after Bonferroni."""

    psi: float = 0.2


@dataclass(frozen=True)
class OlderThan(Condition):
    """The champion was trained longer ago than this."""

    age: str


@dataclass(frozen=True)
class Never(Condition):
    """Never holds: the first champion stays."""


class when:  # noqa: N801 - it reads as a word in definitions: when.drift()
    """The conditions a policy is made of."""

    @staticmethod
    def metric_below(metric: str, threshold: float) -> Condition:
        """Retrain when the metric on newly matured rows is worse than `threshold`."""
        return MetricBelow(metric, threshold)

    @staticmethod
    def drift(psi: float = 0.2) -> Condition:
        """Retrain when a feature or the score has drifted from the champion's reference profile."""
        return Drift(psi)

    @staticmethod
    def older_than(age: str) -> Condition:
        """Retrain when the champion was trained longer ago than `age`."""
        return OlderThan(age)

    @staticmethod
    def never() -> Condition:
        """Keep the first champion for ever; for comparison in a replay."""
        return Never()


@dataclass(frozen=True)
class Policy:
    """When to retrain, how long to wait between trainings, and how long a new champion stays on probation.

    Parameters
    ----------
    retrain : Condition
        What calls for a new challenger.
    cooldown : str
        The shortest time between two trainings.
    probation : str
        How long after its promotion a champion that proves worse than its predecessor is rolled back.
    """

    retrain: Condition
    cooldown: str = "14d"
    probation: str = "62d"
