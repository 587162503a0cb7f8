"""A version on its way between registries: all that is known of it but the content of its files.

Versions are the same if their manifests are: a number means something in one registry only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from keepfit.artifact.folder import MANIFEST
from keepfit.errors import RegistryError
from keepfit.stages.registry.evidence import digest_of

FORMAT = 1
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Parcel:
    """A version as it is told to another registry.

    Whoever pulls makes paths of its names and digests: one that could lead out of a folder is no parcel (ValueError).

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

    def __post_init__(self) -> None:
        if strange := [name for name in (self.model, *self.files) if not PLAIN.fullmatch(name)]:
            raise ValueError(f"{strange[0]!r} is no name of a file")
        for digest in (self.digest, *self.files.values()):
            require_sha256(digest)
        if not {*self.beside, MANIFEST} <= set(self.files) or self.files[MANIFEST] != self.digest:
            raise ValueError("it names no manifest")

    def require_manifest(self, content: bytes) -> None:
        """Hold its files against its manifest.

        Raises
        ------
        ValueError
            If the content is not its manifest's, or it has other files than its manifest and those beside it.
        """
        named = json.loads(require_digest(content, self.digest))["files"]
        if {name: one for name, one in self.files.items() if name not in (*self.beside, MANIFEST)} != named:
            raise ValueError("its files are not those that its manifest names")

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
    return Parcel(**data | {name: tuple(data[name]) for name in ("beside", "steps")})


T = TypeVar("T")
Told = tuple[list[Parcel], list[RegistryError]]
"""The versions of a model that a remote tells of, and why others cannot be read."""


def each_parcel(read: Callable[[T], Parcel], items: Iterable[T], model: str, where: str) -> Told:
    """Return the parcels that are read of a remote's items; one that cannot be read, or is another model's, keeps no other back."""
    found: list[Parcel] = []
    refused: list[RegistryError] = []
    for item in items:
        try:
            found.append(_of_model(read(item), model, where))
        except RegistryError as error:
            refused.append(error)
    return found, refused


def _of_model(one: Parcel, model: str, where: str) -> Parcel:
    if one.model != model:
        raise RegistryError(
            f"a version of {one.model} lies there as one of {model}: {one.digest[:16]}",
            where=where,
            fix="remove it there, and push it again from where it was trained",
        )
    return one


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


def require_sha256(digest: str) -> str:
    """Return a digest, if it is one: 64 hexadecimal digits, lower case.

    Raises
    ------
    ValueError
        If it is anything else, such as a path.
    """
    if not SHA256.fullmatch(digest):
        raise ValueError(f"{digest!r} is no SHA-256")
    return digest


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
