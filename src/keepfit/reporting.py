"""What the commands show of a version that was recorded before: its evaluation, read from its artifact folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keepfit import clock, steps
from keepfit.errors import RegistryError
from keepfit.evidence import Evaluation, as_data, evaluation_from
from keepfit.measure.wording import calibration_told
from keepfit.project import Project
from keepfit.spec.model import Model
from keepfit.stages.registry.evidence import content, evidence_of, measured
from keepfit.stages.registry.version import Version
from keepfit.stages.reports.evaluation import evaluation_page
from keepfit.stages.reports.evaluation_tables import main_rows
from keepfit.steps.certifying import certificate_of
from keepfit.steps.explaining import PAGE, REPORT, title_of


def report(
    project: Project,
    model: Model,
    as_of: int,
    number: str | None,
    target: Path | None,
    interactive: Path | None = None,
) -> dict[str, Any]:
    """Return what a version showed on its test rows; with `target`, write its page there.

    Parameters
    ----------
    as_of : int
        Versions trained after it are not seen.
    number : str or None
        The version; None is the champion, or the newest version if that one was trained later or there is none.
    target : Path or None
        An HTML file.
    interactive : Path or None
        An HTML file whose charts answer to a pointer; drawn anew from the version's numbers.

    Raises
    ------
    RegistryError
        If there is no such version, or it has no evaluation, or no page to write.
    """
    version = _version(project, model, as_of, number)
    evaluation = _evaluation(version)
    found = measured(version, REPORT)
    heads, rows = main_rows(evaluation, found.get("share"))
    if target is not None:
        _write(version, target)
    if interactive is not None:
        if not found:
            raise _without_page(version)
        title = title_of(model.name, clock.show(version.trained_at))
        _put(interactive, evaluation_page(title, evaluation, found, interactive=True).encode())
    return {
        "model": model.name,
        "version": version.number,
        "trained_at": version.trained_at,
        "rows": evaluation.rows,
        "test_from_at": evaluation.test_from_at,
        "test_to_at": evaluation.test_to_at,
        "metrics": [dict(zip(heads, row, strict=True)) for row in rows],
        "rivals": list(evaluation.rivals),
        "parity": as_data(certificate_of(version)),
        "outcome": steps.became(project, model, as_of).get(version.number, ""),
        "calibration": calibration_told(evaluation.uncalibrated, evaluation.metrics),
        "features": found.get("features", []),
        "numbers": found.get("numbers", {}),
        "metric": evaluation.metric,
        "learning_curve": found.get("grown", {}).get("learning_curve", []),
        "search": found.get("grown", {}).get("search"),
        "path": str(target) if target is not None else None,
        "interactive": str(interactive) if interactive is not None else None,
    }


def _version(project: Project, model: Model, as_of: int, number: str | None) -> Version:
    if number is not None:
        return project.registry.version(model.name, number)
    known = [one for one in project.registry.versions(model.name) if one.trained_at <= as_of]
    if not known:
        raise RegistryError(
            f"{model.name} has no version trained by {clock.show(as_of)}",
            where=project.registry.uri,
            fix=f"train one: keepfit train {model.name}",
        )
    champion = project.registry.champion(model.name)
    return next((one for one in known if champion and one.number == champion.number), known[-1])


def _evaluation(version: Version) -> Evaluation:
    found = evaluation_from(evidence_of(version))
    if found is None:
        raise RegistryError(
            f"version {version.number} of {version.model} carries no evaluation",
            where=str(version.folder),
            fix=f"train a new version: keepfit train {version.model}",
        )
    return found


def _write(version: Version, target: Path) -> None:
    page = content(version, PAGE)
    if page is None:
        raise _without_page(version)
    _put(target, page)


def _without_page(version: Version) -> RegistryError:
    return RegistryError(
        f"version {version.number} of {version.model} has no page; an earlier keepfit trained it",
        where=str(version.folder),
        fix=f"train a new version: keepfit train {version.model}",
    )


def _put(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
