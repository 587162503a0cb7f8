"""Train, validation and test by time, each kept apart from the next by the target's horizon."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.errors import TrainingError

SHARE = 0.1  # of the rows' moments, for validation and for test


@dataclass(frozen=True)
class Split:
    """Row masks over a training set.

    Attributes
    ----------
    train, validation, test : bool array [rows]
        Disjoint. A row belongs to train only if its target is over before the first validation row is predicted, and
        the same between validation and test: nothing that was learnt from has happened after anything it is judged on.
    held_out : bool array [rows] or None
        The rows of the test's time whose entities are in no other part; None if no entities are held out.
    """

    train: NDArray[np.bool_]
    validation: NDArray[np.bool_]
    test: NDArray[np.bool_]
    held_out: NDArray[np.bool_] | None = None

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """The rows the final model learns from: train and validation."""
        return self.train | self.validation

    @property
    def judged(self) -> NDArray[np.bool_]:
        """The rows the final model is judged on: test, and entities held out."""
        return self.test if self.held_out is None else self.test | self.held_out


def split(t: NDArray[np.int64], horizon: int, test: int | None = None) -> Split:
    """Return the split of rows at moments `t` (ascending): the newest tenth of the moments is the test, or the newest `test`.

    Parameters
    ----------
    t : int64 array [rows]
        Microseconds UTC.
    horizon : int
        How far the target looks ahead, in microseconds: the embargo between the parts.
    test : int, optional
        How long before the last moment the test begins, in microseconds.

    Raises
    ------
    TrainingError
        If the moments are too few, or too close together, to make three parts.
    """
    moments = np.unique(t)
    if not len(moments):
        raise TrainingError("there are no rows to split", fix="wait for more history")
    size = _size(moments)
    test_from = moments[-size] if test is None else moments[moments > moments[-1] - test][0]
    try:
        return _parts(t, moments, test_from, size, horizon)
    except TrainingError as error:
        if test is None:
            raise
        what = f"a test of {clock.duration_text(test)} leaves too little before it: {error.what}"
        raise TrainingError(what, where="Training(test=...)", fix=f"declare a shorter test, or {error.fix}") from error


def folds(t: NDArray[np.int64], horizon: int, count: int, test: int | None = None) -> list[Split]:
    """Return earlier splits, the oldest first: each is tested on the moments just before those of the next.

    A fold is what `split` would have been at an earlier origin (rolling-origin evaluation; Tashman 2000): it learns only from what
    was over before its test began. The newest fold's targets are over before the test of `split` begins, so whatever is chosen on
    folds has not seen that test.

    Parameters
    ----------
    t, horizon, test
        As in `split`.
    count : int
        How many.

    Raises
    ------
    TrainingError
        If there are not moments enough for so many.
    """
    moments = np.unique(t)
    last = split(t, horizon, test)
    size, found = _size(moments), list[Split]()
    left = moments[moments + horizon <= t[last.test].min()]
    while len(found) < count:
        block, left = left[-size:], left[:-size]
        until = t <= block[-1] if len(block) == size else np.zeros(len(t), np.bool_)
        try:
            if len(block) < size:
                raise _too_short(moments, horizon)
            part = _parts(t, moments[moments <= block[-1]], block[0], size, horizon)
        except TrainingError as error:
            raise TrainingError(
                f"{len(moments)} moments of observation are enough for {len(found)} of {count} folds",
                where=error.where,
                fix=f"ask for {len(found)} folds, observe more often, or wait for more history",
            ) from error
        found.append(Split(part.train, part.validation, part.test & until))
    return found[::-1]


def _size(moments: NDArray[np.int64]) -> int:
    return max(1, int(len(moments) * SHARE))


def _parts(t: NDArray[np.int64], moments: NDArray[np.int64], test_from: np.int64, size: int, horizon: int) -> Split:
    before = moments[moments + horizon <= test_from]
    if not len(before):
        raise _too_short(moments, horizon)
    validation_from = before[-min(size, len(before))]
    if not np.any(moments + horizon <= validation_from):
        raise _too_short(moments, horizon)
    ended = t + horizon
    return Split(
        train=ended <= validation_from,
        validation=(t >= validation_from) & (ended <= test_from),
        test=t >= test_from,
    )


def without(parts: Split, held: NDArray[np.bool_]) -> Split:
    """Return a split whose parts have no row of the entities held out; their rows of the test's time are a part of their own."""
    return Split(parts.train & ~held, parts.validation & ~held, parts.test & ~held, parts.test & held)


def held_out(entity: NDArray[np.object_], share: float) -> NDArray[np.bool_]:
    """Return which rows are of entities held out, bool array [rows].

    An entity is by the SHA-256 of its key: the same whatever the moment, the seed and the other entities.
    """
    keys, place = np.unique(entity.astype(str), return_inverse=True)
    drawn = [int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64 < share for key in keys.tolist()]
    return np.array(drawn, bool)[place.ravel()]


def trains_until(t: NDArray[np.int64], horizon: int, test: int | None = None) -> int | None:
    """Return the last moment of the train rows of `split`; None if these moments cannot be split."""
    try:
        return int(t[split(t, horizon, test).train].max())
    except TrainingError:
        return None


def _too_short(moments: NDArray[np.int64], horizon: int) -> TrainingError:
    return TrainingError(
        f"{len(moments)} moments of observation, {clock.show(int(moments[0]))} to {clock.show(int(moments[-1]))}, cannot be"
        f" split into train, validation and test {clock.duration_text(horizon)} apart",
        fix="wait for more history, observe more often, or shorten the target's horizon",
    )
