"""A version as files for elsewhere: ONNX that explains itself, half the precision, the library's own, an image to build."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit import clock, steps
from keepfit.answers import Answers, chosen
from keepfit.artifact import Predictor
from keepfit.artifact.folder import ONNX, QUANTILES
from keepfit.errors import RegistryError, did_you_mean
from keepfit.project import Project
from keepfit.snapshot import take
from keepfit.spec.model import CLASSIFICATION, Model
from keepfit.stages.features.compute import compute
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.registry.export.float16 import quantised, smallest
from keepfit.stages.registry.export.image import image
from keepfit.stages.registry.export.metadata import about, stamped
from keepfit.stages.registry.flavor import FILES as FLAVOR
from keepfit.steps import Loaded
from keepfit.steps.answering import files_of, predictor_of
from keepfit.steps.certifying import drawn

SAID = "export.json"
FEWEST = 1000
WHAT = {
    ONNX: "the last column of each row is the score; of several labels each column is a probability; then calibration, interval",
    QUANTILES[0]: "the lower quantile, before the interval",
    QUANTILES[1]: "the upper quantile, before the interval",
}
Files = dict[str, bytes]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Exported:
    """The files of an export, what they say of themselves, and what was measured of them."""

    files: Files
    said: dict[str, Any]
    measured: dict[str, Any]


def export(
    project: Project, model: Model, number: str, as_of: int, form: str, target: Path | None, *, force: bool = False
) -> dict[str, Any]:
    """Write a version into a folder of its own; the same version makes the same bytes.

    Parameters
    ----------
    form : str
        One of `FORMATS`.
    target : Path, optional
        The folder; without one, `exports/MODEL-VERSION-FORMAT` of the project.
    force : bool
        Whether an earlier export there gives way.

    Raises
    ------
    RegistryError
        If the version is unknown, was trained after as_of or has no such form, or the folder is there already.
    """
    if form not in FORMATS:
        raise RegistryError(f"there is no format {form!r}", where="--format", fix=did_you_mean(form, FORMATS))
    one = steps.load(steps.version_at(project, model, number, as_of))
    folder = target or project.folder / "exports" / f"{model.name}-{number}-{form}"
    _require_free(folder, force=force)
    made = FORMATS[form](project, one)
    _write(folder, made, form)
    sizes = {name: len(content) for name, content in made.files.items() if not name.startswith("keepfit/")}
    told = {"model": model.name, "version": number, "format": form, "path": str(folder), "files": sizes}
    return told | {"bytes": sum(map(len, made.files.values()))} | made.measured


def _onnx(project: Project, one: Loaded) -> Exported:
    said = about(one.version, one.artifact)
    files = {name: stamped(content, said, WHAT[name]) for name, content in _models(one).items()}
    rows = _matrix(project, one)
    if not np.array_equal(_predictor(one, files).score(rows), one.predictor.score(rows), equal_nan=True):
        raise _differs(one, "the exported ONNX answers otherwise than the version")
    return Exported(_loadable(one, files), said, {"rows": len(rows), "largest_difference": 0.0})


def _float16(project: Project, one: Loaded) -> Exported:
    before = _models(one)
    after = {name: quantised(content) for name, content in before.items()}
    # what the other way to write trees saves by itself
    written = {name: smallest(onnx.load_from_string(content)) for name, content in before.items()}
    rows = _matrix(project, one)
    own, other = one.predictor.score(rows), _predictor(one, after).score(rows)
    measured = {
        "rows": len(rows),
        "bytes_before": _size(before),
        "bytes_rewritten": _size(written),
        "bytes_after": _size(after),
        "gzip_before": _size(before, gzip.compress),
        "gzip_after": _size(after, gzip.compress),
        "largest_difference": float(np.max(np.abs(own - other), initial=0.0)),
        "mean_difference": float(np.mean(np.abs(own - other))),
        "flipped": flipped(one, own, other),
    }
    said = about(one.version, one.artifact) | {"float16": measured}
    files = {name: stamped(content, said, WHAT[name]) for name, content in after.items()}
    return Exported(_loadable(one, files), said, measured)


def _native(_: Project, one: Loaded) -> Exported:
    stems = {Path(name).stem for name in _models(one)}
    names = [name for name in artifacts.sizes(one.version.folder) if name.split(".")[0] in stems and name not in WHAT]
    if len(names) < len(stems):
        raise RegistryError(
            f"version {one.version.number} of {one.version.model} has no file in its library's own format",
            where=str(one.version.folder),
            fix="pip install 'keepfit[skops]' and train again, or --format onnx",
        )
    # what answers where MLflow loads the folder is ONNX here too: the library's own rounds otherwise
    files = _models(one) | {name: (one.version.folder / name).read_bytes() for name in names}
    return Exported(_loadable(one, files), about(one.version, one.artifact), {})


def _loadable(one: Loaded, files: Files) -> Files:
    """Return model files with what makes their folder an artifact, and a model that MLflow loads."""
    beside = {name: one.version.folder / name for name in FLAVOR}
    known = {name: path.read_bytes() for name, path in beside.items() if path.is_file()}
    return {**artifacts.contents(one.artifact, files), **known}


def _docker(_: Project, one: Loaded) -> Exported:
    said = about(one.version, one.artifact)
    # what a server loads, under a manifest of its own: no worst rows, no evaluation
    files = {f"artifact/{name}": own for name, own in artifacts.contents(one.artifact, _models(one)).items()}
    files[f"artifact/{SAID}"] = _json(
        {"model": said["model"], "version": said["version"], "evidence": said["evidence"]}
    )
    return Exported(files | image(one.version.model, one.version.number), said, {})


FORMATS: dict[str, Callable[[Project, Loaded], Exported]] = {
    "onnx": _onnx,
    "onnx-fp16": _float16,
    "native": _native,
    "docker": _docker,
}


def flipped(one: Loaded, own: Answers, other: Answers) -> int | None:
    """Return of how many rows the decision, or the likeliest label, is another; None of a number, on which nothing is decided."""
    if one.artifact.model.labels:
        return int(np.sum(chosen(own) != chosen(other)))
    if one.artifact.model.task != CLASSIFICATION:
        return None
    return int(np.sum((own >= one.artifact.threshold) != (other >= one.artifact.threshold)))


def _models(one: Loaded) -> Files:
    return files_of(one.artifact, one.version.folder)


def _predictor(one: Loaded, files: Mapping[str, bytes]) -> Predictor:
    return predictor_of(one.artifact, files)


def _matrix(project: Project, one: Loaded) -> Matrix:
    """Return the rows that the version was tested on, or the newest 1,000 of its training set if these are fewer.

    Of one that was trained elsewhere, rows of this lake as of its training.
    """
    if one.version.origin:
        model = one.artifact.model
        snapshot = take(project.engine, project.lake, model.tables(), one.version.trained_at)
        computed = compute(model.inputs(), snapshot, drawn(model, snapshot).rows)
        return artifacts.encode(computed, one.artifact.features, one.artifact.categories)
    kept = one.artifact.lineage["training_set"]
    columns = project.engine.columns(project.records.parquet_files(kept["table"], kept["version"]))
    t = columns["t"].astype(np.int64)
    since = clock.to_micros(clock.parse_moment(evidence_of(one.version)["test_from_at"]))
    newest = np.argsort(t, kind="stable")[-max(FEWEST, int(np.sum(t >= since))) :]
    own = {name: columns[name][newest] for name in one.artifact.features}
    return artifacts.encode(own, one.artifact.features, one.artifact.categories)


def _size(files: Mapping[str, bytes], pack: Callable[..., bytes] | None = None) -> int:
    return sum(len(pack(content, mtime=0) if pack else content) for content in files.values())


def _require_free(folder: Path, *, force: bool) -> None:
    if not folder.exists():
        return
    if not force:
        raise RegistryError(f"{folder.name} is there already", where=str(folder), fix="give --force, or another --to")
    if not (folder / SAID).is_file():  # whatever it is, keepfit did not write it
        raise RegistryError(f"{folder.name} is no export", where=str(folder), fix="name another folder: --to")


def _write(folder: Path, made: Exported, form: str) -> None:
    """Write all of it beside, then put it in its place at once."""
    beside = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(beside, ignore_errors=True)
    for name, content in made.files.items():
        path = beside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(made.files.items())}
    (beside / SAID).write_bytes(_json({**made.said, "format": form, "files": digests}))
    if folder.exists():
        shutil.rmtree(folder)
    beside.rename(folder)


def _differs(one: Loaded, what: str) -> RegistryError:
    return RegistryError(
        what, where=str(one.version.folder), fix=f"train a new version: keepfit train {one.version.model}"
    )


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1, sort_keys=True).encode()
