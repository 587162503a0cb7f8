"""Versions copied between registries: pushed to another place and pulled from it, each file held against its digest on both ways.

A version is the same wherever its manifest is; its number is this registry's own. What is pulled decides nothing: its files, its
evidence and what people said of it elsewhere are here, its aliases are not, unless it is asked for and the gates let it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from keepfit import artifact as artifacts
from keepfit import clock, governing, steps
from keepfit.artifact.folder import MANIFEST
from keepfit.errors import RegistryError
from keepfit.evidence import AWAIT, KEEP, PULL, Turn
from keepfit.project import Project
from keepfit.spec.gates import APPROVAL
from keepfit.spec.model import Model
from keepfit.stages.registry.aliases import CHALLENGER, CHAMPION
from keepfit.stages.registry.evidence import broken, digest_of, digests, may_be, measured, require_whole
from keepfit.stages.registry.remotes import Parcel, Remote, Site, Told, connect, merged
from keepfit.stages.registry.remotes.parcel import require_digest
from keepfit.stages.registry.version import Version

HISTORY = "sync.json"
"""What other registries say of a version that was trained in one of them; beside its files."""
INCOMING = "incoming"
Found = dict[str, Any]


def push(
    project: Project, address: str, models: Sequence[Model], number: str | None, as_of: int, *, aliases: bool
) -> Found:
    """Send versions to another place, each whole, and return what was sent: nothing, if all of it is there.

    Parameters
    ----------
    number : str or None
        One version of one model; None is every version trained by as_of.
    aliases : bool
        Whether another MLflow registry gives them the aliases that they have here.

    Raises
    ------
    RegistryError
        If a file is not what was written, or the place cannot be reached.
    """
    remote = _opened(project, address)
    sent, moved = [], []
    for model in models:
        there = {one.digest: one for one in remote.parcels(model.name)[0]}  # what cannot be read is sent again
        for version in _chosen(project, model, number, as_of):
            own = merged(packed(project, version, as_of), there.get(version.digest), trained_here=not version.origin)
            if own != there.get(version.digest):
                require_whole(version)
                sent.append(_sent(version, own, remote))
        if aliases:
            named = _aliases(project, model)
            moved += [f"{model.name}: {alias}" for alias in remote.point(model.name, named)]
    return {"remote": remote.where, "as_of": as_of, "sent": sent, "aliases": moved}


def _sent(version: Version, parcel: Parcel, remote: Remote) -> Found:
    files, size = remote.send(parcel, version.folder)
    return {"model": version.model, "version": version.number, "origin": parcel.origin, "files": files, "bytes": size}


def _opened(project: Project, address: str) -> Remote:
    return connect(address, Site(project.folder, project.environment))


def _chosen(project: Project, model: Model, number: str | None, as_of: int) -> list[Version]:
    if number is not None:
        return [steps.version_at(project, model, number, as_of)]
    found = [one for one in project.registry.versions(model.name) if one.trained_at <= as_of]
    return list({one.digest: one for one in reversed(found)}.values())[::-1]


def _aliases(project: Project, model: Model) -> dict[str, str]:
    found = project.registry.aliases.of(model.name)
    return {alias: project.registry.version(model.name, number).digest for alias, number in found.items()}


def packed(project: Project, version: Version, as_of: int) -> Parcel:
    """Return all that is known of a version here, and what it brought along if it came from elsewhere."""
    registry, brought = project.registry, measured(version, HISTORY) or {"said": {}, "steps": []}
    # a name with a dot is what a write that was cut off has left
    files = {name: one for name, one in digests(version).items() if name != HISTORY and not name.startswith(".")}
    aliases = [alias for alias, number in registry.aliases.of(version.model).items() if number == version.number]
    own = {"number": version.number, "aliases": sorted(aliases), "retired": version.retired}
    return Parcel(
        model=version.model,
        digest=version.digest,
        origin=version.origin or version.evidence,
        trained_at=version.trained_at,
        against=_against(project, version),
        files=dict(sorted(files.items())),
        beside=tuple(sorted(set(artifacts.beside(version.folder)) & set(files))),
        run=registry.copies.run_of(version),
        said={**brought["said"], registry.place: own},
        steps=(*brought["steps"], *_steps(project, version, as_of)),
    )


def _against(project: Project, version: Version) -> str | None:
    if not version.against or "@" in version.against:
        return version.against
    other = project.registry.version(version.model, version.against)
    return other.origin or other.evidence


def _steps(project: Project, version: Version, as_of: int) -> list[Found]:
    """Return the steps of the ledger on a version, with the verdicts that each was taken on."""
    found: list[Found] = []
    for one in steps.entries(project, version.model, as_of):
        if version.number in (one.version, one.about) and (one.action != KEEP or one.by):
            told = asdict(one) | {"reasons": list(one.reasons), "overridden": list(one.overridden)}
            told |= {"verdicts": steps.turn_of(project, one).get("verdicts", [])}
            found.append({"registry": project.registry.place, **told})
    return found


def pull(
    project: Project, address: str, models: Sequence[Model], number: str | None, as_of: int, by: str, *, aliases: bool
) -> Found:
    """Bring versions from another place, each whole, and return what came: nothing, if all of it is here.

    Parameters
    ----------
    number : str or None
        One version of one model, by a number that it has there.
    by : str
        Who; goes to the ledger.
    aliases : bool
        Whether the champion there is to be the champion here, if it passes every gate; if only approval is lacking, it is the
        challenger.

    A version that cannot be read, or whose files are not what was written there, is among `failed`, and the others come.

    Raises
    ------
    RegistryError
        If there is no such version, or the place cannot be reached.
    """
    remote = _opened(project, address)
    came: list[Found] = []
    named: list[Found] = []
    failed: list[Found] = []
    for model in models:
        steps.require_newest(project, model.name, as_of)
        parcels, refused = _there(remote, model, number, as_of)
        whole: list[Parcel] = []
        for parcel in parcels:
            try:
                came += _taken(project, model, remote, parcel, as_of, by)
                whole.append(parcel)
            except RegistryError as error:
                refused.append(error)
        if aliases:
            named += _named(project, model, remote, whole, as_of, by)
        failed += [{"model": model.name, **error.as_dict()} for error in refused]
    return {"remote": remote.where, "as_of": as_of, "came": came, "aliases": named, "failed": failed}


def _there(remote: Remote, model: Model, number: str | None, as_of: int) -> Told:
    readable, refused = remote.parcels(model.name)
    every = sorted(readable, key=lambda one: (one.trained_at, one.origin))
    found = [one for one in every if one.trained_at <= as_of and (number is None or number in _numbers(one))]
    if not found and not refused:
        numbers = ", ".join(sorted({number for one in every for number in _numbers(one)})) or "none"
        what = f"there is no version {number or ''}".rstrip() + f" of {model.name} trained by {clock.show(as_of)}"
        raise RegistryError(what, where=remote.where, fix=f"versions there: {numbers}")
    return found, refused


def _numbers(parcel: Parcel) -> set[str]:
    return {str(one["number"]) for one in parcel.said.values()}


def _taken(project: Project, model: Model, remote: Remote, parcel: Parcel, as_of: int, by: str) -> list[Found]:
    """Record a version that is not here; of one that is, what was said of it since. Return it if it came."""
    known = {one.digest: one.number for one in project.registry.versions(model.name)}
    if parcel.digest in known:
        version = project.registry.version(model.name, known[parcel.digest])
        _mend(version, remote, parcel)
        _learn(project, version, parcel, as_of)
    else:
        folder = _fetched(project, remote, parcel)
        beside = {name: parcel.files[name] for name in parcel.beside}
        beside[HISTORY] = _put(folder / HISTORY, _history(project, parcel))
        version = project.registry.version(model.name, project.registry.copies.receive(parcel, folder, beside, known))
        shutil.rmtree(folder)
    ledger = steps.entries(project, version.model)
    if not version.origin or any(one.action == PULL and one.about == version.number for one in ledger):
        return []
    _enter(project, model, PULL, f"pulled from {remote.where}, where it is {parcel.origin}", version, as_of, by)
    return [{"model": model.name, "version": version.number, "origin": parcel.origin, "files": len(parcel.files)}]


def _mend(version: Version, remote: Remote, parcel: Parcel) -> None:
    """Put files of a version that are gone or not what was written back as they were, if they are there as they were."""
    for name in broken(version):
        digest = parcel.files.get(name, "")
        if digest in may_be(version, name):
            _put(version.folder / name, require_digest(remote.fetch(parcel, name), digest))


def _learn(project: Project, version: Version, parcel: Parcel, as_of: int) -> None:
    """Keep what other registries say of a version by now."""
    if version.origin and measured(version, HISTORY) != parcel.history(project.registry.place):
        project.registry.amend(version, HISTORY, _history(project, parcel), {}, as_of)


def _history(project: Project, parcel: Parcel) -> bytes:
    return json.dumps(parcel.history(project.registry.place), indent=1, sort_keys=True).encode()


def _fetched(project: Project, remote: Remote, parcel: Parcel) -> Path:
    """Return a folder with a version's files, each held against its digest; those of a pull that was cut off are kept."""
    folder = project.outcomes / INCOMING / parcel.digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for name in (MANIFEST, *(one for one in parcel.files if one != MANIFEST)):
        there = (folder / name).read_bytes() if (folder / name).is_file() else b""
        try:
            content = there if digest_of(there) == parcel.files[name] else remote.fetch(parcel, name)
            require_digest(content, parcel.files[name])
            if name == MANIFEST:
                parcel.require_manifest(content)
        except ValueError as error:
            raise RegistryError(
                f"{name} of {parcel.origin} is not what was sent: {error}",
                where=remote.where,
                fix="remove it there, and push the version again from where it is whole",
            ) from None
        if content is not there:
            _put(folder / name, content)
    artifacts.read(folder, parcel.digest)
    return folder


