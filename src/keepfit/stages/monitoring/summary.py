"""Drift as a table: a row for each column that was compared, what matters most first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keepfit.evidence import Drift

FIRST = ("severity", "kind", "column")
LAST = ("test", "statistic", "p_value", "chance", "significant", "effect", "relative_effect", "unseen", "rows")


def summary(found: Sequence[Drift]) -> dict[str, list[Any]]:
    """Return drift as columns, with one for each measure of any of them; None where there is no value."""
    measures = sorted({name for one in found for name in one.measures})
    rows: dict[str, list[Any]] = {name: [getattr(one, name) for one in found] for name in FIRST}
    rows |= {name: [one.measures.get(name) for one in found] for name in measures}
    rows |= {name: [getattr(one, name) for one in found] for name in LAST}
    rows["significant"] = [int(one) for one in rows["significant"]]
    return rows
