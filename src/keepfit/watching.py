"""What `keepfit watch` does: gather the evidence about a champion, and leave it as a page, as files, and for Prometheus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from keepfit import artifact, loop, steps
from keepfit.evidence import evaluation_from
from keepfit.project import Project
from keepfit.snapshot import take
from keepfit.spec.gates import THRESHOLD
from keepfit.spec.model import Model
from keepfit.spec.policy import MetricBelow
from keepfit.stages.registry.evidence import evidence_of


def watch(
    project: Project,
    model: Model,
    as_of: int,
    *,
    multivariate: bool = False,
    page: Path | None = None,
    interactive: bool = False,
    prometheus: Path | None = None,
) -> dict[str, Any]:
    """Write what is known about the champion at as_of into the model's folder of reports, and return it.

    Parameters
    ----------
    multivariate : bool
        Whether to tell the rows of now from those of then by all features together, whatever the model declares.
    page : Path, optional
        Where the page goes; without one, beside the other files.
    interactive : bool
        Whether its charts answer to a pointer.
    prometheus : Path, optional
        A file for node_exporter's textfile collector.

    Returns
    -------
    dict
        evidence: Evidence; symptoms: of its data, files that were refused among them;
        report: path of the page; files: paths of those beside it; prometheus.

    Raises
    ------
    RegistryError
        If there is no champion to watch.
    """
    model = replace(model, watch=replace(model.watch, multivariate=multivariate or model.watch.multivariate))
    ingested = loop.arrived(project, as_of)
    snapshot = take(project.engine, project.lake, model.tables(), as_of)
    steps.collect_requests(project, model)
    champion = steps.require_champion(project, model, as_of)
    scored = steps.answer(project, champion, snapshot)
    evidence = steps.watch(project, model, snapshot, scored)
    turns = steps.past(project, model, evidence)
    files = steps.write_files(project, model, evidence, scored)
    files.append(steps.write_history(project, model, turns))
    if prometheus is not None:
        from keepfit.stages.serving.watched import textfile

        artifact.swap(prometheus, textfile(steps.watched_of(model.name, champion.version, evidence, {})))
    symptoms = steps.expected(model, ingested).symptoms
    from keepfit.stages.reports.watching import Watch, watching_page

    shown = Watch(
        model=model.name,
        evidence=evidence,
        evaluation=evaluation_from(evidence_of(champion.version)),
        shown=steps.distributions_of(scored),
        turns=turns,
        symptoms=symptoms,
        metric=model.metric,
        threshold=threshold_of(model),
        budget=model.watch.alarms,
    )
    target = page or steps.folder_of(project, model.name) / f"watch_{steps.stamp(as_of)}.html"
    artifact.swap(target, watching_page(shown, interactive=interactive).encode())
    return {
        "evidence": evidence,
        "symptoms": symptoms,
        "report": str(target),
        "files": [str(path) for path in files],
        "prometheus": str(prometheus) if prometheus else None,
    }


def threshold_of(model: Model) -> float | None:
    """Return how good the model's own metric must stay: the bound of its policy, else of a gate; None if nothing says so."""
    leaves = [one for one in model.policy.retrain.leaves() if isinstance(one, MetricBelow)]
    bounds = [one.threshold for one in leaves if one.metric == model.metric]
    bounds += [one.threshold for one in model.gates if one.kind == THRESHOLD and one.metric == model.metric]
    return bounds[0] if bounds else None
