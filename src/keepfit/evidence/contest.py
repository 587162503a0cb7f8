"""What several retraining policies would have come to on the same past."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit.evidence.evaluation import Estimate


@dataclass(frozen=True)
class Costs:
    """What a replay counts, in one unit that the team chooses.

    Attributes
    ----------
    retrain : float
        Of each training, promoted or not.
    error : float
        Of each mistaken decision; of a predicted number, of each unit that it lies off. Where the model declares
        `Training(cost=Cost(...))`, of each unit of that.
    """

    retrain: float = 0.0
    error: float = 1.0


@dataclass(frozen=True)
class PolicyWindow:
    """One turn's predictions under a policy, once their labels were known.

    Attributes
    ----------
    as_of : int
        The first turn at or after the predictions; microseconds UTC.
    errors : float
        The sum over rows of what `Costs.error` is counted by.
    """

    as_of: int
    rows: int
    value: float
    errors: float


@dataclass(frozen=True)
class PolicyOutcome:
    """What one policy came to.

    Grain: one policy. All policies are measured on the same rows: the predictions that every one of them made.

    Attributes
    ----------
    name : str
    says : str
        The policy, as it is declared.
    trainings_at, promotions_at, roll_backs_at : tuple of int
        Microseconds UTC. The first training is every policy's.
    windows : tuple of PolicyWindow
    value : float
        The metric: the windows' mean, weighted by rows.
    cost : float
        `Costs.retrain` of each training and `Costs.error` of all errors.
    saved : Estimate
        What it costs less than the reference policy, with its 90% interval over entities; paired on the same rows.
    efficient : bool
        Whether no other policy is at least as good on the metric with fewer trainings, or better with as many.
    """

    name: str
    says: str
    trainings_at: tuple[int, ...]
    promotions_at: tuple[int, ...]
    roll_backs_at: tuple[int, ...]
    windows: tuple[PolicyWindow, ...]
    value: float
    errors: float
    cost: float
    saved: Estimate
    efficient: bool


@dataclass(frozen=True)
class Advice:
    """Which policy to take, and what taking it would have cost where it was not chosen by.

    Attributes
    ----------
    policy : str
        The one that cost least on the turns before `chosen_until_at`.
    best_later : str
        The one that cost least from then on.
    regret : Estimate
        What the chosen one cost more than that from then on, with its 90% interval: 0 if it is the same.
    """

    policy: str
    chosen_until_at: int
    best_later: str
    regret: Estimate


@dataclass(frozen=True)
class Contest:
    """Several policies on the same past.

    Attributes
    ----------
    reference : str
        The policy that the others are compared with.
    rows : int
        Predictions that every policy made and whose labels are known.
    recommended : str
        The policy that cost least over all turns.
    advice : Advice or None
        None if there are too few turns to hold any back.
    sentences : tuple of str
        What this says, in words.
    """

    model: str
    metric: str
    costs: Costs
    reference: str
    rows: int
    outcomes: tuple[PolicyOutcome, ...]
    recommended: str
    advice: Advice | None
    sentences: tuple[str, ...]
