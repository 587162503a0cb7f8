"""A parity certificate: whether every way to an answer of a version gives the same one, on real rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from keepfit import clock


@dataclass(frozen=True)
class Example:
    """One row that two ways answer otherwise.

    Attributes
    ----------
    t_at : int
        Microseconds UTC.
    expected, found : float or None
        The score of the way that is compared with, and that of this one; None if there was none.
    features : dict of str to tuple
        Feature -> its value there and here, of those that differ.
    """

    entity: str
    t_at: int
    expected: float | None
    found: float | None
    features: dict[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """One way to an answer: what it answers otherwise than the batch.

    Attributes
    ----------
    rows : int
        Real rows that were answered both ways.
    largest_difference : float
        Of all that is answered: score, bounds, the probability of each label. A number's is a share of the spread of the
        batch's scores. Infinite if one of the two gave no number.
    flipped : int
        Rows on which the decision is another one: positive, or the likeliest label.
    concerned : int
        Rows on which anything differs at all, be it the last digit of a score or a feature.
    skewed : dict of str to int
        Feature -> rows on which it has another value; only a way that computes features can have any.
    worst : tuple of Example
        The rows that differ most, the worst first.
    refused : str
        Why a row was not answered, if one was not.
    """

    rows: int
    largest_difference: float
    flipped: int
    concerned: int = 0
    skewed: dict[str, int] = field(default_factory=dict)
    worst: tuple[Example, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class Parity:
    """A parity certificate.

    Attributes
    ----------
    routes : dict of str to Route
        Name -> what it answers otherwise: 'native', 'single', 'request'.
    population : int
        The rows that there were to choose from.
    from_at, to_at : int or None
        The moments of the first and the last row.
    """

    routes: dict[str, Route]
    population: int = 0
    from_at: int | None = None
    to_at: int | None = None


def parity_from(data: dict[str, Any]) -> Parity:
    """Return the certificate that `as_data` wrote down."""
    moments = {name: _moment(data.get(name)) for name in ("from_at", "to_at")}
    return Parity({name: _route(one) for name, one in data["routes"].items()}, data.get("population", 0), **moments)


def _route(data: dict[str, Any]) -> Route:
    difference = data["largest_difference"]
    worst = tuple(_example(one) for one in data.get("worst", ()))
    return Route(**data | {"largest_difference": math.inf if difference is None else difference, "worst": worst})


def _example(data: dict[str, Any]) -> Example:
    features = {name: (there, here) for name, (there, here) in data["features"].items()}
    return Example(**data | {"t_at": _moment(data["t_at"]), "features": features})


def _moment(text: str | None) -> int | None:
    return None if text is None else clock.to_micros(clock.parse_moment(text))
