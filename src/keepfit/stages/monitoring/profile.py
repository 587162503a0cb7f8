"""The reference profile: how a model's inputs and scores were distributed, kept as counts in bins.

Counts, not shares: two profiles over the same bins can be added, and the size of the sample stays known. A profile of a
few kilobytes stands for any number of rows; `count` sorts other rows into its bins, and `drift` compares the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.measure.sums import Floats
from keepfit.stages.monitoring.bins import counted

BINS = 32
"""Quantile bins of a numeric column, and the number of distinct values that get bins of their own."""
LABELS = 50
"""Categories counted by name; the others are counted together."""


@dataclass(frozen=True)
class Numbers:
    """Counts of a numeric column in half-open bins.

    Attributes
    ----------
    edges : tuple of float
        Ascending and finite, in the column's unit. Bin 0 lies below edges[0], bin i is `[edges[i-1], edges[i])`, the
        last bin is open above.
    counts : tuple of int
        Rows in each bin: one more than there are edges.
    nulls : int
        Rows that are NaN.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    nulls: int

    def count(self, values: NDArray[Any]) -> Numbers:
        """Return the counts of other rows in the same bins."""
        found, nulls = counted(np.asarray(values, np.float64), np.asarray(self.edges, np.float64))
        return Numbers(self.edges, tuple(found.tolist()), nulls)

    def __add__(self, other: Numbers) -> Numbers:
        """Return the counts of both; they must be of the same bins."""
        if self.edges != other.edges:
            raise ValueError(
                "these columns were counted in different bins; count both with `Profile.count` of one profile"
            )
        counts = tuple(one + more for one, more in zip(self.counts, other.counts, strict=True))
        return Numbers(self.edges, counts, self.nulls + other.nulls)


@dataclass(frozen=True)
class Labels:
    """Counts of a categorical column.

    Attributes
    ----------
    counts : dict of str to int
        Rows of each of the most frequent labels, most frequent first.
    rest : int
        Rows of all other labels.
    nulls : int
        Rows without a label.
    """

    counts: dict[str, int]
    rest: int
    nulls: int

    def count(self, values: NDArray[Any]) -> Labels:
        """Return the counts of other rows by the same labels; labels new to the profile are in `rest`."""
        found, nulls = _labels(values)
        counts = {label: found[label] for label in self.counts}
        return Labels(counts, found.total() - sum(counts.values()), nulls)

    def __add__(self, other: Labels) -> Labels:
        """Return the counts of both; they must be of the same labels."""
        if list(self.counts) != list(other.counts):
            raise ValueError(
                "these columns were counted by different labels; count both with `Profile.count` of one profile"
            )
        counts = {label: rows + other.counts[label] for label, rows in self.counts.items()}
        return Labels(counts, self.rest + other.rest, self.nulls + other.nulls)


def bins_of(counted: Numbers | Labels) -> Floats:
    """Return the counts with the null bin first: in the order of KS, null is below every number."""
    counts = counted.counts if isinstance(counted, Numbers) else (*counted.counts.values(), counted.rest)
    return np.array([counted.nulls, *counts], dtype=np.float64)


def places(counted: Numbers | Labels, values: NDArray[Any]) -> NDArray[np.intp]:
    """Return the bin of each row, as `bins_of` orders them: 0 is null."""
    if isinstance(counted, Numbers):
        numbers = np.asarray(values, np.float64)
        found = np.searchsorted(np.asarray(counted.edges, np.float64), numbers, side="right") + 1
        return np.where(np.isnan(numbers), 0, found)
    known = {label: place + 1 for place, label in enumerate(counted.counts)}
    rest = len(known) + 1
    return np.array(
        [0 if one is None or one != one else known.get(str(one), rest) for one in values.tolist()], dtype=np.intp
    )


