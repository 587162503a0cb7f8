"""Two sets of rows side by side: how far each column of one has moved from the other, for files of any size."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keepfit import tables
from keepfit.engines.protocol import Tally
from keepfit.errors import SourceError
from keepfit.evidence import Drift
from keepfit.project import Definitions, Project
from keepfit.spec import settings
from keepfit.stages.monitoring import saved, scan
from keepfit.stages.monitoring.drift import SLIGHT, importance, moved
from keepfit.stages.monitoring.profile import Profile
from keepfit.stages.monitoring.reference import Reference
from keepfit.stages.monitoring.saved import Counted
from keepfit.stages.monitoring.summary import summary as listed

FORMATS = {".parquet": "Parquet", ".pq": "Parquet", ".csv": "CSV", ".tsv": "CSV", saved.SUFFIX: "counts"}
ALPHA = 0.05


def opened(folder: Path, profile: str | None, environment: Mapping[str, str]) -> Project:
    """Return what reads rows as a folder's settings say; where there are none, by the defaults. Definitions are not read."""
    said = settings.load(folder, profile, environment)
    project = Project(folder, said, Definitions((), ()), folder, environment)
    return dataclasses.replace(project, outcomes=project.state)


def compare(
    project: Project,
    before: Sequence[str],
    after: Sequence[str],
    as_of: int,
    alpha: float,
    target: Path | None,
    page: Path | None = None,
    *,
    reference_to: Path | None = None,
    current_to: Path | None = None,
    multivariate: bool = False,
) -> dict[str, Any]:
    """Return how far each column has moved from one set of files to another.

    Parameters
    ----------
    before, after : sequence of str
        Files, patterns of files, or tables of the project's lake: of these, the rows known before as_of. Or counts that were
        saved before, which stand for their rows; several are added up.
    alpha : float
        The chance of calling any column significant if none has moved.
    target : Path, optional
        A .csv or .parquet file for the summary: a row for each column.
    page : Path, optional
        An HTML file that shows it.
    reference_to, current_to : Path, optional
        .json files for the counts of both.
    multivariate : bool
        Whether to tell the rows of one set from those of the other by all columns together, on a sample.

    Raises
    ------
    SourceError
        If there is no such file or table, it cannot be read, or it holds no row.
    """
    old = _counted(project, before, as_of)
    new = _counted(project, after, as_of, old.profile)
    for counted, names in ((old, before), (new, after)):
        if not counted.rows:  # no drift of nothing: an outage must not look like a quiet day
            raise SourceError("there is no row to compare", where=", ".join(names), fix="name files that hold rows")
    saved.added(old, new, ", ".join(after))  # which it cannot be if the bins differ
    for counted, path in ((old, reference_to), (new, current_to)):
        if path is not None:
            saved.write(counted, path)
    tests = len(new.profile.columns) + multivariate
    found = moved(Reference(old.profile), new.profile, alpha=alpha, tests=tests, kinds={})
    if multivariate and new.profile.columns:
        apart = _apart(_tally(project, before, as_of), _tally(project, after, as_of), alpha / tests)
        found = tuple(sorted((*found, apart), key=importance))
    left = {name: kind for name, kind in old.kinds.items() if name not in new.profile.columns}
    changed = {
        name: f"{kind} before, {new.kinds.get(name, 'missing')} now"
        for name, kind in old.kinds.items()
        if kind != new.kinds.get(name)
    }
    if target is not None:
        columns, types = summary(found)
        project.engine.save(project.engine.relation(columns, types), target)
    told = {
        "reference": {"files": list(before), "rows": old.rows},
        "current": {"files": list(after), "rows": new.rows},
        "drift": found,
        "least_psi": SLIGHT,
        "not_compared": left,
        "changed": changed,
        "new": sorted(new.kinds.keys() - old.kinds.keys()),
        "path": str(target) if target else None,
        "report": str(page) if page else None,
    }
    if page is not None:
        from keepfit.artifact import swap
        from keepfit.stages.monitoring.distributions import distributions
        from keepfit.stages.reports.drifted import drifted_page

        swap(page, drifted_page(told, distributions(old.profile, new.profile)).encode())
    return told


def _tally(project: Project, names: Sequence[str], as_of: int) -> Tally:
    """Return what can be asked of the rows of some files.

    Raises
    ------
    SourceError
        If there are no rows, only their counts.
    """
    files, known = _files(project, names, as_of)
    if Path(files[0]).suffix == saved.SUFFIX:
        raise SourceError(
            f"{names[0]} holds counts, no rows to tell apart", where="--multivariate", fix="name the files themselves"
        )
    return project.engine.tally(files, known)


def _apart(old: Tally, new: Tally, bound: float) -> Drift:
    """Return whether rows of one set can be told from those of the other; the same columns, by their kinds before."""
    from keepfit.stages.monitoring.multivariate import multivariate
    from keepfit.stages.monitoring.tests.domain_classifier import MOST_ROWS, told_apart

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
    return multivariate(told_apart(matrix[:rows], matrix[rows:]), list(kinds), (), len(matrix) - rows, bound)


def summary(found: Sequence[Drift]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return drift as columns of a table, and their types: a row for each column that was compared."""
    rows, numbers = listed(found), {"significant", "rows"}
    types = {name: "BIGINT" if name in numbers else "DOUBLE" for name in rows}
    types |= dict.fromkeys(("severity", "kind", "column", "test"), "VARCHAR")
    kept = {"BIGINT": np.int64, "DOUBLE": np.float64, "VARCHAR": object}  # None becomes NaN among numbers
    return {name: np.array(values, kept[types[name]]) for name, values in rows.items()}, types


def _counted(project: Project, names: Sequence[str], as_of: int, bins: Profile | None = None) -> Counted:
    """Return the counts of files, in bins that a sample of their rows suggests if none are given."""
    files, known = _files(project, names, as_of)
    if Path(files[0]).suffix == saved.SUFFIX:
        return saved.read(files)
    tally = project.engine.tally(files, known)
    counted = scan.reference(tally) if bins is None else scan.count(bins, tally)
    return Counted(counted, tally.kinds(), tally.rows())


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
            if not (project.folder / settings.FILE).is_file():
                fix += "; no project is here: --project FOLDER"
            raise SourceError(f"there is no file or table {name!r}", where=str(Path.cwd()), fix=fix)
        found += here
    wrong = [name for name in found if Path(name).suffix not in FORMATS]
    if wrong:
        raise SourceError(
            f"cannot read {wrong[0]!r}", where=wrong[0], fix=f"name files that end in {', '.join(FORMATS)}"
        )
    mixed = sorted({FORMATS[Path(name).suffix] for name in found})
    if len(mixed) > 1:
        raise SourceError(f"{' and '.join(mixed)} are mixed", where=", ".join(names), fix="name files of one format")
    return found, None
