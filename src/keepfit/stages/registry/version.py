"""A recorded model version: where its files lie, and what the registry has noted of it as tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from keepfit.artifact.folder import MANIFEST
from keepfit.stages.registry.aliases import RETIRED

PREVIOUS, PROMOTED, DIGEST, TRAINED = "keepfit.previous", "keepfit.promoted_at", "keepfit.digest", "keepfit.trained_at"
AGAINST, BESIDE, ORIGIN = "keepfit.against", "keepfit.beside", "keepfit.origin"


@dataclass(frozen=True)
class Version:
    """A recorded model version.

    Attributes
    ----------
    folder : Path
        Its artifact, on this machine.
    digest : str
        SHA-256 of the artifact's manifest, which holds those of its files.
    trained_at, promoted_at : int
        Microseconds UTC; promoted_at is 0 if it never was.
    previous : str or None
        The champion that it took over from.
    against : str or None
        The champion when it was trained: '' if there was none, None if an earlier keepfit trained it.
    retired : str or None
        'archived' or 'rejected': it cannot be promoted.
    beside : dict of str to list of str
        File that the manifest does not name -> the SHA-256 that it may have; empty if an earlier keepfit trained it.
    origin : str
        The version that it was in the registry that it came from; '' if it was trained here.
    """

    model: str
    number: str
    folder: Path
    digest: str
    trained_at: int
    promoted_at: int
    previous: str | None
    against: str | None = None
    retired: str | None = None
    beside: dict[str, list[str]] = field(default_factory=dict)
    origin: str = ""

    @property
    def evidence(self) -> str:
        """What the ledger names it by: the version, and the beginning of the digest of all that belongs to it."""
        return f"{self.model}/{self.number}@{self.digest[:16]}"

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of the manifest, and of each file that it does not name, as they were noted when they were written."""
        return {MANIFEST: self.digest, **{name: may[-1] for name, may in self.beside.items()}}


def version_from(model: str, number: str, folder: Path, tags: Mapping[str, str]) -> Version:
    """Return the version that a registry has noted with these tags."""
    return Version(
        model=model,
        number=number,
        folder=folder,
        digest=tags.get(DIGEST, ""),
        trained_at=int(tags.get(TRAINED, 0)),
        promoted_at=int(tags.get(PROMOTED, 0)),
        previous=tags.get(PREVIOUS) or None,
        against=tags.get(AGAINST),
        retired=tags.get(RETIRED) or None,
        beside=json.loads(tags.get(BESIDE, "{}")),
        origin=tags.get(ORIGIN, ""),
    )


def noted(beside: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the tag that says which content each file beside the manifest's may have."""
    return {BESIDE: json.dumps(beside, sort_keys=True)}
