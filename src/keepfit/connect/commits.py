"""What the versions of a Delta table did: which Parquet files each commit added, and whether it changed rows that were there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Added:
    """A Parquet file of a table.

    Attributes
    ----------
    path : str
        Below the table's folder.
    parts : dict of str to str
        The partition's columns, which the file does not hold; nothing is an empty text.
    deleted : bool
        Whether some of its rows are deleted, by a vector beside it.
    """

    path: str
    size: int
    modified: int
    parts: dict[str, str] = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True)
class Commit:
    """One version: the files it added, and what it did to rows that were there; '' if it left them alone."""

    added: tuple[Added, ...]
    rewrote: str


def read(text: bytes) -> Commit:
    """Return what a commit of the log says; files that only hold rows in another order are none of it."""
    actions = [json.loads(line) for line in text.splitlines() if line.strip()]
    changes = [(kind, said) for action in actions for kind, said in action.items() if _changes(kind, said)]
    added = tuple(_added(said) for kind, said in changes if kind == "add")
    rewrote = any(kind == "remove" for kind, _ in changes) or any(file.deleted for file in added)
    return Commit(added, _named(actions) if rewrote else "")


def snapshot(table: Any) -> Iterator[Added]:
    """Yield the files that a `DeltaTable` holds now."""
    deleted = {unquote(uri) for batch in table.deletion_vectors() for uri in batch["filepath"].to_pylist()}
    actions = table.get_add_actions()
    for row in range(actions.num_rows):
        said: dict[str, Any] = {
            name: actions[name][row].as_py() for name in ("path", "size_bytes", "modification_time")
        }
        parts = actions["partition"][row].as_py() if "partition" in actions.schema.names else {}
        path = unquote(said["path"])
        marked = any(uri.endswith(f"/{path}") for uri in deleted)
        texts = {name: _text(value) for name, value in (parts or {}).items()}
        yield Added(path, said["size_bytes"], said["modification_time"], texts, marked)


def _changes(kind: str, said: Mapping[str, Any]) -> bool:
    return kind in ("add", "remove") and bool(said.get("dataChange", True))


def _added(said: Mapping[str, Any]) -> Added:
    parts = {name: value or "" for name, value in (said.get("partitionValues") or {}).items()}
    vector = said.get("deletionVector") is not None
    return Added(unquote(said["path"]), said["size"], said["modificationTime"], parts, vector)


def _named(actions: list[dict[str, Any]]) -> str:
    said: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    mode = (said.get("operationParameters") or {}).get("mode")
    return f"{said.get('operation', 'a rewrite')}{f' ({mode})' if mode else ''}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
