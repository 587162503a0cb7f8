"""Whether a training set fits into memory, asked before it is computed: a process that is killed for memory says nothing."""

from __future__ import annotations

from pathlib import Path

from keepfit.errors import TrainingError

CELL = 60
"""Bytes at the peak for each value: as it is computed, as it is stored, as a matrix, and in the estimator's own form.

Measured for a million rows of 20 features: the estimator takes 12 to 33 of them (XGBoost, LightGBM, histograms, Logistic).
"""
ROW = 200
GB = 1e9


def require_room(model: str, observations: int, columns: int, free: int | None = None) -> None:
    """Refuse a training set that does not fit.

    Parameters
    ----------
    observations, columns : int
        Rows, and features with the target.
    free : int, optional
        Bytes; default: what this machine, or the container, has left.

    Raises
    ------
    TrainingError
        If more is needed than there is.
    """
    free = free_memory() if free is None else free
    needed = observations * (columns * CELL + ROW)
    if free is None or needed <= free:
        return
    what = f"{observations:,} observations of {columns} columns need about {needed / GB:,.1f} GB of memory"
    raise TrainingError(
        f"{what}; {free / GB:,.1f} GB are free",
        where=f"model {model}",
        fix="observe less often, or active entities only (Every(..., active=...)); leave features out; or use a larger machine",
    )


def free_memory(system: Path = Path("/")) -> int | None:
    """Return the bytes that a process may still take; None where nobody tells."""
    try:
        lines = (line.split() for line in (system / "proc/meminfo").read_text().splitlines())
        found = [int(line[1]) * 1024 for line in lines if line[0] == "MemAvailable:"]
    except (OSError, ValueError, IndexError):
        return None
    group = system / "sys/fs/cgroup"
    try:
        # what is cached of files is given back
        cached = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())["inactive_file"]
        used = int((group / "memory.current").read_text()) - int(cached)
        found.append(int((group / "memory.max").read_text()) - used)
    except (OSError, ValueError, KeyError):
        pass  # 'max', or no container
    return max(min(found), 0) if found else None
