"""How measured numbers read in the sentences of verdicts and decisions."""

from __future__ import annotations

import math
from collections.abc import Mapping

DIGITS = 3
ENOUGH = 17
"""Significant digits that tell any two doubles apart."""


def number(value: float, apart_from: float | None = None) -> str:
    """Return a number in three significant digits: 0.842, 92.3, 1,840, 1e-30.

    Parameters
    ----------
    value : float
        NaN reads 'undefined'.
    apart_from : float, optional
        The bound it is compared with in the same sentence. Digits are added until the two differ in print, so that no
        sentence says '0.8 is below 0.8'.
    """
    for digits in range(DIGITS, ENOUGH + 1):
        text = _text(value, digits)
        if apart_from is None or value == apart_from or text != _text(apart_from, digits):
            return text
    return text


def calibration_told(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Return what a calibration did to the scores of the test rows; a warning if log loss got worse, nothing without one."""
    if not before:
        return ""
    moved = [
        f"{name} {number(before[name], after[name])} before, {number(after[name], before[name])} after"
        for name in before
    ]
    worse = "warning: the calibration made log_loss worse; " if after["log_loss"] > before["log_loss"] else ""
    return f"{worse}calibration: {'; '.join(moved)}"


def signed(value: float) -> str:
    """Return a number with its sign, for gains: +0.031."""
    return f"+{number(value)}" if value > 0 else number(value)


def _text(value: float, digits: int) -> str:
    if math.isnan(value):
        return "undefined"
    if not 1000 - 0.5 <= abs(value) < 1e15:
        return f"{value:.{digits}g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.{digits - DIGITS}e}"
    return f"{value:,.{digits - DIGITS}f}"
