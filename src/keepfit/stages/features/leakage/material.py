"""What the tests look at: one model's observations and training set, read through one snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from keepfit.engines.protocol import Observations
from keepfit.errors import KeepfitError
from keepfit.evidence import ALARM, Finding
from keepfit.snapshot import Snapshot
from keepfit.spec.features import Aggregate, Attribute, ByCategory, Expression
from keepfit.spec.model import Model
from keepfit.spec.tables import Table
from keepfit.stages.features import observe
from keepfit.stages.features.leakage.sample import Places, chosen
from keepfit.stages.features.training_set import TrainingSet, training_set


class Parts(Protocol):
    """Row masks over a training set, as the model's training makes them."""

    @property
    def train(self) -> NDArray[np.bool_]: ...  # noqa: D102
    @property
    def validation(self) -> NDArray[np.bool_]: ...  # noqa: D102
    @property
    def test(self) -> NDArray[np.bool_]: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Material:
    """One model at one moment, as its training would see it.

    Attributes
    ----------
    observations : Observations
        All that are mature.
    training : TrainingSet
        Their features and targets.
    parts : Parts or None
        The split that the training would make; None if it would refuse, and `unsplit` says why.
    sample : int
        How many observations the costly tests look at.
    seed : int
        What the sample is drawn by.
    """

    model: Model
    snapshot: Snapshot
    observations: Observations
    training: TrainingSet
    parts: Parts | None
    unsplit: str
    sample: int
    seed: int

    @cached_property
    def rounds(self) -> list[Places]:
        """The observations that are recomputed; see `chosen`."""
        return chosen(self.model, self.snapshot, self.observations, self.sample, self.seed)

    @cached_property
    def looked_at(self) -> Places:
        """The places of all rounds, ascending."""
        return np.sort(np.concatenate([*self.rounds, np.zeros(0, np.int64)]))

    @property
    def where(self) -> str:
        """The model, as a finding names it."""
        return f"definitions.py, Model {self.model.name!r}"


def gathered(
    model: Model,
    snapshot: Snapshot,
    split: Callable[[NDArray[np.int64], int], Parts],
    trains_until: Callable[[NDArray[np.int64], int], int | None],
    sample: int,
    seed: int,
) -> Material:
    """Return the material of a model, split by (t of the rows, horizon) as its training would."""
    # each test reads the tables again: their files are looked up once
    files = {table.name: snapshot.files(table) for table in model.tables()}
    snapshot = Copies(snapshot.engine, snapshot.lake, snapshot.versions, snapshot.as_of, files)
    observations = observe.mature(model, snapshot)
    training = training_set(model, snapshot, trains_until)
    try:
        found, unsplit = split(training.t, model.horizon), ""
    except KeepfitError as error:
        found, unsplit = None, error.what
    return Material(training.model, snapshot, observations, training, found, unsplit, sample, seed)


@dataclass(frozen=True)
class Copies(Snapshot):
    """A snapshot whose tables lie in files that are named, such as copies."""

    copied: dict[str, list[str]]

    def files(self, table: Table, version: int | None = None) -> list[str]:
        """Return the files named for the table; without any, those of its version."""
        return self.copied.get(table.name) or super().files(table, version)


def columns_read(model: Model) -> dict[str, set[str]]:
    """Return the columns that features and conditions read, by table; a table read for its rows has none."""
    found: dict[str, set[str]] = {table.name: set() for table in model.tables()}
    for leaf in (leaf for expression in model.expressions() for leaf in expression.leaves()):
        table, column = column_of(leaf)
        if table and column:
            found[table].add(column)
        if isinstance(leaf, Aggregate) and leaf.where is not None:
            found[leaf.events.name] |= leaf.where.columns() - {leaf.events.entity}
        if isinstance(leaf, Aggregate) and leaf.via is not None:
            found[leaf.via.records.name].add(leaf.via.column)
    for one in (one for one in model.features if isinstance(one, ByCategory)):
        found[one.aggregate.events.name].add(one.by)
    return found


def column_of(leaf: Expression) -> tuple[str | None, str | None]:
    """Return the table and the column that a leaf reads; None for what it does not read."""
    if isinstance(leaf, Aggregate):
        return leaf.events.name, leaf.column
    return (leaf.records.name, leaf.column) if isinstance(leaf, Attribute) else (None, None)


def alarm(test: str, what: str, where: str, fix: str, **numbers: object) -> Finding:
    """Return a finding that training should not go on with."""
    return Finding(test, ALARM, what, where, fix, numbers)
