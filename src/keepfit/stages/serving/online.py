"""One entity's features at one moment, by the kernel and the expressions that the batch uses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from keepfit.errors import ServingError
from keepfit.kernel.calendar import of_moment
from keepfit.kernel.evaluate import Together
from keepfit.kernel.plan import EventsPlan, Plan, compile_plan
from keepfit.kernel.sweep import sweep
from keepfit.rows.key import key_text
from keepfit.spec.columns import Value
from keepfit.spec.features import Attribute
from keepfit.spec.model import Model
from keepfit.spec.tables import Records
from keepfit.stages.serving.coverage import needed
from keepfit.stages.serving.held import Held
from keepfit.stages.serving.store import OnlineStore

Columns = dict[str, NDArray[Any]]
ONE = np.array([0, 1], np.int64)
NOTHING: Mapping[str, Value] = MappingProxyType({})


class Features(NamedTuple):
    """The features of one observation.

    Attributes
    ----------
    columns : dict of str to array [1]
        In the definition's order, as `keepfit.artifact.encode` reads them.
    known : bool
        Whether the store holds a row of the entity in any table that is about it.
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
        self._plan = compile_plan(model.inputs())
        _require(self._plan, store)
        self._own = frozenset(table.name for table in model.tables() if table.entity == model.observe.of.entity)
        self._moments = [(moment.name, moment) for moment in self._plan.moments]
        self._sent = {name: sent.key for name, sent in model.request_inputs().items()}
        self._category = {name for name, sent in model.request_inputs().items() if sent.is_category}
        self._records = [
            (records, [(f"{records.name}_{column}", column, _numeric(records, column)) for column in columns])
            for records, columns in self._plan.records
        ]
        self._expressions = Together(self._plan.expressions)

    def features(self, entity: str, t: int, sent: Mapping[str, Value] = NOTHING) -> Features:
        """Return the features of (entity, t); only what had happened and was known before t counts.

        Parameters
        ----------
        entity : str
            The key as `keepfit.rows.contract.entity_key` writes it.
        t : int
            Microseconds UTC.
        sent : mapping
            The request-time inputs that a request sends, typed.
        """
        leaves: Columns = {}
        held, moment = self._store.read(entity), np.array([t], np.int64)
        for records, columns in self._records:
            record = held.record(records, t) or {}
            leaves.update({name: _column(record.get(key), number) for name, key, number in columns})
        for plan in self._plan.events:
            leaves.update(_swept(plan, held, moment) if plan.via is None else self._swept_through(plan, leaves, moment))
        for name, part in self._moments:
            leaves[name] = of_moment(part, moment)
        for name, value in sent.items():
            leaves[self._sent[name]] = _column(value, name not in self._category)
        return Features(self._expressions(leaves), held.knows(self._own))

    def _swept_through(
        self, plan: EventsPlan, leaves: Columns, moment: NDArray[np.int64]
    ) -> Iterable[tuple[str, NDArray[np.float64]]]:
        """Sweep the events of the entity that an attribute names; null if it names none."""
        via = cast(Attribute, plan.via)
        key = key_text(via.records.type_of(via.column), leaves[via.name].item())
        if key is None:
            return ((name, np.array([math.nan])) for name in plan.names)
        return _swept(plan, self._store.read(key), moment)


def _require(plan: Plan, store: OnlineStore) -> None:
    """Refuse a definition that the store was not filled for: an answer would silently lack what is not there."""
    for name, needs in needed([plan]).items():
        held = store.coverage(name)
        if held is not None and not held.covers(needs):
            what = f"the online store does not hold what the version needs of {name}"
            raise ServingError(what, where=name, fix="run `keepfit publish`, which fills it for the champion")


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
