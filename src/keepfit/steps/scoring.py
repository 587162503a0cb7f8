"""Answers of a version to rows of ready features, in chunks from end to end: memory does not grow with the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keepfit import artifact as artifacts
from keepfit.answers import Answers, columns_of, names_of
from keepfit.artifact import FLAG, TEXT, Artifact, kinds
from keepfit.engines.protocol import Engine
from keepfit.engines.ready import RIGHT, Chunk, Ready, ReadyRows, Rows, Wrong
from keepfit.errors import SourceError, did_you_mean
from keepfit.lake import Lake, others
from keepfit.spec.model import CLASSIFICATION
from keepfit.steps.answering import Loaded
from keepfit.steps.aside import Aside
from keepfit.steps.targets import Target

POSITIVE, VERSION, THRESHOLD = "positive", "version", "threshold"


def answered(own: Artifact, answers: Answers) -> dict[str, Any]:
    """Return answers as columns, with `positive` where there is a decision."""
    told = columns_of(own.model, answers)
    return told | ({POSITIVE: answers >= own.threshold} if own.model.task == CLASSIFICATION else {})


def stamps(by: Loaded) -> dict[str, str | float]:
    """Return the columns that are the same in every row: who answered, and from which score on it is positive."""
    decides = by.artifact.model.task == CLASSIFICATION
    return {VERSION: by.version.number, **({THRESHOLD: by.artifact.threshold} if decides else {})}


def score_rows(engine: Engine, by: Loaded, rows: Rows, name: str, target: Target, aside: Aside) -> int:
    """Write the answer to each row, with all its columns that are no features; return how many rows were answered.

    What is there already stays until all are: a crash leaves it as it was.

    Parameters
    ----------
    rows : Rows
        As `found` returns them.
    name : str
        What they are called in errors.

    Raises
    ------
    SourceError
        If the rows cannot be read, lack a feature, or a column cannot hold what its feature is.
    """
    with target.workplace() as folder, aside:
        read, parts, count = engine.ready(rows, name, folder / "read"), engine.parts(folder), 0
        asked = _asked(by.artifact, read, name)
        carried = [column for column in read.types if column not in asked]
        require_free(by, carried, name)
        aside.put(read.unread())
        for chunk in read.chunks(asked, carried):
            aside.put(_wrong(read, chunk))
            matrix = artifacts.encode(chunk.values, by.artifact.features, {})  # labels are codes already
            told = answered(by.artifact, by.predictor.score(matrix))
            parts.add({**chunk.carried, **told, RIGHT: chunk.right}, stamps(by))
            count += chunk.rows - len(chunk.wrong)
        target.write(engine, parts.rows())
        aside.keep()
    return count


def require_free(by: Loaded, others: list[str], name: str) -> None:
    """Refuse columns that are called as a column of the answers is."""
    own = (*names_of(by.artifact.model), POSITIVE, VERSION, THRESHOLD)
    taken = [column for column in others if column.lower() in own]
    if taken:
        what, fix = f"{name} has a column {taken[0]!r}, which answers have too", "give it another name"
        raise SourceError(what, where=name, fix=fix)


def found(lake: Lake, named: str) -> Rows:
    """Return the rows that a name stands for: a file's, those of a folder that is a Delta table, or of a table of the lake.

    Raises
    ------
    SourceError
        If there is nothing of that name.
    """
    path = Path(named)
    if path.is_file():
        return path
    if path.is_dir():
        folder = Lake(path.resolve().parent)
        if folder.exists(path.resolve().name):
            return others.rows(folder, path.resolve().name)
        raise SourceError(f"{named} is a folder that is no Delta table", where=named, fix="name a file in it")
    for name in (named, f"source/{named}"):
        if lake.exists(name):
            return others.rows(lake, name)
    raise SourceError(f"there is no file and no table {named!r}", where=named, fix=did_you_mean(named, lake.names()))


def _asked(own: Artifact, read: ReadyRows, name: str) -> dict[str, Ready]:
    missing = [feature for feature in own.features if feature not in read.types]
    if missing:
        raise SourceError(
            f"{name} has no column {missing[0]!r}, which is a feature of {own.model.name}",
            where=f"{name}: {len(missing)} of {len(own.features)} features have no column",
            fix=did_you_mean(missing[0], read.types, of=name),
        )
    asked = {
        feature: Ready(own.categories[feature] if kind == TEXT else None, kind == FLAG)
        for feature, kind in kinds(own).items()
    }
    for feature, kind in kinds(own).items():
        if read.unfit(feature, asked[feature]):
            what = f"{feature} of {name} is {read.types[feature]}, and the feature is {kind}"
            raise SourceError(what, where=name, fix=f"write the column as {kind}, null where nothing is known")
    return asked


def _wrong(read: ReadyRows, chunk: Chunk) -> Iterator[Wrong]:
    places = sorted(chunk.wrong)
    told = read.told([chunk.first + at for at in places])
    for at, row in zip(places, told, strict=True):
        yield Wrong(f"row {chunk.first + at + 1}", chunk.wrong[at], row)
