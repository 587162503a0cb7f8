"""What servers answered since the turn before: how often, with which inputs, and how far those lie from the reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock, tables
from keepfit.artifact import Artifact
from keepfit.evidence import INFO, SERVING, Drift, Sign
from keepfit.project import Project
from keepfit.spec.model import CLASSIFICATION
from keepfit.stages.monitoring.drift import drift
from keepfit.stages.monitoring.reference import Reference
from keepfit.steps.answering import Scored
from keepfit.steps.ledger import entries

MOST, FEWEST = 10_000, 30
"""Answers that are looked at, the newest; and from which on their features are held against the reference."""


@dataclass(frozen=True)
class Served:
    """The champion's answers to requests since a moment."""

    own: Artifact
    since: int
    rows: list[dict[str, Any]]

    @cached_property
    def features(self) -> dict[str, NDArray[Any]]:
        """The features as servers computed them, of those that can drift; null where a row lacks one."""
        sent = [json.loads(row["features"]) for row in self.rows if row["features"]]
        return {
            name: _column([one.get(name) for one in sent], label="labels" in profile)
            for name, profile in self.own.profile.items()
            if sent and name in self.own.features
        }

    @property
    def many(self) -> bool:
        """Whether there are enough to speak of drift."""
        return bool(self.features) and len(next(iter(self.features.values()))) >= FEWEST


def served(project: Project, scored: Scored, as_of: int) -> Served | None:
    """Return what the champion answered to requests since the turn before, or its promotion; None if nothing, or in a replay."""
    name, version = tables.PREDICTIONS.name, scored.by.version
    if project.is_replay or not project.records.exists(name):
        return None
    before = [one.as_of for one in entries(project, version.model) if one.by is None and one.as_of < as_of]
    since = max([version.promoted_at, *before])
    # an id begins with the moment of the answer; the observation's own may lie in the past
    own = f"model = '{version.model}' and version = '{version.number}' and origin in ('request', 'canary')"
    own += f" and request_id >= '{since:014x}' and request_id < '{as_of:014x}' order by request_id desc limit {MOST}"
    rows = project.engine.rows(project.records.parquet_files(name), own, ["score", "positive", "features"])
    return Served(scored.by.artifact, since, rows) if rows else None


def health(found: Served, scored: Scored) -> tuple[Sign, ...]:
    """Return how many answers there were, the share of positive ones, and of inputs that were missing, beside what is usual."""
    count, since = len(found.rows), clock.show(found.since)
    told = f"{count:,} requests were answered since {since}"
    signs = [Sign(SERVING, "requests", count, INFO, told if count < MOST else f"at least {told}", rows=count)]
    if found.own.model.task == CLASSIFICATION:
        share = float(np.mean([bool(row["positive"]) for row in found.rows]))
        usual = float((scored.score >= found.own.threshold).mean()) if len(scored.score) else None
        beside = "" if usual is None else f", and {usual:.1%} of those of the turn"
        said = f"{share:.1%} of the answers to requests are positive{beside}"
        signs.append(Sign(SERVING, "share positive", share, INFO, said, usual=usual, rows=count))
    if found.features:
        missing = float(np.mean([_missing(values) for values in found.features.values()]))
        usual = float(np.mean([_nulls(found.own.profile[name]) for name in found.features]))
        said = f"{missing:.1%} of the features of requests are missing, {usual:.1%} of those of the reference"
        signs.append(Sign(SERVING, "missing inputs", missing, INFO, said, usual=usual, rows=count))
    return tuple(signs)


def skew(found: Served, bound: float) -> tuple[Drift, ...]:
    """Return how far the features of requests lie from the reference, each column called by its origin."""
    reference = Reference.from_data(found.own.profile)
    moved = drift(reference, found.features, alpha=bound, tests=1)
    return tuple(replace(one, column=f"{one.column} (requests)") for one in moved)


def _column(values: list[Any], *, label: bool) -> NDArray[Any]:
    if label:
        return np.array(values, object)
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def _missing(values: NDArray[Any]) -> float:
    return float(np.mean([one is None or one != one for one in values.tolist()]))


def _nulls(counted: Mapping[str, Any]) -> float:
    rows = sum(counted["counts"]) + counted.get("rest", 0) + counted["nulls"]
    return float(counted["nulls"] / rows) if rows else 0.0
