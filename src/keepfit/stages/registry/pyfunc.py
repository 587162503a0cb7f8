"""A version as MLflow loads it: `mlflow.pyfunc.load_model("models:/churn@champion").predict(frame)` answers what a batch answers.

The loader is this module and what it reads is the artifact folder: ONNX and JSON, no pickle. MLflow brings pandas; only the
methods of a frame are used here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import artifact as artifacts
from keepfit.answers import columns_of
from keepfit.artifact import Artifact, Predictor
from keepfit.errors import RegistryError, did_you_mean
from keepfit.spec.model import CLASSIFICATION

POSITIVE = "positive"


class Scorer:
    """What MLflow calls for predictions."""

    def __init__(self, artifact: Artifact, predictor: Predictor) -> None:
        self._artifact, self._predictor = artifact, predictor

    def predict(self, frame: Any, params: dict[str, Any] | None = None) -> Any:
        """Return a frame with the index of the one given and the columns of a batch; a classification's says what is `positive`.

        Parameters
        ----------
        frame : pandas.DataFrame
            A column for each feature: numbers, or labels as they are in the data; null where nothing is known.

        Raises
        ------
        RegistryError
            If a feature has no column.
        """
        found = self._artifact
        if missing := [name for name in found.features if name not in frame.columns]:
            raise RegistryError(
                f"no column {missing[0]!r}, which is a feature of {found.model.name}",
                where=f"{len(missing)} of {len(found.features)} features have no column",
                fix=did_you_mean(missing[0], map(str, frame.columns), of="the frame"),
            )
        columns = {name: self._column(frame, name) for name in found.features}
        answers = self._predictor.score(artifacts.encode(columns, found.features, found.categories))
        told = columns_of(found.model, answers)
        if found.model.task == CLASSIFICATION:
            told[POSITIVE] = answers >= found.threshold
        return type(frame)(told, index=frame.index)

    def _column(self, frame: Any, name: str) -> NDArray[Any]:
        if name not in self._artifact.categories:
            return np.asarray(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
        values = frame[name].astype(object)
        return np.asarray(values.where(values.notna(), None).to_numpy(dtype=object))


def _load_pyfunc(path: str) -> Scorer:
    """Return what scores with the artifact in a folder; the name is MLflow's."""
    folder = Path(path)
    return Scorer(artifacts.read(folder), Predictor.load(folder))
