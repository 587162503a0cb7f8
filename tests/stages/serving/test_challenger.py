"""A challenger answers in shadow or as canary, is logged, and never gets in the champion's way."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from keepfit import Float, Input
from keepfit.artifact import challenger_of, remove_pointer, write_pointer
from keepfit.spec.serving import Challenge, Serving
from keepfit.stages.serving import challenger as room
from keepfit.stages.serving.outbox import drain
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.scorer import Scorer

from .world import churn, customers, promote, revenue, sales, serving, wait_until, write_version

MANY = 300


def protection(mode, share=1.0):
    return Protection(Serving(challenger=Challenge(mode=mode, share=share)))


def challenge(root, version, bias=5.0, **options):
    """Write a version and make it the challenger; with this bias it says yes to everybody."""
    pointer = write_version(root, version, bias, **options)
    write_pointer(pointer, challenger_of(root / "churn.json"))
    return pointer


def challenges(served, version):
    wait_until(lambda: (served.http.get("/health").json()["challenger"] or {}).get("version") == version)


def people(served):
    found = np.array(sorted(str(number) for number in range(MANY)), object)
    served.store.replace_records(customers, {"entity": found, "age": np.full(MANY, 40.0)})


def logged(root):
    batch = drain(root / "outbox.sqlite")
    return [] if batch is None else batch.rows


def counted(served, outcome):
    for line in served.http.get("/metrics").text.splitlines():
        if line.startswith("keepfit_challenger_total") and f'outcome="{outcome}"' in line:
            return float(line.split()[-1])
    return 0.0


def test_a_shadow_is_logged_and_told_to_nobody(tmp_path):
    promote(tmp_path, "1", -5.0)
    challenge(tmp_path, "2")
    with serving(tmp_path, protection=protection("shadow")) as served:
        challenges(served, "2")
        answers = [served.predict(customer_id=17).json() for _ in range(20)]
        several = served.http.post("/predict", json=[{"customer_id": 17}, {"customer_id": 18}]).json()["answers"]
        wait_until(lambda: counted(served, "shadow") == 22)
        page = served.http.get("/metrics").text
        rows = logged(tmp_path)
    given = [*answers, *several]
    assert {answer["version"] for answer in given} == {"1"} and not any(answer["positive"] for answer in given)
    by_id = {row["request_id"]: row for row in rows}
    assert len(by_id) == len(rows) == 44
    for answer in given:
        own, other = by_id[answer["request_id"]], by_id[answer["request_id"] + "/shadow"]
        assert (own["version"], own["origin"], own["score"]) == ("1", "request", answer["score"])
        assert (other["version"], other["origin"], other["positive"]) == ("2", "shadow", True)
        assert (other["entity"], other["t"]) == (own["entity"], own["t"])
        assert json.loads(other["features"]) == json.loads(own["features"]) == answer["features"]
    assert 'keepfit_predictions_total{model="churn",version="1"} 22.0' in page
    assert 'keepfit_predictions_total{model="churn",version="2"}' not in page
    assert 'keepfit_shadow_score_count{model="churn",version="2"} 22.0' in page


def test_a_canary_answers_for_its_share_and_an_entity_keeps_its_version(tmp_path):
    promote(tmp_path, "1", -5.0)
    challenge(tmp_path, "2")
    with serving(tmp_path, protection=protection("canary", 0.3)) as served:
        people(served)
        challenges(served, "2")
        bodies = [{"customer_id": number} for number in range(MANY)]
        single = {one: served.predict(customer_id=one).json() for one in range(60)}
        several = served.http.post("/predict", json=bodies).json()["answers"]
        again = served.http.post("/predict", json=bodies[::-1]).json()["answers"][::-1]
        model = served.http.get("/model").json()
        page = served.http.get("/metrics").text
        rows = logged(tmp_path)
    versions = [answer["version"] for answer in several]
    assert [answer["version"] for answer in again] == versions
    assert [answer["version"] for answer in single.values()] == versions[:60]
    assert 0.2 < versions.count("2") / MANY < 0.4
    assert [answer["customer_id"] for answer in several] == list(range(MANY))
    assert all(answer["positive"] == (answer["version"] == "2") for answer in [*several, *again, *single.values()])
    assert {(row["version"], row["origin"]) for row in rows} == {("1", "request"), ("2", "canary")}
    assert len({row["request_id"] for row in rows}) == len(rows) == 2 * MANY + 60
    assert (model["version"], model["challenger"]) == (
        "1",
        {"version": "2", "mode": "canary", "share": 0.3, "refused": None},
    )
    assert 'keepfit_request_duration_seconds_count{route="/predict",version="2"}' in page
    assert 'keepfit_challenger_share{mode="canary",version="2"} 0.3' in page


def test_another_challenger_is_tried_on_others(tmp_path):
    promote(tmp_path, "1", -5.0)
    drawn = []
    with serving(tmp_path, protection=protection("canary", 0.3)) as served:
        people(served)
        for version, bias in (("2", 5.0), ("3", 6.0)):
            challenge(tmp_path, version, bias)
            challenges(served, version)
            answers = served.http.post("/predict", json=[{"customer_id": one} for one in range(MANY)]).json()["answers"]
            drawn.append({answer["customer_id"] for answer in answers if answer["version"] == version})
    assert drawn[0] - drawn[1] and drawn[1] - drawn[0]


def test_a_challenge_ends_when_the_pointer_goes_or_the_challenger_is_the_champion(tmp_path):
    promote(tmp_path, "1", -5.0)
    pointer = challenge(tmp_path, "2")
    with serving(tmp_path, protection=protection("canary")) as served:
        challenges(served, "2")
        assert served.predict(customer_id=17).json()["version"] == "2"
        remove_pointer(challenger_of(tmp_path / "churn.json"))
        wait_until(lambda: served.http.get("/health").json()["challenger"] is None)
        assert served.predict(customer_id=17).json()["version"] == "1"
        write_pointer(pointer, challenger_of(tmp_path / "churn.json"))
        challenges(served, "2")
        write_pointer(pointer, tmp_path / "churn.json")
        wait_until(lambda: served.http.get("/health").json()["challenger"] is None)
        answer = served.predict(customer_id=17).json()
        assert answer["version"] == "2"
        assert {row["origin"] for row in logged(tmp_path) if row["request_id"] == answer["request_id"]} == {"request"}


def test_without_the_setting_nobody_challenges(tmp_path):
    promote(tmp_path, "1", -5.0)
    challenge(tmp_path, "2")
    with serving(tmp_path) as served:
        served.wait()
        promote(tmp_path, "3", -4.0)  # the pointers have been looked at once more when this one answers
        wait_until(lambda: served.http.get("/health").json()["version"] == "3")
        assert served.http.get("/health").json()["challenger"] is None
        assert served.predict(customer_id=17).json()["version"] == "3"


BROKEN = {
    "a broken file": ({}, "model.onnx"),
    "another kind of answer": ({"model": revenue}, "answers a regression"),
    "an input that requests do not hold": (
        {
            "model": replace(churn, features=[*churn.features, Input("basket", Float(), past=sales.amount.last())]),
            "width": 4,
        },
        "reads the input 'basket'",
    ),
}


@pytest.mark.parametrize(("options", "why"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_a_challenger_that_does_not_fit_is_refused_and_the_champion_answers(tmp_path, mode, options, why):
    promote(tmp_path, "1", -5.0)
    challenge(tmp_path, "2", **options)
    if not options:
        (tmp_path / "2" / "model.onnx").write_bytes(b"no model")
    with serving(tmp_path, protection=protection(mode)) as served:
        served.wait()
        wait_until(lambda: served.http.get("/health").json()["challenger"])
        health = served.http.get("/health").json()
        assert why in health["challenger"]["refused"] and health["status"] == "ok"
        assert "keepfit_challenger_refused 1.0" in served.http.get("/metrics").text
        assert served.predict(customer_id=17).json()["version"] == "1"
        challenge(tmp_path, "4")  # another one is looked at, whatever became of this
        challenges(served, "4")


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_a_challenger_that_fails_never_touches_the_champions_answer(tmp_path, mode, monkeypatch):
    promote(tmp_path, "1", -5.0)
    challenge(tmp_path, "2")
    with serving(tmp_path, protection=protection(mode)) as served:
        challenges(served, "2")
        whole = Scorer.answers

        def fails(self, matrix):
            if self.pointer.version == "2":
                raise RuntimeError("the challenger is broken")
            return whole(self, matrix)

        monkeypatch.setattr(Scorer, "answers", fails)
        one = served.predict(customer_id=17)
        both = served.http.post("/predict", json=[{"customer_id": 17}, {"customer_id": 18}])
        assert (one.status_code, one.json()["version"]) == (200, "1")
        assert [answer["version"] for answer in both.json()["answers"]] == ["1", "1"]
        wait_until(lambda: counted(served, "failed") == 3)
        rows = logged(tmp_path)
    assert [(row["version"], row["origin"]) for row in rows] == [("1", "request")] * 3


def test_shadows_without_time_are_dropped_and_counted(tmp_path, monkeypatch):
    promote(tmp_path, "1", -5.0)
    challenge(tmp_path, "2")
    shield = protection("shadow")
    monkeypatch.setattr("keepfit.stages.serving.shadow.LONGEST", 5)
    with serving(tmp_path, protection=shield) as served:
        challenges(served, "2")
        shield.admission.enter()  # somebody is always there
        assert {served.predict(customer_id=17).status_code for _ in range(12)} == {200}
        assert counted(served, "dropped") == 7 and counted(served, "shadow") == 0
        shield.admission.leave()
        wait_until(lambda: counted(served, "shadow") == 5)


def test_a_version_that_is_refused_is_looked_at_less_and_less(tmp_path):
    class Champion:
        path, current, asked = tmp_path / "churn.json", None, 0

        def load(self, path, pointer):
            self.asked += 1
            raise ValueError("no")

    champion = Champion()
    champion.current = type("Scorer", (), {"pointer": promote(tmp_path, "1")})()
    challenge(tmp_path, "2")
    found = room.Challenger(champion, Challenge(mode="shadow"))
    for _ in range(1000):
        found.refresh()
    assert champion.asked < 30 and found.refused == "ValueError: no"
