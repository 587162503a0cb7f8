"""The rules of row expressions and of Python functions: what is found, where, and the way out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from keepfit import Boolean, Category, Events, Files, Float, Integer, Length, Python, Sentiment, Text, col
from keepfit.spec.check.rows import row_problems
from keepfit.spec.check.tables import TABLE_RULES, malformed
from keepfit.spec.rows import Coded, Present

COLUMNS = {
    "amount": Float(), "items": Integer(), "gift": Boolean(), "note": Text(),
    "channel": Category(values=("web", "store")), "id": Integer(),
}  # fmt: skip


def score(amount):
    """Be a function at the top level."""
    return amount


class Scorer:
    """Have a method."""

    def score(self, amount):
        """Be one."""
        return amount


def inside():
    """Return a function of a function."""

    def score(amount):
        return amount

    return score


def events(**derive):
    return Events("sales", Files("*"), entity="id", time="at", columns=COLUMNS, derive=derive)


def found(derivation):
    table = events(x=derivation)
    problems = list(malformed(table)) or [problem for rule in TABLE_RULES for problem in rule(table)]
    assert all(problem.where == "definitions.py, Events 'sales'" and problem.fix for problem in problems)
    return [problem.what for problem in problems]


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        (col("note") * 2, "'x' computes with a text"),
        (col("note").log1p(), "'x' computes with a text"),
        (abs(col("channel")), "'x' computes with a text"),
        (col("note").clip(0, 1), "'x' computes with a text"),
        (col("note") > 3, "'x' compares a text with a number"),
        (col("amount") == "3", "'x' compares a text with a number"),
        (col("gift") == "yes", "'x' compares a text with a number"),
        (col("amount").is_in(["a"]), "'x' looks for a number among texts"),
        (col("note").is_in([1, 2]), "'x' looks for a text among numbers"),
        (col("amount").startswith("a"), "'x' asks a number for a prefix"),
        (col("amount").contains("a"), "'x' asks a number for a piece of text"),
        (col("items").lower() == "a", "'x' asks a number for lower case"),
        (Length("channel"), "'x' reads 'channel' as text, but it is category"),
        (Sentiment("channel") > 0, "'x' reads 'channel' as text, but it is category"),
        (col("amount") & col("gift"), "'x' takes a number for a condition: & in amount & gift"),
        (~col("note"), "'x' takes a text for a condition: ~ in ~note"),
        (col("amount").fill("none"), "'x' fills a number with 'none'"),
        (col("amount").fill(False), "'x' fills a number with False"),
        (col("note").fill(0), "'x' fills a text with 0"),
        (col("channel") == "wbe", "'x' looks for 'wbe', which channel never is"),
        (col("channel").is_in(["web", "shop"]), "'x' looks for 'shop', which channel never is"),
        (col("gift") & (col("amonut") > 1), "derived column 'x' reads unknown column 'amonut'"),
    ],
)
def test_a_value_is_not_treated_as_what_it_is_not(expression, what):
    assert found(expression) == [what]


@pytest.mark.parametrize(
    "expression",
    [
        (col("amount") > 100) & ~col("gift") | col("channel").is_in(["web"]),
        col("gift").fill(False),
        col("gift").fill(0) + 1,
        col("gift") == True,  # noqa: E712
        col("channel").fill("web") == "store",
        col("note").lower().contains("refund"),
        col("amount").is_in([1, 2.5]),
        col("id").endswith("7"),
        col("amount").is_null() | col("note").not_null(),
        (col("amount") > 1) + (col("items") > 2),
        Coded(col("note")) * Present("amount"),
    ],
)
def test_what_fits_is_let_in(expression):
    assert found(expression) == []


def test_a_condition_of_an_aggregate_may_read_derived_columns_too():
    table = events(twice=col("amount") * 2, risk=Python(score, reads=["amount"], returns=Category(values=["low"])))
    fine = (col("twice") > 3) & (col("risk") == "low") & (col("id") == "7")
    assert list(row_problems(fine, table, "feature 'f'", "here")) == []
    (unknown,) = row_problems(col("twcie") > 3, table, "feature 'f'", "here")
    assert (unknown.what, unknown.where) == ("feature 'f' reads unknown column 'twcie'", "here")
    assert unknown.fix.startswith("did you mean 'twice'? sales has: ")
    (wrong,) = row_problems(col("risk") > 3, table, "feature 'f'", "here")
    assert wrong.what == "feature 'f' compares a text with a number"


def test_a_column_has_the_type_of_its_derivation():
    table = events(
        a=col("amount") * 2, b=col("gift").fill(False), c=col("channel").lower(), d=col("note").fill("-"),
        e=col("items"), f=col("amount") > 1, g=col("nothing"), h=col("id"),
    )  # fmt: skip
    assert [table.type_of(name).kind for name in "abcdefgh"] == [
        "float", "boolean", "category", "text", "integer", "boolean", "float", "text",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda amount: amount, "derived column 'x': a lambda cannot be found again"),
        (inside(), "derived column 'x': inside.score is defined inside a function"),
        (Scorer().score, "derived column 'x': Scorer.score is a method"),
        (np.log1p, "derived column 'x': 'numpy:log1p' is no function with a source"),
        ("score", "derived column 'x': 'score' is no function with a source"),
    ],
)
def test_a_function_that_cannot_be_found_again_is_refused(function, what):
    assert found(Python(function, reads=["amount"])) == [what]


def test_a_function_reads_declared_columns_and_at_least_one():
    assert found(Python(score, reads=["amount"])) == []
    assert found(Python(score, reads=["amonut"])) == ["derived column 'x' reads unknown column 'amonut'"]
    assert found(Python("m:score", reads=[], source="0")) == ["derived column 'x': score reads no column"]
    assert found(Python(score, reads=["amount"], returns=Float)) == [
        "derived column 'x' has no type: returns=<class 'keepfit.spec.columns.Float'>"
    ]


def test_to_declare_a_function_loads_no_array_library():
    code = "import sys, keepfit, keepfit.project; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "arro3", "pyarrow"} & {name.split(".")[0] for name in done.stdout.split()}
