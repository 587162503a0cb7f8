"""Counters and histograms that cost a tenth of prometheus_client's; one thread writes, and a scrape reads them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]


class Counts:
    """A counter by labels."""

    def __init__(self, name: str, told: str, labels: Labels, start: Iterable[Labels] = ()) -> None:
        self._name, self._told, self._labels = name, told, labels
        self._values = dict.fromkeys(start, 0)

    def add(self, labels: Labels, amount: int = 1) -> None:
        """Count."""
        self._values[labels] = self._values.get(labels, 0) + amount

    def family(self) -> CounterMetricFamily:
        """Return what a scrape shows."""
        family = CounterMetricFamily(self._name, self._told, labels=self._labels)
        for labels, value in self._values.copy().items():
            family.add_metric(labels, value)
        return family


class Cell:
    """One histogram: how many values were at most each bound, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts, self.total = bounds, [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        """Count a value; one that is no number is left out."""
        if value == value:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.total += value

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Yield (bound, values up to it)."""
        below = 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts.copy(), strict=True):
            below += count
            yield floatToGoString(bound), below  # type: ignore[no-untyped-call]


class Spread:
    """A histogram by labels; `cell` is to be bound once where it can be."""

    def __init__(self, name: str, told: str, labels: Labels, bounds: tuple[float, ...]) -> None:
        self._name, self._told, self._labels, self._bounds = name, told, labels, bounds
        self._cells: dict[Labels, Cell] = {}

    def cell(self, *labels: str) -> Cell:
        """Return the histogram of some labels."""
        found = self._cells.get(labels)
        if found is None:
            found = self._cells[labels] = Cell(self._bounds)
        return found

    def family(self) -> HistogramMetricFamily:
        """Return what a scrape shows."""
        family = HistogramMetricFamily(self._name, self._told, labels=self._labels)
        for labels, cell in self._cells.copy().items():
            family.add_metric(labels, list(cell.buckets()), cell.total)
        return family
