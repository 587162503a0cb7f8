"""A new project from a template: definitions, settings, and for the shop a simulated world to practise on."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from keepfit import clock
from keepfit.errors import ProjectError

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
    if folder.exists() and any(folder.iterdir()):
        raise ProjectError(
            f"{folder.name} is not empty", where=str(folder), fix="choose another name, or empty the folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    source = resources.files("keepfit") / "templates" / template
    files = ["definitions.py", "keepfit.yaml"]
    for name in files:
        content = (source / name).read_text(encoding="utf-8").replace("PROFILE", profile)
        (folder / name).write_text(content, encoding="utf-8")
    (folder / ".gitignore").write_text(".keepfit/\nreports/\n", encoding="utf-8")
    written: list[Path] = []
    (folder / "data").mkdir()
    if template == "shop":
        from keepfit.simulate import Shop, write

        end = clock.from_micros(clock.Grid("1 month").at_or_before(as_of))
        written = write(Shop(end=end, months=MONTHS, seed=seed), folder / "data")
    return {"folder": str(folder), "files": files, "data_files": len(written)}
