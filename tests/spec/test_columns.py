"""What a contract lets in, value by value."""

from __future__ import annotations

import pytest

from keepfit import Boolean, Category, Float, Integer, Text


@pytest.mark.parametrize(
    ("column", "raw", "value"),
    [
        (Float(), " 1.50 ", 1.5),
        (Float(), "-.5e3", -500.0),
        (Float(min=0, max=1), "1", 1.0),
        (Integer(), "17850.0", 17850),
        (Integer(), str(2**53), 2**53),
        (Boolean(), "Yes", True),
        (Boolean(), "0", False),
        (Boolean(), True, True),
        (Category(), " web ", "web"),
        (Category(values=["web", "shop"]), "shop", "shop"),
        (Text(), "it works", "it works"),
        (Float(), "", None),
        (Text(), "  ", None),
        (Integer(), None, None),
    ],
)
def test_a_value_as_declared_is_let_in(column, raw, value):
    assert column.parse(raw) == value
    assert type(column.parse(raw)) is type(value)


@pytest.mark.parametrize(
    ("column", "raw", "reason"),
    [
        (Float(), "1,5", "is not a number"),
        (Float(), "nan", "is not a number"),
        (Float(), "inf", "is not a number"),
        (Float(), "1e999", "is not a number"),
        (Float(), "٣", "is not a number"),
        (Float(), True, "is not a number"),
        (Float(min=0), "-0.01", "is below 0"),
        (Float(max=0.5), "0.51", "is above 0.5"),
        (Integer(), "1.5", "is not a whole number"),
        (Integer(), "1e3", "is not a whole number"),
        (Integer(), str(2**53 + 1), "is not a whole number"),
        (Integer(min=1), "0", "is below 1"),
        (Boolean(), "2", "is neither yes nor no"),
        (Category(values=("web", "shop")), "Web", "is not one of web, shop"),
        (Text(nullable=False), " ", "is missing"),
        (Float(nullable=False), None, "is missing"),
    ],
)
def test_a_value_that_breaks_the_contract_is_refused_with_the_reason(column, raw, reason):
    with pytest.raises(ValueError, match=f"^{reason}$"):
        column.parse(raw)
