"""Evidence as plain JSON data."""

from __future__ import annotations

import dataclasses
import math
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

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


def from_data(kind: Any, data: Any) -> Any:
    """Return the value of a dataclass, or of what its fields hold, that `as_data` wrote.

    Null stands for NaN where a number belongs; fields that the dataclass does not know are left out, and those that the data
    lack have their default.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if data is None else from_data(next(one for one in inner if one is not type(None)), data)
    if origin is tuple:
        kinds = [inner[0]] * len(data) if inner[-1] is Ellipsis else inner
        return tuple(from_data(one, item) for one, item in zip(kinds, data, strict=True))
    if origin is dict:
        return {key: from_data(inner[1], item) for key, item in data.items()}
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        known = [item.name for item in dataclasses.fields(kind) if item.init and item.name in data]
        made: Any = kind
        return made(**{name: _back(name, hints[name], data[name]) for name in known})
    if kind is float:
        return math.nan if data is None else float(data)
    return data


def _back(name: str, kind: Any, value: Any) -> Any:
    if name.endswith("_at") or name == "as_of":
        if isinstance(value, list):
            return tuple(_back(name, kind, item) for item in value)
        if isinstance(value, str):
            return clock.to_micros(clock.parse_moment(value))
    return from_data(kind, value)


def _moment(name: str, value: Any) -> Any:
    if name.endswith("_at") or name == "as_of":
        if isinstance(value, list | tuple):
            return [_moment(name, item) for item in value]
        if isinstance(value, int):
            return clock.from_micros(value).isoformat().replace("+00:00", "Z")
    return as_data(value)
