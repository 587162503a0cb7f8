"""A look into quarantine, and the way out of it. Plain values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepfit.errors import SourceError, did_you_mean
from keepfit.project import Project
from keepfit.spec.tables import Table
from keepfit.stages import ingest
from keepfit.stages.ingest import BadRow, Released, Wish, in_quarantine


@dataclass(frozen=True)
class Chosen:
    """Which rows of a quarantine are meant: those that meet all that is said.

    Attributes
    ----------
    reason : str or None
        A text that their reason holds.
    """

    reason: str | None = None
    file: str | None = None
    line: int | None = None

    def __contains__(self, row: BadRow) -> bool:
        said = self.reason is None or self.reason in row.reason
        return said and self.file in (None, row.file) and self.line in (None, row.line)


def overview(project: Project, name: str | None, as_of: int) -> list[dict[str, Any]]:
    """Return what is in quarantine: for each table and reason the rows, the files, and one of them."""
    declared = [_table(project, name)] if name else project.definitions.tables
    found = []
    for table in declared:
        rows = in_quarantine(project.engine, project.lake, table, as_of=as_of)
        for reason, count in Counter(row.reason for row in rows).most_common():
            own = [row for row in rows if row.reason == reason]
            files = len({row.file for row in own})
            one = {"table": table.name, "reason": reason, "rows": count, "files": files}
            found.append(one | {"first_file": own[0].file, "first_line": own[0].line})
    return found


def show(project: Project, name: str, chosen: Chosen, limit: int, target: Path | None, as_of: int) -> dict[str, Any]:
    """Return some rows in quarantine; all of them are written to a JSON-lines file if one is named."""
    table = _table(project, name)
    rows = [_shown(row) for row in in_quarantine(project.engine, project.lake, table, as_of=as_of) if row in chosen]
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        target.write_text(text, encoding="utf-8")
    found = {"table": name, "count": len(rows), "rows": rows[:limit]}
    return found | {"path": str(target) if target else None}


def release(project: Project, name: str, chosen: Chosen, edited: Path | None, as_of: int) -> Released:
    """Send rows in quarantine through the contract again, those of a JSON-lines file as they were edited there.

    Raises
    ------
    SourceError
        If the file is no such file, or names a row that is not in quarantine.
    """
    table = _table(project, name)
    rows = [row for row in in_quarantine(project.engine, project.lake, table) if row in chosen]
    wishes = [Wish(row) for row in rows] if edited is None else _edited(rows, edited, name)
    return ingest.release(project.engine, project.lake, table, wishes, as_of)


def _table(project: Project, name: str) -> Table:
    known = {table.name: table for table in project.definitions.tables}
    if name not in known:
        raise SourceError(f"there is no table {name!r}", where="definitions.py", fix=did_you_mean(name, known))
    return known[name]


def _shown(row: BadRow) -> dict[str, Any]:
    said = {"file": row.file, "line": row.line, "record": row.record, "reason": row.reason}
    return said | {"raw": row.raw if row.record is None else row.values()}


def _edited(rows: Sequence[BadRow], path: Path, name: str) -> list[Wish]:
    known = {(row.file, row.line, row.record): row for row in rows}
    wishes: dict[BadRow, Wish] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        said = _object(text, path, number)
        row = known.get((said.get("file"), said.get("line"), said.get("record")))  # type: ignore[arg-type]
        if row is None:
            raise SourceError(
                f"{said.get('file')}, line {said.get('line')} is not in the quarantine of {name}",
                where=f"{path}, line {number}",
                fix=f"see what is: keepfit quarantine show {name}",
            )
        raw = said.get("raw")
        wishes[row] = Wish(row, raw if isinstance(raw, dict) and raw != row.values() else None)
    return list(wishes.values())


def _object(text: str, path: Path, number: int) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except ValueError as error:
        said = str(error)
    if not isinstance(said, dict):
        raise SourceError(
            f"{path.name}, line {number} is no JSON object",
            where=str(path),
            fix="keep the lines as `keepfit quarantine show --to` wrote them, and edit what stands in raw",
        )
    return said
