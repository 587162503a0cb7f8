"""A project as a folder that something else runs: what is written, what gives way, and what is left alone."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from keepfit.errors import ProjectError
from keepfit.packing import require_extras
from keepfit.project import DEFINITIONS, Project
from keepfit.spec.model import Model
from keepfit.spec.settings import FILE
from keepfit.stages.deploy.target import Deployment, Files, find

SAID = "deploy.json"
"""What keepfit wrote into a folder: the digest of every file, by which an edited one is known."""
BESIDE = ".new"


def deploy(
    project: Project, model: Model, target: str, folder: Path | None, extras: Iterable[str] = (), *, force: bool = False
) -> dict[str, Any]:
    """Write what a target needs to run a model into a folder; the same project makes the same bytes.

    Parameters
    ----------
    target : str
        A name of the entry point group `keepfit.deployers`.
    folder : Path, optional
        Without one, `deploy/TARGET-MODEL` of the project.
    extras : iterable of str
        Extras of keepfit that turns need there.
    force : bool
        Whether to write again what keepfit wrote. A file that was edited since stays, and the new one lies beside it.

    Raises
    ------
    SettingsError, MissingExtra
        If there is no such target or extra, or it is not installed.
    ProjectError
        If the folder is there already, or keepfit did not write it.
    """
    place = folder or project.folder / "deploy" / f"{target}-{model.name}"
    told = _told(project, model, place, tuple(sorted(set(extras))))
    make = find(target)
    require_extras((*told.extras, *(["redis"] if told.store else [])))
    before = _before(place, force=force)
    files = make(told)
    kept = _write(place, files, before)
    said = {"target": target, "model": model.name, "keepfit": version("keepfit"), "files": _digests(files)}
    (place / SAID).write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    own = sorted(name for name in files if not name.startswith("app/"))
    return {
        "target": target,
        "model": model.name,
        "path": str(place),
        "files": own,
        "count": len(files),
        "edited": kept,
    }


def _told(project: Project, model: Model, place: Path, extras: tuple[str, ...]) -> Deployment:
    files = {path.relative_to(project.folder).as_posix(): path.read_bytes() for path in _sources(project.folder)}
    raw = os.path.relpath(project.data.resolve(), place.resolve())
    said = project.settings
    return Deployment(model.name, model.observe.of.entity, said.profile, files, raw, extras, said.serving.store, model)


def _sources(folder: Path) -> list[Path]:
    """Return definitions.py, keepfit.yaml, and the modules and packages beside them."""
    modules = [path for path in folder.glob("*.py") if path.name != DEFINITIONS]
    packages = [path.parent for path in folder.glob("*/__init__.py")]
    inner = [path for package in packages for path in package.rglob("*.py")]
    return [folder / DEFINITIONS, folder / FILE, *sorted([*modules, *inner])]


def _before(place: Path, *, force: bool) -> Mapping[str, str]:
    """Return the digests of what keepfit wrote there."""
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return {}
    if not (place / SAID).is_file():  # whatever it is, keepfit did not write it
        raise ProjectError(f"{place.name} is no deployment", where=str(place), fix="name another folder: --to")
    if not force:
        raise ProjectError(
            f"{place.name} is there already",
            where=str(place),
            fix="give --force: what you edited stays, the rest is written again",
        )
    found: dict[str, str] = json.loads((place / SAID).read_text(encoding="utf-8"))["files"]
    return found


def _write(place: Path, files: Files, before: Mapping[str, str]) -> list[str]:
    """Write the files, take away those that are no more, and return which stay because they were edited."""
    kept = []
    for name in sorted({*files, *before}):
        path, own = place / name, files.get(name)
        if path.is_file() and _digest(path.read_bytes()) != before.get(name) and path.read_bytes() != own:
            kept.append(name)
            path = path.with_name(path.name + BESIDE)
        else:
            path.with_name(path.name + BESIDE).unlink(missing_ok=True)
        if own is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(own)
        elif name not in kept:
            path.unlink(missing_ok=True)
    return kept


def _digests(files: Files) -> dict[str, str]:
    return {name: _digest(content) for name, content in files.items()}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
