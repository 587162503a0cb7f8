"""Versions of a model's feature set: which features there are, and what changed since they were last computed."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from keepfit import tables
from keepfit.engines.protocol import Engine
from keepfit.lake import Lake
from keepfit.spec import codec
from keepfit.spec.features import ByCategory
from keepfit.spec.model import Model


@dataclass(frozen=True)
class FeatureSet:
    """One version of a model's features.

    Attributes
    ----------
    features : dict of str to str
        Feature -> fingerprint. `by=` stands for all its values.
    """

    version: int
    fingerprint: str
    features: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """What the declared features are beside the last version of them.

    Attributes
    ----------
    version : int
        The version that the declared features are, or would become.
    """

    version: int
    fingerprint: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


def declared(model: Model) -> dict[str, str]:
    """Return the fingerprints of the features as they are declared, whatever `by=` learned."""
    found = {}
    for one in model.features:
        grouped = isinstance(one, ByCategory)
        own = codec.feature_fingerprint(one.aggregate if grouped else one)
        found[one.name] = codec.fingerprint([own, one.by, one.top, one.values]) if grouped else own
    return found


def newest(engine: Engine, records: Lake, model: Model) -> FeatureSet | None:
    """Return the last version of a model's features; None if it was never trained."""
    name = tables.FEATURE_SETS.name
    if not records.exists(name):
        return None
    own = f"model = '{model.name}' qualify row_number() over (order by version desc) = 1"
    rows = engine.rows(records.parquet_files(name), own)
    if not rows:
        return None
    return FeatureSet(int(rows[0]["version"]), rows[0]["fingerprint"], json.loads(rows[0]["features"]))


def difference(engine: Engine, records: Lake, model: Model) -> Difference:
    """Return which features were added, removed and changed since the last version."""
    now, before = declared(model), newest(engine, records, model)
    old = before.features if before else {}
    fingerprint = codec.fingerprint(now)
    same = before is not None and before.fingerprint == fingerprint
    return Difference(
        version=(before.version if before else 0) + (0 if same else 1),
        fingerprint=fingerprint,
        added=tuple(name for name in now if name not in old),
        removed=tuple(name for name in old if name not in now),
        changed=tuple(name for name in now if name in old and old[name] != now[name]),
        unchanged=tuple(name for name in now if old.get(name) == now[name]),
    )


def enter(engine: Engine, records: Lake, model: Model, as_of: int) -> int:
    """Enter the features that a version is trained on, if they are new, and return their version."""
    found = difference(engine, records, model)
    before = newest(engine, records, model)
    if before is not None and before.version == found.version:
        return found.version
    entry = {
        "model": np.array([model.name], object),
        "version": np.array([found.version], np.int64),
        "fingerprint": np.array([found.fingerprint], object),
        "as_of": np.array([as_of], np.int64),
        "features": np.array([json.dumps(declared(model))], object),
    }
    name = tables.FEATURE_SETS.name
    mark = f"{model.name}/{found.version}/{found.fingerprint}"
    records.append(name, engine.relation(entry, tables.FEATURE_SETS.columns), transaction=mark)
    return found.version
