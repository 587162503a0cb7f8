"""Drift: how far columns have moved from the reference, whether that can be chance, and what it is likely to cost.

PSI says how far, a test says whether: with many rows every difference is significant, with few every PSI is large. Whether it is an
alarm is decided by what the column's windows have done before (`habits`), within a budget of false alarms. Nulls count as a value
of their own, so that a column that stops arriving is the clearest drift of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.evidence import CRITICAL, FEATURE, INFO, LABEL, PREDICTION, SEVERITIES, WARNING, Drift
from keepfit.stages.monitoring.chances import chance
from keepfit.stages.monitoring.profile import Numbers, Profile, bins_of
from keepfit.stages.monitoring.reference import Reference
from keepfit.stages.monitoring.tests import TESTS
from keepfit.stages.monitoring.tests.counts import counts

ALPHA = 0.01
COSTLY = 0.1
"""An alarm is critical if it is expected to raise the loss by a tenth, or if a tenth of the rows has values that never came."""
SLIGHT, LARGE = 0.1, 0.25
"""Without losses, an alarm is critical from the second PSI on, and without a past it is only worth a warning from the first on, for
among millions of rows every difference is significant: Siddiqi's bounds of a slight and of a significant shift."""
KINDS = {"score": PREDICTION, "target": LABEL}
"""The columns of a reference that are no features."""


def drift(
    reference: Reference | Profile,
    columns: Mapping[str, NDArray[Any]],
    *,
    alpha: float = ALPHA,
    tests: int | None = None,
    t: int | None = None,
    kinds: Mapping[str, str] = KINDS,
) -> tuple[Drift, ...]:
    """Return how far each column has moved from the reference, what matters most first.

    Parameters
    ----------
    reference : Reference or Profile
        Of the rows the champion was made with. A bare profile knows of no past, and its tests of sampling alone.
    columns : mapping of str to array, each of shape (rows,)
        The current rows: float64 with NaN for null, or object with labels and None for null. Only columns that the
        reference has too are compared.
    alpha : float
        The chance of a false alarm in any column; shared out evenly (Bonferroni).
    tests : int, optional
        Among how many tests it is shared, if there are others than those of the columns.
    t : int, optional
        When the rows were observed, microseconds UTC: where they lie in their season.
    kinds : mapping of str to str
        What columns are that are no features.

    Returns
    -------
    tuple of Drift
        One per column compared; with no current rows its psi is 0 and its p-value 1.
    """
    known = reference if isinstance(reference, Reference) else Reference(reference)
    return moved(known, known.profile.count(columns), alpha=alpha, tests=tests, t=t, kinds=kinds)


def moved(
    reference: Reference,
    current: Profile,
    *,
    alpha: float = ALPHA,
    tests: int | None = None,
    t: int | None = None,
    kinds: Mapping[str, str] = KINDS,
) -> tuple[Drift, ...]:
    """Return what `drift` does of rows that were counted in the reference's bins before."""
    shared = alpha / max(1, tests or len(current.columns))
    found = [_compare(name, reference, current, shared, t, kinds.get(name, FEATURE)) for name in current.columns]
    return tuple(sorted(found, key=importance))


def importance(item: Drift) -> tuple[float, float, float, str]:
    """Return what drift is sorted by: severity, the expected rise of the loss, how far; the name for equals."""
    return -SEVERITIES.index(item.severity), -(item.effect or 0.0), -item.psi, item.column


def _compare(column: str, reference: Reference, current: Profile, alpha: float, t: int | None, kind: str) -> Drift:
    own, now = reference.profile.columns[column], current.columns[column]
    before, after = bins_of(own), bins_of(now)
    ordered = isinstance(own, Numbers)
    # Labels have no order to accumulate along, so numbers and labels take different tests.
    name = "ks" if ordered else "chi_square"
    both = counts(before, after, np.asarray(own.edges) if isinstance(own, Numbers) else None)
    measured = {one: test.measure(both) for one, test in TESTS.items() if both.of in test.fits}
    habit = reference.habits.get(column)
    by_chance = float(chance(before, after, habit, ordered=ordered, t=t))
    n, m = before.sum(), after.sum()
    p, q = (before / n, after / m) if n and m else (before, before)
    losses = reference.losses.get(column)
    whole = float((p * losses).sum()) if losses else 0.0
    effect = float(((q - p) * losses).sum()) if losses else None
    unseen = float(q[before == 0].sum())
    far, significant = measured["psi"].statistic, by_chance < alpha
    # where nothing was lost, no rise is a share of it
    costly = unseen >= COSTLY or (effect >= COSTLY * whole if effect is not None and whole > 0 else far >= LARGE)
    return Drift(
        column,
        name.replace("_", "-"),
        far,
        measured[name].statistic,
        measured[name].p_value,
        significant,
        int(m),
        kind=kind,
        severity=severity(significant and (habit is not None or far >= SLIGHT or unseen >= COSTLY), costly),
        chance=by_chance,
        bound=alpha,
        effect=effect,
        relative_effect=effect / whole if effect is not None and whole > 0 else None,
        unseen=unseen,
        measures={one: found.statistic for one, found in measured.items()},
    )


def severity(worth: bool, costly: bool) -> str:
    """Return the severity of what is worth an alarm, or not."""
    return (CRITICAL if costly else WARNING) if worth else INFO
