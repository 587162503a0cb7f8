"""Records without time say what is true today, and past observations read them all the same.

Two traces are looked for. An attribute that changed after it was first ingested: past observations see the value of today.
And an entity that is observed before anything happened to it: the list of entities itself came from the future.
"""

from __future__ import annotations

import numpy as np

from keepfit import clock, tables
from keepfit.evidence import Finding, Tested
from keepfit.snapshot import Snapshot
from keepfit.spec.observe import Every
from keepfit.spec.tables import Records
from keepfit.stages.features.leakage.material import Material, alarm, columns_read

FUTURE_SHARE = 0.01  # of the observations, of entities that nothing has happened to yet
VERSIONS = 200  # of a table, that are looked at


def records_of_today(material: Material) -> Tested:
    """Compare attributes with what was first ingested, and observations with the first event of their entity."""
    findings, said, numbers = [], [], {}
    read = columns_read(material.model)
    for table in (table for table in material.model.records() if table.time is None):
        ever = _ever(material.snapshot, table)
        probe = material.snapshot.engine.probe(table, ever)
        differs = probe.updates(sorted(read[table.name]), material.snapshot.files(table))
        findings += _updated(table, differs)
        said.append(f"{differs['entities'][0]:,} entities of {table.name} as first ingested and as now")
        numbers[table.name] = {name: count for name, (count, _) in differs.items()}
        if isinstance(material.model.observe, Every) and material.model.observe.of is table:
            findings += _of_the_future(material, table)
            said.append(f"{len(material.observations):,} observations and the first event of their entity")
    return Tested("records", "; ".join(said) or "no records without time=", numbers, tuple(findings))


def _ever(snapshot: Snapshot, table: Records) -> list[str]:
    """Return every file that the table was made of since its declaration last changed."""
    name = tables.source(table.name)
    history = [commit for commit in snapshot.lake.history(name) if commit["version"] <= snapshot.versions[table.name]]
    rebuilt = history[0].get("keepfit.rebuilt")
    versions = sorted(commit["version"] for commit in history if commit.get("keepfit.rebuilt") == rebuilt)
    spread = np.unique(np.linspace(0, len(versions) - 1, VERSIONS).round().astype(int))
    listed = [snapshot.lake.parquet_files(name, versions[place]) for place in spread]
    return list(dict.fromkeys(file for files in listed for file in files))


def _updated(table: Records, differs: dict[str, tuple[int, str | None]]) -> list[Finding]:
    entities, where = differs["entities"][0], f"definitions.py, Records {table.name!r}"
    fix = (
        "declare time='<column that says since when a row holds>', and add a row for each change instead of editing one"
    )
    found = []
    for column, (changed, example) in differs.items():
        numbers = {"column": column, "changed": changed, "entities": entities, "entity": example}
        share = f"{changed:,} of {entities:,} entities ({changed / max(entities, 1):.1%})"
        if changed and column == "removed":
            what = f"{share} were taken out of {table.name}, such as {example}: the past is observed without them"
            found.append(alarm("records", what, where, "keep the rows of entities that have left", **numbers))
        elif changed and column != "entities":
            what = (
                f"{table.name}.{column} changed for {share} after it was first ingested, such as {example}:"
                f" past observations see the value of today"
            )
            found.append(alarm("records", what, where, fix, **numbers))
    return found


def _of_the_future(material: Material, table: Records) -> list[Finding]:
    """Return whether too many observations are of entities whose first event, in any table, is still to come."""
    snapshot, observations = material.snapshot, material.observations
    first: dict[str, int] = {}
    own = [table for table in material.model.events() if table.entity == material.model.observe.of.entity]
    for events in own:
        keys, known = snapshot.engine.entities(events, snapshot.files(events), snapshot.as_of)
        for key, moment in zip(keys, known, strict=True):
            first[key] = min(int(moment), first.get(key, int(moment)))
    begins = np.array([first.get(key, np.iinfo(np.int64).min) for key in observations.entities], np.int64)
    early = begins[observations.codes()] >= observations.t
    share = float(early.mean()) if len(early) else 0.0
    if share <= FUTURE_SHARE:
        return []
    example = observations.keep(early)
    entity, t = str(example.keys()[0]), int(example.t[0])
    return [
        alarm(
            "records",
            f"{share:.1%} of the observations are of entities to whom nothing has happened yet but will, such as {entity} at"
            f" {clock.show(t)}: that {table.name} lists them is knowledge of the future",
            material.where,
            "give the records a time= (since when the entity is known), or observe active entities only:"
            " active=<events>.within('90d')",
            observations=int(early.sum()),
            share=round(share, 4),
            entity=entity,
            t_at=t,
        )
    ]
