"""A walk through folders that enters only those a pattern can match."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from keepfit.connect.names import Step
from keepfit.errors import SourceError

Entry = os.DirEntry[str] | Path
Found = Iterator[tuple[str, Entry]]
# (device, inode) of the folders that a `**` came through: a link back to one of them is not entered
Through = frozenset[tuple[int, int]]


def walk(folder: Path, steps: tuple[Step, ...]) -> Found:
    """Yield (name below the folder, entry) of the files that may match, once for each way that leads there.

    Raises
    ------
    SourceError
        If a folder cannot be listed.
    """
    return _walk(folder, "", steps, frozenset())


def _walk(folder: Entry, above: str, steps: tuple[Step, ...], through: Through) -> Found:
    step, rest = steps[0], steps[1:]
    if step.name is None:
        yield from _any_folders(folder, above, steps, through)
    elif step.literal:
        path = Path(folder) / step.text
        if path.is_dir() if rest else path.is_file():
            yield from _enter(path, above + step.text, rest, through)
    else:
        matches = step.name.fullmatch
        for entry in _entries(folder):
            if matches(entry.name) and (_is_folder(entry) if rest else _is_file(entry)):
                yield from _enter(entry, above + entry.name, rest, through)


def _enter(entry: Entry, name: str, rest: tuple[Step, ...], through: Through) -> Found:
    if rest:
        yield from _walk(entry, name + "/", rest, through)
    else:
        yield name, entry


def _any_folders(folder: Entry, above: str, steps: tuple[Step, ...], through: Through) -> Found:
    rest = steps[1:]
    if rest:
        yield from _walk(folder, above, rest, through)
    for entry in _entries(folder):
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            seen = _identity(entry)
            if not entry.name.startswith("_") and seen not in through:
                yield from _any_folders(entry, f"{above}{entry.name}/", steps, through | {seen})
        elif not rest and _is_file(entry):
            yield above + entry.name, entry


def _entries(folder: Entry) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except FileNotFoundError:
        return
    except OSError as error:
        raise SourceError(
            f"the folder cannot be listed: {error.strerror}", where=os.fspath(folder), fix="let this user read it"
        ) from None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    # a link that leads nowhere is listed, so that it is told about
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry).exists())
    except OSError:
        return True


def _identity(entry: os.DirEntry[str]) -> tuple[int, int]:
    stat = entry.stat()
    return stat.st_dev, stat.st_ino
