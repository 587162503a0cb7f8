"""A derived column is the same number in a request as in a file."""

from __future__ import annotations

import csv
import operator
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepfit import Boolean, Files, Float, Integer, Length, Records, Sentiment, Text, col
from keepfit.engines import sql
from keepfit.rows.evaluate import evaluate

COLUMNS = {"a": Float(), "b": Float(), "n": Integer(), "yes": Boolean(), "s": Text()}
COMPARE = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv]

finite = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, 0.1, 1e308, 5e-324])
columns = st.sampled_from(["a", "b", "n", "yes"]).map(col)
leaves = st.one_of(columns, columns, st.sampled_from([Sentiment("s"), Length("s")]))
conditions = st.one_of(
    st.builds(lambda op, left, right: op(left, right), st.sampled_from(COMPARE), leaves, finite | st.just(Length("s"))),
    st.builds(lambda op, text: op(col("s"), text), st.sampled_from(COMPARE), st.sampled_from(["", "good", "É", "z"])),
    st.sampled_from(["", "g", "it's", "%"]).map(col("s").startswith),
)
expressions = st.recursive(
    leaves | conditions,
    lambda inner: st.one_of(
        st.builds(lambda op, left, right: op(left, right), st.sampled_from(ARITHMETIC), inner, inner | finite),
        st.builds(lambda op, left, right: op(left, right), st.sampled_from(ARITHMETIC), finite, inner),
        st.builds(lambda op, left, right: op(left, right), st.sampled_from(COMPARE), inner, finite),
    ),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {
        "a": st.none() | finite,
        "b": st.none() | finite,
        "n": st.none() | st.integers(-(2**53), 2**53) | st.integers(-2, 2),
        "yes": st.none() | st.booleans(),
        "s": st.none() | st.sampled_from(["good", "Great, thank you!", "awful", "É", "it's 100%"]),
    }
)


def bits(value):
    return struct.pack("d", value) if isinstance(value, float) else value


@given(derived=st.lists(expressions, min_size=1, max_size=4), held=st.lists(rows, min_size=1, max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_and_a_request_derive_the_same_value(desk, derived, held):
    named = {f"d{place}": expression for place, expression in enumerate(derived)}
    table = Records("sheet", Files("*"), entity="key", columns=COLUMNS, derive=named)
    texts = [[column.parse(row[name]) for name, column in COLUMNS.items()] for row in held]
    with (desk.data / "sheet.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["key", *COLUMNS], *(["k", *row] for row in texts)])
    good, bad = desk.check(table, "sheet.csv")
    assert not bad
    in_sql = [{name: bits(row[name]) for name in named} for row in good]
    in_python = [{name: bits(evaluate(expression, row)) for name, expression in named.items()} for row in held]
    assert in_sql == in_python


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (col("a") / col("b"), None),
        (col("a") + col("none"), None),
        (col("a") * 1e308 * 10, None),
        (1 - col("a") / 2, -0.5),
        (col("a") > col("b"), True),
        (col("none") > 0, None),
        (col("s").startswith("C"), True),
        (col("s").startswith("c"), False),
        (Length("s"), 4.0),
        (Length("none"), None),
    ],
)
def test_null_in_null_out_and_what_has_no_finite_value_is_null(expression, value):
    assert evaluate(expression, {"a": 3.0, "b": 0.0, "none": None, "s": "C536"}) == value


def test_sentiment_tells_praise_from_complaint():
    said = {"good": "I love this, great service!", "bad": "Terrible, broken and late."}
    assert evaluate(Sentiment("good"), said) > 0.5
    assert evaluate(Sentiment("bad"), said) < -0.5


def test_arithmetic_of_arithmetic_is_not_written_again_and_again():
    """DuckDB computes what is written twice twice: of sums and products inside each other, powers of two."""
    value, columns = col("a"), {"a": Float(), "b": Float()}
    for factor in range(12):
        value = value * 1.5 + col("b") * factor
    found = str(sql.derived(value, columns).sql("duckdb"))
    assert found.count('"a"') == 2  # looked at, and taken
    assert found.count('"b"') == 2 * 12
