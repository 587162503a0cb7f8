"""The steps from files to a written project."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from keepfit.engines.local.formats import format_of
from keepfit.errors import ProjectError, SourceError
from keepfit.inferring import naming, patterns
from keepfit.inferring.deciding import Table, decide, linked
from keepfit.inferring.grouping import Group, grouped
from keepfit.inferring.patterns import Names
from keepfit.inferring.sampling import look_at
from keepfit.inferring.writing import definitions

DEFINITIONS, SETTINGS = "definitions.py", "keepfit.yaml"


@dataclass(frozen=True)
class Wish:
    """What the user asked for beside the files.

    Attributes
    ----------
    project : Path
        The project's folder.
    to : Path or None
        The definitions file to write; None is that of the project.
    name : str or None
        The table's name, if there is one table.
    zone : str or None
        Of times without an offset.
    profile : str
        What the profile in a new keepfit.yaml is called.
    """

    project: Path
    to: Path | None = None
    name: str | None = None
    zone: str | None = None
    profile: str = "dev"


def infer(given: Sequence[Path], wish: Wish, listen: Callable[[str], None]) -> dict[str, Any]:
    """Write a definition of some files, and settings if there are none; return what was written and guessed.

    Raises
    ------
    SourceError
        If none of the files can be read.
    ProjectError
        If the definitions file is there already, or files lie outside the project's data folder.
    """
    target = wish.to or wish.project / DEFINITIONS
    if target.exists():
        fix = "edit it, or write another file: --to more.py"
        raise ProjectError(f"{target.name} is there already, and nothing is overwritten", where=str(target), fix=fix)
    paths = found_files(given)
    data = _data_folder(wish.project, paths)
    samples, errors = look_at(paths, lambda path: listen(path.name))
    if not samples:
        raise errors[0]
    tables = _tables(grouped(samples), data, wish.name)
    text = definitions(tables, wish.zone)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    written = [str(target), *_settings(wish, data)]
    return {
        "written": written,
        "tables": [_told(table) for table in tables],
        "unread": [error.as_dict() for error in errors],
        "checks": text.count("CHECK:"),
    }


def found_files(given: Sequence[Path]) -> list[Path]:
    """Return the files, those of folders too; what has no known suffix only counts if it was named.

    Raises
    ------
    SourceError
        If a name leads nowhere, or there is nothing to read.
    """
    found: dict[Path, None] = {}
    for path in (path.absolute() for path in given):
        if path.is_dir():
            found |= dict.fromkeys(
                inner for inner in sorted(path.rglob("*")) if inner.is_file() and _is_data(path, inner)
            )
        elif path.is_file():
            format_of(path.name)
            found[path] = None
        else:
            raise SourceError(f"there is no file {path.name}", where=str(path), fix="name files or folders that exist")
    if not found:
        fix = "name files such as data/*.csv, or a folder with some"
        raise SourceError("there is no file of a known format", where=", ".join(map(str, given)), fix=fix)
    return list(found)


def _is_data(folder: Path, path: Path) -> bool:
    if any(part.startswith((".", "_")) for part in path.relative_to(folder).parts):
        return False
    try:
        format_of(path.name)
    except SourceError:
        return False
    return not path.name.lower().startswith(("readme", "license", "requirements"))


def _data_folder(project: Path, paths: Sequence[Path]) -> Path:
    """Return the folder that patterns are relative to: that of the settings, or the folder of the files."""
    settings = project / SETTINGS
    if not settings.exists():
        return patterns.common_folder(paths)
    from keepfit.spec.settings import load

    folder = (project / load(project, None, os.environ).storage.data).resolve()
    outside = [path for path in paths if not path.resolve().is_relative_to(folder)]
    if outside:
        raise ProjectError(
            f"{outside[0].name} lies outside the data folder of the project",
            where=f"{settings}: storage.data is {folder}",
            fix="move the files there, or begin another project: --project FOLDER",
        )
    return folder


def _tables(groups: Sequence[Group], data: Path, name: str | None) -> list[Table]:
    if name is not None and len(groups) > 1:
        firsts = ", ".join(sorted({group.samples[0].path.name for group in groups})[:6])
        fix = "leave --name out, or name the files of one table"
        raise ProjectError(f"the files make {len(groups)} tables, and --name is one", where=firsts, fix=fix)
    beside = sorted(path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file())
    files = [
        Names(tuple(sorted(sample.path.relative_to(data).as_posix() for sample in group.samples))) for group in groups
    ]
    stems = patterns.without_shared([patterns.table_name(one, data) for one in files])
    called = naming.distinct([name] if name else [naming.identifier(stem, "table") for stem in stems])
    return linked([decide(one, group, data, beside) for one, group in zip(called, groups, strict=True)])


def _settings(wish: Wish, data: Path) -> list[str]:
    """Write keepfit.yaml if there is none, so that the files are found where they are."""
    path = wish.project / SETTINGS
    if path.exists():
        return []
    template = (resources.files("keepfit") / "templates" / "empty" / SETTINGS).read_text(encoding="utf-8")
    project = wish.project.resolve()
    folder = data.resolve()
    place = folder.relative_to(project).as_posix() if folder.is_relative_to(project) else str(folder)
    said = yaml.safe_dump(place, default_style='"', width=10_000).strip() if not place.isidentifier() else place
    comment = "  # raw files\n"
    settings = template.replace("PROFILE", wish.profile)
    head, _, tail = settings.partition("  data: data")
    path.write_text(f"{head}  data: {said}{comment}{tail.partition(chr(10))[2]}", encoding="utf-8")
    ignored = wish.project / ".gitignore"
    if not ignored.exists():
        ignored.write_text(".keepfit/\nreports/\n", encoding="utf-8")
    return [str(path)]


def _told(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "kind": "Events" if table.events else "Records",
        "files": len(table.group.samples),
        "pattern": table.pattern,
        "columns": len(table.group.columns),
        "entity": table.entity,
        "time": table.when.name if table.when is not None and (table.events or not table.when.source) else None,
        "notes": table.notes,
    }
