"""What tests share: an engine, a desk with a data folder and a lake, and a tiny project folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from keepfit import clock, tables
from keepfit.connect import Place
from keepfit.engines.local import LocalEngine
from keepfit.lake import Lake
from keepfit.raw import Checked, RawFile
from keepfit.snapshot import Snapshot, take
from keepfit.spec.tables import Table
from keepfit.stages.ingest import Ingested, first_error, ingest

FUTURE = "2100-01-01"


def at(text: str) -> int:
    """Return a moment in microseconds UTC."""
    return clock.to_micros(clock.parse_moment(text))


def fetched(relation: Any) -> list[dict[str, Any]]:
    """Return a relation's rows as dictionaries; times are microseconds."""
    kinds = zip(relation.columns, map(str, relation.types), strict=True)
    shown = [f'epoch_us("{name}")' if kind.startswith("TIMESTAMP") else f'"{name}"' for name, kind in kinds]
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.project(", ".join(shown)).fetchall()]


@dataclass
class Desk:
    """A data folder, a lake, an engine, and a hand that files things."""

    data: Path
    lake: Lake
    engine: LocalEngine

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a raw file."""
        path = self.data / name
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).lstrip().encode())
        return path

    def checked(self, table: Table, *names: str) -> Checked:
        """Return raw files read under a contract."""
        files = [RawFile(self.data / name, name, place) for place, name in enumerate(names)]
        return self.engine.check(table, files, self.lake.folder("checked"))

    def check(self, table: Table, name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return good and bad rows of a raw file in the order of the file."""
        checked = self.checked(table, name)
        try:
            for file in checked.files:
                if file.error:
                    raise file.error
            good = self.engine.rows([str(checked.part.path)]) if checked.part else []
            bad = fetched(self.engine.bad_rows(checked, [name], {"table": table.name, "declared": "", "as_of": 0}))
        finally:
            self.engine.release(checked)
        return sorted(good, key=lambda row: row["_record"]), bad

    def ingest(self, *declared: Table, as_of: str = FUTURE, replace: tuple[str, ...] = ()) -> list[Ingested]:
        """Ingest the data folder; the first error is raised when all is done."""
        done = ingest(self.engine, self.lake, self.place, declared, at(as_of), exchange=replace)
        if (error := first_error(done)) is not None:
            raise error
        return done

    @property
    def place(self) -> Place:
        """Where sources are."""
        return Place(self.data, self.lake.root / "landing", {})

    def rows(self, table: Table | tables.Declared, version: int | None = None) -> list[dict[str, Any]]:
        """Return what the lake holds of a table."""
        name = tables.source(table.name) if isinstance(table, Table) else table.name
        return self.engine.rows(self.lake.parquet_files(name, version)) if self.lake.exists(name) else []

    def snapshot(self, *declared: Table, as_of: str) -> Snapshot:
        """Return a snapshot of the newest versions."""
        return take(self.engine, self.lake, declared, at(as_of))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of slow tests, lest the last of them runs alone when all others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def engine() -> LocalEngine:
    """Return one DuckDB for all tests."""
    return LocalEngine(threads=2)


@pytest.fixture
def desk(tmp_path: Path, engine: LocalEngine) -> Desk:
    """Return an empty desk."""
    data = tmp_path / "data"
    data.mkdir()
    return Desk(data, Lake(tmp_path / "lake"), engine)


SETTINGS = "profiles:\n  dev: {}\n"


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a project folder: definitions, settings, and raw files by name."""

    def write(definitions: str, files: dict[str, str], settings: str = SETTINGS) -> Path:
        folder = tmp_path / "project"
        (folder / "data").mkdir(parents=True)
        (folder / "definitions.py").write_text(dedent(definitions))
        (folder / "keepfit.yaml").write_text(dedent(settings))
        for name, text in files.items():
            (folder / "data" / name).write_text(dedent(text).lstrip())
        return folder

    return write


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URI of an MLflow store for tests that train nothing; to make one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('tracking') / 'mlflow.db'}"
