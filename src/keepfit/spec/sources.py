"""Where raw rows come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Files:
    """Files below the project's data folder that match a glob pattern, such as `sales_*.csv`.

    CSV and TSV, plain or gzipped, told apart by their suffix. New files are found at each ingest; a file is read once.

    Parameters
    ----------
    pattern : str
        A glob relative to the data folder (setting `storage.data`).
    """

    pattern: str
