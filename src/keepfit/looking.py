"""A look at the lake that changes nothing: its tables, their pasts, and what they hold. Plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keepfit import clock, tables
from keepfit.engines.summary import Look, Shape
from keepfit.errors import LakeError, did_you_mean
from keepfit.lake.past import Past, moment_of
from keepfit.project import Project
from keepfit.spec.columns import Column
from keepfit.spec.tables import Events, Table
from keepfit.stages.ingest import listing

OWN = {
    one.name: one
    for one in (
        tables.FILES,
        tables.QUARANTINE,
        tables.RELEASED,
        tables.QUALITY,
        tables.FEATURE_SETS,
        tables.PREDICTIONS,
        tables.METRICS,
        tables.DECISIONS,
        tables.OUTCOMES,
    )
}
UNSEEN = ("_order", "_known")  # they tell a reader nothing
TRAINING, SOURCE = tables.training_set(""), tables.source("")


@dataclass(frozen=True)
class Held:
    """A table that the lake holds, or that is declared and holds no rows yet.

    Attributes
    ----------
    name : str
        What a user calls it: of a source table, the name it is declared with.
    path : str
        Below the lake's root.
    kind : str
        events, records, source (of a declaration that is gone), keepfit, or training set.
    """

    name: str
    path: str
    kind: str
    declared: Table | None = None

    def shape(self) -> Shape:
        """Return what its columns mean."""
        if self.path in OWN:
            own = OWN[self.path]
            return Shape(time=own.time, keys=own.keys, known=own.time)
        if self.path.startswith(TRAINING):
            return Shape(entity="entity", time="t", keys=("entity", "t"))
        hidden = frozenset(tables.ROW)
        if self.declared is None:
            return Shape(file="_file", known="_known", hidden=hidden)
        keys = tuple(name for name in (self.declared.entity, self.declared.time) if name)
        return Shape(self.declared.entity, self.declared.time, "_file", keys, "_known", hidden)


@dataclass(frozen=True)
class Listed:
    """What the table of files says of the files that one source table was read from, in the order of the ingests."""

    rows: Sequence[Mapping[str, Any]] = ()
    moments: dict[int, int] = field(default_factory=dict)

    def held(self, version: int) -> list[listing.Listed]:
        """Return the files that a version holds."""
        return list(listing.held([listing.listed(row) for row in self.rows if row["version"] <= version]).values())


def held(project: Project) -> list[Held]:
    """Return the tables, the declared ones first."""
    there = project.lake.names()
    declared = {tables.source(table.name): table for table in project.definitions.tables}
    found = [
        Held(_called(path), path, "events" if isinstance(table, Events) else "records", table)
        for path, table in declared.items()
    ]
    for path in (path for path in there if path not in declared):
        kind = "source" if path.startswith(SOURCE) else "training set" if path.startswith(TRAINING) else "keepfit"
        found.append(Held(_called(path), path, kind))
    order = ("events", "records", "source", "keepfit", "training set")
    return sorted(found, key=lambda one: max(order.index(one.kind), 1))


def _called(path: str) -> str:
    short = path.removeprefix(SOURCE)
    return path if short in OWN and path != short else short


def named(project: Project, name: str) -> Held:
    """Return a table by its name, or by its path in the lake.

    Raises
    ------
    LakeError
        If there is none, or it holds no rows yet.
    """
    known = held(project)
    found = next((one for one in known if name in (one.name, one.path)), None)
    where = str(project.lake.root)
    if found is None:
        raise LakeError(f"there is no table {name!r}", where=where, fix=did_you_mean(name, (one.name for one in known)))
    if not project.lake.exists(found.path):
        raise LakeError(f"{name} holds no rows yet", where=where, fix="run `keepfit ingest`")
    return found


def listed(project: Project) -> dict[str, Listed]:
    """Return what the table of files says, by the path of the source table."""
    if not project.lake.exists(tables.FILES.name):
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    rows = project.engine.rows(project.lake.parquet_files(tables.FILES.name))
    for row in sorted(rows, key=lambda row: (row["version"], row["as_of"])):
        found.setdefault(tables.source(row["table"]), []).append(row)
    return {path: Listed(own, {row["version"]: row["as_of"] for row in own}) for path, own in found.items()}


def overview(project: Project, version: int | None, as_of: int | None) -> list[dict[str, Any]]:
    """Return every table as it is now, as it was at a moment, or at one of its versions."""
    files = listed(project)
    return [_row(project, one, files.get(one.path, Listed()), version, as_of) for one in held(project)]


def _row(project: Project, one: Held, files: Listed, version: int | None, as_of: int | None) -> dict[str, Any]:
    begun: dict[str, Any] = {"table": one.name, "path": one.path, "kind": one.kind, "version": None}
    begun |= dict.fromkeys(("as_of", "rows", "from_at", "to_at", "bytes", "parquet_files", "source_files", "columns"))
    begun["problem"] = None
    if not project.lake.exists(one.path):
        return begun
    try:
        past = project.lake.past(one.path)
        number = _version(one, past, files, version, as_of)
        return {**begun, **_facts(one, past, files, number), **_rows(one, look(project, one, number, as_of))}
    except LakeError as error:
        return {**begun, "problem": error.what}


def _version(one: Held, past: Past, files: Listed, version: int | None, as_of: int | None) -> int:
    """Return the version that is asked for: by number, by moment, or the newest."""
    if version is not None:
        return version
    # keepfit's own rows carry their moment themselves, and the table only grows
    if as_of is None or one.path in OWN:
        return past.newest
    found = past.at(as_of, files.moments)
    if found is None:
        first = clock.show(moment_of(past.commits[0], files.moments))
        what = f"{one.name} did not exist at {clock.show(as_of)}"
        raise LakeError(what, where=str(past.folder), fix=f"its first version is of {first}: --version 0 shows it")
    return found.version


def _facts(one: Held, past: Past, files: Listed, version: int) -> dict[str, Any]:
    commit = next((commit for commit in past.commits if commit.version == version), None)
    parts = past.of(version)
    return {
        "version": version,
        "as_of": moment_of(commit, files.moments) if commit else None,
        "bytes": sum(part.bytes for part in parts),
        "parquet_files": len(parts),
        "source_files": len(files.held(version)) if files.rows else None,
    }


def _rows(one: Held, view: Look) -> dict[str, Any]:
    extent, hidden = view.extent(), one.shape().hidden
    columns = {name: kind for name, kind in view.columns().items() if name not in hidden}
    return {"rows": extent.rows, "from_at": extent.from_at, "to_at": extent.to_at, "columns": columns}


def look(project: Project, one: Held, version: int, as_of: int | None) -> Look:
    """Return a look at a version of a table, as of a moment if one is given."""
    files = project.lake.parquet_files(one.path, version)
    # what keepfit writes in a turn is of that turn's very moment
    until = as_of + 1 if as_of is not None and one.path in OWN else as_of
    return project.engine.look(one.shape(), files, until)


def history(project: Project, name: str, as_of: int | None) -> dict[str, Any]:
    """Return the versions of a table, oldest first; those until a moment if one is given."""
    one = named(project, name)
    past, told = project.lake.past(one.path), listed(project).get(one.path, Listed()).moments
    there = set(past.readable())
    versions = [
        {
            "version": commit.version,
            "as_of": commit.as_of if commit.as_of is not None else told.get(commit.version),
            "written_at": commit.written_at,
            "operation": commit.operation,
            "files_added": commit.files_added,
            "files_removed": commit.files_removed,
            "rows_added": commit.rows,
            "readable": commit.version in there,
        }
        for commit in past.commits
        if as_of is None or moment_of(commit, told) <= as_of
    ]
    return {"table": one.name, "path": one.path, "versions": versions}


def show(
    project: Project, name: str, version: int | None, as_of: int | None, rows: int, target: Path | None
) -> dict[str, Any]:
    """Return what a table holds: a sample of rows and a summary of each column; and draw it, if a page is named."""
    one = named(project, name)
    past, files = project.lake.past(one.path), listed(project).get(one.path, Listed())
    number = _version(one, past, files, version, as_of)
    view = look(project, one, number, as_of)
    found = {
        "table": one.name,
        "kind": one.kind,
        **_facts(one, past, files, number),
        "seen_as_of": None if as_of is None else clock.show(as_of),
        "summary": view.summary(),
        "declared": _declared(one.declared),
        "quiet": clock.duration(one.declared.quiet) if isinstance(one.declared, Events) else None,
        "sample": _readable(view.columns(), view.sample(rows)),
        "quarantine": quarantined(project, one, files, number),
        "path": None,
    }
    if target is not None:
        # only here, since drawing loads its library
        from keepfit.stages.reports.profile import write_profile

        found["path"] = str(write_profile(found, target))
    return found


def _declared(table: Table | None) -> dict[str, dict[str, Any]]:
    """Return what is declared of each column and a reader wants to see beside its values."""
    if table is None:
        return {}
    kinds: dict[str, Column] = {name: kind for name in table.column_names() if (kind := table.type_of(name))}
    found = {
        name: {
            "type": kind.kind,
            "unit": kind.unit,
            "min": getattr(kind, "min", None),
            "max": getattr(kind, "max", None),
            "role": "derived" if name in table.derive else "",
        }
        for name, kind in kinds.items()
    }
    for name, role in ((table.entity, "entity"), (table.time, "time")):
        if name:
            found[name] = {**found.get(name, {"type": role, "unit": None, "min": None, "max": None}), "role": role}
    return found


def _readable(types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    moments = {name for name, kind in types.items() if kind.startswith(("TIMESTAMP", "DATE"))}
    return [
        {
            name: clock.show(value) if name in moments and value is not None else value
            for name, value in row.items()
            if name not in UNSEEN
        }
        for row in rows
    ]


def quarantined(project: Project, one: Held, files: Listed, version: int) -> dict[str, Any]:
    """Return how many rows of the files that a version holds are in quarantine, and of these by the rule they broke."""
    name = tables.QUARANTINE.name
    if one.declared is None or not project.lake.exists(name):
        return {}
    held = {(file.digest, stamp) for file in files.held(version) for stamp in (file.declared, None)}
    view = project.engine.look(Shape(), project.lake.parquet_files(name))
    # a row may be there once for each declaration that its file was read under; older ones do not say which it was
    stamped = [column for column in ("declared",) if column in view.columns()]
    tallied = view.tally(("digest", *stamped, "reason"), {"table": one.declared.name})
    bad = [
        (reasons.split("; "), rows)
        for digest, *stamp, reasons, rows in tallied
        if (digest, stamp[0] if stamp else None) in held
    ]
    found: dict[str, int] = {}
    for reason, rows in ((reason, rows) for reasons, rows in bad for reason in reasons):
        found[reason] = found.get(reason, 0) + rows
    ranked = dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
    return {"rows": sum(rows for _, rows in bad), "reasons": ranked} if bad else {}
