"""What gates look at: a version's evaluation, and what is known of the version beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from keepfit.evidence.evaluation import Evaluation


@dataclass(frozen=True)
class Latency:
    """How long a single row takes from features to an answer.

    Attributes
    ----------
    p50_ms, p99_ms : float
        Milliseconds, of `rows` single answers.
    machine : str
        What it was measured on.
    """

    p50_ms: float
    p99_ms: float
    rows: int
    machine: str


@dataclass(frozen=True)
class Route:
    """One way to an answer beside the native model's own: what it answers otherwise.

    Attributes
    ----------
    rows : int
        Real rows that were answered both ways.
    largest_difference : float
        Of the score; infinite if one of the two gave no number.
    flipped : int
        Rows on which the decision is another one.
    """

    rows: int
    largest_difference: float
    flipped: int


@dataclass(frozen=True)
class Parity:
    """A parity certificate: route -> what it answers otherwise, such as 'onnx', 'float16', 'request'."""

    routes: dict[str, Route]


def parity_from(data: dict[str, Any]) -> Parity:
    """Return the certificate that `as_data` wrote down."""
    return Parity({name: Route(**one | _difference(one)) for name, one in data["routes"].items()})


def _difference(data: dict[str, Any]) -> dict[str, float]:
    found = data["largest_difference"]
    return {"largest_difference": math.inf if found is None else found}


@dataclass(frozen=True)
class Candidate:
    """A version before its gates.

    Attributes
    ----------
    number : str
        The version; empty before it is recorded.
    against : str or None
        The champion when it was trained, that it was compared with: '' if there was none, None if it is not known.
    champion : str or None
        The champion now.
    files : dict of str to int
        The files that the version consists of -> bytes.
    approvals : dict of str to str
        Who approved it -> the step of the ledger.
    """

    evaluation: Evaluation
    number: str = ""
    against: str | None = None
    champion: str | None = None
    latency: Latency | None = None
    parity: Parity | None = None
    files: dict[str, int] = field(default_factory=dict)
    approvals: dict[str, str] = field(default_factory=dict)
