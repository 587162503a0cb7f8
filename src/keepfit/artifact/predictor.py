"""Scores from a matrix by ONNX Runtime; its one home. Batches and requests score by the same call, to the same bits."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

# ONNX Runtime would else send events to its makers, and keep a device's identifier and a database in the home folder
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from keepfit.answers import Answers
from keepfit.artifact.folder import MANIFEST, ONNX, QUANTILES
from keepfit.artifact.interval import Interval, interval_from
from keepfit.artifact.knots import Knots, knots_from

PARALLEL_ROWS = 20_000
MANY_ROWS = 100_000
"""From here on it pays to read the trees and to load the compiler, or what it has compiled before."""
COMPARED_ROWS = 500
Score = Callable[[NDArray[np.float32]], NDArray[np.float64]]
ALONE = "keepfit.alone"
"""A model with this among its metadata scores each row by itself: in a batch, it would round another way than in a request."""


class Session:
    """One loaded model file.

    The session has one thread: with several, ONNX Runtime adds the trees of a batch in another order than those of a
    single row, and the scores differ in the last digits. A large batch is split over the cores by rows instead, and a very large
    one walks the trees by compiled code (`forest`), which adds them in the same order.

    Parameters
    ----------
    onnx : bytes
        The model; its last output's last column is the score: the positive class's probability, or the value.
    labels : int
        How many the target may be, of several: then the columns are the probability of each.
    """

    def __init__(self, onnx: bytes, labels: int = 0) -> None:
        self._labels, self._content = labels, onnx
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._output = [self._session.get_outputs()[-1].name]
        self._alone = ALONE in self._session.get_modelmeta().custom_metadata_map

    def __call__(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what the model file answers to each row of a matrix [rows, features], shape (rows,) or (rows, labels)."""
        if len(matrix) < PARALLEL_ROWS:
            return self._score(matrix)
        score = self._score if len(matrix) < MANY_ROWS else self._of_many(matrix[:COMPARED_ROWS])
        with ThreadPoolExecutor() as pool:
            return np.concatenate(list(pool.map(score, np.array_split(matrix, os.cpu_count() or 1))))

    def _of_many(self, some: NDArray[np.float32]) -> Score:
        """Return what scores fastest, to the same bits; compiled trees that differ on some of the rows are not used."""
        forest = self._forest
        return forest if forest is not None and np.array_equal(forest(some), self._score(some)) else self._score

    @cached_property
    def _forest(self) -> Score | None:
        """The trees of the file, if it is no more than trees that are known."""
        from keepfit.artifact.forest import read_forest  # loads a compiler, and the reader of ONNX files

        return None if self._labels or self._alone else read_forest(self._content)

    def _score(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        if not len(matrix):
            return np.empty((0, self._labels) if self._labels else 0)
        if self._alone:
            return np.concatenate([self._run(matrix[place : place + 1]) for place in range(len(matrix))])
        return self._run(matrix)

    def _run(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        found = self._session.run(self._output, {self._input: matrix})[0]
        columns = np.asarray(found, np.float64).reshape(len(matrix), -1)
        return columns if self._labels else columns[:, -1]


class Predictor:
    """A version's model files as one that answers.

    Parameters
    ----------
    onnx : bytes
        The model; see `Session`.
    calibration : Knots, optional
        What makes the score that is served of its answer.
    interval : Interval, optional
        What puts bounds around the score.
    quantiles : sequence of bytes
        The models of the lower and the upper quantile, if the interval has learnt them.
    labels : int
        As in `Session`.
    """

    def __init__(
        self,
        onnx: bytes,
        calibration: Knots | None = None,
        interval: Interval | None = None,
        quantiles: Sequence[bytes] = (),
        labels: int = 0,
    ) -> None:
        self._calibration, self._interval = calibration, interval
        self.raw = Session(onnx, labels)
        self._quantiles = [Session(one) for one in quantiles]

    @classmethod
    def load(cls, folder: Path) -> Predictor:
        """Return the predictor of an artifact folder; `keepfit.artifact.read` checks its digest."""
        manifest = json.loads((folder / MANIFEST).read_bytes())
        interval = interval_from(manifest.get("interval"))
        files = QUANTILES if interval is not None and interval.learnt else ()
        quantiles = [(folder / name).read_bytes() for name in files]
        labels = len(manifest.get("labels", ()))
        return cls((folder / ONNX).read_bytes(), knots_from(manifest.get("calibration")), interval, quantiles, labels)

    def score(self, matrix: NDArray[np.float32]) -> Answers:
        """Return an answer for each row of a matrix [rows, features]; a row's answer does not depend on the others."""
        found = self.raw(matrix)
        if self._calibration is not None:
            found = self._calibration(found)
        if self._interval is None:
            return found
        return self._interval.around(found, [quantile(matrix) for quantile in self._quantiles])
