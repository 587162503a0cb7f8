"""What servers answered since the turn before is counted, and its inputs are held against the reference."""

from __future__ import annotations

import json

import numpy as np

from keepfit import clock
from keepfit.answers import Answers
from keepfit.evidence import SERVING
from keepfit.stages.monitoring.profile import profile
from keepfit.stages.monitoring.reference import Reference
from keepfit.steps.serving import Served, health, skew


class Own:
    """What of an artifact is asked here."""

    features = ("visits", "segment")

    def __init__(self) -> None:
        columns = {"visits": np.arange(1000.0), "segment": np.array(["a", "b"] * 500, object)}
        self.profile = Reference(profile(columns)).as_data()
        self.threshold = 0.5
        self.model = type("Model", (), {"task": "classification"})


class Turn:
    """The answers of a turn: a quarter is positive."""

    score: Answers = np.array([0.1, 0.2, 0.3, 0.9])


def asked(values: list[tuple[float | None, str | None]]) -> Served:
    rows = [
        {"score": 0.9, "positive": place % 2, "features": json.dumps({"visits": visits, "segment": segment})}
        for place, (visits, segment) in enumerate(values)
    ]
    return Served(Own(), 7 * clock.DAY, rows)  # type: ignore[arg-type]


def test_requests_like_those_of_the_reference_are_counted_and_no_drift() -> None:
    found = asked([(float(7 * place % 1000), "ab"[place % 2]) for place in range(400)])
    signs = {one.about: one for one in health(found, Turn())}  # type: ignore[arg-type]
    assert {one.kind for one in signs.values()} == {SERVING}
    assert signs["requests"].value == 400
    assert (signs["share positive"].value, signs["share positive"].usual) == (0.5, 0.25)
    assert signs["missing inputs"].value == 0
    assert found.many
    assert not any(one.significant for one in skew(found, 0.01))


def test_a_feature_that_servers_lack_and_a_label_they_alone_know_are_drift() -> None:
    found = asked([(None, "new")] * 60)
    assert health(found, Turn())[-1].value == 0.5  # type: ignore[arg-type]
    assert {one.column for one in skew(found, 0.01) if one.significant} == {"visits (requests)", "segment (requests)"}
    assert not asked([(1.0, "a")] * 5).many
