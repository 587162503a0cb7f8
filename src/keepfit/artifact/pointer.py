"""Which version a server shall answer with: one small file, swapped whole, so that a reader sees the old or the new.

A second file beside it names the version that challenges it; without one, nobody does. A third tells what the loop's last turn saw.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pointer:
    """The champion or the challenger of a model: its version, its artifact folder and the digest of its manifest."""

    model: str
    version: str
    folder: str
    digest: str


def write_pointer(pointer: Pointer, path: Path) -> None:
    """Make `path` name this version, in one step."""
    swap(path, json.dumps(asdict(pointer)).encode())


def swap(path: Path, content: bytes) -> None:
    """Make a file hold this, in one step: who reads it sees what it was, or what it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    beside.write_bytes(content)
    beside.replace(path)


def read_pointer(path: Path) -> Pointer | None:
    """Return what `path` names, or None if nothing was promoted yet."""
    try:
        return Pointer(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def challenger_of(path: Path) -> Path:
    """Return where the challenger of the champion is named that `path` names."""
    return path.with_suffix(".challenger.json")


def watched_of(path: Path) -> Path:
    """Return where it is told what the last turn saw of the model whose champion `path` names."""
    return path.with_suffix(".watched.json")


def remove_pointer(path: Path) -> None:
    """Make `path` name no version."""
    path.unlink(missing_ok=True)
