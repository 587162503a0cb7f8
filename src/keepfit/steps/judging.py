"""Hold a recorded version against the gates: what it showed, what was measured of it, who approved it until then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from keepfit import artifact as artifacts
from keepfit.artifact import Artifact, Predictor
from keepfit.engines.protocol import Column
from keepfit.errors import RegistryError
from keepfit.evidence import Candidate, Latency, Verdict, as_data, evaluation_from
from keepfit.project import Project
from keepfit.spec.gates import of_evaluation
from keepfit.spec.model import Model
from keepfit.stages.registry.aliases import CHAMPION
from keepfit.stages.registry.evidence import evidence_of, measured
from keepfit.stages.registry.gates import judge
from keepfit.stages.registry.version import Version
from keepfit.steps.certifying import certificate_of
from keepfit.steps.ledger import aliases_at, stood

LATENCY = "latency.json"
"""How fast a version is, beside the files that its manifest has digests of."""


def verdicts(project: Project, model: Model, version: Version, as_of: int) -> tuple[Verdict, ...]:
    """Return what each gate of the definition finds of a version; nothing after as_of counts.

    In a replay nobody is asked, and no documents are written: there the gates on the evaluation alone are judged.
    """
    gates = of_evaluation(model.gates) if project.is_replay else model.gates
    return judge(gates, candidate(project, version, as_of)) if gates else ()


def candidate(project: Project, version: Version, as_of: int) -> Candidate:
    """Return all that gates may look at of a recorded version.

    Raises
    ------
    RegistryError
        If it carries no evaluation.
    """
    evaluation = evaluation_from(evidence_of(version))
    if evaluation is None:
        raise RegistryError(
            f"version {version.number} of {version.model} carries no evaluation",
            where=str(version.folder),
            fix=f"train a new version: keepfit train {version.model}",
        )
    against = version.against
    if version.origin:
        # another registry's champion, on another registry's rows: no gain over the one that answers here
        evaluation, against = replace(evaluation, against_champion=None), None
    given = stood(project, version.model, as_of).approvals.get(version.number, ())
    latency = measured(version, LATENCY)
    return Candidate(
        evaluation,
        number=version.number,
        against=against,
        champion=aliases_at(project, version.model, as_of).get(CHAMPION),
        latency=Latency(**latency) if latency else None,
        parity=certificate_of(version),
        files=artifacts.sizes(version.folder),
        approvals={" ".join(one.by.split()).casefold(): one.id for one in given if one.by},
    )


def time_answers(artifact: Artifact, columns: Mapping[str, Column], folder: Path) -> dict[str, float]:
    """Measure how long single rows take a version, write it beside its files, and return what trackers show of it.

    Parameters
    ----------
    columns : mapping of str to array, shape (rows,)
        Real values of each feature.
    """
    took = artifacts.latency(artifact, Predictor.load(folder), columns)
    (folder / LATENCY).write_text(json.dumps(as_data(took), indent=1), encoding="utf-8")
    return {"system/latency_p50_ms": took.p50_ms, "system/latency_p99_ms": took.p99_ms}
