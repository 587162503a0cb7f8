"""Thresholds of trees as float32 knows them.

A library that learns thresholds in float64 puts them between two values of float32; ONNX rounds them to the nearest float32, and of
two values that are neighbours there both would fall on one side. Rounded down, a threshold parts the same values as before.
"""

from __future__ import annotations

import numpy as np


def below(threshold: float) -> float:
    """Return the largest float32 that is not above a threshold; `value <= threshold` says the same of every float32."""
    near = np.float32(threshold)
    return float(near if near <= threshold else np.nextafter(near, np.float32(-np.inf)))
