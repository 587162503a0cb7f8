"""The champion is swapped whole, under load, and only for one that works."""

from __future__ import annotations

import threading

import httpx

from keepfit.artifact import write_pointer

from .world import promote, serving, wait_until, write_version


def test_without_a_champion_the_server_lives_and_says_what_to_do(tmp_path):
    with serving(tmp_path) as served:
        answer = served.predict(customer_id=17)
        assert answer.status_code == 503
        assert answer.json()["fix"] == "run `keepfit run` until a version is promoted"
        assert served.http.get("/livez").status_code == 200
        assert served.http.get("/readyz").status_code == 503
        assert served.http.get("/health").json()["status"] == "waiting"
        assert served.http.get("/openapi.json").status_code == 200
        promote(tmp_path, "1")
        served.wait()
        assert served.predict(customer_id=17).status_code == 200


def test_a_swap_under_load_never_mixes_versions(tmp_path):
    pointers = [write_version(tmp_path, version, bias) for version, bias in (("1", -2.0), ("2", 2.0))]
    write_pointer(pointers[0], tmp_path / "churn.json")
    with serving(tmp_path) as served:
        served.wait()
        done, answers = threading.Event(), []

        def ask():
            with httpx.Client(base_url=served.http.base_url, timeout=60) as http:
                while not done.is_set():
                    answers.append(http.post("/predict", json={"customer_id": 17}))

        clients = [threading.Thread(target=ask) for _ in range(2)]
        for client in clients:
            client.start()
        for turn in range(6):
            write_pointer(pointers[(turn + 1) % 2], tmp_path / "churn.json")
            wanted = pointers[(turn + 1) % 2].version
            wait_until(lambda wanted=wanted: served.http.get("/health").json()["version"] == wanted)
            asked = len(answers)
            wait_until(lambda asked=asked: len(answers) > asked + 20)
        done.set()
        for client in clients:
            client.join()
    assert {answer.status_code for answer in answers} == {200}
    found = {(answer.json()["version"], answer.json()["score"], answer.json()["positive"]) for answer in answers}
    assert len(found) == 2 and {version for version, _, _ in found} == {"1", "2"}
    assert all(positive == (version == "2") for version, _, positive in found)


def test_a_broken_version_is_refused_and_the_old_one_goes_on(tmp_path):
    promote(tmp_path, "1")
    with serving(tmp_path) as served:
        served.wait()
        promote(tmp_path, "2")
        wait_until(lambda: served.http.get("/health").json()["version"] == "2")
        broken = write_version(tmp_path, "3")
        (tmp_path / "3" / "model.onnx").write_bytes(b"no model")
        write_pointer(broken, tmp_path / "churn.json")
        wait_until(lambda: served.http.get("/health").json()["status"] == "degraded")
        assert "model.onnx" in served.http.get("/health").json()["refused"]
        assert served.predict(customer_id=17).json()["version"] == "2"
        assert served.http.get("/readyz").status_code == 200


def test_a_model_that_does_not_fit_its_features_is_refused(tmp_path):
    promote(tmp_path, "1", width=5)
    with serving(tmp_path) as served:
        wait_until(lambda: served.http.get("/health").json()["refused"] is not None)
        assert served.http.get("/readyz").status_code == 503
        assert "cannot be loaded" in served.predict(customer_id=17).json()["what"]


def test_a_torn_pointer_is_refused(tmp_path):
    promote(tmp_path, "1")
    with serving(tmp_path) as served:
        served.wait()
        (tmp_path / "churn.json").write_text("{")
        wait_until(lambda: served.http.get("/health").json()["status"] == "degraded")
        assert served.predict(customer_id=17).status_code == 200
