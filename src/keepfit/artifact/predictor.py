"""Scores from a matrix by ONNX Runtime; its one home. Batches and requests score by the same call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from keepfit.artifact.folder import ONNX


class Predictor:
    """A loaded model.

    Parameters
    ----------
    onnx : bytes
        The model; its last output's last column is the score: the positive class's probability, or the value.
    threads : int
        Threads for one call. One is fastest for single rows.
    """

    def __init__(self, onnx: bytes, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._output = [self._session.get_outputs()[-1].name]

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> Predictor:
        """Return the predictor of an artifact folder; `keepfit.artifact.read` checks its digest."""
        return cls((folder / ONNX).read_bytes(), threads)

    def score(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return a score for each row of a matrix [rows, features]."""
        if not len(matrix):
            return np.empty(0)
        found = self._session.run(self._output, {self._input: matrix})[0]
        return np.asarray(found, np.float64).reshape(len(matrix), -1)[:, -1]
