"""Does one thing stand under two keys? Then what is learnt from one key is tested on its copy."""

from __future__ import annotations

import numpy as np

from keepfit.evidence import Finding, Tested
from keepfit.spec.tables import Events
from keepfit.stages.features.leakage.material import Material, alarm

LEAST = 5  # events of an entity, below which equal histories say little
SHARE = 0.005  # of the entities compared

Groups = dict[str, int]  # entity -> its twin group


def one_under_two_keys(material: Material) -> Tested:
    """Compare the histories of entities, event by event: times and values."""
    findings, numbers = [], {}
    for table in material.model.events():
        probe = material.snapshot.engine.probe(table, material.snapshot.files(table))
        compared, keys, groups = probe.twins(LEAST, material.snapshot.as_of)
        numbers[table.name] = {"entities": compared, "with_twin": len(keys)}
        found = dict(zip(keys.tolist(), groups.tolist(), strict=True))
        findings += _judged(material, table, compared, found)
    entities = ", ".join(f"{count['entities']:,} in {name}" for name, count in numbers.items())
    said = f"histories of entities with {LEAST} events or more that no two share by chance: {entities}"
    return Tested("twins", said, numbers, tuple(findings))


def _judged(material: Material, table: Events, compared: int, found: Groups) -> list[Finding]:
    crossing = _crossing(material, found)
    if not found or (len(found) <= SHARE * compared and not crossing):
        return []
    first = min(found)
    pair = sorted(key for key, group in found.items() if group == found[first])[:2]
    what = f"{len(found):,} of {compared:,} entities of {table.name} have the history of another, such as {' and '.join(pair)}"
    if crossing:
        what += f"; {crossing:,} of these groups are both learnt from and judged on"
    fix = f"give one thing one key: clean {table.entity!r} (blanks, case, re-issued numbers) before it is ingested"
    where = f"definitions.py, Events {table.name!r}, entity={table.entity!r}"
    numbers = {"entities": compared, "with_twin": len(found), "groups_in_two_parts": crossing, "such_as": pair}
    return [alarm("twins", what, where, fix, **numbers)]


def _crossing(material: Material, found: Groups) -> int:
    """Return how many groups have one entity in train and another in validation or test."""
    if material.parts is None or not found:
        return 0
    keys, learnt = material.training.entity, material.parts.train
    judged = material.parts.validation | material.parts.test
    groups: dict[int, tuple[set[str], set[str]]] = {}
    for place in np.flatnonzero(np.isin(keys.astype(str), list(found))):
        sides = groups.setdefault(found[keys[place]], (set(), set()))
        if learnt[place]:
            sides[0].add(keys[place])
        elif judged[place]:
            sides[1].add(keys[place])
    return sum(any(one != other for one in train for other in test) for train, test in groups.values())
