"""Were the observed there when they were observed? No observation may be of an entity that was not known before t."""

from __future__ import annotations

from keepfit import clock
from keepfit.engines.protocol import Observations
from keepfit.evidence import Finding, Tested
from keepfit.spec.observe import EachRow
from keepfit.stages.features.leakage.deletion import BUG
from keepfit.stages.features.leakage.material import Material, alarm


def observed_were_there(material: Material) -> Tested:
    """Look up every mature observation in the rows: its entity was known before t; of each row, t is known + 1 µs."""
    observations, observed, snapshot = material.observations, material.model.observe.of, material.snapshot
    probe = snapshot.engine.probe(observed, snapshot.files(observed))
    findings = []
    unseen = observations.keep(probe.unseen(observations))
    if len(unseen):
        findings.append(_found(material, unseen, f"before a row of {observed.name} was known of the entity"))
    said = f"{len(observations):,} observations: the entity was in {observed.name} before t"
    if isinstance(material.model.observe, EachRow):
        strangers = observations.keep(probe.strangers(observations))
        if len(strangers):
            findings.append(_found(material, strangers, f"not 1 µs after a row of {observed.name} became known"))
        said += ", and t is 1 µs after a row became known"
    return Tested("presence", said, {"observations": len(observations)}, tuple(findings))


def _found(material: Material, wrong: Observations, how: str) -> Finding:
    entity, t = str(wrong.keys()[0]), int(wrong.t[0])
    what = f"{len(wrong):,} observations lie {how}, such as {entity} at {clock.show(t)}"
    return alarm("presence", what, material.where, BUG, observations=len(wrong), entity=entity, t_at=t)
