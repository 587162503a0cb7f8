"""The tables of policies side by side: what each came to, and window by window."""

from __future__ import annotations

import math
from collections.abc import Mapping

from keepfit import clock
from keepfit.evidence import Contest, PolicyOutcome
from keepfit.measure.wording import number as short
from keepfit.stages.reports.page import Html, element, table
from keepfit.stages.reports.policies_costs import saved_text
from keepfit.stages.reports.summary import number


def outcomes_table(found: Contest, anchors: Mapping[str, str]) -> Html:
    """Return one row per policy, the one that cost least first; a name leads to the policy's turns."""
    heads = ["Policy", "Trainings", "Promoted", "Rolled back", found.metric, "Errors", "Cost"]
    heads += [f"Less than {found.reference}", "Frontier"]
    rows = [
        [
            element("a", one.name, href=f"#{anchors[one.name]}"),
            f"{len(one.trainings_at):,}",
            f"{len(one.promotions_at):,}",
            f"{len(one.roll_backs_at):,}",
            number(one.value),
            *(_measured(one, found) if one.windows else ["\u2013"] * 3),
            "yes" if one.efficient and math.isfinite(one.value) else "\u2013",
        ]
        for one in by_cost(found)
    ]
    return table(heads, rows, "plain cards", numeric=frozenset(range(1, 8)))


def _measured(one: PolicyOutcome, found: Contest) -> list[str]:
    return [short(one.errors), short(one.cost), "\u2013" if one.name == found.reference else saved_text(one)]


def by_cost(found: Contest) -> list[PolicyOutcome]:
    """Return the outcomes, the one that cost least first; those without answers last."""
    return sorted(found.outcomes, key=lambda one: (not one.windows, one.cost, len(one.trainings_at)))


def windows_table(found: Contest) -> Html:
    """Return the metric of every policy on each turn's predictions."""
    names = [one.name for one in found.outcomes]
    rows_of = {window.as_of: window.rows for one in found.outcomes for window in one.windows}
    values = {(one.name, window.as_of): window.value for one in found.outcomes for window in one.windows}
    rows = [
        [clock.show(at), f"{rows_of[at]:,}", *(number(values.get((name, at))) for name in names)]
        for at in sorted(rows_of)
    ]
    return table(["Turn", "Rows", *names], rows, "plain cards", numeric=frozenset(range(1, len(names) + 2)))
