"""What a contract lets in, value by value."""

from __future__ import annotations

import pytest

from keepfit import Boolean, Category, Float, Integer, Text, Time


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
        (Float(), "\v1\f", 1.0),
        (Float(sentinels=(-999,)), "-9.990e2", None),
        (Float(sentinels=("NA", "-200,0")), " NA ", None),
        (Float(decimal=",", thousands="."), "1.234,5", 1234.5),
        (Float(thousands=","), "12,34,567", 1234567.0),
        (Integer(thousands=" ", sentinels=(0,)), "-12 345", -12345),
        (Boolean(sentinels=(0,)), "0", None),
        (Category(sentinels=(-1,)), "-1.0", None),
        (Category(sentinels=("-1.0",)), "-1", "-1"),
        (Category(pattern=r"[A-Z]\d"), "A1", "A1"),
        (Time(), "2025-06-01T02:00+02:00", 1748736000000000),
        (Time(zone="Asia/Kolkata"), "2025-06-01 05:30", 1748736000000000),
        (Time(format="%d.%m.%Y", zone="UTC"), "1.6.2025", 1748736000000000),
        (Time(sentinels=("1900-01-01",)), "1900-01-01", None),
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
        (Float(nullable=False, sentinels=(-999,), min=0), "-999", "is missing"),
        (Float(decimal=","), "1.5", "is not a number"),
        (Float(thousands=","), "1,5", "is not a number"),
        (Float(thousands=","), "0,123", "is not a number"),
        (Integer(), "9" * 5000, "is not a whole number"),
        (Category(pattern="[A-Z]"), "é", r"does not match \[A-Z\]"),
        (Category(values=("ab",), pattern="a."), "ax", "is not one of ab"),
        (Time(), "01.06.2025", "is not a time"),
        (Time(format="%d.%m.%Y", zone="UTC"), "31.02.2025", "is not a time"),
        (Time(format="%d.%m.%Y"), "01.06.2025", "has no time zone; append Z or an offset"),
    ],
)
def test_a_value_that_breaks_the_contract_is_refused_with_the_reason(column, raw, reason):
    with pytest.raises(ValueError, match=f"^{reason}$"):
        column.parse(raw)
