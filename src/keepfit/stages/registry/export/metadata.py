"""What an exported file says of itself, so that it needs nothing beside it: model, version, features, decision, lineage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx

from keepfit.answers import names_of
from keepfit.artifact import Artifact
from keepfit.errors import RegistryError
from keepfit.spec.features.meaning import describe, unit_of
from keepfit.spec.model import CLASSIFICATION
from keepfit.stages.registry.version import Version

PREFIX = "keepfit."


def about(version: Version, artifact: Artifact) -> dict[str, Any]:
    """Return what an export says of a version.

    `definition` is the digest of the definition it was built from, `evidence` names the version with its manifest's digest.
    """
    model = artifact.model
    said = {
        "model": version.model,
        "version": version.number,
        "evidence": version.evidence,
        "definition": artifact.lineage.get("definition", ""),
        "task": model.task,
        "target": describe(model.target).meaning,
        "features": features(artifact),
        "answers": list(names_of(model)),
        "lineage": artifact.lineage,
    }
    if model.task == CLASSIFICATION:
        said |= {"threshold": artifact.threshold, "positive": f"score >= threshold: {said['target']}"}
    if model.labels:
        said["labels"] = list(model.labels)
    if artifact.calibration is not None:
        said["calibration"] = artifact.calibration.as_data()
    if artifact.interval is not None:
        said["interval"] = artifact.interval.as_data()
    return said


def features(artifact: Artifact) -> list[dict[str, Any]]:
    """Return the columns of the input in order: name, type, unit and meaning; of a category its labels, by code."""
    declared = {one.name: one for one in artifact.model.inputs()}
    found = []
    for name in artifact.features:
        told = describe(declared[name])
        one: dict[str, Any] = {
            "name": name,
            "type": told.type,
            "unit": unit_of(declared[name]),
            "meaning": told.meaning,
        }
        if name in artifact.categories:
            one |= {"type": "category", "labels": list(artifact.categories[name])}
        found.append(one)
    return found


def stamped(content: bytes, said: Mapping[str, Any], what: str) -> bytes:
    """Return a model file with what is said of it inside, and its input and output named there.

    Raises
    ------
    RegistryError
        If what came out is no sound ONNX.
    """
    model = onnx.load_from_string(content)
    score = model.graph.output[-1].name
    own = {
        **said,
        "input": {
            "name": model.graph.input[0].name,
            "type": "float32",
            "shape": ["rows", len(said["features"])],
            "null": "NaN",
        },
        "output": {"name": score, "is": what},
    }
    kept = {one.key: one.value for one in model.metadata_props}
    told = {
        f"{PREFIX}{name}": one if isinstance(one, str) else json.dumps(one, sort_keys=True) for name, one in own.items()
    }
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(sorted({**kept, **told}.items())))
    made: bytes = model.SerializeToString()
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        first = str(error).strip().splitlines()[0]
        raise RegistryError(f"the model is no sound ONNX: {first}", where=what, fix="train a new version") from error
    return made
