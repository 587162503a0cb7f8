"""Features that were computed before and cannot have changed since are taken from the last training set.

A feature's value at (entity, t) depends on its definition and on the rows known before t. So a stored value holds if its
fingerprint is the same and every row that came since was known at t or later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Column, Observations
from keepfit.kernel import compiling
from keepfit.snapshot import Snapshot
from keepfit.spec import codec
from keepfit.spec.features import Expression
from keepfit.spec.tables import Table
from keepfit.stages.features.compute import compute

MODULES = {"keepfit": "keepfit", "holidays": "holidays", "vadersentiment": "vaderSentiment"}
NEVER = -(2**63)
ALWAYS = 2**63 - 1


@dataclass(frozen=True)
class Stored:
    """An earlier training set: what was computed, and from which table versions.

    Attributes
    ----------
    fingerprints : dict of str to str
        Feature -> fingerprint of its definition and of the tables it reads.
    versions : dict of str to int
        Source table -> version.
    columns : dict of str to array [rows]
        entity, t (int64 microseconds) and the features.
    """

    fingerprints: Mapping[str, str]
    versions: Mapping[str, int]
    columns: Mapping[str, Column]


def semantics() -> str:
    """Return what computes features, beside their definitions: another kernel or calendar may give other values."""
    libraries = [
        f"{name} {version(name)}" for name in ("keepfit", "holidays", "vadersentiment") if find_spec(MODULES[name])
    ]
    return ", ".join([f"kernel {compiling.DIGEST[:16]}", *libraries])


def fingerprints(features: Sequence[Expression]) -> dict[str, str]:
    """Return each feature's fingerprint, by name."""
    return codec.feature_fingerprints(features)


def compute_new(
    features: Sequence[Expression], snapshot: Snapshot, observations: Observations, stored: Stored | None
) -> dict[str, Column]:
    """Return what `compute` returns, computing only what `stored` does not hold."""
    if stored is None:
        return compute(features, snapshot, observations)
    own = fingerprints(features)
    held = [one for one in features if stored.fingerprints.get(one.name) == own[one.name]]
    until = min((_unchanged_until(one, snapshot, stored) for one in held), default=NEVER)
    rows = _find(stored, observations)
    old = (rows >= 0) & (observations.t <= until)
    if not held or not old.any():
        return compute(features, snapshot, observations)
    names = {one.name for one in held}
    changed = [one for one in features if one.name not in names]
    found: dict[str, Column] = {}
    fresh = compute(features, snapshot, observations.keep(~old)) if not old.all() else {}
    again = compute(changed, snapshot, observations.keep(old)) if changed else {}
    for one in features:
        kept = again[one.name] if one.name in again else stored.columns[one.name][rows[old]]
        column: Column = np.empty(len(observations), kept.dtype)
        column[old] = kept
        if fresh:
            column[~old] = fresh[one.name]
        found[one.name] = column
    return found


def _unchanged_until(feature: Expression, snapshot: Snapshot, stored: Stored) -> int:
    """Return the last moment at which a feature has the value it had when it was stored."""
    return min((_table_unchanged_until(table, snapshot, stored) for table in codec.tables_of(feature)), default=ALWAYS)


def _table_unchanged_until(table: Table, snapshot: Snapshot, stored: Stored) -> int:
    before, now = stored.versions.get(table.name), snapshot.versions[table.name]
    if before == now:
        return ALWAYS
    if before is None or table.time is None:
        return NEVER
    old, new = set(snapshot.files(table, before)), snapshot.files(table)
    if not old <= set(new):  # rows were exchanged, not added
        return NEVER
    first = snapshot.engine.first_known([file for file in new if file not in old])
    return ALWAYS if first is None else first


def _find(stored: Stored, observations: Observations) -> NDArray[np.int64]:
    """Return the row of the stored set that holds each observation, -1 if there is none."""
    code = {key: place for place, key in enumerate(observations.entities.tolist())}
    codes = np.fromiter((code.get(key, -1) for key in stored.columns["entity"]), np.int64, len(stored.columns["t"]))
    moments = np.unique(np.concatenate([stored.columns["t"], observations.t]))
    held, asked = (
        entities * len(moments) + np.searchsorted(moments, t)
        for entities, t in ((codes, stored.columns["t"]), (observations.codes(), observations.t))
    )
    order = np.argsort(held, kind="stable")
    place = np.minimum(np.searchsorted(held[order], asked), max(len(held) - 1, 0))
    if not len(held):
        return np.full(len(asked), -1, np.int64)
    rows = order[place]
    return np.where(held[rows] == asked, rows, -1)
