"""A look at a model's features that changes nothing: what they mean, and which values they have. Plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from keepfit import clock, tables
from keepfit.engines.protocol import Observations
from keepfit.errors import LakeError
from keepfit.project import Project
from keepfit.rows.contract import entity_key
from keepfit.snapshot import Snapshot, take
from keepfit.spec.check import Problem
from keepfit.spec.features import ByCategory, Expression, Holiday
from keepfit.spec.features.meaning import Described, describe
from keepfit.spec.model import Model
from keepfit.stages.features import versions


def features(project: Project, model: Model) -> dict[str, Any]:
    """Return the features of a model in words, its target, and the version they are or would become."""
    change = versions.difference(project.engine, project.records, model)
    return {
        "model": model.name,
        "version": change.version,
        "fingerprint": change.fingerprint,
        "features": described(model),
        "target": describe(model.target),
    }


def preview(
    project: Project, model: Model, as_of: int, entity: str | None, rows: int, target: Path | None
) -> dict[str, Any]:
    """Return the feature values of one entity at as_of, or how they are distributed over the newest observations.

    Raises
    ------
    LakeError
        If nothing was ingested yet, or the entity is not known.
    """
    # only here, since they load the kernel
    from keepfit.stages.features.compute import compute
    from keepfit.stages.features.observe import current
    from keepfit.stages.features.preview import distribution, sample
    from keepfit.stages.features.training_set import learn
    from keepfit.stages.reports.preview import write_preview

    if not ingested(project, model):
        where = str(project.lake.root)
        raise LakeError(f"{model.name} reads tables that hold no rows yet", where=where, fix="run `keepfit ingest`")
    snapshot = take(project.engine, project.lake, model.tables(), as_of)
    model = learn(model, snapshot, as_of)
    if entity is not None:
        return _of_entity(model, snapshot, entity)
    observations = current(model, snapshot)
    some = sample(observations, rows)
    computed = compute(model.inputs(), snapshot, some)
    found = {
        "model": model.name,
        "as_of": as_of,
        "entity": None,
        "t": clock.show(int(some.t.max())) if len(some) else "no moment",
        "rows": len(some),
        "observations": len(observations),
        "distributions": {name: distribution(values) for name, values in computed.items()},
        "path": None,
    }
    if target is not None:
        meanings = {one.name: describe(one).meaning for one in model.inputs()}
        found["path"] = str(write_preview(found, meanings, target))
    return found


def _of_entity(model: Model, snapshot: Snapshot, entity: str) -> dict[str, Any]:
    from keepfit.stages.features.compute import compute

    table = model.observe.of
    key = entity_key(table, entity)
    known, _ = snapshot.engine.entities(table, snapshot.files(table), snapshot.as_of)
    if key not in set(known.tolist()):
        fix = f"{table.name} has, among {len(known):,}: {', '.join(map(str, known[:5]))}"
        raise LakeError(f"nothing is known of {table.entity} {entity!r} at {clock.show(snapshot.as_of)}", fix=fix)
    one = Observations(np.array([key], object), np.array([0, 1], np.int64), np.array([snapshot.as_of], np.int64))
    computed = {name: values.item() for name, values in compute(model.inputs(), snapshot, one).items()}
    return {
        "model": model.name,
        "as_of": snapshot.as_of,
        "entity": key,
        "values": {name: None if value != value else value for name, value in computed.items()},
        "meaning": {feature.name: describe(feature).meaning for feature in model.inputs()},
    }


def described(model: Model) -> list[Described]:
    """Return a model's features in words; those of `by=` that are still to be learned as one."""
    found = []
    for one in model.features:
        if isinstance(one, Expression):
            found.append(describe(one))
        elif isinstance(one, ByCategory) and one.values is None:
            each = describe(one.aggregate)
            meaning = f"{each.meaning}, for each of the {one.top} most frequent values of {one.by} in training rows"
            found.append(Described(one.name + "_*", meaning, each.window, each.source, each.type))
        else:
            found += [describe(expression) for expression in one.expand()]
    return found


def unknown_holidays(project: Project) -> list[Problem]:
    """Return the holidays that the models read and the library of holidays does not know, or that need it installed."""
    found: dict[Problem, None] = {}
    for model in project.definitions.models:
        leaves = [leaf for expression in model.expressions() for leaf in expression.leaves()]
        for leaf in (leaf for leaf in leaves if isinstance(leaf, Holiday)):
            # only here, since it loads the kernel
            from keepfit.kernel.calendar import refusal

            error = refusal(leaf)
            if error is not None:
                found[Problem(error.what, f"definitions.py, Model {model.name!r}", error.fix)] = None
    return list(found)


def ingested(project: Project, model: Model) -> bool:
    """Return whether every table that the model reads was ingested."""
    return all(project.lake.exists(tables.source(table.name)) for table in model.tables())
