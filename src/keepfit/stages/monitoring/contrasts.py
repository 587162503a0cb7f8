"""Contrasts: what of a column can move, each as one signed number of a window.

Of numbers: where they lie, how far they spread, how many are missing, and the share of each tenth of the reference. Of labels:
the share of each. A window's contrast is a mean over its rows, so its variance between windows can be compared with what
sampling alone would give; that is what `habits` learns from a model's past. (Neyman 1937 builds a test of fit from such a few
smooth components; here each is judged by itself, with a share of the chance of a false alarm.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.psi import BINS, tenth_of
from keepfit.stages.monitoring.tests.tails import NORMAL

LOCATION, SPREAD, SHARE = "location", "spread", "share"
NUMBER_KINDS = (LOCATION, SPREAD, SHARE, *[SHARE] * BINS)
TILTS = np.linspace(-3, 3, 65)
# a shift is what happens most often, and what a model feels most
NUMBER_WEIGHTS = (0.5, 0.2, 0.1, *[0.2 / BINS] * BINS)


@dataclass(frozen=True)
class Contrasts:
    """The contrasts of a column's windows.

    Attributes
    ----------
    kinds : tuple of str
        LOCATION, SPREAD or SHARE, of each contrast.
    weights : float64 array, shape (contrasts,)
        Each one's part of the column's chance of a false alarm; together 1.
    values : float64 array, shape (windows, contrasts)
        In standard deviations of one row: the variance that sampling gives is `noise`. NaN where nothing can be said.
    noise : float64 array, shape (windows, contrasts)
        One over the rows that a value is of.
    shares : float64 array, shape (windows, contrasts)
        The plain share, of a contrast that is one; else NaN.
    followed : float64 array, shape (windows, contrasts)
        What was taken off the values, because it follows from the window's location.
    """

    kinds: tuple[str, ...]
    weights: Floats
    values: Floats
    noise: Floats
    shares: Floats
    followed: Floats


def contrasts(reference: Floats, windows: Floats, *, ordered: bool) -> Contrasts:
    """Return the contrasts of windows counted in a reference's bins.

    Parameters
    ----------
    reference : float64 array, shape (bins,)
        Counts, those of nulls first.
    windows : float64 array, shape (windows, bins)
        Counts of each window.
    ordered : bool
        Whether the bins are those of numbers.
    """
    rows = windows.sum(axis=1, keepdims=True)
    if not ordered:
        values, shares = _shares(windows, rows)
        kinds = (SHARE,) * windows.shape[1]
        weights = np.full(len(kinds), 1 / len(kinds))
        noise = np.broadcast_to(_inverse(rows), values.shape)
        return Contrasts(kinds, weights, values, noise, shares, np.zeros_like(values))
    present = windows[:, 1:].sum(axis=1, keepdims=True)
    scores = _scores(reference[1:])
    with np.errstate(invalid="ignore", divide="ignore"):
        smooth = windows[:, 1:] @ scores.T / present
    tenth = tenth_of(reference[1:])
    which = np.equal.outer(np.arange(BINS), tenth).astype(np.float64)
    values, shares = _shares(np.hstack([windows[:, :1], windows[:, 1:] @ which.T]), rows)
    followed = np.zeros((len(windows), len(NUMBER_KINDS)))
    if np.isfinite(scores[0]).all():
        spread, tenths = _followed(reference[1:], scores, which, smooth[:, 0])
        followed[:, 1] = spread
        # of the rows that are present
        followed[:, 3:] = tenths * np.sqrt(np.where(rows > 0, present / np.maximum(rows, 1), 1.0))
    noise = np.hstack([_inverse(present), _inverse(present), np.broadcast_to(_inverse(rows), values.shape)])
    return Contrasts(
        NUMBER_KINDS,
        np.array(NUMBER_WEIGHTS),
        np.hstack([smooth, values]) - followed,
        noise,
        np.hstack([np.full_like(smooth, np.nan), shares]),
        followed,
    )


def _inverse(rows: Floats) -> Floats:
    return 1 / np.maximum(rows, 1e-9)


def _shares(windows: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Return shares on the scale on which their variance is one over the rows (Anscombe, Biometrika 35, 1948), and plain."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 2 * np.arcsin(np.sqrt((windows + 3 / 8) / (rows + 3 / 4))), windows / rows


def _followed(mass: Floats, scores: Floats, which: Floats, location: Floats) -> tuple[Floats, Floats]:
    """Return what follows from a location: the spread and the tenths of the reference tilted so far, `exp(a z)` times its shares.

    Without that they would be measured about the reference's location, and grow as windows leave it.
    """
    tilted = mass * np.exp(TILTS[:, None] * scores[0])
    tilted /= tilted.sum(axis=1, keepdims=True)
    places = np.interp(location, tilted @ scores[0], np.arange(len(TILTS)))
    low = np.minimum(np.nan_to_num(places).astype(np.intp), len(TILTS) - 2)
    part = (places - low)[:, None]
    along = np.hstack(
        [(tilted @ np.nan_to_num(scores[1]))[:, None], 2 * np.arcsin(np.sqrt(np.minimum(tilted @ which.T, 1.0)))]
    )
    found = along[low] * (1 - part) + along[low + 1] * part
    return found[:, 0], found[:, 1:] - along[len(TILTS) // 2, 1:]


def _scores(mass: Floats) -> Floats:
    """Return the score of each bin for location and for spread: mean 0 and variance 1 over the reference, uncorrelated.

    Those of van der Waerden and of Klotz: the mean and the mean square of a normal variable within the bin, if the reference were
    normal. NaN if all values are in one bin.
    """
    rows = max(mass.sum(), 1.0)
    share, least = mass / rows, 0.5 / rows
    ends = [NORMAL.inv_cdf(min(max(one, least), 1 - least)) for one in np.cumsum(share)[:-1].tolist()]
    heights = np.array([0.0, *[math.exp(-one * one / 2) for one in ends], 0.0]) / math.sqrt(2 * math.pi)
    moments = np.array([0.0, *ends, 0.0]) * heights
    some = np.where(share > 0, share, np.nan)
    # what the reference never saw lies where its neighbours end
    rank = np.where(share > 0, -np.diff(heights) / some, np.array([*ends, ends[-1]]) if ends else 0.0)
    square = np.where(share > 0, 1 - np.diff(moments) / some, rank**2)
    found = np.full((2, len(mass)), np.nan)
    location = _standard(rank, share)
    if location is None:
        return found
    found[0] = location
    spread = _standard(square - (square * location * share).sum() * location, share)
    if spread is not None:
        found[1] = spread
    return found


def _standard(score: Floats, share: Floats) -> Floats | None:
    centred = score - (score * share).sum()
    variance = float((centred**2 * share).sum())
    return centred / np.sqrt(variance) if variance > 1e-9 else None
