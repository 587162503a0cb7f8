"""An attribute that names another entity, as that entity's key."""

from __future__ import annotations

from keepfit.spec.columns import Column, Value


def key_text(declared: Column | None, value: Value) -> str | None:
    """Return a value as the lake writes it in a key: whole numbers without a point; None for null."""
    if value is None or value != value:
        return None
    return str(int(value)) if declared is not None and declared.numeric else str(value)
