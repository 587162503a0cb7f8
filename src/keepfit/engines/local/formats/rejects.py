"""What in a text is no record: lines that DuckDB rejected, and lines that were cut out before; with where they stand.

A line's place is the number of lines between it and the top in the text as DuckDB read it. Blank lines have a place and are no
records; a line that was cut has the place of the line that came after it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keepfit.engines.local.formats.facts import Places
from keepfit.engines.quoting import literal, quoted


@dataclass(frozen=True)
class Gaps:
    """What lies between the records of a text.

    Attributes
    ----------
    first_line : int
        Line of the first record in the file as it came.
    above : int
        Lines above it as DuckDB counts them.
    blank : sequence of int
        Places of the blank lines.
    cut : Path or None
        The lines that were cut; see `mending`.
    """

    first_line: int
    above: int
    blank: Sequence[int]
    cut: Path | None

    def cut_places(self) -> list[int]:
        """Return the place of each line that was cut."""
        return [one["place"] - self.above for one in cut_lines(self.cut)]

    def lines(self, records: Places) -> Places:
        """Return the line of records and blank lines, by their number in the text; line feeds inside quotes are not counted."""
        places = records - self.above
        return self.first_line + places + np.searchsorted(self.cut_places(), places, side="right")

    def blank_among_all(self) -> tuple[int, ...]:
        """Return, for each blank line, the number of records and rejected lines before it."""
        cut = self.cut_places()
        return tuple(place - before + bisect_right(cut, place) for before, place in enumerate(self.blank))

    def query(self, table: str, wrong: str = "") -> str:
        """Return the query of what is no record.

        Parameters
        ----------
        table : str
            Where DuckDB keeps what it rejects.
        wrong : str
            The query of what it did not reject and is none all the same: nth (from 0, among all rows it read), error, raw.
        """
        blank = (
            f"(select count(*) from unnest([{', '.join(map(str, self.blank))}]) as b(place) where b.place < a.place)"
        )
        place = f"place - torns - {blank if self.blank else 0}"
        return (
            f"with t as ({self._torn(table)}), a as (select * from t{self._cut()}{self._wrong(wrong)}),"
            " n as (select *, row_number() over w as nr, sum(torn) over (w rows unbounded preceding) - torn as torns from a"
            " window w as (order by place, torn, nth))"
            f" select cast({self.first_line} + place + nr - 1 - torns as bigint) as line,"
            f" cast({place} as bigint) as records_before, error, raw from n as a"
        )

    def _torn(self, table: str) -> str:
        # a line may be rejected for several reasons: a value of the wrong type is told only if it is the only one
        error = "coalesce(max(error_type) filter (error_type <> 'CAST'), max(error_type))"
        return (
            f"select line - {self.above + 1} as place, 1 as torn, 0 as nth, lower(cast({error} as varchar)) as error,"
            f" trim(any_value(csv_line), '\r\n') as raw from {quoted(table)} group by line"
        )

    def _wrong(self, wrong: str) -> str:
        # among all lines, a row stands behind the rejected ones that have at most so many rows before them
        before = "(select count(*) from (select place - row_number() over (order by place) + 1 as rows from t) where rows <= w.nth)"
        return f" union all select w.nth + {before}, 1, 0, error, raw from ({wrong}) as w" if wrong else ""

    def _cut(self) -> str:
        if self.cut is None:
            return ""
        columns = "columns = {place: 'BIGINT', error: 'VARCHAR', raw: 'VARCHAR'}, format = 'newline_delimited'"
        return (
            f" union all select place - {self.above}, 0, row_number() over (), error, raw"
            f" from read_json({literal(str(self.cut))}, {columns})"
        )


def cut_lines(cut: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the lines that were cut."""
    if cut is not None:
        with cut.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
