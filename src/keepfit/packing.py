"""What goes into an image: this keepfit, what it needs at the versions that are installed here, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import keepfit
from keepfit.errors import MissingExtra, SettingsError, did_you_mean

LEFT_OUT = ("templates", "testing", "__pycache__")
"""Folders that nothing needs where a model answers or is trained."""
METADATA = ("METADATA", "entry_points.txt")
USER = 10001
"""The user id that images run as: one that no distribution gives away."""


def base() -> str:
    """Return the base image: the Python that runs here."""
    return f"python:{sys.version_info.major}.{sys.version_info.minor}-slim-bookworm"


def tagged(model: str) -> str:
    """Return a model's name as registries of images allow it."""
    return model.lower().replace("_", "-")


def pinned(names: Iterable[str]) -> list[str]:
    """Return `name==version` of these distributions and of all they need, sorted.

    Parameters
    ----------
    names : iterable of str
        Requirements without a version; with extras as in `keepfit[lightgbm]`. keepfit itself is left out: an image holds its files.

    Raises
    ------
    MissingExtra
        If what an extra of keepfit brings is not installed here.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    left = [Requirement(name) for name in names]
    while left:
        one = left.pop()
        for extra in {"", *one.extras} - {extra for name, extra in seen if name == canonicalize_name(one.name)}:
            seen.add((canonicalize_name(one.name), extra))
            left += _needs(one.name, extra, found)
    return sorted(f"{name}=={version}" for name, version in found.items() if name != "keepfit")


def _needs(name: str, extra: str, found: dict[str, str]) -> list[Requirement]:
    """Note the version of a distribution, and return what it needs for an extra, or without one."""
    try:
        here = distribution(name)
    except PackageNotFoundError:  # of another system: uvloop on Windows
        return []
    found[canonicalize_name(name)] = here.version
    needs = [Requirement(text) for text in here.requires or ()]
    if not extra:
        return [one for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    return [one for one in needs if one.marker is not None and one.marker.evaluate({"extra": extra})]


def require_extras(extras: Iterable[str]) -> None:
    """Refuse an extra that keepfit does not have, or that is not installed here.

    Raises
    ------
    SettingsError, MissingExtra
        With what there is.
    """
    known = distribution("keepfit").metadata.get_all("Provides-Extra") or []
    for extra in extras:
        if extra not in known:
            raise SettingsError(f"keepfit has no extra {extra!r}", where="--extra", fix=did_you_mean(extra, known))
        for one in map(Requirement, distribution("keepfit").requires or ()):
            if (
                one.marker is not None
                and not one.marker.evaluate({"extra": ""})
                and one.marker.evaluate({"extra": extra})
            ):
                try:
                    distribution(one.name)
                except PackageNotFoundError:
                    raise MissingExtra(extra, "an image that holds it") from None


def package() -> dict[str, bytes]:
    """Return this keepfit: an image runs what wrote it."""
    root = Path(keepfit.__file__).parent
    inner = {path: path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file()}
    return {
        f"keepfit/{own.as_posix()}": path.read_bytes()
        for path, own in inner.items()
        if not set(own.parts) & set(LEFT_OUT)
    }


def metadata() -> dict[str, bytes]:
    """Return what says that keepfit is installed beside its files: its version and its plug-ins."""
    here = distribution("keepfit")
    texts = {name: here.read_text(name) for name in METADATA}
    return {f"keepfit-{here.version}.dist-info/{name}": text.encode() for name, text in texts.items() if text}
