"""What became of a decision: whether the champion that it left did better than the version that it left out."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit.evidence.evaluation import Estimate


@dataclass(frozen=True)
class Outcome:
    """The outcome of one step of the ledger, measured once, when the labels were known.

    Attributes
    ----------
    decision : str
        The id of the step: 'churn/17'.
    action : str
        promote, roll back or reject.
    version, other : str
        The champion after the step, and the version that it took the place of, or that was rejected.
    as_of : int
        When it was measured.
    from_at, until_at : int
        The predictions that it is about: those of `version` with t in `[from_at, until_at)`.
    metric : str
        The model's own.
    gain : Estimate or None
        How much better `version` was than `other`, paired on the same matured rows; positive is better. None if nobody can tell.
    sentence : str
        What it says, or why nothing can be said.
    """

    decision: str
    model: str
    action: str
    version: str
    other: str
    as_of: int
    from_at: int
    until_at: int
    metric: str
    gain: Estimate | None
    sentence: str
