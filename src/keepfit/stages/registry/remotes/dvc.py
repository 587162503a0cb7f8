"""A remote of the project's DVC repository: dvc://team, or dvc:// for its default one. The one home of DVC: its command line.

    registry/churn/<digest>/        a version's files, as DVC keeps them; git ignores them
    registry/churn/<digest>.dvc     what DVC finds them by: to be committed
    registry/churn/<digest>.json    the parcel: to be committed, and read in a review

After `git push` whoever clones the repository has the version by `dvc pull` or `dvc get`, and by `keepfit sync pull`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from keepfit.errors import MissingExtra, RegistryError
from keepfit.stages.registry.evidence import digest_of
from keepfit.stages.registry.remotes.parcel import Parcel, Told, each_parcel, parcel_from
from keepfit.stages.registry.remotes.protocol import Sent, Site

REGISTRY, DIGITS = "registry", 16


def open_remote(address: str, site: Site) -> Repository:
    """Return the versions that the repository around the project names.

    Raises
    ------
    RegistryError
        If the project lies in no DVC repository, or it has no such remote.
    """
    if find_spec("dvc") is None:
        raise MissingExtra("dvc", "a DVC remote")
    return Repository(address, site)


class Repository:
    """The versions below `registry/` of a project, their content in a DVC remote."""

    def __init__(self, address: str, site: Site) -> None:
        name = address.partition("://")[2].strip("/")
        self._site, self.where = site, address
        self._root = site.folder / REGISTRY
        self._run("root", fix="keep the project in a DVC repository: git init && dvc init")
        known = [line.split()[0] for line in self._run("remote", "list").splitlines() if line.strip()]
        if name not in known and (name or not known):
            raise RegistryError(
                f"the DVC repository has no remote {name!r}",
                where=address,
                fix=f"there are: {', '.join(known) or 'none yet'}; dvc remote add {name or 'NAME'} URL",
            )
        self._remote = ["--remote", name] if name else []
        self._fetched: tuple[str, dict[str, bytes]] = ("", {})

    def parcels(self, model: str) -> Told:
        """Return the versions whose parcels lie beside what DVC finds their files by, and why others cannot be read."""
        found = sorted((self._root / model).glob("*.json"))
        whole = [path for path in found if path.with_suffix(".dvc").is_file()]
        return each_parcel(self._parcel, whole, model, self.where)

    def fetch(self, parcel: Parcel, name: str) -> bytes:
        """Return a file of a version; the first one brings all of them."""
        if self._fetched[0] != parcel.digest:
            source = str(Path(REGISTRY, parcel.model, parcel.digest[:DIGITS]))
            with tempfile.TemporaryDirectory() as temporary:
                place = Path(temporary) / "version"
                self._run("get", ".", source, "--out", str(place), *self._remote)
                self._fetched = (parcel.digest, {path.name: path.read_bytes() for path in place.iterdir()})
        if name not in self._fetched[1]:
            raise RegistryError(f"{name} of {parcel.origin} is gone", where=self.where, fix="push the version again")
        return self._fetched[1][name]

    def send(self, parcel: Parcel, folder: Path) -> Sent:
        """Add a version to the repository, push its files, then write its parcel."""
        place = self._root / parcel.model / parcel.digest[:DIGITS]
        new: list[str] = []
        if self._files(parcel) != parcel.files:
            new = _put(parcel, folder, place)
            source = str(place.relative_to(self._site.folder))
            self._run("add", source)
            self._run("push", f"{source}.dvc", *self._remote)
        written = place.with_name(f".{place.name}.json")
        written.write_bytes(parcel.content())
        written.replace(place.with_name(f"{place.name}.json"))
        return Sent(len(new), sum((place / name).stat().st_size for name in new))

    def point(self, model: str, aliases: Mapping[str, str]) -> list[str]:
        """Move nothing: an alias is data here, and stands in the parcel."""
        return []

    def _files(self, parcel: Parcel) -> dict[str, str]:
        """Return the files of a version that was sent; none if it was not."""
        there = {one.digest: one.files for one in self.parcels(parcel.model)[0]}
        return there.get(parcel.digest, {})

    def _parcel(self, path: Path) -> Parcel:
        try:
            return parcel_from(path.read_bytes())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RegistryError(
                f"{path.name} cannot be read: {error}", where=str(path), fix="restore it: git checkout"
            ) from None

    def _run(self, *words: str, fix: str = "see what dvc says above") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words],
            cwd=self._site.folder,
            env={**self._site.environment, "DVC_NO_ANALYTICS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            what = next((line for line in said if line.startswith("ERROR")), said[-1] if said else "no reason given")
            raise RegistryError(f"dvc {words[0]}: {what.removeprefix('ERROR: ')}", where=self.where, fix=fix)
        return done.stdout


def _put(parcel: Parcel, folder: Path, place: Path) -> list[str]:
    """Bring a version's folder to what a parcel names, and return the files that were not there yet."""
    place.mkdir(parents=True, exist_ok=True)
    new = []
    for name, digest in parcel.files.items():
        path = place / name
        if path.is_file() and digest_of(path.read_bytes()) == digest:
            continue
        path.unlink(missing_ok=True)  # what DVC has linked to its cache may not be written into
        shutil.copyfile(folder / name, path)
        new.append(name)
    return new
