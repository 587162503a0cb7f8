"""What the lake held at each moment of a replay: ingested once, in order, and written down.

Policies that come later, or again, read the same table versions, whatever was ingested since.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from keepfit import loop, tables
from keepfit.errors import LakeError
from keepfit.project import Project
from keepfit.snapshot import Snapshot, take
from keepfit.spec.model import Model
from keepfit.stages.ingest import Ingested, Waiting, first_error, ingested_data, ingested_from

FILE = "past.json"


@dataclass(frozen=True)
class Seen:
    """What a moment's ingest did, and the table versions after it."""

    ingested: tuple[Ingested, ...]
    versions: dict[str, int]


class Past:
    """The moments of a replay; several threads may ask.

    Parameters
    ----------
    project : Project
        The replay's own (`Project.replaying`), with an engine that nobody else uses.
    moments : sequence of int
        The turns, ascending, microseconds UTC.
    waiting : Waiting, optional
        What is known already of files that lie in the future.
    """

    def __init__(self, project: Project, model: Model, moments: Sequence[int], waiting: Waiting | None = None) -> None:
        self._project, self._model, self._moments = project, model, moments
        self._path, self._alone = project.outcomes / FILE, threading.Lock()
        self._waiting = Waiting() if waiting is None else waiting
        self._seen = self._read()
        self._held: dict[int, Snapshot] = {}

    def at(self, moment: int) -> tuple[tuple[Ingested, ...], Snapshot]:
        """Return what the ingest of a moment did, and the snapshot that all policies share there."""
        with self._alone:
            for one in (one for one in self._moments if one <= moment and one not in self._seen):
                self._ingest(one)
            seen = self._seen[moment]
            if moment not in self._held:
                engine, lake = self._project.engine, self._project.lake
                self._held[moment] = Snapshot(engine, lake, dict(seen.versions), moment)
            return seen.ingested, self._held[moment]

    def forget(self, before: int) -> None:
        """Drop what was made of earlier moments."""
        with self._alone:
            self._held = {moment: snapshot for moment, snapshot in self._held.items() if moment >= before}

    def stands(self) -> bool:
        """Return whether a replay may go on from here: what was written down can be read, and nothing came after its end."""
        if not self._path.is_file() or json.loads(self._path.read_text())["by"] != self._by():
            return False
        last = self._moments[-1]
        if last in self._seen:
            loop.arrived(self._project, last, waiting=self._waiting)
            if self._versions(last) != self._seen[last].versions:
                return False
        return all(self._readable(seen) for seen in self._seen.values())

    def begin(self) -> None:
        """Forget all moments."""
        self._seen = {}
        self._write()

    def _ingest(self, moment: int) -> None:
        done = loop.arrived(self._project, moment, waiting=self._waiting)
        # a file is refused when its rows came; of what no time can be told, or lies before the first turn, nothing can be replayed
        if moment == self._moments[0] and (error := first_error(done)) is not None:
            raise error
        self._seen[moment] = Seen(tuple(done), self._versions(moment))
        self._write()

    def _versions(self, moment: int) -> dict[str, int]:
        return take(self._project.engine, self._project.lake, self._model.tables(), moment).versions

    def _readable(self, seen: Seen) -> bool:
        try:
            for name, number in seen.versions.items():
                self._project.lake.parquet_files(tables.source(name), number)
        except LakeError:  # vacuumed since
            return False
        return True

    def _by(self) -> dict[str, Any]:
        return {"keepfit": version("keepfit"), "training": self._project.settings.training.model_dump()}

    def _read(self) -> dict[int, Seen]:
        if not self._path.is_file():
            return {}
        told = json.loads(self._path.read_text())["moments"]
        return {
            int(moment): Seen(tuple(ingested_from(done) for done in one["ingested"]), one["versions"])
            for moment, one in told.items()
        }

    def _write(self) -> None:
        told = {
            str(moment): {
                "versions": one.versions,
                "ingested": [ingested_data(done) for done in one.ingested],
            }
            for moment, one in self._seen.items()
        }
        _put(self._path, json.dumps({"by": self._by(), "moments": told}))


def _put(path: Path, text: str) -> None:
    """Write a file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".writing")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
