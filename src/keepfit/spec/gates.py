"""Gates: what a challenger must show before it may be promoted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """A condition on a challenger's evidence.

    `Gate("f1", threshold=0.8)` asks the metric on the test rows to be at least as good as the threshold.

    Parameters
    ----------
    metric : str
        A metric's name; "" for the gates that use the model's own metric.
    threshold : float
        The bound, in the unit of what is measured.
    kind : str
        "threshold", "champion" or "fairness".
    column : str or None
        The attribute whose groups are compared, for fairness.
    """

    metric: str = ""
    threshold: float = 0.0
    kind: str = "threshold"
    column: str | None = None

    @staticmethod
    def not_worse_than_champion(margin: float = 0.02) -> Gate:
        """Pass unless the challenger may be worse than the champion by more than `margin`.

        A non-inferiority test: on the same test rows, the lower end of the 90% paired bootstrap interval of
        (challenger - champion) in the model's metric must lie above -margin. Passes when there is no champion.
        """
        return Gate(threshold=margin, kind="champion")

    @staticmethod
    def fair_across(column: str, ratio: float = 0.8) -> Gate:
        """Pass if no group of `column` is found at less than `ratio` of the best group's rate.

        Classification compares true positive rates (equal opportunity, Hardt et al. 2016); regression compares mean
        absolute errors, best over worst. Groups with fewer than 30 rows to judge on are left out.
        """
        return Gate(threshold=ratio, kind="fairness", column=column)

    @property
    def name(self) -> str:
        """A short name for tables: `f1 >= 0.8` reads as threshold, others by kind."""
        if self.kind == "champion":
            return "not_worse_than_champion"
        return f"fair_across_{self.column}" if self.kind == "fairness" else self.metric
