"""Write and read the folder of a model version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keepfit.artifact.interval import Interval, interval_from
from keepfit.artifact.knots import Knots, knots_from
from keepfit.errors import RegistryError
from keepfit.spec import codec
from keepfit.spec.model import Model

MANIFEST, ONNX, PROFILE, TREES = "artifact.json", "model.onnx", "profile.json", "trees.npz"
QUANTILES = ("low.onnx", "high.onnx")
ESTIMATION, LOSS = "estimation.json", "loss.onnx"
FORMAT, EXTENDED = 1, 2
"""The second has more than a score by its model file: a calibration, an interval or labels. A keepfit that does not know of these
would answer otherwise, and refuses it."""


@dataclass(frozen=True)
class Artifact:
    """What a model version is.

    Attributes
    ----------
    model : Model
        The definition it was built from.
    features : tuple of str
        The matrix's columns, in order.
    categories : dict
        Feature -> labels seen in training, in the order of their codes.
    threshold : float
        The score from which an observation is called positive; 0.5 and unused for a regression.
    training_base : float, or tuple of float
        What one would answer to every row, knowing only the training labels: the base rate, or the mean value; with an
        interval, mean and quantiles; of several labels the rate of each.
    lineage : dict
        as_of, table versions, definition fingerprint, seed, rows: all that is needed to build it again.
    calibration : Knots or None
        What makes the answer of the model file the score that is served; the threshold is one of these.
    interval : Interval or None
        What puts bounds around the score.
    profile : dict
        The reference profile as plain data.
    """

    model: Model
    features: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    threshold: float
    training_base: float | tuple[float, ...]
    lineage: dict[str, Any]
    profile: dict[str, Any] = field(repr=False)
    calibration: Knots | None = None
    interval: Interval | None = None


def write(artifact: Artifact, files: dict[str, bytes], folder: Path) -> str:
    """Write an artifact with its model files (name -> content) and return the digest of its manifest.

    The manifest is written last: without it, the folder is no artifact.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = contents(artifact, files)
    for name, content in found.items():
        (folder / name).write_bytes(content)
    return hashlib.sha256(found[MANIFEST]).hexdigest()


def contents(artifact: Artifact, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of an artifact, name -> content; its manifest is the last, and holds the digest of every other one."""
    found = {**files, PROFILE: _json(artifact.profile)}
    manifest = {
        "format": FORMAT,
        "definition": codec.encode(artifact.model),
        "features": artifact.features,
        "categories": artifact.categories,
        "threshold": artifact.threshold,
        "training_base": artifact.training_base,
        "lineage": artifact.lineage,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(found.items())},
    }
    more: dict[str, Any] = {}
    if artifact.calibration is not None:
        more["calibration"] = artifact.calibration.as_data()
    if artifact.interval is not None:
        more["interval"] = artifact.interval.as_data()
    if artifact.model.labels:
        more["labels"] = artifact.model.labels
    return found | {MANIFEST: _json(manifest | more | ({"format": EXTENDED} if more else {}))}


def read(folder: Path, digest: str | None = None) -> Artifact:
    """Return the artifact in a folder, after holding every file against its digest.

    Raises
    ------
    RegistryError
        If the folder is no artifact, or a file is not what was written.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = json.loads(content)
        _require_format(manifest["format"], folder)
        _verify(folder, manifest["files"], content, digest)
        return Artifact(
            model=codec.decode(manifest["definition"]),
            features=tuple(manifest["features"]),
            categories={name: tuple(labels) for name, labels in manifest["categories"].items()},
            threshold=manifest["threshold"],
            training_base=_base(manifest["training_base"]),
            lineage=manifest["lineage"],
            profile=json.loads((folder / PROFILE).read_bytes()),
            calibration=knots_from(manifest.get("calibration")),
            interval=interval_from(manifest.get("interval")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(f"no model artifact: {error}", where=str(folder), fix="promote another version") from error


def seals(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of an artifact as its manifest says, and of the manifest itself."""
    return {**_manifest(folder)["files"], MANIFEST: digest(folder)}


def require_sealed(folder: Path, seals: Mapping[str, str]) -> None:
    """Hold files of an artifact against their SHA-256 now.

    Raises
    ------
    RegistryError
        If one is gone, or is not what was written.
    """
    try:
        found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in seals}
    except OSError as error:
        raise RegistryError(f"no model artifact: {error}", where=str(folder), fix="promote another version") from error
    _refuse([name for name, seal in seals.items() if found[name] != seal], folder)


def verified(folder: Path, name: str, digest: str | None = None) -> bytes | None:
    """Return the content of one file of an artifact, held against its digest now; None if the manifest names no such file.

    Raises
    ------
    RegistryError
        If the folder is no artifact, or the file or the manifest is not what was written.
    """
    try:
        manifest = (folder / MANIFEST).read_bytes()
        files = {one: own for one, own in json.loads(manifest)["files"].items() if one == name}
        content = (folder / name).read_bytes() if files else None
    except (OSError, ValueError, KeyError) as error:
        raise RegistryError(f"no model artifact: {error}", where=str(folder), fix="promote another version") from error
    wrong = [name] if content is not None and hashlib.sha256(content).hexdigest() != files[name] else []
    if digest is not None and hashlib.sha256(manifest).hexdigest() != digest:
        wrong.append(MANIFEST)
    _refuse(wrong, folder)
    return content


def digest(folder: Path) -> str:
    """Return the SHA-256 of an artifact's manifest, which holds those of its files."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of every file of an artifact, its manifest among them; a file that is gone is left out."""
    named = _manifest(folder).get("files", {})
    return {name: (folder / name).stat().st_size for name in (*named, MANIFEST) if (folder / name).is_file()}


def beside(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder that its manifest does not name: what was measured of it later."""
    named = {*_manifest(folder).get("files", {}), MANIFEST}
    there = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in named)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in there}


def lineage(folder: Path) -> dict[str, Any]:
    """Return what an artifact was built from; nothing if the folder is none. What it says is not verified: see `read`."""
    return dict(_manifest(folder).get("lineage", {}))


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    return found


def _base(found: float | list[float]) -> float | tuple[float, ...]:
    return tuple(found) if isinstance(found, list) else found


def _require_format(found: int, folder: Path) -> None:
    if found not in (FORMAT, EXTENDED):
        raise RegistryError(
            f"the artifact is of format {found}, this keepfit reads {FORMAT} and {EXTENDED}",
            where=str(folder),
            fix="a newer keepfit wrote it: pip install --upgrade keepfit; or promote a version that this one trained",
        )


def _verify(folder: Path, files: dict[str, str], manifest: bytes, digest: str | None) -> None:
    wrong = [name for name, own in files.items() if hashlib.sha256((folder / name).read_bytes()).hexdigest() != own]
    if digest is not None and hashlib.sha256(manifest).hexdigest() != digest:
        wrong.append(MANIFEST)
    _refuse(wrong, folder)


def _refuse(wrong: list[str], folder: Path) -> None:
    if wrong:
        raise RegistryError(
            f"{', '.join(wrong)} is not what training wrote", where=str(folder), fix="restore the folder, or roll back"
        )


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1, sort_keys=True).encode()
