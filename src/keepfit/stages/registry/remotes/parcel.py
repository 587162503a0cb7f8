"""A version on its way between registries: all that is known of it but the content of its files.

Versions are the same if their manifests are: a number means something in one registry only.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from keepfit.artifact.folder import MANIFEST
from keepfit.stages.registry.evidence import digest_of

FORMAT = 1
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Parcel:
    """A version as it is told to another registry.

    Attributes
    ----------
    digest : str
        SHA-256 of its manifest.
    origin : str
        What the registry that trained it names it by: 'churn/3@0f3a...'.
    trained_at : int
        Microseconds UTC.
    against : str or None
        The origin of the champion that it was compared with: '' if there was none, None if it is not known.
    files : dict of str to str
        Name -> SHA-256 of each file: the manifest, what it names, and what was measured later.
    beside : tuple of str
        The files that the manifest does not name.
    run : dict
        What its training shows in a tracker: name, start and end (milliseconds), parameters, metrics, tags.
    said : dict of str to dict
        Registry -> what it says of the version: number, aliases, retired.
    steps : tuple of dict
        Of the ledgers of these registries, the steps on this version: who, what, when, why, with the gates' verdicts.
    """

    model: str
    digest: str
    origin: str
    trained_at: int
    against: str | None
    files: dict[str, str]
    beside: tuple[str, ...]
    run: dict[str, Any] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: tuple[dict[str, Any], ...] = ()

    def content(self) -> bytes:
        """Return it as a remote keeps it; the same parcel has the same bytes."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True).encode()

    def history(self, own: str) -> dict[str, Any]:
        """Return what registries other than `own` say of it: what each says, and the steps of their ledgers."""
        said = {name: one for name, one in self.said.items() if name != own}
        return {"said": said, "steps": [one for one in self.steps if one["registry"] != own]}

    def named(self, alias: str) -> bool:
        """Return whether some registry has given it an alias."""
        return any(alias in one["aliases"] for one in self.said.values())


def parcel_from(content: bytes) -> Parcel:
    """Return the parcel that `content` wrote down."""
    data: dict[str, Any] = json.loads(content)
    if data.pop("format") != FORMAT:
        raise ValueError("a newer keepfit wrote it: pip install --upgrade keepfit")
    found = Parcel(**data | {name: tuple(data[name]) for name in ("beside", "steps")})
    # a name becomes a path of whoever pulls it
    if strange := [name for name in (found.model, *found.files) if not PLAIN.fullmatch(name)]:
        raise ValueError(f"{strange[0]!r} is no name of a file")
    if not {*found.beside, MANIFEST} <= set(found.files) or found.files[MANIFEST] != found.digest:
        raise ValueError("it names no manifest")
    return found


def merged(own: Parcel, there: Parcel | None, *, trained_here: bool) -> Parcel:
    """Return what two registries say of one version together.

    Of what was measured beside its manifest, the registry that trained it has the last word; of itself, each.
    """
    if there is None:
        return own
    files = own.files if trained_here else own.files | there.files
    steps = {(one["registry"], one["step"]): one for one in (*there.steps, *own.steps)}
    return replace(
        own,
        files=dict(sorted(files.items())),
        beside=tuple(sorted({*own.beside, *there.beside} & set(files))),
        run=own.run if trained_here else there.run,
        against=own.against if trained_here else there.against,
        said=dict(sorted((there.said | own.said).items())),
        steps=tuple(steps[key] for key in sorted(steps)),
    )


def require_digest(content: bytes, digest: str) -> bytes:
    """Return a content, if it is the one that has the digest.

    Raises
    ------
    ValueError
        If it is another one.
    """
    if (own := digest_of(content)) != digest:
        raise ValueError(f"its SHA-256 is {own[:16]}..., {digest[:16]}... was written")
    return content
