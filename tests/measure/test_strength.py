"""How much one column says about a target, where the answer is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit.measure.strength import absence, folds_of, strength
from keepfit.spec.model import CLASSIFICATION, REGRESSION

ROWS = 1000
LOTTERY = np.random.default_rng(0)
TARGET = (np.arange(ROWS) % 2).astype(float)
FOLDS = np.arange(ROWS) % 5
NUMBERS = LOTTERY.normal(size=ROWS)

SAYS_ALL = {
    "the target": TARGET,
    "its opposite": -TARGET,
    "neither high nor low": np.where(TARGET == 1, 0.0, np.where(np.arange(ROWS) % 4 == 0, 1.0, -1.0)) + NUMBERS / 100,
    "a category": np.array(["yes" if value else "no" for value in TARGET], object),
    "a category and null": np.array(["yes" if value else None for value in TARGET], object),
}
SAYS_NOTHING = {
    "chance": NUMBERS,
    "a constant": np.ones(ROWS),
    "a key of each row": np.array([f"key {n}" for n in range(ROWS)], object),
}


@pytest.mark.parametrize("values", SAYS_ALL.values(), ids=SAYS_ALL)
def test_a_column_that_tells_the_target_is_as_strong_as_can_be(values):
    assert strength(CLASSIFICATION, values, TARGET, FOLDS) > 0.999


@pytest.mark.parametrize("values", SAYS_NOTHING.values(), ids=SAYS_NOTHING)
def test_a_column_that_says_nothing_is_near_one_half(values):
    assert 0.5 <= strength(CLASSIFICATION, values, TARGET, FOLDS) < 0.6


def test_a_number_is_told_by_any_rising_or_falling_function_of_it():
    assert strength(REGRESSION, -np.exp(NUMBERS), NUMBERS, FOLDS) == pytest.approx(1)
    assert strength(REGRESSION, LOTTERY.normal(size=ROWS), NUMBERS, FOLDS) < 0.2


def test_nulls_that_stand_where_the_outcome_is_missing_are_told_apart_from_nulls_by_chance():
    number = NUMBERS + 10 * TARGET
    hindsight, chance = np.where(TARGET == 1, NUMBERS, np.nan), np.where(LOTTERY.random(ROWS) < 0.5, NUMBERS, np.nan)
    assert absence(CLASSIFICATION, hindsight, TARGET) == absence(REGRESSION, hindsight, number) == 1
    assert max(absence(CLASSIFICATION, chance, TARGET), absence(REGRESSION, chance, number)) < 0.6


def test_of_few_rows_nothing_is_said():
    few = np.where(np.arange(ROWS) < 20, 1.0, 0.0)
    assert np.isnan(strength(CLASSIFICATION, few, few, FOLDS))
    assert np.isnan(absence(CLASSIFICATION, np.where(few, np.nan, 1.0), TARGET))
    assert np.isnan(strength(CLASSIFICATION, np.full(ROWS, np.nan), TARGET, FOLDS))


def test_rows_of_one_entity_share_a_fold():
    entities = np.array([f"e{n % 50}" for n in range(ROWS)], object)
    folds = folds_of(entities, 1)
    assert all(len(set(folds[entities == entity])) == 1 for entity in set(entities))
    assert set(folds) == set(range(5))
