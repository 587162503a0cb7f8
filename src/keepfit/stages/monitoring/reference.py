"""The reference that a version carries: how its world was distributed, how that varies by itself, and where it errs.

It is plain data beside the model (`profile.json`), of a few hundred kilobytes at most. An artifact of an earlier keepfit has the
counts alone, and is watched by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.evidence import as_data, from_data
from keepfit.evidence.watched import Described
from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.contrasts import contrasts
from keepfit.stages.monitoring.describing import described
from keepfit.stages.monitoring.habits import Habit, Past, borrowed, habits
from keepfit.stages.monitoring.profile import Labels, Numbers, Profile, bins_of, places, profile
from keepfit.stages.monitoring.seasons import cycle_of, phases

LOSS, HABIT, STATS = "loss", "habit", "stats"
PRIOR_ROWS = 20
"""A bin's mean loss counts as if so many rows more of the overall mean lay in it: of few rows it is mostly chance."""


@dataclass(frozen=True)
class Reference:
    """What drift is measured from.

    Attributes
    ----------
    profile : Profile
        Of the newest rows the version was made with.
    losses : dict of str to tuple of float
        Of each column, the mean loss of test rows in each bin, nulls first.
    habits : dict of str to Habit
        How much each column's windows differ by themselves.
    stats : dict of str to Described
        The rows of the profile in numbers.
    """

    profile: Profile
    losses: dict[str, tuple[float, ...]] = field(default_factory=dict)
    habits: dict[str, Habit] = field(default_factory=dict)
    stats: dict[str, Described] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Return the reference as JSON data; `from_data` gives it back unchanged."""
        found = self.profile.as_data()
        for name, loss in self.losses.items():
            found[name][LOSS] = list(loss)
        for name, habit in self.habits.items():
            found[name][HABIT] = habit.as_data()
        for name, stats in self.stats.items():
            found[name][STATS] = as_data(stats)
        return found

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Reference:
        """Return the reference that `as_data` wrote, or the profile of an earlier keepfit."""
        losses = {name: tuple(item[LOSS]) for name, item in data.items() if LOSS in item}
        known = {name: Habit.from_data(item[HABIT]) for name, item in data.items() if HABIT in item}
        stats = {name: from_data(Described, item[STATS]) for name, item in data.items() if STATS in item}
        return Reference(Profile.from_data(data), losses, known, stats)


@dataclass(frozen=True)
class Rows:
    """Columns of rows, when each was observed, and which of them the reference is counted on.

    Attributes
    ----------
    columns : dict of str to array, shape (rows,)
    t : int64 array, shape (rows,)
        Microseconds UTC, ascending.
    newest : bool array, shape (rows,)
    """

    columns: Mapping[str, NDArray[Any]]
    t: NDArray[np.int64]
    newest: NDArray[np.bool_]


def remembered(features: Rows, answers: Rows, grid: clock.Grid, loss: Floats, test: NDArray[np.bool_]) -> Reference:
    """Return the reference of a version.

    Parameters
    ----------
    features : Rows
        All rows of the training set, with the features that can drift.
    answers : Rows
        The test rows, with what was answered; of the others the answers are too sure.
    grid : clock.Grid
        Of the windows that the version will be watched in.
    loss : float64 array, shape (test rows,)
        What each answer cost; NaN is left out.
    test : bool array, shape (rows,)
        The rows that were answered.
    """
    newest = {name: one[features.newest] for name, one in features.columns.items()} | dict(answers.columns)
    counted = profile(newest)
    past = _past(counted, features, grid) | _past(counted, answers, grid)
    known = habits(past)
    kinds = {name: contrasts(one.reference, one.windows[:1], ordered=one.ordered).kinds for name, one in past.items()}
    lent = [(habit, kinds[name]) for name, habit in known.items()]
    for name in past.keys() - known.keys():
        if (habit := borrowed(lent, kinds[name])) is not None:
            known[name] = habit
    rows = {name: one[test] for name, one in features.columns.items()} | dict(answers.columns)
    losses = {name: _losses(counted.columns[name], values, loss) for name, values in rows.items()}
    return Reference(counted, losses, known, described(newest))


def _past(counted: Profile, rows: Rows, grid: clock.Grid) -> dict[str, Past]:
    """Return the windows of each column, by the moments of the grid."""
    if not len(rows.t):
        return {}
    starts = np.array(grid.moments(grid.at_or_before(int(rows.t[0])), int(rows.t[-1])), np.int64)
    window = np.searchsorted(starts, rows.t, side="right") - 1
    used, window = np.unique(window, return_inverse=True)
    cycle, count = cycle_of(grid), len(used)
    phase = phases(starts[used], cycle)
    in_reference = len(np.unique(window[rows.newest]))
    found = {}
    for name, values in rows.columns.items():
        own = counted.columns[name]
        reference = bins_of(own)
        cells = np.bincount(window * len(reference) + places(own, values), minlength=count * len(reference))
        windows = cells.reshape(count, len(reference)).astype(np.float64)
        found[name] = Past(
            reference, windows, isinstance(own, Numbers), np.zeros(count, np.intp), phase, in_reference, cycle
        )
    return found


def _losses(counted: Numbers | Labels, values: NDArray[Any], loss: Floats) -> tuple[float, ...]:
    bins, known = len(bins_of(counted)), ~np.isnan(loss)
    place = places(counted, values)[known]
    sums, rows = np.bincount(place, loss[known], minlength=bins), np.bincount(place, minlength=bins)
    whole = float(loss[known].mean()) if known.any() else 0.0
    return tuple(((sums + PRIOR_ROWS * whole) / (rows + PRIOR_ROWS)).round(8).tolist())
