"""What a server follows: a file that names a model's champion, and one beside it that names the challenger."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from keepfit.artifact import Pointer, challenger_of, remove_pointer, write_pointer


class Named(Protocol):
    """What is told of a version: which it is, and where its artifact lies."""

    @property
    def model(self) -> str: ...  # noqa: D102

    @property
    def number(self) -> str: ...  # noqa: D102

    @property
    def folder(self) -> Path: ...  # noqa: D102

    @property
    def digest(self) -> str: ...  # noqa: D102


def point(folder: Path, champion: Named) -> None:
    """Have servers answer with a version."""
    write_pointer(_to(champion), folder / f"{champion.model}.json")


def point_challenger(folder: Path, model: str, challenger: Named | None) -> None:
    """Have servers let a version challenge the model's champion, or none."""
    path = challenger_of(folder / f"{model}.json")
    if challenger is None:
        remove_pointer(path)
    else:
        write_pointer(_to(challenger), path)


def _to(version: Named) -> Pointer:
    return Pointer(version.model, version.number, str(version.folder), version.digest)
