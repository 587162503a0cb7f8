"""Is the split honest? Nothing that is learnt from may happen after anything that is judged on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keepfit import clock
from keepfit.evidence import Finding, Tested
from keepfit.stages.features.leakage.material import Material, Parts, alarm

WHERE = "the split that training makes"
FIX = "this is a fault of the split, not of your data: keep each part apart from the next by the target's horizon"


def split_apart(material: Material) -> Tested:
    """Look at the split of the actual training set: disjoint, in order, kept apart by the horizon, each row once."""
    training, horizon = material.training, material.model.horizon
    findings = _rows(material)
    if material.parts is None:
        return Tested("split", f"no split to look at: {material.unsplit}", {"rows": len(training)}, tuple(findings))
    masks = _masks(material.parts)
    numbers = {name: int(mask.sum()) for name, mask in masks.items()}
    shared = (masks["train"] & (masks["validation"] | masks["test"])) | (masks["validation"] & masks["test"])
    if shared.any():
        what = f"{shared.sum():,} rows are in two parts, such as {_example(material, shared)}"
        findings.append(alarm("split", what, WHERE, FIX, rows=int(shared.sum())))
    for earlier, later in (("train", "validation"), ("train", "test"), ("validation", "test")):
        findings += _reaching(material, earlier, later)
    said = ", ".join(f"{rows:,} {name}" for name, rows in numbers.items())
    apart = f"each part's targets end before the next begins ({clock.duration_text(horizon)} ahead)"
    return Tested("split", f"{said} rows: no (entity, t) twice, {apart}", numbers, tuple(findings))


def _masks(found: Parts) -> dict[str, NDArray[np.bool_]]:
    return {"train": found.train, "validation": found.validation, "test": found.test}


def _rows(material: Material) -> list[Finding]:
    training, findings = material.training, []
    # rows are sorted by (t, entity), so that equal ones are neighbours
    again = np.zeros(len(training), bool)
    again[1:] = (training.t[1:] == training.t[:-1]) & (training.entity[1:] == training.entity[:-1])
    if again.any():
        what = f"{again.sum():,} observations are in the training set twice, such as {_example(material, again)}"
        findings.append(alarm("split", what, material.where, FIX, rows=int(again.sum())))
    unripe = training.t + material.model.horizon > material.snapshot.as_of
    if unripe.any():
        what = f"the target of {unripe.sum():,} training rows is not over yet, such as {_example(material, unripe)}"
        findings.append(
            alarm("split", what, material.where, "train on mature observations only", rows=int(unripe.sum()))
        )
    return findings


def _reaching(material: Material, earlier: str, later: str) -> list[Finding]:
    """Return the rows of a part whose target window reaches the first t of a later part."""
    masks, t = _masks(material.parts) if material.parts else {}, material.training.t
    if not masks[earlier].any() or not masks[later].any():
        return []
    begins = int(t[masks[later]].min())
    reaching = masks[earlier] & (t + material.model.horizon > begins)
    if not reaching.any():
        return []
    what = (
        f"the target of {reaching.sum():,} {earlier} rows, such as {_example(material, reaching)}, reaches into {later},"
        f" which begins at {clock.show(begins)}"
    )
    return [alarm("split", what, WHERE, FIX, rows=int(reaching.sum()), begins_at=begins)]


def _example(material: Material, rows: NDArray[np.bool_]) -> str:
    place = int(np.argmax(rows))
    return f"{material.training.entity[place]} at {clock.show(int(material.training.t[place]))}"
