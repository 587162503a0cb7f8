"""When to retrain: conditions on the evidence, combined with | and &, and what holds a retraining back.

Policy(retrain=when.metric_below("f1", 0.80) | when.drift() | when.older_than("90d"), cooldown="14d", budget="6 per year")
"""

from __future__ import annotations

from dataclasses import dataclass, field


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

    def __str__(self) -> str:
        return f"{self.left} | {self.right}"


@dataclass(frozen=True)
class AllOf(Condition):
    """Holds if both sides hold."""

    left: Condition
    right: Condition

    def parts(self) -> tuple[Condition, ...]:
        """Return both sides."""
        return self.left, self.right

    def __str__(self) -> str:
        return " & ".join(f"({side})" if isinstance(side, AnyOf) else str(side) for side in self.parts())


@dataclass(frozen=True)
class MetricBelow(Condition):
    """The champion's realised metric is worse than the threshold (for an error such as rmse: above it)."""

    metric: str
    threshold: float

    def __str__(self) -> str:
        return f"metric_below({self.metric!r}, {self.threshold:g})"


@dataclass(frozen=True)
class EstimatedBelow(Condition):
    """The champion's metric, estimated before labels have matured, is surely worse than the threshold.

    Surely: all of its interval is.
    """

    metric: str
    threshold: float

    def __str__(self) -> str:
        return f"estimated_below({self.metric!r}, {self.threshold:g})"


@dataclass(frozen=True)
class Drift(Condition):
    """A feature or the score has drifted: as far as `psi` says, and not by chance; or with a severity.

    With a severity the size does not matter: a warning is what the alarm budget (`Watch`) lets through, and critical what is also
    expected to raise the loss by a tenth.
    """

    psi: float = 0.2
    severity: str | None = field(default=None, metadata={"unwritten": None})

    def __str__(self) -> str:
        return f"drift(severity={self.severity!r})" if self.severity else f"drift(psi={self.psi:g})"


@dataclass(frozen=True)
class OlderThan(Condition):
    """The champion was trained longer ago than this."""

    age: str

    def __str__(self) -> str:
        return f"older_than({self.age!r})"


@dataclass(frozen=True)
class NewLabels(Condition):
    """At least so many labels have matured that the champion has not seen."""

    rows: int

    def __str__(self) -> str:
        return f"new_labels({self.rows})"


@dataclass(frozen=True)
class Schedule(Condition):
    """A moment of a timetable has come since the last training."""

    cron: str
    zone: str = "UTC"

    def __str__(self) -> str:
        return f"schedule({self.cron!r}, {self.zone!r})"


@dataclass(frozen=True)
class Never(Condition):
    """Never holds: the first champion stays."""

    def __str__(self) -> str:
        return "never()"


class when:  # noqa: N801 - it reads as a word in definitions: when.drift()
    """The conditions a policy is made of."""

    @staticmethod
    def metric_below(metric: str, threshold: float) -> Condition:
        """Retrain when the metric on newly matured rows is worse than `threshold`."""
        return MetricBelow(metric, threshold)

    @staticmethod
    def estimated_below(metric: str, threshold: float) -> Condition:
        """Retrain when the metric estimated without labels is worse than `threshold` with all of its interval."""
        return EstimatedBelow(metric, threshold)

    @staticmethod
    def drift(psi: float = 0.2, *, severity: str | None = None) -> Condition:
        """Retrain when a feature, the score or the target has drifted from the champion's reference profile.

        Parameters
        ----------
        psi : float
            How far at least, beside being no chance.
        severity : 'warning' or 'critical', optional
            An alarm of at least this severity instead, however far that is: of a column, or that the same inputs turn out
            otherwise than they did (concept drift).
        """
        return Drift(psi, severity)

    @staticmethod
    def older_than(age: str) -> Condition:
        """Retrain when the champion was trained longer ago than `age`."""
        return OlderThan(age)

    @staticmethod
    def new_labels(rows: int) -> Condition:
        """Retrain when `rows` labels have matured that the champion has not seen."""
        return NewLabels(rows)

    @staticmethod
    def schedule(cron: str, zone: str = "UTC") -> Condition:
        """Retrain by a timetable, such as "0 6 1 * *": at six in the morning of the first of each month.

        Parameters
        ----------
        cron : str
            Minute, hour, day of the month, month, day of the week, as in crontab(5).
        zone : str
            The time zone that these are read in.
        """
        return Schedule(cron, zone)

    @staticmethod
    def never() -> Condition:
        """Keep the first champion for ever; for comparison in a replay."""
        return Never()


@dataclass(frozen=True)
class Policy:
    """When to retrain, what holds a retraining back, and how long a new champion stays on probation.

    Parameters
    ----------
    retrain : Condition
        What calls for a new challenger.
    cooldown : str
        The shortest time between two trainings.
    probation : str
        How long after its promotion a champion that proves worse than its predecessor is rolled back.
    budget : str, optional
        The most trainings in any period of that length: "6 per year". Its periods are day, week, month (30 days), quarter
        (91 days) and year (365 days).
    quiet : str, optional
        Hours in which nothing is trained, such as "mon-fri 08:00-18:00 Europe/London"; without days every day, without a zone
        UTC. What is called for in them is done at the first turn after them. A roll back waits for nothing.
    """

    retrain: Condition
    cooldown: str = "14d"
    probation: str = "62d"
    budget: str | None = field(default=None, metadata={"unwritten": None})
    quiet: str | None = field(default=None, metadata={"unwritten": None})

    def __str__(self) -> str:
        held = {"cooldown": self.cooldown, "budget": self.budget, "quiet": self.quiet}
        return "; ".join([str(self.retrain), *(f"{name} {value}" for name, value in held.items() if value)])
