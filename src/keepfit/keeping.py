"""What the lake must keep, because something can only be built again from it, and what may go.

Whoever records table versions has a line in `RECORDS`. A vacuum asks all of them, and removes nothing if one cannot answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepfit import tables
from keepfit.artifact.folder import MANIFEST
from keepfit.errors import LakeError
from keepfit.lake import Lake
from keepfit.lake.past import Past, moment_of
from keepfit.lake.vacuum import Waste, remove, waste
from keepfit.looking import Listed, listed
from keepfit.project import Project
from keepfit.steps.building import VERSIONS

REPLAYS = "replays"


@dataclass(frozen=True)
class Need:
    """A version of a table, by its path in the lake, and what is built from it."""

    table: str
    version: int
    by: str


@dataclass(frozen=True)
class Vacuumed:
    """What a vacuum removed of one table, or would remove.

    Attributes
    ----------
    versions : int
        How many there were that could be read.
    lost : tuple of int
        Those that can be read no more.
    needed : dict of int to list of str
        Versions that something is built from, and what.
    """

    table: str
    versions: int
    lost: tuple[int, ...]
    needed: dict[int, list[str]]
    files: int
    orphans: int
    bytes: int


def vacuum(project: Project, as_of: int, keep: int, *, dry_run: bool) -> dict[str, Any]:
    """Remove the Parquet files that no version reads which is new, young or needed, and return what went, by table.

    Parameters
    ----------
    as_of : int
        Microseconds UTC: now.
    keep : int
        Microseconds; a version that was the newest at some moment since `as_of - keep` stays.

    Raises
    ------
    LakeError
        If a record of table versions cannot be read; nothing is removed then.
    """
    needs = list(needed(project))
    files = listed(project)
    plans: list[tuple[Vacuumed, Waste]] = []
    for name in project.lake.names():
        past = project.lake.past(name)
        own: dict[int, list[str]] = {}
        for need in needs:
            if need.table == name:
                own.setdefault(need.version, []).append(need.by)
        found = waste(past, {*own, *_young(past, files.get(name, Listed()).moments, as_of - keep)}, as_of)
        freed = sum(path.stat().st_size for path in found.files)
        counts = len(found.files), len(found.orphans), freed
        plans.append((Vacuumed(name, len(past.readable()), found.lost, own, *counts), found))
    for _, found in plans if not dry_run else ():
        remove(found)
    done = [plan for plan, _ in plans]
    return {"as_of": as_of, "dry_run": dry_run, "bytes": sum(one.bytes for one in done), "tables": done}


def _young(past: Past, told: dict[int, int], since: int) -> Iterator[int]:
    """Yield the versions that were the newest at some moment since; of the two clocks of a commit, the later one counts."""
    for one, following in zip(past.commits, (*past.commits[1:], None), strict=True):
        if following is None or max(moment_of(following, told), following.written_at) >= since:
            yield one.version


def needed(project: Project) -> Iterator[Need]:
    """Yield every version of a table of the lake that something recorded itself to be built from."""
    for record in RECORDS:
        yield from record(project)


def _of_training_sets(project: Project) -> Iterator[Need]:
    """Yield the source versions that training sets were computed from, of production and of replays."""
    for outcomes in _outcomes(project):
        lake = Lake(outcomes / "lake")
        for name in (name for name in lake.names() if name.startswith(tables.training_set(""))):
            for commit in lake.past(name).commits:
                by = f"version {commit.version} of {_beside(project, outcomes)}{name}"
                read = _read(commit.notes.get(VERSIONS, "{}"), by)
                yield from (Need(tables.source(table), version, by) for table, version in read.items())


def _of_artifacts(project: Project) -> Iterator[Need]:
    """Yield what model versions were built from, as their folders say."""
    for outcomes in _outcomes(project):
        for manifest in sorted((outcomes / "artifacts").rglob(MANIFEST)):
            by = f"model {manifest.parent.relative_to(project.state)}"
            found = _read(manifest.read_text(encoding="utf-8"), str(manifest)).get("lineage", {})
            yield from _of_lineage(found, by, own=outcomes == project.state)


def _of_registry(project: Project) -> Iterator[Need]:
    """Yield what model versions were built from, as the registry says; it may be one that others share."""
    for name, lineage in project.registry.lineages():
        yield from _of_lineage(_read(lineage, name), f"model {name}", own=True)


RECORDS = (_of_training_sets, _of_artifacts, _of_registry)


def _of_lineage(lineage: dict[str, Any], by: str, *, own: bool) -> Iterator[Need]:
    yield from (Need(tables.source(table), version, by) for table, version in lineage.get("tables", {}).items())
    learnt = lineage.get("training_set")
    if learnt and own:  # a replay keeps its training sets in a lake of its own
        yield Need(learnt["table"], learnt["version"], by)


def _outcomes(project: Project) -> list[Path]:
    replays = project.state / REPLAYS  # a folder for each, and in it one for each policy
    found = {path for depth in ("*", "*/*") for path in replays.glob(depth) if (path / "lake").is_dir()}
    return [project.state, *sorted(found)]


def _beside(project: Project, outcomes: Path) -> str:
    return "" if outcomes == project.state else f"replay {outcomes.relative_to(project.state / REPLAYS)}, "


def _read(text: str, where: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise LakeError(
            f"cannot tell which table versions are needed: {error}",
            where=where,
            fix="restore it, or remove what it belongs to; nothing was vacuumed",
        ) from None
    return found
