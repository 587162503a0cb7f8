"""Rows are told apart by all columns together, by entity, and against what past windows show."""

from __future__ import annotations

import numpy as np

from keepfit.evidence import INFO, MULTIVARIATE
from keepfit.stages.monitoring.multivariate import multivariate
from keepfit.stages.monitoring.tests.domain_classifier import Apart, told_apart


def test_the_columns_that_tell_are_named() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(400, 3)), rng.normal(size=(400, 3))
    after[:, 1] += 1.5
    found = told_apart(before, after)
    assert found.area > 0.8
    assert found.columns.argmax() == 1
    told = multivariate(found, ["a", "b", "c"], (), 400, 0.01)
    assert (told.kind, told.significant, told.chance) == (MULTIVARIATE, True, found.p_value)
    assert next(iter(told.measures)) == "without b"


def test_who_comes_again_is_not_known_by_what_he_is() -> None:
    """The same people then and now, each with a value of his own: they cannot be told apart, and not be confused either."""
    rng = np.random.default_rng(1)
    people, keys = rng.normal(size=(300, 2)), np.arange(300)
    assert abs(told_apart(people, people, entities=(keys, keys)).area - 0.5) < 0.02
    assert told_apart(people, people).area < 0.45  # whom it met then, it takes for one of then


def test_what_past_windows_show_is_no_alarm() -> None:
    found = Apart(0.62, 1e-9, np.array([0.1]))
    usual, quiet = (0.6, 0.64, 0.58, 0.65, 0.61, 0.6), (0.5, 0.51, 0.49, 0.52, 0.5, 0.51)
    assert multivariate(found, ["a"], usual, 500, 0.01).severity == INFO
    assert multivariate(found, ["a"], quiet, 500, 0.01).significant


def test_rows_of_one_entity_cannot_be_told_apart() -> None:
    """All of them are in one fold: nothing is left to learn from."""
    rows, keys = np.random.default_rng(2).normal(size=(50, 2)), np.zeros(50)
    assert told_apart(rows, rows + 3, entities=(keys, keys))[:2] == (0.5, 1.0)
    # whom only one side knows is in no fold beside somebody of the other
    assert told_apart(rows, rows + 3, entities=(keys, keys + 1))[:2] == (0.5, 1.0)
