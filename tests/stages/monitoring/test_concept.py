"""What happens to the same inputs: a change is seen, what windows always do is not."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit.evidence import CONCEPT, CRITICAL, Drift
from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.concept import concept
from keepfit.stages.monitoring.confidence import learn_confidence
from keepfit.stages.monitoring.losses import Losses, learn_losses
from keepfit.stages.monitoring.surprise import Surprises, of_labels, of_values

ROWS, SEEN, LATER, BOUND = 400, 4, 8, 0.01


def windows(count: int) -> np.ndarray:
    return np.repeat(np.arange(count), ROWS)


def told(found: Surprises, until: int = LATER) -> Drift:
    parts = (slice(until - 1, until), slice(0, until))
    newest, every = (
        Surprises(found.contrasts, found.scores[part], found.realised[part], found.expected[part], found.rows[part])
        for part in parts
    )
    return concept(newest, every, BOUND)


def happened(rng: np.random.Generator, odds: Floats) -> Floats:
    return (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.float64)


def classified(rng: np.random.Generator, slope: float, level: float = 0.0, shift: float = 0.0) -> Surprises:
    """Return the surprises of later windows whose odds have another slope and level; inputs may move by `shift`."""
    before, after = rng.normal(0, 1.5, SEEN * ROWS), rng.normal(shift, 1.5, LATER * ROWS)
    scores = [1 / (1 + np.exp(-odds)) for odds in (before, after)]
    clusters, place = np.arange(len(before)), windows(SEEN)
    learnt = learn_confidence(happened(rng, before), scores[0], clusters, place, place >= 2)
    return of_labels(learnt, scores[1], happened(rng, level + slope * after), windows(LATER), np.ones(LATER))


def test_what_windows_always_do_is_no_concept_drift_and_neither_are_inputs_that_move() -> None:
    found = [
        told(classified(np.random.default_rng(seed), 1, shift=seed % 2), at) for seed in range(10) for at in (1, 4, 8)
    ]
    assert not any(one.significant for one in found)
    assert {one.kind for one in found} == {CONCEPT}


def test_inputs_that_tell_less_and_cost_more_are_seen_at_once() -> None:
    found = [told(classified(np.random.default_rng(seed), 0.2), 1) for seed in range(5)]
    assert all(one.severity == CRITICAL and one.significant for one in found)
    assert all(one.relative_effect is not None and one.relative_effect > 0.1 for one in found)


def test_a_small_change_that_lasts_is_seen_by_the_sequence() -> None:
    """One window of it is nothing; Page and Hinkley sum it up. An error that all windows share is no change."""
    rng, quiet = np.random.default_rng(3), np.zeros((20, 1))
    scores = np.concatenate([rng.normal(0, 1, (20, 1)), rng.normal(2, 1, (12, 1))])
    plain, rows = np.ones(32), np.full(32, 10)
    later = Surprises(("loss",), scores, plain, plain, rows)
    assert told(later, 20).significant is False
    found = [told(later, at).significant for at in range(21, 33)]
    assert found[-1]
    assert not found[0]
    constant = Surprises(("loss",), quiet + 1.5, plain[:20], plain[:20], rows[:20])
    assert not told(constant, 20).significant


def test_one_of_several_labels_that_comes_instead_of_another_is_seen() -> None:
    rng, names = np.random.default_rng(5), 3
    odds = rng.normal(0, 1, ((SEEN + LATER) * ROWS, names))
    scores = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    actual = (rng.random(len(odds))[:, None] > scores.cumsum(axis=1)).sum(axis=1).astype(np.float64)
    before = np.arange(len(odds)) < SEEN * ROWS
    learnt = learn_confidence(actual[before], scores[before], np.arange(SEEN * ROWS), windows(SEEN), windows(SEEN) >= 2)
    later, place, wide = scores[~before], windows(LATER), np.ones(LATER)
    assert not told(of_labels(learnt, later, actual[~before], place, wide)).significant
    other = np.where(actual[~before] == 2, 0.0, actual[~before])
    assert told(of_labels(learnt, later, other, place, wide)).severity == CRITICAL


def regressed(spread: float, level: float, learn: bool = True) -> Surprises:
    rng = np.random.default_rng(7)
    size = np.exp(rng.normal(0, 0.3, (SEEN + LATER) * ROWS))
    error, before = size * rng.standard_t(6, len(size)), np.arange(len(size)) < SEEN * ROWS
    root = np.sqrt(size)
    learnt = learn_losses(error[before], root[before], root[before], windows(SEEN))
    learnt = learnt if learn else Losses.of({**learnt.as_data(), "bias": None})
    actual = spread * error[~before] + level * size[~before]
    return of_values(learnt, np.zeros(len(actual)), root[~before], actual, windows(LATER), np.ones(LATER))


@pytest.mark.parametrize(("spread", "level", "seen"), [(1.0, 0.0, False), (2.0, 0.0, True), (1.0, 1.0, True)])
def test_errors_that_grow_or_lean_are_seen(spread: float, level: float, seen: bool) -> None:
    assert told(regressed(spread, level)).significant == seen


def test_what_an_earlier_keepfit_learnt_of_errors_tells_their_size_alone() -> None:
    assert regressed(1.0, 0.0, learn=False).contrasts == ("loss",)
    assert told(regressed(2.0, 0.0, learn=False)).severity == CRITICAL


def test_a_version_that_never_erred_is_no_alarm_until_it_errs() -> None:
    place, wide = windows(LATER), np.ones(LATER)
    rows = np.zeros(len(place))
    learnt = learn_losses(rows, rows, rows, place)
    assert not told(of_values(learnt, rows, rows, rows, place, wide)).significant
    assert told(of_values(learnt, rows, rows, rows + 1, place, wide)).significant
