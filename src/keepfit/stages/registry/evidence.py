"""What was measured of a version, read only if it is what was written down when it was measured.

Files that the manifest names (the evaluation, its pages) are held against its digests, and the manifest against the
version's. What lies beside (latency, parity) is held against the digests that the registry noted when it was written.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from keepfit.artifact.folder import MANIFEST, beside
from keepfit.errors import RegistryError
from keepfit.stages.registry.version import Version

EVALUATION = "evaluation.json"
CHANGED = "is not what was written when it was measured"


def evidence_of(version: Version) -> dict[str, Any]:
    """Return the evaluation a version was judged by, as plain data; empty if it carries none."""
    return measured(version, EVALUATION)


def measured(version: Version, name: str) -> dict[str, Any]:
    """Return one file of a version's evidence as plain data; empty if it has no such file.

    Raises
    ------
    RegistryError
        If the file is not what was written.
    """
    written = content(version, name)
    found: dict[str, Any] = {} if written is None else json.loads(written)
    return found


def content(version: Version, name: str) -> bytes | None:
    """Return one file of a version as it was written; None if it has no such file.

    Raises
    ------
    RegistryError
        If the file is not what was written.
    """
    path = version.folder / name
    if not path.is_file():
        return None
    found = path.read_bytes()
    _require(version, name, found)
    return found


def require_whole(version: Version) -> None:
    """Hold every file of a version against what was written down of it.

    Raises
    ------
    RegistryError
        With the first file that is gone, or is not what was written.
    """
    for name in broken(version):
        gone = not (version.folder / name).is_file()
        raise _refused(version, name, "is gone" if gone else CHANGED)


def broken(version: Version) -> list[str]:
    """Return the files of a version that are gone, or are not what was written; its manifest must be."""
    found = []
    for name in (*_manifest(version), *version.beside):
        path = version.folder / name
        if not path.is_file() or digest_of(path.read_bytes()) not in may_be(version, name):
            found.append(name)
    return found


def may_be(version: Version, name: str) -> list[str]:
    """Return the SHA-256 that a file of a version may have; none if it was not noted."""
    named = _manifest(version)
    return [named[name]] if name in named else version.beside.get(name, [])


def digests(version: Version) -> dict[str, str]:
    """Return the SHA-256 of every file that belongs to a version, its manifest among them; files that are gone are left out."""
    found = beside(version.folder)
    own = found if not version.beside else {name: found[name] for name in version.beside if name in found}
    there = [name for name in (*_manifest(version), MANIFEST) if (version.folder / name).is_file()]
    return {name: digest_of((version.folder / name).read_bytes()) for name in there} | own


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def _require(version: Version, name: str, content: bytes) -> None:
    may = may_be(version, name)
    # what an earlier keepfit wrote beside a manifest was not noted
    if may and digest_of(content) not in may:
        raise _refused(version, name, CHANGED)


def _manifest(version: Version) -> dict[str, str]:
    """Return the digests in a version's manifest, once it is known to be the version's."""
    path = version.folder / MANIFEST
    if not path.is_file():
        raise _refused(version, MANIFEST, "is gone")
    content = path.read_bytes()
    if version.digest and digest_of(content) != version.digest:
        raise _refused(version, MANIFEST, "is not what training wrote")
    found: dict[str, str] = json.loads(content)["files"]
    return found


def _refused(version: Version, name: str, what: str) -> RegistryError:
    return RegistryError(
        f"{name} of {version.model} version {version.number} {what}",
        where=str(version.folder / name),
        fix=f"restore the file, from a backup or with `keepfit sync pull`; or train anew: keepfit train {version.model}",
    )
