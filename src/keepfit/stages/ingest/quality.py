"""What each load of a table was like, measured and kept as records in the lake.

A load is what an ingest read of a table's files; what an ingest that was killed had listed and not measured counts for the
next one. The records of all tables are one append.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import numpy as np

from keepfit import clock, tables
from keepfit.engines.protocol import Engine
from keepfit.errors import SourceError, did_you_mean
from keepfit.lake import Lake
from keepfit.spec.loading import Expect
from keepfit.spec.tables import Table
from keepfit.stages.ingest.expectations import ACCEPTED, RELATIVE, Record, broken, dimension, measurements, meets
from keepfit.stages.ingest.listing import Listed
from keepfit.stages.ingest.said import Ingested, Moved

# a null rate moved if that is no chance, and matters
CHANCE, SHARE = 1e-6, 0.05
EARLIER_LOADS = 3  # from which on a load can be called large or small


@dataclass(frozen=True)
class Load:
    """What one ingest did to a table, with what was listed of it and not measured before.

    Attributes
    ----------
    before : sequence of Listed
        What was listed of the table before this ingest.
    holds : mapping of str to Listed
        What the table holds now.
    rebuilt : bool
        Whether the rows of all its files were read again: that is no load to be counted.
    """

    table: Table
    result: Ingested
    before: Sequence[Listed]
    holds: Mapping[str, Listed]
    rebuilt: bool = False


@dataclass
class Quality:
    """The measurements of an ingest, table by table, until they are kept."""

    engine: Engine
    lake: Lake
    as_of: int
    known: dict[str, list[Record]]
    new: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, engine: Engine, lake: Lake, as_of: int) -> Quality:
        """Return the quality of what the lake holds."""
        return cls(engine, lake, as_of, measurements(engine, lake))

    def judged(self, load: Load, *, accepted: bool = False) -> Ingested:
        """Measure a load, and return it with what moved, changed and is not as expected."""
        table, name = load.table, tables.source(load.table.name)
        if not self.lake.exists(name):
            return load.result
        version = self.lake.version(name)
        earlier = [record for record in self.known.get(table.name, []) if record["as_of"] <= self.as_of]
        made = self._records(load, earlier, version)
        if accepted:
            made.append(self._record(table, version, Measured(ACCEPTED, None, math.nan, 0)))
        self.new += made
        return replace(
            load.result,
            moved=_moved(load.result, earlier),
            changes=changes(load),
            broken=broken(table, [*earlier, *made], self.as_of),
        )

    def keep(self) -> None:
        """Append what was measured."""
        if self.new:
            columns = {name: _column(self.new, name, kind) for name, kind in tables.QUALITY.columns.items()}
            self.lake.append(tables.QUALITY.name, self.engine.relation(columns, tables.QUALITY.columns))

    def _records(self, load: Load, earlier: Sequence[Record], version: int) -> list[dict[str, Any]]:
        table = load.table
        since = max((record["version"] for record in self.known.get(table.name, [])), default=-1)
        unmeasured = [listed for listed in load.before if listed.version > since]
        found = _measured(load, unmeasured)
        asked = any(expect.dimension == "timeliness" for expect in table.expect)
        again = any(record["load"] == _load(table, self.as_of, version) for record in earlier)
        if table.time and (found or (asked and not again)):
            found += self._age(table)
        made = []
        for one in found:
            past = [record["value"] for record in earlier if (record["dimension"], record["column"]) == one.about]
            one = replace(one, baseline=median(past) if past else math.nan)
            expected = [expect for expect in table.expect if (dimension(expect), expect.column) == one.about]
            made += [self._record(table, version, one, expect) for expect in expected or (None,)]
            if one.dimension == "volume" and len(past) >= EARLIER_LOADS and one.baseline:
                found.append(Measured(RELATIVE, None, one.value / one.baseline, one.rows))
        return made

    def _age(self, table: Table) -> list[Measured]:
        rows, _, newest = self.engine.span(table, self.lake.parquet_files(tables.source(table.name)), self.as_of)
        days = (self.as_of - newest) / clock.duration("1d")
        return [Measured("timeliness", None, max(days, 0.0), rows)] if rows else []

    def _record(self, table: Table, version: int, one: Measured, expect: Expect | None = None) -> dict[str, Any]:
        low, high = expect.bounds() if expect else (None, None)
        return {
            "load": _load(table, self.as_of, version),
            "table": table.name,
            "as_of": self.as_of,
            "version": version,
            "dimension": one.dimension,
            "column": one.column,
            "value": one.value,
            "baseline": one.baseline,
            "rows": one.rows,
            "min": low,
            "max": high,
            "otherwise": expect.otherwise if expect else None,
            "passed": meets(expect, one.value) if expect else None,
        }


@dataclass(frozen=True)
class Measured:
    """One measurement."""

    dimension: str
    column: str | None
    value: float
    rows: int
    baseline: float = math.nan

    @property
    def about(self) -> tuple[str, str | None]:
        """What was measured."""
        return self.dimension, self.column


def require_known(names: Sequence[str], declared: Sequence[Table]) -> None:
    """Refuse names of tables that nobody declared.

    Raises
    ------
    SourceError
        For the first one.
    """
    known = [table.name for table in declared]
    for name in names:
        if name not in known:
            raise SourceError(f"there is no table {name!r}", where="definitions.py", fix=did_you_mean(name, known))


def _measured(load: Load, unmeasured: Sequence[Listed]) -> list[Measured]:
    """Return what is measured of the rows that were read; nothing without any."""
    result = load.result
    read = result.rows_read + sum(listed.rows_read for listed in unmeasured)
    if not read:
        return []
    bad = result.quarantined + sum(listed.quarantined for listed in unmeasured)
    keyed = sum(rows for reason, rows in result.reasons.items() if reason.startswith("repeats "))
    twice = result.repeated + keyed + sum(listed.repeated for listed in unmeasured)
    found = [
        Measured("completeness", name, 1 - _rate(result, name), result.appended)
        for name in result.nulls
        if result.appended and not name.startswith("_")
    ]
    found += [
        Measured("validity", None, 1 - bad / read, read),
        Measured("uniqueness", None, 1 - twice / read, read),
    ]
    appended = result.appended + sum(listed.appended for listed in unmeasured)
    return found if load.rebuilt else [*found, Measured("volume", None, float(appended), read)]


def _rate(result: Ingested, column: str) -> float:
    return min(result.nulls[column] / result.appended, 1.0)


def _moved(result: Ingested, earlier: Sequence[Record]) -> tuple[Moved, ...]:
    """Return the columns whose share of nulls differs from that of all earlier loads together."""
    found = []
    for name in result.nulls if result.appended else ():
        past = [one for one in earlier if (one["dimension"], one["column"]) == ("completeness", name)]
        if rows := sum(one["rows"] for one in past):
            nulls = sum(round((1 - one["value"]) * one["rows"]) for one in past)
            before, now = nulls / rows, _rate(result, name)
            if abs(now - before) >= SHARE and _chance(nulls, rows, now * result.appended, result.appended) < CHANCE:
                found.append(Moved(name, before, now))
    return tuple(found)


def _chance(before: float, of: int, now: float, rows: int) -> float:
    """Return the p value of two shares being one, two-sided, by the normal approximation."""
    share = (before + now) / (of + rows)
    spread = math.sqrt(share * (1 - share) * (1 / of + 1 / rows))
    return math.erfc(abs(before / of - now / rows) / spread / math.sqrt(2)) if spread else 1.0


def changes(load: Load) -> tuple[str, ...]:
    """Return in sentences how the columns of the files read now differ from those of the file before them.

    Of a first load, its first file is the one to compare with.
    """
    read = [load.holds[name] for name in load.result.files if name in load.holds]
    first, *_ = [*(listed for listed in reversed(load.before) if listed.header), *read, None]
    found: dict[str, list[str]] = {}
    for file in read if first else ():
        for sentence in _differences(first, file) if first else ():
            found.setdefault(sentence, []).append(file.path)
    return tuple(
        f"{sentence} {files[0]}" + (f" (and {len(files) - 1:,} more)" if len(files) > 1 else "")
        for sentence, files in found.items()
    )


def _differences(before: Listed, now: Listed) -> list[str]:
    there, here = set(before.header), set(now.header)
    said = [f"column {name!r} appeared in" for name in now.header if name not in there]
    said += [f"column {name!r} vanished in" for name in before.header if name not in here]
    return said + [
        f"column {name!r} was {before.types[name]} and is {kind} in"
        for name, kind in now.types.items()
        if before.types.get(name, kind) != kind
    ]


def _load(table: Table, as_of: int, version: int) -> str:
    return hashlib.blake2b(f"{table.name}/{as_of}/{version}".encode(), digest_size=16).hexdigest()


def _column(records: Sequence[Mapping[str, Any]], name: str, kind: str) -> np.ndarray:
    values = [record[name] for record in records]
    if kind == "VARCHAR":
        return np.array(values, object)
    if kind in ("DOUBLE", "BOOLEAN"):
        return np.array([math.nan if value is None else float(value) for value in values])
    return np.array(values, np.int64)
