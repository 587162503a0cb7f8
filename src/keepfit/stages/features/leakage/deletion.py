"""Delete what was not known, compute again, and compare bit for bit: the core of the proof.

For some moments the tables are copied without a single row that was not known before them. Features of observations at
those moments must come out of the copies as they come out of the full tables; a feature that does not has seen the future.
The mirror image holds for the target: on copies with the rows of [t, t+h) alone it must come out the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.engines.protocol import Column, Observations
from keepfit.evidence import Finding, Tested
from keepfit.spec.features import Aggregate
from keepfit.spec.observe import EachRow
from keepfit.stages.features.compute import compute
from keepfit.stages.features.leakage.material import Copies, Material, alarm, column_of, columns_read
from keepfit.stages.features.leakage.sample import Places, at
from keepfit.stages.features.observe import current

BUG = "this is a fault of keepfit or of the engine plug-in, not of your data: train on nothing it gave, and report it"


@dataclass
class _Compared:
    """Values counted, and of each column that differs how often and the first example."""

    values: int = 0
    differing: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, rows: Observations, full: Mapping[str, Column], again: Mapping[str, Column]) -> None:
        keys = rows.keys()
        for name, values in full.items():
            self.values += len(values)
            for place in np.flatnonzero(different(values, again[name])):
                example = {"entity": str(keys[place]), "t_at": int(rows.t[place])}
                example |= {"full": _plain(values[place]), "copy": _plain(again[name][place])}
                self.differing.setdefault(name, []).append(example)

    def findings(self, test: str, what: str, where: str) -> tuple[Finding, ...]:
        return tuple(
            alarm(
                test,
                f"{name} of {found[0]['entity']} at {clock.show(found[0]['t_at'])} is {found[0]['full']!r},"
                f" and {found[0]['copy']!r} {what}",
                where,
                BUG,
                column=name,
                differing=len(found),
                **found[0],
            )
            for name, found in self.differing.items()
        )


def features_without_future(material: Material) -> Tested:
    """Recompute features, and which entities are observed, without any row that was not known before t."""
    model, snapshot = material.model, material.snapshot
    compared, deleted, findings = _Compared(), 0, []
    full = compute(model.inputs(), snapshot, at(material.observations, material.looked_at))
    for places in material.rounds:
        rows = at(material.observations, places)
        with tempfile.TemporaryDirectory() as folder:
            copies, gone = _without_future(material, rows, Path(folder))
            deleted += gone
            compared.add(rows, _of(material, full, places), compute(model.inputs(), copies, rows))
            findings += _observed(material, rows, copies)
    observed, moments = len(material.looked_at), len(np.unique(material.observations.t[material.looked_at]))
    found = compared.findings("deletion", "once the rows not known before then are deleted", material.where)
    return Tested(
        "deletion",
        f"{observed:,} observations at {moments} moments, {compared.values:,} feature values recomputed on copies without the"
        f" {deleted:,} rows not known before t"
        if observed
        else "there are no mature observations",
        {"observations": observed, "moments": moments, "values": compared.values, "rows_deleted": deleted},
        (*found, *findings[:1]),
    )


def targets_of_their_window(material: Material) -> Tested:
    """Recompute targets from the rows of [t, t+h) alone."""
    model, snapshot = material.model, material.snapshot
    compared, columns = _Compared(), columns_read(model)
    read = {column_of(leaf)[0] for leaf in model.target.leaves()}
    # a target may compare what comes with what was: then the past stays
    past = not all(leaf.window.future for leaf in model.target.leaves() if isinstance(leaf, Aggregate))
    full = compute([model.target], snapshot, at(material.observations, material.looked_at))
    for places in material.rounds:
        rows, copied = at(material.observations, places), {}
        with tempfile.TemporaryDirectory() as folder:
            for table in (table for table in model.events() if table.name in read):
                probe, own = snapshot.engine.probe(table, snapshot.files(table)), sorted(columns[table.name])
                copied[table.name] = probe.write_window(own, rows, model.horizon, Path(folder), past=past)
            copies = Copies(snapshot.engine, snapshot.lake, snapshot.versions, snapshot.as_of, copied)
            compared.add(rows, _of(material, full, places), compute([model.target], copies, rows))
    horizon = clock.duration_text(model.horizon)
    return Tested(
        "label window",
        f"{compared.values:,} targets recomputed from the rows of [t, t+{horizon}) alone",
        {"observations": compared.values},
        compared.findings("label window", f"on the rows of the {horizon} after t alone", material.where),
    )


def _of(material: Material, full: Mapping[str, Column], places: Places) -> dict[str, Column]:
    """Return the values of one round, of those of all rounds."""
    mine = np.searchsorted(material.looked_at, places)
    return {name: values[mine] for name, values in full.items()}


def _without_future(material: Material, rows: Observations, folder: Path) -> tuple[Copies, int]:
    """Return a snapshot of copies without what was not known at these observations, and how many rows were deleted."""
    snapshot, columns = material.snapshot, columns_read(material.model)
    copied, deleted = {}, 0
    for table in material.model.tables():
        probe = snapshot.engine.probe(table, snapshot.files(table))
        copied[table.name], gone = probe.write_past(sorted(columns[table.name]), rows, folder)
        deleted += gone
    return Copies(snapshot.engine, snapshot.lake, snapshot.versions, snapshot.as_of, copied), deleted


def _observed(material: Material, rows: Observations, copies: Copies) -> list[Finding]:
    """Return what is wrong with which entities are observed at a grid moment; each row's own moment is `presence`'s."""
    if isinstance(material.model.observe, EachRow) or not len(rows):
        return []
    t = int(rows.t[0])
    before = set(current(material.model, replace(copies, as_of=t)).keys())
    full = set(material.observations.keys()[material.observations.t == t])
    if before == full:
        return []
    example = min(before ^ full)
    what = f"{len(before ^ full):,} entities, such as {example}, are observed at {clock.show(t)} by rows not known then"
    numbers = {"entity": example, "t_at": t, "observed": len(full), "observed_on_copies": len(before)}
    return [alarm("deletion", what, material.where, BUG, **numbers)]


def different(one: Column, other: Column) -> NDArray[np.bool_]:
    """Return where two columns differ in a bit; null equals null."""
    if one.dtype == object or other.dtype == object:
        return np.array([a is not b and a != b for a, b in zip(one, other, strict=True)], bool)
    a, b = (np.ascontiguousarray(values, np.float64) for values in (one, other))
    unequal: NDArray[np.bool_] = (a.view(np.int64) != b.view(np.int64)) & ~(np.isnan(a) & np.isnan(b))
    return unequal


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value
