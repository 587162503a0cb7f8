"""How long a version takes for a single row: from its features to an answer, as a request needs it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.artifact.folder import Artifact
from keepfit.artifact.matrix import encode
from keepfit.artifact.predictor import Predictor
from keepfit.evidence import Latency

ANSWERS, WARM_UP, LONGEST_S = 1000, 20, 5.0


def latency(artifact: Artifact, predictor: Predictor, columns: Mapping[str, NDArray[Any]]) -> Latency:
    """Return how long single rows take, of 1,000 answers after a warm-up, or of as many as fit into five seconds.

    Parameters
    ----------
    columns : mapping of str to array, shape (rows,)
        Real values of each feature; they are answered one after another, again and again.
    """
    count = len(columns[artifact.features[0]])
    rows = [{name: columns[name][place : place + 1] for name in artifact.features} for place in range(count)]
    seconds: list[float] = []
    begin = time.perf_counter()
    for row in islice(cycle(rows), WARM_UP + ANSWERS):
        start = time.perf_counter()
        predictor.score(encode(row, artifact.features, artifact.categories))
        seconds.append(time.perf_counter() - start)
        if start - begin > LONGEST_S and len(seconds) > WARM_UP:
            break
    told = np.array(seconds[WARM_UP:]) * 1000
    p50, p99 = np.percentile(told, (50, 99)).round(4).tolist()
    return Latency(p50, p99, len(told), machine())


def machine() -> str:
    """Return what this machine is: its processor, how many cores it has, its system."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8", errors="replace").splitlines() if told.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown processor"
