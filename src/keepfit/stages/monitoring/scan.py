"""Profiles of files: counted where the rows are, in one scan, however many there are."""

from __future__ import annotations

from keepfit.engines.protocol import Tally
from keepfit.stages.monitoring.profile import Labels, Numbers, Profile, profile

SAMPLE = 50_000
"""Rows that the bins are chosen on; the counts in them are of all rows."""


def reference(tally: Tally, rows: int = SAMPLE) -> Profile:
    """Return the profile of some files: the bins that a sample of their rows suggests, and the counts of all rows.

    Columns of times and nested ones are left out.
    """
    named = [name for name, kind in tally.kinds().items() if kind in ("number", "label")]
    return count(profile(tally.sample(rows, named)), tally)


def count(bins: Profile, tally: Tally) -> Profile:
    """Return the counts of some files in a profile's bins.

    A column that is not there counts as null in all rows, and one that has become texts where it was not numbers: what stops
    arriving is the clearest drift of all.
    """
    numbers = {name: one for name, one in bins.columns.items() if isinstance(one, Numbers)}
    labels = {name: one for name, one in bins.columns.items() if isinstance(one, Labels)}
    found = tally.count(
        {name: one.edges for name, one in numbers.items()}, {name: tuple(one.counts) for name, one in labels.items()}
    )
    columns: dict[str, Numbers | Labels] = {}
    for name in bins.columns:
        nulls, *rows = found[name]
        if name in numbers:
            columns[name] = Numbers(numbers[name].edges, tuple(rows), nulls)
        else:
            columns[name] = Labels(dict(zip(labels[name].counts, rows[:-1], strict=True)), rows[-1], nulls)
    return Profile(columns)