@dataclass(frozen=True)
class Profile:
    """The counts of each column, by name."""

    columns: dict[str, Numbers | Labels]

    def count(self, columns: Mapping[str, NDArray[Any]]) -> Profile:
        """Return the counts of other rows in this profile's bins, for the columns that both have."""
        known = [name for name in columns if name in self.columns]
        return Profile({name: self.columns[name].count(columns[name]) for name in known})

    def __add__(self, other: Profile) -> Profile:
        """Return the counts of both together, so that hourly profiles add up to a month's.

        Raises
        ------
        ValueError
            If the two are not of the same columns, counted in the same bins.
        """
        if self.columns.keys() != other.columns.keys():
            alone = sorted(self.columns.keys() ^ other.columns.keys())
            raise ValueError(f"only one of the profiles has {', '.join(alone)}")
        return Profile({name: _added(one, other.columns[name]) for name, one in self.columns.items()})

    def as_data(self) -> dict[str, Any]:
        """Return the profile as JSON data; `from_data` gives it back unchanged."""
        return {name: _as_data(counted) for name, counted in self.columns.items()}

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Profile:
        """Return the profile that `as_data` wrote."""
        return Profile({name: _from_data(item) for name, item in data.items()})


def _added(one: Numbers | Labels, other: Numbers | Labels) -> Numbers | Labels:
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return one + other
    if isinstance(one, Labels) and isinstance(other, Labels):
        return one + other
    raise ValueError("a column of numbers and one of labels do not add up")


def profile(columns: Mapping[str, NDArray[Any]]) -> Profile:
    """Return the profile of some rows, in bins chosen on these rows.

    Parameters
    ----------
    columns : mapping of str to array, each of shape (rows,)
        float64 with NaN for null, or object with labels and None for null.

    Notes
    -----
    A numeric column of at most 32 distinct values has a bin for each of them, and bins for what lies between. Otherwise
    the edges are its 32-quantiles; a value that several quantiles share (the zeros of a sum, say) has a bin of its own.
    """
    return Profile({name: _counted(values) for name, values in columns.items()})


def _counted(values: NDArray[Any]) -> Numbers | Labels:
    return _labelled(values) if values.dtype.kind in "OUS" else _numeric(values)


def _numeric(values: NDArray[Any]) -> Numbers:
    present, _ = _present(values)
    return Numbers(tuple(_edges(present).tolist()), (), 0).count(values)


def _edges(present: Floats) -> Floats:
    marks = masses = np.unique(present)
    if len(marks) > BINS:
        # An inverted CDF gives values that occur: a mass point is then met exactly, not interpolated past.
        quantiles = np.quantile(present, np.arange(1, BINS) / BINS, method="inverted_cdf")
        marks, times = np.unique(quantiles, return_counts=True)
        masses = marks[times > 1]
    # A bin that ends at the next double holds one value, so that a constant that becomes another one is seen.
    masses = masses[masses < np.finfo(np.float64).max]
    edges: Floats = np.union1d(marks, np.nextafter(masses, np.inf))
    return edges[np.isfinite(edges)]


def _present(values: NDArray[Any]) -> tuple[Floats, int]:
    numbers = np.asarray(values, dtype=np.float64)
    present = numbers[~np.isnan(numbers)]
    return present, len(numbers) - len(present)


def _labelled(values: NDArray[Any]) -> Labels:
    found, nulls = _labels(values)
    # Equal counts are ordered by label: the same rows in another order give the same profile.
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return Labels(dict(ranked[:LABELS]), sum(rows for _, rows in ranked[LABELS:]), nulls)


def _labels(values: NDArray[Any]) -> tuple[Counter[str], int]:
    # A NaN is the only value that differs from itself; it stands for null in object arrays that come from tables.
    labels = [str(value) for value in values.tolist() if value is not None and value == value]
    return Counter(labels), len(values) - len(labels)


def _as_data(counted: Numbers | Labels) -> dict[str, Any]:
    if isinstance(counted, Numbers):
        return {"edges": list(counted.edges), "counts": list(counted.counts), "nulls": counted.nulls}
    labels, counts = list(counted.counts), list(counted.counts.values())
    return {"labels": labels, "counts": counts, "rest": counted.rest, "nulls": counted.nulls}


def _from_data(item: Mapping[str, Any]) -> Numbers | Labels:
    if "edges" in item:
        return Numbers(tuple(item["edges"]), tuple(item["counts"]), item["nulls"])
    return Labels(dict(zip(item["labels"], item["counts"], strict=True)), item["rest"], item["nulls"])
