"""What a load is measured by, in numbers."""

from __future__ import annotations

import pytest

from keepfit import Expect, Key


@pytest.mark.parametrize(
    ("expected", "dimension", "bounds"),
    [
        (Expect.complete("amount", 0.9), "completeness", (0.9, None)),
        (Expect.valid(0.99), "validity", (0.99, None)),
        (Expect.unique(), "uniqueness", (1.0, None)),
        (Expect.fresh("36h"), "timeliness", (None, 1.5)),
        (Expect.volume(1, 9), "volume", (1, 9)),
    ],
)
def test_an_expectation_has_inclusive_bounds_and_ages_are_in_days(expected, dimension, bounds):
    assert (expected.dimension, expected.bounds(), expected.otherwise) == (dimension, bounds, "block")


def test_a_duration_that_is_none_is_left_to_the_check():
    assert Expect.fresh("2 days").within == "2 days"


def test_a_key_takes_its_columns_one_by_one():
    assert Key("store", "order", duplicates="last").columns == ("store", "order")
    assert Key() == Key(duplicates="error")
