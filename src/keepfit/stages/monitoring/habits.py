"""Habits: how much a column's windows differ by themselves, learnt from the model's own past.

Windows of one world differ more than their sizes explain: seasons come and go, and what was high stays high for a while. A
test that knows only sampling noise calls that drift. Here each contrast of a column gets a variance between windows, estimated
on past windows, with the degrees of freedom of that estimate, so that few windows make wide bounds (docs/adr/0014).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.contrasts import LOCATION, SPREAD, Contrasts, contrasts
from keepfit.stages.monitoring.memory import inflation, remembering, resemblance, worth
from keepfit.stages.monitoring.moderation import moderated, tailed
from keepfit.stages.monitoring.seasons import seasonal

FEWEST = 3
"""Windows from which anything can be said of how they differ."""
FEW = 4.0
"""Degrees of freedom of a habit that is borrowed."""
PLACES = 6


@dataclass(frozen=True)
class Habit:
    """How much the contrasts of one column differ between windows.

    Attributes
    ----------
    unit : tuple of float
        What sampling alone gave the past windows, in variance: one over their typical rows.
    excess : tuple of float
        What they varied beyond that, in variance; 0 if nothing.
    degrees : tuple of float
        Of freedom, of that estimate.
    season : dict of int to tuple of float
        Of the contrasts that have one: what each phase adds.
    cycle : str
        What the season goes round; see `keepfit.stages.monitoring.seasons`.
    home : tuple of int
        The phases of the reference's windows.
    within : float
        The spread of the reference's windows, each about its own location: that of all their rows is larger, if locations differ.
    tail : float
        Degrees of freedom of Student's t that locations are as long-tailed as.
    """

    unit: tuple[float, ...]
    excess: tuple[float, ...]
    degrees: tuple[float, ...]
    season: dict[int, tuple[float, ...]] = field(default_factory=dict)
    cycle: str = ""
    home: tuple[int, ...] = ()
    within: float = 0.0
    tail: float = math.inf

    def as_data(self) -> dict[str, Any]:
        """Return the habit as JSON data."""
        season = {str(place): list(own) for place, own in self.season.items()}
        degrees = [None if math.isinf(own) else own for own in self.degrees]
        found: dict[str, Any] = {"unit": list(self.unit), "excess": list(self.excess), "degrees": degrees}
        found |= {"within": self.within} if self.within else {}
        found |= {"tail": self.tail} if math.isfinite(self.tail) else {}
        return found | ({"season": season, "cycle": self.cycle, "home": list(self.home)} if season else {})

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Habit:
        """Return the habit that `as_data` wrote."""
        season = {int(place): tuple(own) for place, own in data.get("season", {}).items()}
        degrees = tuple(math.inf if own is None else own for own in data["degrees"])
        cycle, home = data.get("cycle", ""), tuple(data.get("home", ()))
        return Habit(
            tuple(data["unit"]),
            tuple(data["excess"]),
            degrees,
            season,
            cycle,
            home,
            data.get("within", 0.0),
            data.get("tail", math.inf),
        )


@dataclass(frozen=True)
class Past:
    """The past windows of one column.

    Attributes
    ----------
    reference : float64 array, shape (bins,)
        Counts of the profile that drift is measured from.
    windows : float64 array, shape (windows, bins)
        Counts of each window, the oldest first.
    ordered : bool
        Whether the bins are those of numbers.
    parts : int array, shape (windows,)
        Windows of different parts have levels of their own: scores of rows that were learnt from are too sure.
    phase : int array, shape (windows,), or None
        The place of each window in its season; None if the past is too short for one.
    in_reference : int
        How many of the newest windows the reference was counted on.
    cycle : str
        What `phase` goes round.
    """

    reference: Floats
    windows: Floats
    ordered: bool
    parts: NDArray[np.intp]
    phase: NDArray[np.intp] | None
    in_reference: int
    cycle: str = ""


@dataclass
class _Spread:
    """What one column's past windows show, contrast by contrast; see `Habit`.

    Attributes
    ----------
    scaled : list of (residuals over their sampling noise, degrees of freedom), or None
        Of each contrast, once its season and the levels of its parts are gone.
    alike : float64 array, shape (contrasts,)
        How much a window resembles the one before; NaN if unknown.
    """

    found: Contrasts
    scaled: list[tuple[Floats, int] | None]
    unit: Floats
    alike: Floats
    season: dict[int, tuple[float, ...]]
    rounds: float = 1.0


def habits(past: Mapping[str, Past]) -> dict[str, Habit]:
    """Return the habits of columns; a column with fewer than 3 windows of some rows has none.

    A column's variance is held against those of all columns, for with few windows each alone says little (see `moderated`).
    """
    spreads = {name: spread for name, own in past.items() if (spread := _spread(own)) is not None}
    shapes = {name: len(one.scaled) for name, one in spreads.items()}
    # ratio of the variances, degrees of freedom, windows that the reference is worth, degrees of freedom of the tail
    shown = {name: np.full((4, shape), np.nan) for name, shape in shapes.items()}
    for kind in sorted({kind for one in spreads.values() for kind in one.found.kinds}):
        places = [
            (name, place)
            for name, one in spreads.items()
            for place in range(shapes[name])
            if one.found.kinds[place] == kind
        ]
        places = [(name, place) for name, place in places if spreads[name].scaled[place] is not None]
        if places:
            _shown(places, spreads, shown, past)
    return {name: _habit(one, shown[name], past[name]) for name, one in spreads.items()}


def _shown(
    places: Sequence[tuple[str, int]],
    spreads: Mapping[str, _Spread],
    shown: Mapping[str, Floats],
    past: Mapping[str, Past],
) -> None:
    """Fill in what contrasts of one kind show, each held against the others."""
    scaled = [found for name, place in places if (found := spreads[name].scaled[place]) is not None]
    alike = np.array([spreads[name].alike[place] for name, place in places])
    memory, many = remembering(alike, [one for one, _ in scaled])
    names = {name for name, _ in places}
    evens = {name: _worth(spreads[name].found.noise) for name in names}
    newests = {name: _worth(spreads[name].found.noise[-past[name].in_reference :]) for name in names}
    for (name, place), (residual, free), kept in zip(places, scaled, memory.tolist(), strict=True):
        newest = past[name].in_reference
        own, free_of = _between(residual, free, kept, evens[name][place] / len(residual))
        shown[name][:3, place] = own, free_of, newests[name][place] / inflation(kept, min(newest, len(residual)))
    ratio, degrees = moderated(
        np.array([shown[name][0, place] for name, place in places]),
        np.array([shown[name][1, place] for name, place in places]),
        many,
        len(names),
    )
    located = spreads[places[0][0]].found.kinds[places[0][1]] == LOCATION
    tail = tailed([one for one, _ in scaled], many) if located else math.inf
    for (name, place), one, own in zip(places, ratio.tolist(), degrees.tolist(), strict=True):
        shown[name][[0, 1, 3], place] = one, own, tail


def _worth(noise: Floats) -> list[float]:
    """Return how many windows of even size windows of uneven size are worth, of each contrast (Kish 1965)."""
    found: list[float] = ((1 / noise).sum(axis=0) ** 2 / (1 / noise**2).sum(axis=0)).tolist()
    return found


def _habit(one: _Spread, shown: Floats, past: Past) -> Habit:
    ratio, degrees, windows, tail = shown
    known = np.isfinite(ratio)
    # the reference itself is of a few windows, and these are alike
    excess = np.where(known, np.maximum(ratio - 1, 0) * one.unit * (1 + 1 / windows), 0.0)
    at = one.found.kinds.index(LOCATION) if LOCATION in one.found.kinds else None
    for place in one.season:
        # a season is known from as few windows as there were rounds
        excess[place] += ratio[place] * one.unit[place] / one.rounds
    return Habit(
        tuple(np.where(known, one.unit, 0.0).round(PLACES + 2).tolist()),
        tuple(excess.round(PLACES + 2).tolist()),
        tuple(np.where(known, degrees, 1.0).round(2).tolist()),
        one.season,
        past.cycle if one.season else "",
        tuple(past.phase[-past.in_reference :].tolist()) if one.season and past.phase is not None else (),
        _within(one.found, past.in_reference),
        round(float(tail[at]), 2) if at is not None and known[at] else math.inf,
    )


def _within(found: Contrasts, newest: int) -> float:
    """Return the mean spread of the newest windows, by their rows."""
    if SPREAD not in found.kinds:
        return 0.0
    place = found.kinds.index(SPREAD)
    value, weight = found.values[-newest:, place], 1 / found.noise[-newest:, place]
    mean = float((value * weight).sum() / weight.sum())
    return round(mean, PLACES) if math.isfinite(mean) else 0.0


def borrowed(others: Sequence[tuple[Habit, Sequence[str]]], kinds: Sequence[str]) -> Habit | None:
    """Return the habit of a column that has too few windows of its own: the upper quartile of what other columns' contrasts do.

    Parameters
    ----------
    others : sequence of (Habit, kinds of its contrasts)
    kinds : sequence of str
        Of the column's contrasts.
    """
    unit, excess = [], []
    for kind in kinds:
        own = [
            (one.unit[place], one.excess[place]) for one, its in others for place, is_ in enumerate(its) if is_ == kind
        ]
        known = np.array([pair for pair in own if pair[0] > 0])
        unit.append(float(np.median(known[:, 0])) if len(known) else 0.0)
        excess.append(float(np.quantile(known[:, 1], 0.75)) if len(known) else 0.0)
    return Habit(tuple(unit), tuple(excess), (FEW,) * len(kinds)) if any(unit) else None


def _spread(past: Past) -> _Spread | None:
    some = past.windows.sum(axis=1) > 0
    windows, parts = past.windows[some], past.parts[some]
    if len(windows) < FEWEST:
        return None
    found = contrasts(past.reference, windows, ordered=past.ordered)
    one = _Spread(found, [], np.full(len(found.kinds), np.nan), np.full(len(found.kinds), np.nan), {})
    phase = None if past.phase is None else past.phase[some]
    one.rounds = 1.0 if phase is None else len(phase) / len(np.unique(phase))
    for place in range(len(found.kinds)):
        value, weight = found.values[:, place], 1 / found.noise[:, place]
        one.scaled.append(None)
        if not np.isfinite(value).all():
            continue
        residual, lost = _centred(value, weight, parts)
        own = None if phase is None else seasonal(residual, weight, phase, lost)
        if own is not None:
            residual = residual - own[phase]
            one.season[place] = tuple(own.round(PLACES).tolist())
            lost += len(own) - 1
        if len(value) - lost >= 1:
            one.unit[place] = (len(value) - 1) / (weight.sum() - (weight**2).sum() / weight.sum())
            one.scaled[place] = residual * np.sqrt(weight), len(value) - lost
            one.alike[place] = resemblance(residual * np.sqrt(weight))
    return one


def _between(scaled: Floats, free: int, memory: float, even: float) -> tuple[float, float]:
    """Return the variance between windows over that of sampling, and its degrees of freedom.

    Cochran's Q over its degrees of freedom, as in the method of moments of DerSimonian & Laird (1986). Windows that resemble
    their neighbours are worth fewer (Bayley & Hammersley, JRSS Supplement 8, 1946), and so are windows of uneven size, the more
    so the less of their variance is sampling: `even` is what share of their number they are then worth (Kish 1965).
    """
    # of the squares, what the mean of windows that are alike has taken away
    left = max(free - (inflation(memory, len(scaled)) - 1), 0.25 * free)
    ratio = float((scaled**2).sum()) / left
    known = min(1.0, 1 / ratio) if ratio > 0 else 1.0
    return ratio, max(1.0, free * worth(memory) * (known + (1 - known) * even))


def _centred(value: Floats, weight: Floats, parts: NDArray[np.intp]) -> tuple[Floats, int]:
    """Return values without the mean of their part, and how many means were taken."""
    residual, which = value.copy(), np.unique(parts)
    for part in which:
        own = parts == part
        residual[own] -= (value[own] * weight[own]).sum() / weight[own].sum()
    return residual, len(which)
