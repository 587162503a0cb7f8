"""Row-level expressions as trees; what they compute is held in tests/rows."""

from __future__ import annotations

import pytest

from keepfit import Length, Sentiment, col
from keepfit.spec.rows import Literal, RowArithmetic, RowColumn, RowComparison


def test_arithmetic_keeps_the_order_of_its_sides():
    node = 100 - col("price")
    assert (type(node), node.op) == (RowArithmetic, "-")
    assert (type(node.left), node.left.value) == (Literal, 100)
    assert (type(node.right), node.right.name) == (RowColumn, "price")


def test_a_tree_knows_the_columns_it_reads():
    assert ((col("a") + 2 * col("b")) / col("a") > 1).columns() == {"a", "b"}
    assert Sentiment("text").columns() == Length("text").columns() == {"text"}
    assert col("code").startswith("X").columns() == {"code"}


@pytest.mark.parametrize(
    ("node", "boolean"),
    [
        (col("a") == "x", True),
        (col("a") != 1, True),
        (col("a").startswith("C"), True),
        (col("a") * 2, False),
        (Length("a"), False),
    ],
)
def test_comparisons_are_conditions_and_the_rest_are_numbers(node, boolean):
    assert node.boolean is boolean


def test_a_number_on_the_left_mirrors_the_comparison():
    node = col("a") > 3
    assert (type(node), node.op, node.left.name, node.right.value) == (RowComparison, ">", "a", 3)


def test_a_chain_of_comparisons_is_refused_as_python_would_drop_half_of_it():
    with pytest.raises(TypeError, match="has no truth value before a row is read"):
        0 < col("a") < 5  # noqa: B015


def test_what_is_no_value_of_a_row_is_refused():
    with pytest.raises(TypeError, match=r"cannot hold None; use col\('name'\)"):
        col("a") + None
