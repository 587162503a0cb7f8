"""Worlds in which nothing moves but what always moves: what `alarms.py` and its peers look at.

A world is 20 columns over windows of rows. It needs nothing but numpy: each peer makes the same one in its own environment.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

COLUMNS = 20
DAILY = ("weekly",)
"""Worlds whose windows are days; of the others they are months."""
TUNED = ("normal", "lognormal", "seasonal", "autocorrelated")
FURTHER = ("weekly", "heavy", "counts", "labels", "sizes", "effects", "factor")
KINDS = {
    "normal": "independent rows of one distribution",
    "lognormal": "the same, lognormal",
    "seasonal": "a sine of twelve windows, half a deviation high, in a phase of each column's own",
    "autocorrelated": "each column's mean an AR(1) of 0.7 and a deviation of 0.3",
    "weekly": "windows of days, each weekday with a level of its own, of a deviation of 0.5",
    "heavy": "lognormal of a sigma of 1.5, its level an AR(1) of 0.7 whose innovations are Student's t of 3",
    "counts": "Poisson of means from 0.3 to 30, their logarithm an AR(1) of 0.7 and a deviation of 0.2",
    "labels": "eight labels, their log-odds AR(1) of 0.7 and a deviation of 0.2",
    "sizes": "windows of a fifth to six times as many rows, and a random effect of 0.1 of each",
    "effects": "a random effect of 0.2 of each window, without memory",
    "factor": "all columns share half of their variance, and one AR(1) of 0.7 and a deviation of 0.3",
}
"""Each kind in words."""

Window = dict[str, NDArray[np.generic]]


def world(kind: str, seed: int, windows: int, rows: int) -> list[Window]:
    """Return the columns of each window, the oldest first."""
    rng = np.random.default_rng(seed)
    if kind == "normal" or kind == "lognormal":
        level = np.zeros((windows, COLUMNS))
    elif kind == "seasonal":
        level = 0.5 * np.sin(2 * np.pi * np.arange(windows)[:, None] / 12 + rng.uniform(0, 2 * np.pi, COLUMNS))
    elif kind == "weekly":
        level = 0.5 * rng.normal(size=(7, COLUMNS))[np.arange(windows) % 7]
    elif kind == "effects" or kind == "sizes":
        level = (0.2 if kind == "effects" else 0.1) * rng.normal(size=(windows, COLUMNS))
    elif kind == "labels":
        return _labels(rng, windows, rows)
    else:
        deviation = 0.2 if kind == "counts" else 0.3
        level = deviation * autoregression(rng, windows, 1 if kind == "factor" else COLUMNS, heavy=kind == "heavy")
    many = [rows] * windows
    if kind == "sizes":
        many = (rows * np.exp(rng.uniform(math.log(0.2), math.log(6), windows))).astype(int).tolist()
    return [_window(kind, rng, level[place], count) for place, count in enumerate(many)]


def autoregression(
    rng: np.random.Generator, windows: int, columns: int, *, memory: float = 0.7, heavy: bool = False
) -> NDArray[np.float64]:
    """Return AR(1) of variance 1, of shape (windows, columns), from its stationary state."""
    step = (
        rng.standard_t(3, size=(windows + 50, columns)) / math.sqrt(3)
        if heavy
        else rng.normal(size=(windows + 50, columns))
    )
    level = np.zeros_like(step)
    level[0] = step[0]
    for place in range(1, len(step)):
        level[place] = memory * level[place - 1] + math.sqrt(1 - memory**2) * step[place]
    return level[50:]


def _window(kind: str, rng: np.random.Generator, level: NDArray[np.float64], rows: int) -> Window:
    if kind == "counts":
        mean = np.exp(np.linspace(math.log(0.3), math.log(30), COLUMNS) + level)
        values = rng.poisson(mean, size=(rows, COLUMNS)).astype(np.float64)
    else:
        values = rng.normal(size=(rows, COLUMNS))
        if kind == "factor":
            values = math.sqrt(0.5) * (values + rng.normal(size=(rows, 1)))
        values = values * (1.5 if kind == "heavy" else 1.0) + level
        if kind in ("lognormal", "heavy"):
            values = np.exp(values)
    return {f"x{place}": values[:, place] for place in range(COLUMNS)}


def _labels(rng: np.random.Generator, windows: int, rows: int) -> list[Window]:
    names = np.array([f"label {place}" for place in range(8)], dtype=object)
    usual = rng.normal(size=(COLUMNS, 8))
    moving = 0.2 * autoregression(rng, windows, COLUMNS * 8).reshape(windows, COLUMNS, 8)
    found: list[Window] = []
    for place in range(windows):
        odds = np.exp(usual + moving[place])
        chances = odds / odds.sum(axis=1, keepdims=True)
        found.append({f"x{one}": names[rng.choice(8, size=rows, p=chances[one])] for one in range(COLUMNS)})
    return found
