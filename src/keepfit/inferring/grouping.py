"""Which files belong together, and which of their headers are one column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from keepfit.inferring import naming, patterns
from keepfit.inferring.naming import Header
from keepfit.inferring.sampling import Sample
from keepfit.inferring.values import Values, look
from keepfit.spec.sources import Csv, Format

# files belong together if they share so much of the smaller header, and of both, unless their names are of one shape
OF_SMALLER, OF_BOTH, OF_SHORT = 0.6, 0.5, 0.75
SHORT = 6
CELLS = 500_000  # values of a table that are looked at


@dataclass(frozen=True)
class Column:
    """A column of a table, under all of its headers.

    Attributes
    ----------
    name : str
        As it is declared.
    headers : tuple of str
        As it stands in files, the most frequent first.
    files : int
        How many of them have it.
    values : Values
        What was seen in it.
    constant : bool
        Whether each file holds one value of it alone, and not all the same.
    """

    name: str
    headers: tuple[str, ...]
    unit: str | None
    files: int
    values: Values
    constant: bool


@dataclass(frozen=True)
class Group:
    """Files that make one table.

    Attributes
    ----------
    longest : int
        Most rows that were seen of one file.
    """

    samples: tuple[Sample, ...]
    columns: tuple[Column, ...]
    format: Format | None
    longest: int

    def named(self, name: str) -> Column:
        """Return a column."""
        return next(column for column in self.columns if column.name == name)


def grouped(samples: Sequence[Sample]) -> list[Group]:
    """Return the files that make one table each, in the order of their first file."""
    clusters: list[tuple[Counter[str], list[Sample]]] = []
    for sample in samples:
        keys = {naming.header(text).key for text in sample.header}
        fitting = [cluster for cluster in clusters if _belongs(sample, keys, cluster)]
        if fitting:
            held, members = max(fitting, key=lambda cluster: len(keys & set(cluster[0])))
            held.update(keys)
            members.append(sample)
        else:
            clusters.append((Counter(keys), [sample]))
    return [_group(members) for _, members in clusters]


def _belongs(sample: Sample, keys: set[str], cluster: tuple[Counter[str], list[Sample]]) -> bool:
    held, members = cluster
    if not _written_alike(sample, members[0]):
        return False
    if not keys or not held:
        return keys == set(held)
    # of a table whose files differ much, its usual columns
    usual = {key for key, files in held.items() if files >= len(members) / 3}
    shared = len(keys & set(held))
    if patterns.shape(sample.path.name) in {patterns.shape(member.path.name) for member in members}:
        return shared >= OF_SMALLER * min(len(keys), len(usual))
    of_both = OF_SHORT if min(len(keys), len(usual)) < SHORT else OF_BOTH
    return shared >= OF_SMALLER * min(len(keys), len(usual)) and shared >= of_both * len(keys | usual)


def _written_alike(one: Sample, other: Sample) -> bool:
    return one.format == other.format and _kind(one) == _kind(other)


def _kind(sample: Sample) -> str:
    if sample.format is not None:
        return type(sample.format).__name__ + _suffix(sample) * isinstance(sample.format, Csv)
    return _suffix(sample)


def _suffix(sample: Sample) -> str:
    # a table has one pattern, and packed files match another one than plain files
    return (
        "".join(sample.path.suffixes[-2:]).lower()
        if sample.path.suffix.lower() == ".gz"
        else sample.path.suffix.lower()
    )


def _group(members: Sequence[Sample]) -> Group:
    headers = _merged([[naming.header(text) for text in sample.header] for sample in members])
    widest = max(1, len(headers))
    step = max(1, sum(len(sample.rows) for sample in members) * widest // CELLS)
    names = naming.distinct(naming.column_name(one.name) for one in headers)
    places = [{text: place for place, text in enumerate(sample.header)} for sample in members]
    columns = []
    for name, one in zip(names, headers, strict=True):
        texts = list(one.texts)
        held = []
        for sample, place in zip(members, places, strict=True):
            at = next((place[text] for text in texts if text in place), None)
            if at is not None:
                held.append([row[at] for row in sample.rows[::step]])
        values = look([value for each in held for value in each])
        columns.append(Column(name, tuple(texts), one.unit, len(held), values, _constant(held)))
    longest = max(len(sample.rows) for sample in members)
    return Group(tuple(members), tuple(columns), members[0].format, longest)


def _constant(held: Sequence[Sequence[str | None]]) -> bool:
    seen = [set(each) - {None} for each in held if each]
    return len(seen) > 1 and all(len(each) == 1 for each in seen) and len(set.union(*seen)) > 1


@dataclass(frozen=True)
class _Merged:
    """Headers of one column, the most frequent first."""

    name: str
    unit: str | None
    texts: tuple[str, ...]


def _merged(headers: Sequence[Sequence[Header]]) -> list[_Merged]:
    """Return the columns of all headers in the order of the first file that has them.

    Headers that differ in case, blanks and signs are one column, unless they stand in one file, or in two units.
    """
    texts: dict[tuple[str, str | None, int], Counter[str]] = {}
    for one in headers:
        seen: Counter[tuple[str, str | None]] = Counter()
        for header in one:
            unit = header.unit if header.unit is not None else _only_unit(headers, header)
            nth = seen[header.key, unit]
            seen[header.key, unit] += 1
            texts.setdefault((header.key, unit, nth), Counter())[header.text] += 1
    units = Counter(key for key, _, nth in texts if nth == 0)
    found = []
    for (key, unit, _), written in texts.items():
        ordered = tuple(text for text, _ in written.most_common())
        name = naming.header(ordered[0]).name
        if units[key] > 1 and unit is not None:
            name = naming.identifier(f"{name} {unit.replace('/', ' per ')}")
        found.append(_Merged(name, unit, ordered))
    return found


def _only_unit(headers: Sequence[Sequence[Header]], bare: Header) -> str | None:
    """Return the unit that other files write behind a header without one, if they agree."""
    units = {other.unit for one in headers for other in one if other.key == bare.key and other.unit is not None}
    return units.pop() if len(units) == 1 else None
