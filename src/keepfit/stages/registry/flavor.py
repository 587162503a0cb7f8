"""What MLflow reads of an artifact folder: `MLmodel` with the signature, and an input example.

They lie beside the files that the manifest has digests of, hold no time and no chance, and nothing of keepfit reads them.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from keepfit import clock
from keepfit.answers import LABEL, SCORES, names_of
from keepfit.artifact import Artifact
from keepfit.spec.model import CLASSIFICATION
from keepfit.stages.registry.pyfunc import POSITIVE

LOADER = "keepfit.stages.registry.pyfunc"
EXAMPLE, SERVED = "input_example.json", "serving_input_example.json"
FILES = ("MLmodel", "requirements.txt", EXAMPLE, SERVED)


def write_flavor(artifact: Artifact, digest: str, as_of: int, example: Mapping[str, list[Any]], folder: Path) -> None:
    """Write MLmodel, requirements.txt and the input example into an artifact folder.

    Parameters
    ----------
    digest : str
        Of the artifact's manifest.
    as_of : int
        When it was trained, microseconds UTC.
    example : mapping of str to list
        Feature -> its values in some rows; NaN and None are null.
    """
    data = {
        "columns": list(artifact.features),
        "data": [[_plain(example[name][row]) for name in artifact.features] for row in range(_rows(example))],
    }
    files = {
        "MLmodel": json.dumps(_model(artifact, digest, as_of), indent=1),  # JSON is YAML
        "requirements.txt": f"keepfit=={version('keepfit')}\n",
        EXAMPLE: json.dumps(data, indent=1),
        SERVED: json.dumps({"dataframe_split": data}, indent=1),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _model(artifact: Artifact, digest: str, as_of: int) -> dict[str, Any]:
    # a null is a value, a column that is not there is a mistake
    inputs = [
        {"type": "string" if name in artifact.categories else "double", "name": name, "required": True}
        for name in artifact.features
    ]
    texts = (LABEL, SCORES)
    outputs: list[dict[str, Any]] = [
        {"type": "string" if name in texts else "double", "name": name, "required": True}
        for name in names_of(artifact.model)
    ]
    if artifact.model.task == CLASSIFICATION:
        outputs.append({"type": "boolean", "name": POSITIVE, "required": True})
    return {
        "flavors": {"python_function": {"loader_module": LOADER, "python_version": platform.python_version()}},
        "model_uuid": digest[:32],
        "utc_time_created": clock.from_micros(as_of).isoformat(sep=" "),
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None},
        "saved_input_example_info": {
            "artifact_path": EXAMPLE,
            "serving_input_path": SERVED,
            "type": "dataframe",
            "pandas_orient": "split",
        },
        "metadata": {"threshold": artifact.threshold, "definition": artifact.lineage.get("definition", "")},
    }


def _rows(example: Mapping[str, list[Any]]) -> int:
    return len(next(iter(example.values()), []))


def _plain(value: Any) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    return None if value != value else float(value)