def _put(path: Path, content: bytes) -> str:
    """Write a file in one step, and return its digest."""
    written = path.with_name(f".{path.name}.writing")
    written.write_bytes(content)
    written.replace(path)
    return digest_of(content)


def _enter(project: Project, model: Model, action: str, reason: str, version: Version, as_of: int, by: str) -> None:
    live = steps.facts(project.registry.champion(model.name))
    entry = Turn(model.name, as_of, action, (reason,), rows={}, by=by, champion=live, challenger=steps.facts(version))
    steps.write_ledger(project, entry)


def _named(
    project: Project, model: Model, remote: Remote, parcels: Sequence[Parcel], as_of: int, by: str
) -> list[Found]:
    """Give the champion there its place here, as far as the gates let it; without one, the challenger its place."""
    for alias in (CHAMPION, CHALLENGER):
        named = [one for one in parcels if one.named(alias)]
        if len(named) > 1:
            told = ", ".join(one.origin for one in named)
            raise RegistryError(
                f"several versions are the {alias} of {model.name} somewhere: {told}",
                where=remote.where,
                fix=f"choose one: keepfit promote {model.name} VERSION",
            )
        if named:
            return [_adopted(project, model, remote, named[0], alias, as_of, by)]
    return []


def _adopted(project: Project, model: Model, remote: Remote, parcel: Parcel, alias: str, as_of: int, by: str) -> Found:
    registry = project.registry
    (version,) = [one for one in registry.versions(model.name) if one.digest == parcel.digest][:1]
    now = {number: own for own, number in registry.aliases.of(model.name).items()}.get(version.number)
    told = {"model": model.name, "version": version.number, "origin": parcel.origin, "there": alias}
    if now == CHAMPION or version.retired:
        return {**told, "alias": now, "lacking": [f"it is {version.retired} here"] if version.retired else []}
    others = parcel.history(registry.place)["said"]
    if retired := [f"it is {said['retired']} at {name}" for name, said in others.items() if said["retired"]]:
        return {**told, "alias": now, "lacking": retired}  # whoever named it may not have heard of that
    verdicts = steps.verdicts(project, model, version, as_of)
    failed = [one for one in verdicts if not one.passed]
    reason = f"the {alias} at {remote.where}"
    if not failed and alias == CHAMPION:
        governing.promote(project, model, version.number, as_of, by, None, f"as {reason}")
        return {**told, "alias": CHAMPION, "lacking": []}
    if all(one.gate == APPROVAL for one in failed) and now != CHALLENGER:
        _enter(project, model, AWAIT, reason, version, as_of, by)
        registry.aliases.challenge(model.name, version.number)
        now = CHALLENGER
    return {**told, "alias": now, "lacking": [one.reason for one in failed]}
