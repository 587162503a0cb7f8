"""What the leakage tests share: a small world of literal files, and a project that ingests them as they arrive."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from keepfit import actions, clock, loop
from keepfit.project import Project, open_project
from keepfit.snapshot import take
from keepfit.stages.features.training_set import TrainingSet, training_set

HEAD = "from keepfit import *\nfrom keepfit import clock\n"
START = clock.to_micros(clock.parse_moment("2025-01-01"))
Arrival = tuple[str, dict[str, str]]  # (as_of, file name -> text)


def moment(days: float) -> str:
    """Return a moment, in days after 2025-01-01, as text."""
    return clock.from_micros(START + round(days * clock.DAY)).isoformat()


@dataclass
class World:
    """A project folder."""

    folder: Path

    def opened(self) -> Project:
        return open_project(self.folder, None, {})

    def write(self, definitions: str, files: dict[str, str]) -> None:
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        (self.folder / "definitions.py").write_text(HEAD + dedent(definitions))
        (self.folder / "keepfit.yaml").write_text("profiles:\n  dev: {engine: {threads: 2}}\n")
        for name, text in files.items():
            (self.folder / "data" / name).write_text(text)

    def arrive(self, definitions: str, arrivals: Sequence[Arrival]) -> Project:
        """Write and ingest files in the order in which they arrive."""
        for as_of, files in arrivals:
            self.write(definitions, files)
            project = self.opened()
            loop.ingest_all(project, micros(as_of))
        return project

    def proven(self, definitions: str, arrivals: Sequence[Arrival], as_of: str) -> dict[str, Any]:
        """Return what `check leakage` finds."""
        project = self.arrive(definitions, arrivals)
        return actions.check_leakage(project, project.model(), micros(as_of), 40)


def micros(text: str) -> int:
    return clock.to_micros(clock.parse_moment(text))


def training(project: Project, as_of: str) -> TrainingSet:
    """Return the training set of the only model."""
    model = project.model()
    return training_set(model, take(project.engine, project.lake, model.tables(), micros(as_of)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


@pytest.fixture
def worlds(tmp_path: Path) -> Callable[[str], World]:
    return lambda name: World(tmp_path / name)


def people(count: int = 40, extra: Callable[[int], str] | None = None, header: str = "") -> str:
    """Return records `who,age` of p00, p01, ..., and one more column if asked for."""
    lines = [f"p{n:02},{20 + n % 50}{',' + extra(n) if extra else ''}\n" for n in range(count)]
    return f"who,age{',' + header if header else ''}\n" + "".join(lines)


def sales(
    days: tuple[float, float] = (0, 200), count: int = 40, seed: int = 1, every: float = 6.0, away: float = 0.08
) -> list[list[Any]]:
    """Return rows [who, day, amount] of every person, some days apart, in the order of time.

    After a share `away` of the rows, someone stays away for a month.
    """
    lottery, rows = random.Random(seed), []
    for n in range(count):
        day = days[0] + lottery.random() * every
        while day < days[1]:
            rows.append([f"p{n:02}", round(day, 3), lottery.randrange(4, 400) / 4])
            day += lottery.expovariate(1 / every) + 0.01 + (32 if lottery.random() < away else 0)
    return sorted(rows, key=lambda row: row[1])


def text(rows: Sequence[Sequence[Any]], header: str = "who,at,amount") -> str:
    """Return rows as CSV; the second value is a day."""
    lines = [
        ",".join("" if value is None else str(value) for value in (row[0], moment(row[1]), *row[2:])) for row in rows
    ]
    return header + "\n" + "\n".join(lines) + "\n"
