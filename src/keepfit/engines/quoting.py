"""Names and texts as SQL writes them, and the types of columns; what queries need that are no expressions."""

from __future__ import annotations

TYPES = {
    "float": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "category": "VARCHAR", "text": "VARCHAR",
    "time": "TIMESTAMPTZ",
}  # fmt: skip


def quoted(column: str) -> str:
    """Return a quoted identifier as text."""
    return '"' + column.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text constant as text."""
    return "'" + value.replace("'", "''") + "'"
