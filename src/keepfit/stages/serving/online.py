"""One entity's features at one moment, by the kernel and the expressions that the batch uses."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.plan import EventsPlan, calendar_part, compile_plan, evaluate
from keepfit.kernel.sweep import sweep
from keepfit.spec.columns import Value
from keepfit.spec.model import Model
from keepfit.spec.tables import Records
from keepfit.stages.serving.store import Held, OnlineStore

Columns = dict[str, NDArray[Any]]
ONE = np.array([0, 1], np.int64)


class Features(NamedTuple):
    """The features of one observation.

    Attributes
    ----------
    columns : dict of str to array [1]
        In the definition's order, as `keepfit.artifact.encode` reads them.
    known : bool
        Whether the store holds a row of the entity in any table.
    """

    columns: Columns
    known: bool

    def values(self) -> dict[str, float | str | None]:
        """Return name -> number, label, or None for null."""
        return {name: _plain(column.item()) for name, column in self.columns.items()}


class OnlineFeatures:
    """The features of a model, read from an online store.

    Parameters
    ----------
    model : Model
        The definition the champion was built from.
    store : OnlineStore
        Where its events and records are read.
    """

    def __init__(self, model: Model, store: OnlineStore) -> None:
        self._store = store
        self._plan = compile_plan(model.features)
        self._calendar = [(part.name, part) for part in self._plan.calendar]
        self._records = [
            (records, [(f"{records.name}_{column}", column, _numeric(records, column)) for column in columns])
            for records, columns in self._plan.records
        ]
        # a name is built anew whenever it is asked for; a leaf by itself needs no evaluation
        self._expressions = [(each.name, each if each.parts() else None) for each in self._plan.expressions]

    def features(self, entity: str, t: int) -> Features:
        """Return the features of (entity, t); only what had happened and was known before t counts.

        Parameters
        ----------
        entity : str
            The key as `keepfit.rows.contract.entity_key` writes it.
        t : int
            Microseconds UTC.
        """
        leaves: Columns = {}
        held, moment = self._store.read(entity), np.array([t], np.int64)
        for plan in self._plan.events:
            leaves.update(_swept(plan, held, moment))
        for records, columns in self._records:
            record = held.record(records) or {}
            leaves.update({name: _column(record.get(key), number) for name, key, number in columns})
        for name, part in self._calendar:
            leaves[name] = calendar_part(part, moment)
        return Features({n: leaves[n] if e is None else evaluate(e, leaves) for n, e in self._expressions}, held.known)


def _swept(plan: EventsPlan, held: Held, moment: NDArray[np.int64]) -> Iterable[tuple[str, NDArray[np.float64]]]:
    time, known, values = held.events(plan.table, plan.columns)
    offsets = np.array([0, time.size], np.int64)
    return zip(plan.names, sweep(plan.program, time, known, values, offsets, moment, ONE, threads=1), strict=True)


def _numeric(records: Records, column: str) -> bool:
    declared = records.type_of(column)
    return declared is not None and declared.numeric


def _column(value: Value, numeric: bool) -> NDArray[Any]:
    if numeric:
        return np.array([math.nan if value is None else value], np.float64)
    return np.array([value], object)


def _plain(value: object) -> float | str | None:
    return None if value is None or value != value else cast("float | str", value)
