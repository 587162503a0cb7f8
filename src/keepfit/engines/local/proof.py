"""What a part's statistics prove of all its rows at once, so that no row need be asked.

Parquet keeps the least and the greatest number of each column anyway: if they lie within the declared bounds, so does every
number between them. Of a NaN they do not tell (DuckDB says it of the last row group alone), but none can be there: a file
in whose bytes a NaN may stand is not read in numbers (`Facts.plain`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from keepfit.engines.local.parts import Statistics
from keepfit.engines.local.rules import Contract
from keepfit.spec.columns import Float


def holds(contract: Contract, statistics: Statistics, rows: int) -> bool:
    """Return whether every row of a part is right, as `reading.swift` marks those that are not."""
    if int(statistics["_record"].get("null_count", rows)) > 0:
        return False
    return all(
        _within(column, statistics.get(name, {}), rows)
        for name, column in contract.columns.items()
        if name in contract.provable and isinstance(column, Float)
    )


def _within(column: Float, told: Mapping[str, str], rows: int) -> bool:
    nulls = int(told.get("null_count", -1))
    if nulls == rows or nulls < 0 or (nulls > 0 and not column.nullable):
        return nulls == rows and column.nullable
    if "min" not in told or "max" not in told:
        return False
    low, high = float(told["min"]), float(told["max"])
    bounds = -math.inf if column.min is None else column.min, math.inf if column.max is None else column.max
    return math.isfinite(low) and math.isfinite(high) and bounds[0] <= low and high <= bounds[1]
