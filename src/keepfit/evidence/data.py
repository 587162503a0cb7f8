"""Evidence as plain JSON data."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from keepfit import clock
from keepfit.errors import KeepfitError


def as_data(value: Any) -> Any:
    """Return a value as plain JSON data: fields ending in `_at` become ISO text, NaN and infinities become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _moment(name, getattr(value, name)) for name in (item.name for item in dataclasses.fields(value))}
    if isinstance(value, dict):
        return {str(key): _moment(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    if isinstance(value, KeepfitError):
        return value.as_dict()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _moment(name: str, value: Any) -> Any:
    if isinstance(value, int) and (name.endswith("_at") or name == "as_of"):
        return clock.from_micros(value).isoformat().replace("+00:00", "Z")
    return as_data(value)
