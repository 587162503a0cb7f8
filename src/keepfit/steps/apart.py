"""Tell the rows of now from those that a version was judged on, and windows of its past from those before them."""

from __future__ import annotations

import numpy as np

from keepfit import artifact as artifacts
from keepfit import tables
from keepfit.evidence import Drift, evaluation_from
from keepfit.project import Project
from keepfit.spec.model import Model
from keepfit.stages.monitoring.multivariate import multivariate
from keepfit.stages.monitoring.tests.domain_classifier import told_apart
from keepfit.stages.registry.evidence import evidence_of
from keepfit.steps.answering import Scored

PLACEBOS, MOST_ROWS = 6, 5_000
"""Past windows that are told from the rows before them, and rows of each side."""


def told(project: Project, model: Model, scored: Scored, bound: float) -> Drift | None:
    """Return whether the rows of now can be told from the test rows; None without the training set, as of a version from elsewhere.

    The rows are those of the training set that its lineage names: the lake keeps what some lineage needs.
    """
    own, version = scored.by.artifact, scored.by.version
    lineage, tested = own.lineage.get("training_set", {}), evaluation_from(evidence_of(version))
    name = tables.training_set(model.name)
    names = [one for one in own.features if one in own.profile]
    if (
        version.origin
        or tested is None
        or not len(scored.observations)
        or not names
        or not project.records.exists(name)
    ):
        return None
    columns = project.engine.columns(project.records.parquet_files(name, lineage["version"]))
    t, entity = columns["t"].astype(np.int64), columns["entity"]
    matrix = artifacts.encode(columns, names, own.categories).astype(np.float64)
    now = artifacts.encode(scored.features, names, own.categories).astype(np.float64)
    rng = np.random.default_rng(0)

    def some(places: np.ndarray) -> np.ndarray:
        return places if len(places) <= MOST_ROWS else np.sort(rng.choice(places, MOST_ROWS, replace=False))

    test, current = some(np.flatnonzero(t >= tested.test_from_at)), some(np.arange(len(now)))
    keys = scored.observations.keys()
    found = told_apart(matrix[test], now[current], entities=(entity[test], keys[current]))
    # each placebo has as long a reference, and as long a gap to its window
    length = max(int(t[test].max() - t[test].min()), 1)
    gap, grid = int(scored.observations.t.max() - t[test].max()), model.watch.grid(model.observe)
    past = []
    for end in reversed(grid.moments(int(t.min()) + length + gap, int(t.max()))[-PLACEBOS:]):
        after = some(np.flatnonzero((t > end - grid.step) & (t <= end)))
        before = some(np.flatnonzero((t >= end - gap - length) & (t <= end - gap)))
        if min(len(after), len(before)):
            past.append(told_apart(matrix[before], matrix[after], entities=(entity[before], entity[after])).area)
    return multivariate(found, names, past, len(current), bound)
