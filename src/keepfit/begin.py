"""A new project: from a template, or around a simulated world whose truth is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from keepfit import clock
from keepfit.errors import DefinitionError, ProjectError

MONTHS = 24


def begin(folder: Path, template: str, profile: str, as_of: int, seed: int) -> dict[str, Any]:
    """Write a project into a new or empty folder and return what was written.

    Parameters
    ----------
    template : str
        'shop' (with 24 simulated months that end where the month of `as_of` begins) or 'empty'.
    as_of : int
        Microseconds UTC.

    Raises
    ------
    ProjectError
        If the folder holds something already.
    """
    files = _files(folder, _template(template), profile)
    written: list[Path] = []
    if template == "shop":
        from keepfit.simulate import Shop, write

        end = clock.from_micros(clock.Grid("1 month").at_or_before(as_of))
        written = write(Shop(end=end, months=MONTHS, seed=seed), folder / "data")
    return {"folder": str(folder), "files": files, "data_files": len(written)}


def simulate(
    folder: Path,
    name: str,
    *,
    as_of: int,
    since: datetime | None,
    drifts: Sequence[str],
    faults: Sequence[str],
    label_delay: int | None,
    rows: int | None,
    seed: int,
    profile: str,
) -> dict[str, Any]:
    """Write a project around a simulated world into a new or empty folder and return what was written, with the truth.

    Parameters
    ----------
    name : str
        One of `keepfit.simulate.worlds.WORLDS`.
    as_of : int
        Microseconds UTC; the world ends where the month of it begins.
    since : datetime, optional
        The world begins with the month of it; default: as long before the end as the world is used to.
    drifts, faults : sequence of str
        As `keepfit.simulate.drift` and `keepfit.simulate.faults` read them.
    label_delay : int, optional
        Microseconds after which a label is known.
    rows : int, optional
        About how many rows the main table is to have.

    Raises
    ------
    DefinitionError
        If a drift or a fault cannot be, or the world would end before it begins.
    ProjectError
        If the folder holds something already.
    """
    from keepfit.simulate import drift
    from keepfit.simulate import faults as spoiling
    from keepfit.simulate.world import Setting
    from keepfit.simulate.worlds import WORLDS
    from keepfit.simulate.writing import write_world

    world, grid = WORLDS[name], clock.Grid("1 month")
    end = grid.at_or_before(as_of)
    start = _months_before(end, world.months) if since is None else grid.at_or_before(clock.to_micros(since))
    if start >= end:
        raise DefinitionError(
            f"the world would end on {clock.show(end)}, before its first month is over",
            where="--from, --as-of",
            fix=f"begin a month or more before {clock.show(end)}",
        )
    planned = tuple(drift.parse(said, world.knobs, end // clock.SECOND) for said in drifts)
    setting = Setting(clock.from_micros(start), clock.from_micros(end), rows or world.rows, seed, planned)
    spoiled = [spoiling.parse(said, world, setting.months()) for said in faults]
    delay = clock.duration_text(label_delay) if label_delay else ""
    files = _files(folder, _delayed(_template(name), world.settled, world.awaited, delay), profile)
    truth = write_world(world, setting, spoiled, delay, folder)
    return {"folder": str(folder), "files": [*files, "truth.json"], "truth": truth}


def _template(name: str) -> str:
    return (resources.files("keepfit") / "templates" / name / "definitions.py").read_text(encoding="utf-8")


def _files(folder: Path, definitions: str, profile: str) -> list[str]:
    """Write what every project has into a folder that holds nothing yet."""
    if folder.exists() and any(folder.iterdir()):
        raise ProjectError(
            f"{folder.name} is not empty", where=str(folder), fix="choose another name, or empty the folder"
        )
    (folder / "data").mkdir(parents=True, exist_ok=True)
    settings = (resources.files("keepfit") / "templates" / "empty" / "keepfit.yaml").read_text(encoding="utf-8")
    (folder / "definitions.py").write_text(definitions.replace("PROFILE", profile), encoding="utf-8")
    (folder / "keepfit.yaml").write_text(settings.replace("PROFILE", profile), encoding="utf-8")
    (folder / ".gitignore").write_text(".keepfit/\nreports/\n", encoding="utf-8")
    return ["definitions.py", "keepfit.yaml"]


def _delayed(definitions: str, settled: str, awaited: str, delay: str) -> str:
    """Return definitions whose target reads a table that knows its rows `delay` later."""
    if not delay:
        return definitions
    late = definitions.replace(awaited, f"settled.{awaited.partition('.')[2]}")
    return re.sub(r"^(?=\w+ = Model\()", lambda _: settled.replace("DELAY", delay) + "\n\n", late, count=1, flags=re.M)


def _months_before(moment: int, months: int) -> int:
    day = clock.from_micros(moment)
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return clock.to_micros(day.replace(year=year, month=month + 1))
