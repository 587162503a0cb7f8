"""What the sweep asks of the arrays it is given, before compiled code reads them without a check."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.program import Program
from keepfit.kernel.state import Floats, Integers


def checked(name: str, array: NDArray[Any], dtype: np.dtype[Any], dimensions: int) -> NDArray[Any]:
    """Return a read-only view, so that writable and read-only input run the same compiled code."""
    flags = array.flags
    if array.dtype != dtype or array.ndim != dimensions or not flags.c_contiguous:
        raise ValueError(
            f"{name} is {array.dtype} with shape {array.shape}; the sweep reads contiguous {dtype.name} with "
            f"{dimensions} dimension(s): np.ascontiguousarray({name}, np.{dtype.name})"
        )
    if not flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def check_shapes(
    program: Program,
    time: Integers,
    known: Integers,
    values: Floats,
    event_offsets: Integers,
    t: Integers,
    observation_offsets: Integers,
) -> None:
    """Refuse arrays that do not belong together; compiled code would read outside them."""
    if not time.size == known.size == values.shape[1]:
        raise ValueError(f"{time.size} times, {known.size} known and {values.shape[1]} values; give one each per event")
    if values.shape[0] < program.columns:
        raise ValueError(
            f"the program reads {program.columns} value columns, values has {values.shape[0]}; add rows to it"
        )
    if event_offsets.size == 0 or event_offsets.size != observation_offsets.size:
        raise ValueError(
            f"{event_offsets.size} event offsets and {observation_offsets.size} observation offsets; "
            "give entities + 1 of each, an entity without rows repeats its offset"
        )
    for name, offsets, rows in (("event", event_offsets, time.size), ("observation", observation_offsets, t.size)):
        if offsets[0] != 0 or offsets[-1] != rows:
            raise ValueError(f"{name}_offsets run from {offsets[0]} to {offsets[-1]}; start at 0 and end at {rows}")
        if offsets.size > 2 and (offsets[1:] < offsets[:-1]).any():  # would read outside the arrays
            raise ValueError(f"{name}_offsets descend; give the bounds of each entity's rows, sorted by entity")
