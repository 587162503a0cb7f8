"""Another MLflow registry: a tracking server (http, https) or a database (sqlite, postgresql, mysql), as MLflow names them.

A version that was sent there is a run and a version with a number of that registry's own, which MLflow's tools show and load. The
parcel lies beside its files, and a tag says which one is the newest. A version that was trained there is told from its manifest.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from keepfit.artifact.folder import MANIFEST
from keepfit.errors import RegistryError
from keepfit.stages.registry.aliases import CHAMPION
from keepfit.stages.registry.copies import Copies, downloaded, told
from keepfit.stages.registry.evidence import digest_of
from keepfit.stages.registry.mlflow import Registry
from keepfit.stages.registry.remotes.parcel import (
    Parcel,
    Told,
    each_parcel,
    parcel_from,
    require_digest,
    require_sha256,
)
from keepfit.stages.registry.remotes.protocol import Sent, Site
from keepfit.stages.registry.runs import FOLDER
from keepfit.stages.registry.version import BESIDE, DIGEST, ORIGIN, noted, version_from

PARCEL, PARCELS = "keepfit.parcel", "sync"
SQLITE = "sqlite:///"


def open_remote(address: str, site: Site) -> MlflowRemote:
    """Return the registry behind an address; nothing is asked of it yet."""
    return MlflowRemote(address, site)


class MlflowRemote:
    """The versions of another MLflow registry."""

    def __init__(self, address: str, site: Site) -> None:
        self.where, place = address, site.folder
        self._location: str | None = None
        if address.startswith(SQLITE):
            database = (site.folder / address.removeprefix(SQLITE)).resolve()
            self.where, place = f"{SQLITE}{database}", database.parent
            self._location = (place / "artifacts").as_uri()
        self._registry = Registry(self.where, place / "artifacts", place / "serving")

    @cached_property
    def _client(self) -> Any:
        return self._registry.client

    @cached_property
    def _copies(self) -> Copies:
        return Copies(self._client, self._location)

    def parcels(self, model: str) -> Told:
        """Return every version that keepfit trained or sent there, and why others cannot be read."""
        with self._asked():
            return each_parcel(self._parcel, self._items(model).values(), model, self.where)

    def fetch(self, parcel: Parcel, name: str) -> bytes:
        """Return a file of a version."""
        with self._asked():
            item = self._items(parcel.model)[parcel.digest]
            return downloaded(self._client, item.run_id, f"{FOLDER}/{name}")

    def send(self, parcel: Parcel, folder: Path) -> Sent:
        """Send a version's files, and what is said of it."""
        with self._asked():
            there = self._items(parcel.model)
            item = there.get(parcel.digest)
            beside = {name: parcel.files[name] for name in parcel.beside}
            if item is None:
                numbers = {digest: str(one.version) for digest, one in there.items()}
                self._copies.receive(parcel, folder, beside, numbers)
                sent = [folder / name for name in parcel.files]
                item = self._items(parcel.model)[parcel.digest]
            else:
                sent = self._amended(item, parcel, folder)
            self._say(item, parcel)
            return Sent(len(sent), sum(path.stat().st_size for path in sent))

    def point(self, model: str, aliases: Mapping[str, str]) -> list[str]:
        """Give aliases to versions and return those that moved.

        Raises
        ------
        RegistryError
            If the champion there is a version that was not sent there: it is that registry's own to move.
        """
        with self._asked():
            items, now = self._items(model), self._registry.aliases.of(model)
            own = {str(one.version): ORIGIN not in one.tags for one in items.values()}
            if CHAMPION in aliases and own.get(now.get(CHAMPION, ""), CHAMPION in now):
                raise RegistryError(
                    f"version {now[CHAMPION]} is the champion of {model} there, and was trained there",
                    where=self.where,
                    fix="push without --aliases, and promote there: keepfit sync pull, keepfit promote",
                )
            moved = [alias for alias, digest in aliases.items() if now.get(alias) != str(items[digest].version)]
            # a champion that moves ends every challenge
            for alias in sorted(moved):
                move = self._registry.aliases.crown if alias == CHAMPION else self._registry.aliases.challenge
                move(model, str(items[aliases[alias]].version))
            return moved

    def _items(self, model: str) -> dict[str, Any]:
        """Return digest -> MLflow's version, of keepfit's own; the first, if two have the same."""
        found = sorted(self._client.search_model_versions(f"name = '{model}'"), key=lambda one: -int(one.version))
        return {one.tags[DIGEST]: one for one in found if DIGEST in one.tags and one.run_id}

    def _parcel(self, item: Any) -> Parcel:
        try:
            if PARCEL not in item.tags:
                return self._trained_there(item)
            digest = require_sha256(item.tags[PARCEL])
            content = downloaded(self._client, item.run_id, f"{PARCELS}/{digest}.json")
            return parcel_from(require_digest(content, digest))
        except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
            said = f"{PARCELS}/{item.tags[PARCEL]}.json" if PARCEL in item.tags else f"{FOLDER}/{MANIFEST}"
            raise RegistryError(
                f"what is said of version {item.version} cannot be read: {error}",
                where=f"{self.where}: run {item.run_id}, {said}",
                fix="delete that version there, then push it again",
            ) from None

    def _trained_there(self, item: Any) -> Parcel:
        version = version_from(item.name, str(item.version), Path(), item.tags)
        manifest = require_digest(downloaded(self._client, item.run_id, f"{FOLDER}/{MANIFEST}"), version.digest)
        files = {MANIFEST: version.digest, **json.loads(manifest)["files"]}
        beside = {name: may[-1] for name, may in version.beside.items()}
        aliases = [alias for alias, number in self._registry.aliases.of(item.name).items() if number == version.number]
        said = {"number": version.number, "aliases": sorted(aliases), "retired": version.retired}
        against = version.against
        if against:
            other = self._client.get_model_version(item.name, against)
            against = version_from(item.name, against, Path(), other.tags).evidence
        return Parcel(
            model=item.name,
            digest=version.digest,
            origin=version.origin or version.evidence,
            trained_at=version.trained_at,
            against=against,
            files=dict(sorted((files | beside).items())),
            beside=tuple(sorted(beside)),
            run=told(self._client, item.run_id),
            said={digest_of(self.where.encode())[:16]: said},
        )

    def _amended(self, item: Any, parcel: Parcel, folder: Path) -> list[Path]:
        """Send what was measured anew since the version was sent."""
        before: dict[str, list[str]] = json.loads(item.tags.get(BESIDE, "{}"))
        new = [name for name in parcel.beside if parcel.files[name] not in before.get(name, ())]
        for name in new:
            self._client.log_artifact(item.run_id, str(folder / name), FOLDER)
        may = before | {name: [parcel.files[name]] for name in new}
        for tag, value in noted(may).items() if new else ():
            self._client.set_model_version_tag(item.name, item.version, tag, value)
        return [folder / name for name in new]

    def _say(self, item: Any, parcel: Parcel) -> None:
        content = parcel.content()
        digest = digest_of(content)
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / f"{digest}.json"
            path.write_bytes(content)
            self._client.log_artifact(item.run_id, str(path), PARCELS)
        self._client.set_model_version_tag(item.name, item.version, PARCEL, digest)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Raise what MLflow says as an error of ours."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            what = str(error).splitlines()[0][:300]
            raise RegistryError(
                f"the registry refuses: {what}", where=self.where, fix="check the address, and that it can be reached"
            ) from None
