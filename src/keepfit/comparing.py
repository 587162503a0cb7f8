"""Two sets of rows side by side: how far each column of one has moved from the other, for files of any size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keepfit import artifact, tables
from keepfit.engines.protocol import Tally
from keepfit.errors import SourceError
from keepfit.evidence import Drift
from keepfit.project import Project
from keepfit.stages.monitoring import scan
from keepfit.stages.monitoring.distributions import distributions
from keepfit.stages.monitoring.drift import importance, moved
from keepfit.stages.monitoring.multivariate import multivariate as multivariate_drift
from keepfit.stages.monitoring.reference import Reference
from keepfit.stages.monitoring.summary import summary as listed
from keepfit.stages.monitoring.tests.domain_classifier import MOST_ROWS, told_apart
from keepfit.steps.ledger import column_of

SUFFIXES = (".parquet", ".pq", ".csv", ".tsv")
ALPHA = 0.05


def compare(
    project: Project,
    before: Sequence[str],
    after: Sequence[str],
    as_of: int,
    alpha: float,
    target: Path | None,
    page: Path | None = None,
    *,
    multivariate: bool = False,
) -> dict[str, Any]:
    """Return how far each column has moved from one set of files to another; each is read once.

    Parameters
    ----------
    before, after : sequence of str
        Files, patterns of files, or tables of the project's lake: of these, the rows known before as_of.
    alpha : float
        The chance of calling any column significant if none has moved.
    target : Path, optional
        A .csv or .parquet file for the summary: a row for each column.
    page : Path, optional
        An HTML file that shows it.
    multivariate : bool
        Whether to tell the rows of one set from those of the other by all columns together, on a sample.

    Raises
    ------
    SourceError
        If there is no such file or table, or it cannot be read.
    """
    old, new = (project.engine.tally(*_files(project, names, as_of)) for names in (before, after))
    reference = scan.reference(old)
    current = scan.count(reference, new)
    kinds = old.kinds()
    tests = len(current.columns) + multivariate
    found = moved(Reference(reference), current, alpha=alpha, tests=tests, kinds={})
    if multivariate:
        found = tuple(sorted((*found, _apart(old, new, alpha / max(tests, 1))), key=importance))
    now = new.kinds()
    left = {name: kind for name, kind in kinds.items() if name not in current.columns}
    changed = {
        name: f"{kinds[name]} before, {now.get(name, 'missing')} now" for name in kinds if kinds[name] != now.get(name)
    }
    if target is not None:
        columns, types = summary(found)
        project.engine.save(project.engine.relation(columns, types), target)
    told = {
        "reference": {"files": list(before), "rows": old.rows()},
        "current": {"files": list(after), "rows": new.rows()},
        "drift": found,
        "not_compared": left,
        "changed": changed,
        "new": sorted(now.keys() - kinds.keys()),
        "path": str(target) if target else None,
        "report": str(page) if page else None,
    }
    if page is not None:
        from keepfit.stages.reports.drifted import drifted_page

        artifact.swap(page, drifted_page(told, distributions(reference, current)).encode())
    return told


def _apart(old: Tally, new: Tally, bound: float) -> Drift:
    """Return whether rows of one set can be told from those of the other; the same columns, by their kinds before."""
    there = new.kinds()
    kinds = {
        name: kind for name, kind in old.kinds().items() if kind in ("number", "label") and there.get(name) == kind
    }
    samples = [one.sample(MOST_ROWS, list(kinds)) for one in (old, new)]
    columns = []
    for name, kind in kinds.items():
        both = np.concatenate([one[name] for one in samples])
        if kind == "label":
            known = {label: place for place, label in enumerate(sorted({str(one) for one in both if one is not None}))}
            both = np.array([np.nan if one is None else known[str(one)] for one in both])
        columns.append(both.astype(np.float64))
    matrix, rows = np.stack(columns, axis=1), len(next(iter(samples[0].values())))
    return multivariate_drift(told_apart(matrix[:rows], matrix[rows:]), list(kinds), (), len(matrix) - rows, bound)


def summary(found: Sequence[Drift]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return drift as columns of a table, and their types: a row for each column that was compared."""
    rows, numbers = listed(found), {"significant", "rows"}
    types = {name: "BIGINT" if name in numbers else "DOUBLE" for name in rows}
    types |= dict.fromkeys(("severity", "kind", "column", "test"), "VARCHAR")
    return {
        name: column_of([float("nan") if one is None and types[name] == "DOUBLE" else one for one in values])
        for name, values in rows.items()
    }, types


def _files(project: Project, names: Sequence[str], as_of: int) -> tuple[list[str], int | None]:
    """Return the files, and as_of if they are those of a table."""
    found: list[str] = []
    if len(names) == 1 and not Path(names[0]).suffix and project.lake.exists(tables.source(names[0])):
        return list(project.lake.parquet_files(tables.source(names[0]))), as_of
    for name in names:
        here = sorted(str(path) for path in Path().glob(name)) if not Path(name).is_absolute() else []
        here = here or ([name] if Path(name).is_file() else sorted(map(str, Path(name).parent.glob(Path(name).name))))
        if not here:
            fix = "name Parquet or CSV files, a pattern such as 'sales_*.parquet', or a table of the project"
            raise SourceError(f"there is no file or table {name!r}", where=str(Path.cwd()), fix=fix)
        found += here
    wrong = [name for name in found if not name.endswith(SUFFIXES)]
    if wrong:
        raise SourceError(
            f"cannot read {wrong[0]!r}", where=wrong[0], fix=f"name files that end in {', '.join(SUFFIXES)}"
        )
    if len({Path(name).suffix in (".csv", ".tsv") for name in found}) > 1:
        raise SourceError("CSV and Parquet files are mixed", where=", ".join(names), fix="compare files of one format")
    return found, None
