"""Contrasts: what of a column can move, each as one signed number of a window.

Of numbers: where they lie, how far they spread, how many are missing, and the share of each tenth of the reference. Of labels:
the share of each. A window's contrast is a mean over its rows, so its variance between windows can be compared with what
sampling alone would give; that is what `habits` learns from a model's past. (Neyman 1937 builds a test of fit from such a few
smooth components; here each is judged by itself, with a share of the chance of a false alarm.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.tests.psi import BINS, tenth_of

LOCATION, SPREAD, SHARE = "location", "spread", "share"
NUMBER_KINDS = (LOCATION, SPREAD, SHARE, *[SHARE] * BINS)
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
    """

    kinds: tuple[str, ...]
    weights: Floats
    values: Floats
    noise: Floats
    shares: Floats


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
        return Contrasts(kinds, weights, values, np.broadcast_to(_inverse(rows), values.shape), shares)
    present = windows[:, 1:].sum(axis=1, keepdims=True)
    scores = _scores(reference[1:])
    with np.errstate(invalid="ignore", divide="ignore"):
        smooth = windows[:, 1:] @ scores.T / present
    tenth = np.stack([np.bincount(tenth_of(reference[1:]), one, minlength=BINS) for one in windows[:, 1:]])
    values, shares = _shares(np.hstack([windows[:, :1], tenth]), rows)
    noise = np.hstack([_inverse(present), _inverse(present), np.broadcast_to(_inverse(rows), values.shape)])
    return Contrasts(
        NUMBER_KINDS,
        np.array(NUMBER_WEIGHTS),
        np.hstack([smooth, values]),
        noise,
        np.hstack([np.full_like(smooth, np.nan), shares]),
    )


def _inverse(rows: Floats) -> Floats:
    return 1 / np.maximum(rows, 1e-9)


def _shares(windows: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Return shares on the scale on which their variance is one over the rows (Anscombe, Biometrika 35, 1948), and plain."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 2 * np.arcsin(np.sqrt((windows + 3 / 8) / (rows + 3 / 4))), windows / rows


def _scores(mass: Floats) -> Floats:
    """Return the score of each bin for location and for spread: mean 0 and variance 1 over the reference, uncorrelated.

    The middle rank of a bin, and its squared distance from the median: Wilcoxon's and Mood's scores. NaN if all values are
    in one bin.
    """
    share = mass / max(mass.sum(), 1.0)
    rank = np.cumsum(share) - share / 2 - 0.5
    found = np.full((2, len(mass)), np.nan)
    location = _standard(rank, share)
    if location is not None:
        found[0] = location
        square = rank**2
        spread = _standard(square - (square * location * share).sum() * location, share)
        if spread is not None:
            found[1] = spread
    return found


def _standard(score: Floats, share: Floats) -> Floats | None:
    centred = score - (score * share).sum()
    variance = float((centred**2 * share).sum())
    return centred / np.sqrt(variance) if variance > 1e-9 else None
