"""The answers of a champion whose labels have matured: what it said, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock, tables
from keepfit.answers import Answers, answers_from, names_of
from keepfit.engines.protocol import Column, Observations
from keepfit.project import Project
from keepfit.snapshot import Snapshot
from keepfit.spec.features import Expression
from keepfit.spec.observe import Every
from keepfit.stages.features.compute import compute
from keepfit.steps.answering import Loaded
from keepfit.steps.building import definition_of
from keepfit.steps.estimating import ROWS_WINDOW, seal_of

MOST_WINDOWS = 60
"""How many windows of the model's grid are looked back on."""


@dataclass(frozen=True)
class Matured:
    """Answers with what happened, sorted by (entity, t).

    Attributes
    ----------
    actual : float64 array, shape (rows,)
        1 and 0 for a classification; of several labels the place.
    features : dict of str to array, shape (rows,)
        Empty if nobody asked.
    newest : bool array, shape (rows,)
        Which of them are of the newest window.
    """

    observations: Observations
    answers: Answers
    actual: NDArray[np.float64]
    features: dict[str, Column]
    newest: NDArray[np.bool_]

    def part(self, rows: NDArray[np.bool_]) -> Matured:
        """Return some of the rows."""
        features = {name: values[rows] for name, values in self.features.items()}
        return Matured(self.observations.keep(rows), self.answers[rows], self.actual[rows], features, self.newest[rows])


def matured(project: Project, champion: Loaded, snapshot: Snapshot, *, features: bool) -> Matured | None:
    """Return the champion's matured answers, or None if there are none.

    Parameters
    ----------
    features : bool
        Whether to compute the features too.
    """
    rows = answered(project, champion, snapshot)
    if not rows:
        return None
    model = champion.artifact.model
    t = np.array([row["t"] for row in rows], np.int64)
    observations, order = Observations.grouped(np.array([row["entity"] for row in rows], object), t)
    columns = columns_of(champion, [model.target, *(model.inputs() if features else ())], snapshot, observations)
    actual = columns.pop(model.target.name).astype(np.float64)
    newest = observations.t >= int(t.max()) - newest_length(champion)
    found = Matured(observations, answers_from(model, rows)[order], actual, columns, newest)
    known = ~np.isnan(actual)
    return found.part(known) if (known & newest).any() else None


def columns_of(by: Loaded, wanted: Sequence[Expression], snapshot: Snapshot, rows: Observations) -> dict[str, Column]:
    """Return columns of a version's definition at observations; policies that look at the same ones share them."""
    asked = definition_of(by.artifact.model), tuple(one.name for one in wanted), seal_of(rows)
    return dict(snapshot.once(("columns", *asked), lambda: compute(wanted, snapshot, rows)))


def answered(project: Project, champion: Loaded, snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return what the champion told somebody of observations whose labels have matured, each observation once."""
    model, name = champion.artifact.model, tables.PREDICTIONS.name
    if not project.records.exists(name):
        return []
    end = min(snapshot.complete_until(table) for table in model.awaited()) - model.horizon
    # what the version could learn the label of is no prediction: its horizon must end after the training
    after = champion.version.trained_at - model.horizon
    # what is said of ready rows is of no entity: nothing shows how it turned out; nobody was told what a shadow says
    own = f"model = '{model.name}' and version = '{champion.version.number}' and origin not in ('rows', 'shadow')"
    own += f" and t > make_timestamptz({after}) and t <= make_timestamptz({end})"
    length = max(newest_length(champion), MOST_WINDOWS * model.watch.grid(model.observe).step)
    own += f" qualify t >= max(t) over () - to_microseconds({length})"
    rows = project.engine.rows(project.records.parquet_files(name), own, ["entity", "t", *names_of(model)])
    return list({(row["entity"], row["t"]): row for row in rows}.values())


def newest_length(champion: Loaded) -> int:
    """Return how long before its last moment the newest window begins, in microseconds."""
    model = champion.artifact.model
    if isinstance(model.observe, Every):
        return clock.Grid(model.observe.every).step - 1
    return max(model.horizon, ROWS_WINDOW)
