"""A calibration keeps the order of the scores, and is the same line for one row as for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepfit.artifact import Knots
from keepfit.stages.training.calibration import calibrate

random = np.random.default_rng(5)
CHANCE = random.random(4000)
HAPPENED = (random.random(4000) < CHANCE).astype(float)
TOO_SURE = CHANCE**3 / (CHANCE**3 + (1 - CHANCE) ** 3)  # log-odds three times too large


@pytest.mark.parametrize("how", ["isotonic", "sigmoid"])
def test_what_is_too_sure_is_taken_back(how):
    found = calibrate(how, HAPPENED, TOO_SURE)
    assert np.abs(found(TOO_SURE) - CHANCE).mean() < 0.03 < np.abs(TOO_SURE - CHANCE).mean()


@pytest.mark.parametrize("how", ["isotonic", "sigmoid"])
@settings(deadline=None)
@given(scores=st.lists(st.floats(0, 1), min_size=2, max_size=70))
def test_a_row_is_calibrated_alone_as_among_others_and_keeps_its_place(how, scores):
    found, score = calibrate(how, HAPPENED[:200], TOO_SURE[:200]), np.array(scores)
    together = found(score)
    assert together.tolist() == [float(found(score[place : place + 1])[0]) for place in range(len(score))]
    order = np.argsort(score)
    assert np.diff(together[order]).min() >= 0
    assert ((together >= 0) & (together <= 1)).all()


def test_a_sigmoid_of_scores_that_tell_the_contrary_is_flat():
    found = calibrate("sigmoid", 1 - HAPPENED, TOO_SURE)
    assert np.ptp(found(np.linspace(0, 1, 50))) < 1e-9
    assert found(np.array([0.5]))[0] == pytest.approx(1 - HAPPENED.mean())


@pytest.mark.parametrize("how", ["isotonic", "sigmoid"])
def test_scores_that_tell_nothing_become_the_base_rate(how):
    found = calibrate(how, HAPPENED, np.full(4000, 0.7))
    assert found(np.array([0.7]))[0] == pytest.approx(HAPPENED.mean(), abs=1e-3)


def test_knots_are_straight_lines_and_flat_beside():
    found = Knots((0.2, 0.4), (0.0, 1.0))
    assert found(np.array([0.0, 0.2, 0.3, 0.4, 0.9])) == pytest.approx([0, 0, 0.5, 1, 1])
