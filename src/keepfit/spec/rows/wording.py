"""How constants and names stand in the text of an expression, and in the names that are made of it."""

from __future__ import annotations

import re

from keepfit.spec.rows.expression import Constant

RESERVED = ("True", "False", "is", "not", "null")


def named(column: str) -> str:
    """Return a column's name, in double quotes if it is no plain word."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column) and column not in RESERVED
    return column if plain else _quoted(column, '"')


def constant(value: Constant) -> str:
    """Return a constant as Python writes it; a text always in single quotes."""
    return _quoted(value, "'") if isinstance(value, str) else repr(value)


def word(value: Constant) -> str:
    """Return a constant as a word of a name; `-0.5` is `minus_0p5`."""
    if isinstance(value, str | bool):
        return str(value)
    whole = value == int(value) and abs(value) < 1e15
    written = repr(int(value)) if whole else repr(value)
    return written.replace("e-", "e_minus_").replace("-", "minus_").replace(".", "p").replace("+", "")


def _quoted(text: str, mark: str) -> str:
    return (
        mark + "".join(one if one.isprintable() and one not in (mark, "\\") else _escaped(one) for one in text) + mark
    )


def _escaped(one: str) -> str:
    return "\\" + one if one.isprintable() else one.encode("unicode_escape").decode()
