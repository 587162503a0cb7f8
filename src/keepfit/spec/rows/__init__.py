"""Row-level expressions: what `derive=` and `where=` compute from the other columns of the same row.

    Events(..., derive={"amount": col("quantity") * col("unit_price"), "mood": Sentiment("text")})

A tree of frozen nodes. `keepfit.rows` evaluates it for one row in a request, an engine compiles it to SQL for a file,
and a property test holds the two equal. Null in, null out; arithmetic is in 64-bit floats; a division by zero
or an overflow is null; what is not a number counts as null.
"""

from keepfit.spec.rows.expression import Constant, Number, RowExpression
from keepfit.spec.rows.functions import (
    CODE_DIGITS,
    Clip,
    Coded,
    Fill,
    Length,
    OneOf,
    Present,
    RowFunction,
    RowNull,
    Sentiment,
    TextNumber,
    TextTest,
    code_of,
)
from keepfit.spec.rows.kinds import kind, nodes, result
from keepfit.spec.rows.nodes import (
    COMPARISONS,
    Literal,
    RowArithmetic,
    RowColumn,
    RowComparison,
    RowLogic,
    RowNot,
    col,
)
from keepfit.spec.rows.python import Python

Derivation = RowExpression | Python

__all__ = [
    "CODE_DIGITS",
    "COMPARISONS",
    "Clip",
    "Coded",
    "Constant",
    "Derivation",
    "Fill",
    "Length",
    "Literal",
    "Number",
    "OneOf",
    "Present",
    "Python",
    "RowArithmetic",
    "RowColumn",
    "RowComparison",
    "RowExpression",
    "RowFunction",
    "RowLogic",
    "RowNot",
    "RowNull",
    "Sentiment",
    "TextNumber",
    "TextTest",
    "code_of",
    "col",
    "kind",
    "nodes",
    "result",
]
