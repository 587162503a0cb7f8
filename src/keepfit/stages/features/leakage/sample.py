"""Which observations are recomputed: spread over time and entities, and first of all where a leak would show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Observations
from keepfit.snapshot import Snapshot
from keepfit.spec.model import Model
from keepfit.spec.observe import EachRow

ROUNDS = 8  # moments, each with copies of its own
CANDIDATES = 500  # observations of a round that are searched for tempting rows

Places = NDArray[np.int64]  # positions in the observations, ascending


def chosen(model: Model, snapshot: Snapshot, observations: Observations, sample: int, seed: int) -> list[Places]:
    """Return the observations to recompute, in rounds with one moment for each entity.

    Half of them, where there are so many, have a row that happened before t and was not known before it: if anything leaks,
    it leaks there.
    """
    lottery, rounds = np.random.default_rng(seed), _rounds(model, observations.t)
    found = []
    for number, places in enumerate(rounds):
        size = sample // len(rounds) + (number < sample % len(rounds))
        candidates = _one_each(observations, lottery.permutation(places)[: max(CANDIDATES, 4 * size)])
        tempting = _tempting(model, snapshot, at(observations, candidates))
        order = lottery.permutation(len(candidates))
        tempted = order[tempting[order]][: (size + 1) // 2]
        picked = list(dict.fromkeys([*tempted, *order]))[:size]
        found.append(np.sort(candidates[np.array(picked, np.int64)]))
    return [places for places in found if len(places)]


def at(observations: Observations, places: Places) -> Observations:
    """Return the observations at some places; entities without any are left out."""
    mask = np.zeros(len(observations), bool)
    mask[places] = True
    kept = observations.keep(mask)
    there = np.diff(kept.offsets) > 0
    return Observations(kept.entities[there], np.append(kept.offsets[:-1][there], len(kept)), kept.t)


def _rounds(model: Model, t: NDArray[np.int64]) -> list[Places]:
    """Return the places of each round's observations: some moments of a grid, or slices of time if each row is observed.

    Events that are reached through an attribute are cut at one moment for all who reach them, so their rounds have one.
    """
    reached = any(table.entity != model.observe.of.entity for table in model.tables())
    if isinstance(model.observe, EachRow) and not reached:
        return [part for part in np.array_split(np.argsort(t, kind="stable"), ROUNDS) if len(part)]
    moments = np.unique(t)
    if not len(moments):
        return []
    spread = np.unique(np.linspace(0, len(moments) - 1, ROUNDS).round().astype(int))
    return [np.flatnonzero(t == moments[place]) for place in spread]


def _one_each(observations: Observations, places: Places) -> Places:
    _, first = np.unique(observations.codes()[places], return_index=True)
    return np.sort(places[first])


def _tempting(model: Model, snapshot: Snapshot, candidates: Observations) -> NDArray[np.bool_]:
    found = np.zeros(len(candidates), bool)
    for table in (table for table in model.tables() if table.time):
        found |= snapshot.engine.probe(table, snapshot.files(table)).tempting(candidates)
    return found
