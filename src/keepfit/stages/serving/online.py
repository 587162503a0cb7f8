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
from keepfit.kernel.one_row import OneRow, column
from keepfit.kernel.plan import EventsPlan, Plan, compile_plan
from keepfit.kernel.sweep import sweep_one
from keepfit.rows.key import key_text
from keepfit.spec.columns import Value
from keepfit.spec.features import Attribute
from keepfit.spec.model import Model
from keepfit.spec.rows import RowExpression
from keepfit.spec.tables import Records
from keepfit.stages.serving.coverage import needed
from keepfit.stages.serving.held import Held
from keepfit.stages.serving.store import OnlineStore

Columns = dict[str, NDArray[Any]]
Row = dict[str, float | str | None]
NOTHING: Mapping[str, Value] = MappingProxyType({})


class Features(NamedTuple):
    """The features of one observation.

    Attributes
    ----------
    row : dict of str to float, str or None
        In the definition's order, as `keepfit.artifact.RowEncoder` reads them: a number, NaN if it is null; a label, None
        if it is null.
    known : bool
        Whether the store holds a row of the entity in any table that is about it.
    answers_from : int
        The earliest moment that can be answered from what was read, microseconds UTC.
    """

    row: Row
    known: bool
    answers_from: int

    @property
    def columns(self) -> Columns:
        """The same as a batch has them: name -> array [1]."""
        return {name: column(value) for name, value in self.row.items()}

    def values(self) -> Row:
        """Return name -> number, label, or None for null."""
        return {name: None if value != value else value for name, value in self.row.items()}


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
        plan = compile_plan(model.inputs())
        _require(plan, store)
        self._own = frozenset(table.name for table in model.tables() if table.entity == model.observe.of.entity)
        self._moments = [(moment.name, moment) for moment in plan.moments]
        self._sent = {name: sent.key for name, sent in model.request_inputs().items()}
        self._category = {name for name, sent in model.request_inputs().items() if sent.is_category}
        self._records = [
            (records, [(f"{records.name}_{column}", column, _numeric(records, column)) for column in columns])
            for records, columns in plan.records
        ]
        self._events = [(each, {str(column): column for column in each.columns}) for each in plan.events]
        self._expressions = OneRow(plan.expressions)

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
        leaves: Row = {}
        held, moment = self._store.read(entity), np.array([t], np.int64)
        for records, attributes in self._records:
            record = held.record(records, t) or {}
            leaves.update({name: _plain(record.get(key), number) for name, key, number in attributes})
        earliest = held.answers_from
        for plan, columns in self._events:
            own = held if plan.via is None else self._reached(plan.via, leaves)
            if own is not None:
                earliest = max(earliest, own.answers_from)
            leaves.update(_nothing(plan) if own is None else _swept(plan, columns, own, moment))
        for name, part in self._moments:
            leaves[name] = of_moment(part, moment).item()
        for name, value in sent.items():
            leaves[self._sent[name]] = _plain(value, name not in self._category)
        return Features(self._expressions(leaves), held.knows(self._own), earliest)

    def _reached(self, via: Attribute, leaves: Row) -> Held | None:
        """Return what is held of the entity that an attribute names; None if it names none."""
        key = key_text(via.records.type_of(via.column), leaves[via.name])
        return None if key is None else self._store.read(key)


def _require(plan: Plan, store: OnlineStore) -> None:
    """Refuse a definition that the store was not filled for: an answer would silently lack what is not there."""
    for name, needs in needed([plan]).items():
        held = store.coverage(name)
        if held is not None and not held.covers(needs):
            what = f"the online store does not hold what the version needs of {name}"
            raise ServingError(what, where=name, fix="run `keepfit publish`, which fills it for the champion")


def _swept(
    plan: EventsPlan, columns: Mapping[str, RowExpression], held: Held, moment: NDArray[np.int64]
) -> Iterable[tuple[str, float]]:
    time, known, values = held.events(plan.table, columns)
    return zip(plan.names, sweep_one(plan.program, time, known, values, moment).tolist(), strict=True)


def _nothing(plan: EventsPlan) -> Iterable[tuple[str, float]]:
    return ((name, math.nan) for name in plan.names)


def _numeric(records: Records, column: str) -> bool:
    declared = records.type_of(column)
    return declared is not None and declared.numeric


def _plain(value: Value, numeric: bool) -> float | str | None:
    """Return a value as a row has it."""
    if not numeric:
        return cast("str | None", value)
    return math.nan if value is None else float(value)
