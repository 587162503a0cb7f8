"""Definitions as plain data and back, so that a model version carries what it was built from.

`encode` names each table once and refers to it by name elsewhere; `decode` rebuilds equal specs without running any
code of the team's. The fingerprint is the SHA-256 of the canonical JSON: same declarations, same fingerprint.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from keepfit.spec import (
    columns,
    estimators,
    features,
    gates,
    loading,
    model,
    observe,
    policy,
    rows,
    sources,
    tables,
    training,
    tuning,
    watch,
    window,
)
from keepfit.spec.features import Aggregate, Attribute, Expression
from keepfit.spec.loading import Key
from keepfit.spec.model import Model
from keepfit.spec.tables import Table

MODULES = (
    columns, estimators, features, gates, loading, model, observe, policy, rows, sources, tables, training, tuning,
    watch, window,
)  # fmt: skip
CLASSES = {
    value.__name__: value
    for module in MODULES
    for value in vars(module).values()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
}


def encode(spec: Model) -> dict[str, Any]:
    """Return a model with the tables it reads, and those they look columns up in, as JSON data."""
    return {"tables": [_fields(table) for table in with_lookups(spec.tables())], "model": _fields(spec)}


def encode_table(table: Table) -> dict[str, Any]:
    """Return a table's declaration as JSON data."""
    return _fields(table)


def encode_rows(table: Table) -> dict[str, Any]:
    """Return as JSON data all in a table's declaration that decides what a raw file's rows become, and nothing else."""
    columns = {name: dataclasses.replace(column, unit=None) for name, column in table.columns.items()}
    encoded = _fields(dataclasses.replace(table, columns=columns))
    if table.lookup is not None:
        encoded["lookup"]["of"] = encode_rows(table.lookup.of)
    return {name: value for name, value in encoded.items() if name not in ("quiet", "expect")}


def encode_expression(expression: Expression, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a feature with the rows it reads as JSON data; `known` holds tables that are encoded already, by name."""
    known = known or {}
    read = [known[one.name] if one.name in known else encode_rows(one) for one in tables_of(expression)]
    return {"tables": read, "expression": _fields(expression)}


def feature_fingerprint(expression: Expression, known: Mapping[str, Any] | None = None) -> str:
    """Return the fingerprint of a feature and of the rows it reads."""
    return fingerprint(encode_expression(expression, known))


def feature_fingerprints(expressions: Iterable[Expression]) -> dict[str, str]:
    """Return the fingerprints of one model's expressions, by name; each table is encoded once."""
    found = list(expressions)
    known = {table.name: encode_rows(table) for table in {t.name: t for one in found for t in tables_of(one)}.values()}
    return {one.name: feature_fingerprint(one, known) for one in found}


def with_lookups(tables: Iterable[Table]) -> list[Table]:
    """Return tables and those they look columns up in, each once, behind what it looks up."""
    found: dict[str, Table] = {}
    for table in tables:
        before = with_lookups([table.lookup.of]) if table.lookup is not None else []
        found |= {one.name: one for one in (*before, table) if one.name not in found}
    return list(found.values())


def tables_of(expression: Expression) -> list[Table]:
    """Return the tables that an expression reads, each once, by name."""
    found: dict[str, Table] = {}
    for leaf in expression.leaves():
        if isinstance(leaf, Aggregate):
            found[leaf.events.name] = leaf.events
        attribute = leaf.via if isinstance(leaf, Aggregate) else leaf
        if isinstance(attribute, Attribute):
            found[attribute.records.name] = attribute.records
    return [found[name] for name in sorted(found)]


def decode(data: dict[str, Any]) -> Model:
    """Return the model that `encode` wrote down."""
    known: dict[str, Table] = {}
    for item in data["tables"]:
        known[item["name"]] = _rebuild(item, known)
    rebuilt: Model = _rebuild(data["model"], known)
    return rebuilt


def fingerprint(data: object) -> str:
    """Return the SHA-256 of JSON data in canonical form, as 64 hex digits."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _fields(value: Any) -> dict[str, Any]:
    """Return a spec's fields; one whose metadata name its value as `unwritten` is left out.

    So a word that is new changes no fingerprint of a definition that does not use it.
    """
    written = {"is": type(value).__name__}
    for item in dataclasses.fields(value):
        own = getattr(value, item.name)
        # an expression is not compared: that would make another expression
        if "unwritten" not in item.metadata or item.metadata["unwritten"] != own:
            written[item.name] = _plain(own)
    return written


def _plain(value: Any) -> Any:
    if isinstance(value, Table):
        return {"table": value.name}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return {"map": {key: _plain(item) for key, item in value.items()}}  # its keys are the team's: 'is', 'table'
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _rebuild(data: Any, known: dict[str, Table]) -> Any:
    if isinstance(data, list):
        return tuple(_rebuild(item, known) for item in data)
    if not isinstance(data, dict):
        return data
    if set(data) == {"table"}:
        return known[data["table"]]
    if set(data) == {"map"}:
        return {key: _rebuild(item, known) for key, item in data["map"].items()}
    made, fields = CLASSES[data["is"]], {key: _rebuild(item, known) for key, item in data.items() if key != "is"}
    return Key.rebuilt(fields) if made is Key else made(**fields)
