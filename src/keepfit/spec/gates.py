"""Gates: what a challenger must show before it may be promoted.

A new kind of gate is a constructor here, a rule in `keepfit.spec.check.gates` and a judge in `keepfit.stages.registry.gates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

THRESHOLD, ABSOLUTE, RELATIVE, CHAMPION, FAIRNESS, GAP = (
    "threshold",
    "min_absolute_change",
    "min_relative_change",
    "champion",
    "fairness",
    "fairness_gap",
)
"""Kinds that look at the evaluation alone."""
LATENCY, SIZE, PARITY, DOCUMENTS, APPROVAL = "latency", "size", "parity", "documents", "approval"
"""Kinds that look at a recorded version: its files, what was measured of it, who approved it."""
BETTER = (ABSOLUTE, RELATIVE, CHAMPION)
"""Kinds that compare with the champion."""
BY_GROUP = (FAIRNESS, GAP)
"""Kinds that compare groups."""
ROUTES = NATIVE, SINGLE, REQUEST, EVENTS, FLOAT16 = "native", "single", "request", "events", "float16"
"""The ways to an answer that a parity certificate holds against the batch."""
ROUNDED = (FLOAT16,)
"""Ways that differ by design: a gate judges them only by name."""
OF_VERSION = (LATENCY, SIZE, PARITY, DOCUMENTS, APPROVAL)


@dataclass(frozen=True)
class Gate:
    """A condition on a challenger's evidence.

    `Gate("f1", threshold=0.8)` asks the metric on the test rows to be at least as good as the threshold. The other kinds have a
    constructor each.

    Parameters
    ----------
    metric : str
        A metric's name; "" for the gates that use the model's own metric.
    threshold : float
        The bound, in the unit of what is measured.
    kind : str
        Which judge decides; the constructors set it.
    column : str or None
        The attribute whose groups are compared, for fairness.
    routes : tuple of str
        The ways to an answer that parity is asked of; empty for all that are to give the same answer.
    flips : float
        The share of rows on which these ways may decide otherwise.
    """

    metric: str = ""
    threshold: float = 0.0
    kind: str = THRESHOLD
    column: str | None = None
    routes: tuple[str, ...] = field(default=(), metadata={"unwritten": ()})
    flips: float = field(default=0.0, metadata={"unwritten": 0.0})

    @staticmethod
    def min_absolute_change(change: float) -> Gate:
        """Pass if the model's metric is better than the champion's by at least `change`, in the metric's own unit.

        Holds the gain as measured on the same test rows; `not_worse_than_champion` holds what chance leaves of it. Passes when
        there is no champion.
        """
        return Gate(threshold=change, kind=ABSOLUTE)

    @staticmethod
    def min_relative_change(change: float) -> Gate:
        """Pass if the model's metric is better than the champion's by at least this share of the champion's: 0.02 is 2%."""
        return Gate(threshold=change, kind=RELATIVE)

    @staticmethod
    def not_worse_than_champion(margin: float = 0.02) -> Gate:
        """Pass unless the challenger may be worse than the champion by more than `margin`.

        A non-inferiority test: on the same test rows, the lower end of the 90% paired bootstrap interval of
        (challenger - champion) in the model's metric must lie above -margin. Passes when there is no champion.
        """
        return Gate(threshold=margin, kind=CHAMPION)

    @staticmethod
    def fair_across(column: str, ratio: float = 0.8) -> Gate:
        """Pass if no group of `column` is found at less than `ratio` of the best group's rate.

        Classification compares true positive rates (equal opportunity, Hardt et al. 2016); regression compares mean
        absolute errors, best over worst. Groups with fewer than 30 rows to judge on are left out.
        """
        return Gate(threshold=ratio, kind=FAIRNESS, column=column)

    @staticmethod
    def max_fairness_gap(column: str, gap: float = 0.1) -> Gate:
        """Pass if the rates of no two groups of `column` differ by more than `gap`: as `fair_across`, a difference for a ratio."""
        return Gate(threshold=gap, kind=GAP, column=column)

    @staticmethod
    def calibrated(ece: float = 0.05) -> Gate:
        """Pass if the expected calibration error of the score is at most `ece`: short for `Gate("ece", threshold=ece)`."""
        return Gate("ece", threshold=ece)

    @staticmethod
    def latency(p99_ms: float) -> Gate:
        """Pass if 99 of 100 single rows are scored within so many milliseconds, as measured when the version was trained."""
        return Gate(threshold=p99_ms, kind=LATENCY)

    @staticmethod
    def size(megabytes: float) -> Gate:
        """Pass if all files of the version together take at most so many megabytes (10^6 bytes)."""
        return Gate(threshold=megabytes, kind=SIZE)

    @staticmethod
    def parity(difference: float = 1e-4, routes: Sequence[str] = (), flips: float = 0.0) -> Gate:
        """Pass if a parity certificate says that no way to an answer flips a decision, or differs by more than `difference`.

        Without `routes`, all ways count that are to give the same answer. `float16`, what `keepfit export --format onnx-fp16`
        writes, differs by design: name it if the version is served so, with the share of decisions that may flip:
        `Gate.parity(difference=0.1, routes=["float16"], flips=0.002)`.
        """
        return Gate(threshold=difference, kind=PARITY, routes=tuple(routes), flips=flips)

    @staticmethod
    def documents() -> Gate:
        """Pass if the version carries every document that it must have: see docs/registry.md."""
        return Gate(kind=DOCUMENTS)

    @staticmethod
    def approval(people: int = 1) -> Gate:
        """Pass once so many people have approved the version: `keepfit approve`."""
        return Gate(threshold=people, kind=APPROVAL)

    @property
    def name(self) -> str:
        """A short name for tables: the metric of a threshold, the kind of the others, with the column of those by group or way."""
        if self.kind == CHAMPION:
            return "not_worse_than_champion"
        if self.kind in BY_GROUP:
            return f"{'fair_across' if self.kind == FAIRNESS else self.kind}_{self.column}"
        if self.routes:
            return f"{self.kind}_{'_'.join(self.routes)}"
        return self.metric if self.kind == THRESHOLD else self.kind


def of_evaluation(gates: Sequence[Gate]) -> list[Gate]:
    """Return the gates that look at nothing but an evaluation."""
    return [gate for gate in gates if gate.kind not in OF_VERSION]
