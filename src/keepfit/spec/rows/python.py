"""A derived column that a function of the team's computes, where the row language has no words for it.

The declaration holds the function's name and the digest of its source, never the function: declarations stay data, and
an edited function is another declaration, so that its table is rebuilt. `keepfit.rows.python` finds and calls it.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from keepfit.spec.columns import Column, Float


@dataclass(frozen=True, eq=False)
class Python:
    """A column computed by a Python function: `Python(risk, reads=["amount", "channel"])`.

    `risk(amount, channel)` gets one Arrow array for each column, and returns one column of the same length: an Arrow
    array of any library, a numpy array or a list; None and NaN are null. Each value may depend on its own row alone.

    Parameters
    ----------
    function : callable
        Defined at the top level of definitions.py, or of a module beside it; kept as "module:name".
    reads : sequence of str
        The declared columns that it is called with, in this order.
    returns : Column
        The type of what it returns: Float(), Integer(), Boolean(), Category() or Text(), held to its bounds.
    source : str
        The SHA-256 of the function's source, which is taken from the function.

    Raises
    ------
    TypeError
        If the function does not take as many columns as `reads` names.
    """

    function: str | Callable[..., Any]
    reads: Sequence[str]
    returns: Column = field(default_factory=Float)
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads", (self.reads,) if isinstance(self.reads, str) else tuple(self.reads))
        if callable(self.function):
            _require_arity(self.function, self.reads)
            object.__setattr__(self, "source", source_digest(self.function))
            object.__setattr__(self, "function", reference(self.function))

    def columns(self) -> set[str]:
        """Return the names of the columns it reads."""
        return set(self.reads)


def reference(function: Callable[..., Any]) -> str:
    """Return where a function can be found again: "module:name"."""
    return f"{getattr(function, '__module__', None) or '?'}:{getattr(function, '__qualname__', None) or '?'}"


def source_digest(function: Callable[..., Any]) -> str:
    """Return the SHA-256 of a function's source as 64 hex digits; empty if it has none that can be read."""
    try:
        return hashlib.sha256(dedent(inspect.getsource(function)).strip().encode()).hexdigest()
    except (OSError, TypeError):
        return ""


def _require_arity(function: Callable[..., Any], reads: Sequence[str]) -> None:
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # a builtin, which check refuses
        return
    try:
        signature.bind(*reads)
    except TypeError as error:
        name = getattr(function, "__name__", "the function")
        raise TypeError(f"{name}{signature} cannot be called with {', '.join(reads) or 'nothing'}: {error}") from None
