"""A server of ready rows: answers, refusals, and what it loads."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest

from keepfit import artifact
from keepfit.errors import RegistryError
from keepfit.stages.serving.ready import create_ready_app, load_ready
from keepfit.stages.serving.server import bind, server

from .world import port_of, revenue, wait_until, write_version

ROW = {"sales_amount_sum_30d": 49.5, "sales_count_90d": 2, "customers_age": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ready")
    write_version(root, "1", bias=-0.2)
    return root / "1"


@pytest.fixture(scope="module")
def http(folder: Path):
    """Return a client of a running server."""
    running, listener = server(create_ready_app(folder)), bind("127.0.0.1", 0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{port_of(listener)}", timeout=60) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client
    running.should_exit = True
    thread.join()
    listener.close()


def test_rows_are_answered_in_their_order(http: httpx.Client, folder: Path) -> None:
    rows = [ROW, {**ROW, "sales_amount_sum_30d": None}, {**ROW, "customers_age": 40}]
    found = http.post("/predict/rows", json={"rows": rows}).json()
    assert found["model"] == "churn"
    assert found["version"] == artifact.digest(folder)[:16]
    sums = np.array([49.5 + 2, 2, 49.5 + 2 + 40])
    expected = 1 / (1 + np.exp(0.2 - 0.01 * sums))
    assert [one["score"] for one in found["answers"]] == pytest.approx(expected, abs=1e-6)
    assert [one["positive"] for one in found["answers"]] == (expected >= 0.5).tolist()


def test_a_number_that_is_predicted_has_no_decision(tmp_path: Path) -> None:
    write_version(tmp_path, "1", model=revenue)
    ready = load_ready(tmp_path / "1")
    (one,) = ready.answers(ready.read(json.dumps({"rows": [ROW]}).encode()))
    assert set(one) == {"score"}


@pytest.mark.parametrize(
    ("sent", "status", "where", "what"),
    [
        ({"rows": [{**ROW, "customers_age": "old"}]}, 422, "rows[0].customers_age", "is not a number"),
        ({"rows": [ROW, {"customers_age": 3}]}, 422, "rows[1].sales_amount_sum_30d", "is missing"),
        ({"rows": [{**ROW, "customer_age": 3}]}, 422, "rows[0].customer_age", "unknown feature 'customer_age'"),
        ({"rows": [3]}, 422, "rows[0]", "row 0 is no object"),
        ({"rows": []}, 422, "rows", "the list is empty"),
        ({"row": [ROW]}, 422, "rows", "holds no rows"),
        ({"rows": [{**ROW, "customers_age": 10**400}]}, 422, "rows[0].customers_age", "is not a number"),
        ({"rows": [{**ROW, "customers_age": [1]}]}, 422, "rows[0].customers_age", "is not a number"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(http, sent, status: int, where: str, what: str) -> None:
    answer = http.post("/predict/rows", json=sent)
    assert (answer.status_code, answer.json()["where"]) == (status, where)
    assert what in answer.json()["what"]
    assert answer.json()["fix"]


def test_what_is_no_json_or_too_much_is_refused(http: httpx.Client) -> None:
    assert http.post("/predict/rows", content=b"{rows").status_code == 400
    assert http.post("/predict/rows", content=b"[1]").status_code == 422
    assert http.post("/predict/rows", json={"rows": [ROW] * 20_000}).status_code == 413
    assert http.get("/predict/rows").status_code == 405
    assert http.get("/predict").status_code == 404


def test_it_says_what_it_is(http: httpx.Client) -> None:
    assert http.get("/livez").json() == {"status": "alive"}
    model = http.get("/model").json()
    assert (model["name"], model["features"], model["threshold"]) == ("churn", list(ROW), 0.5)
    described = http.get("/openapi.json").json()
    assert set(described["components"]["schemas"]["Row"]["properties"]) == set(ROW)
    assert {"/predict", "/events", "/health"}.isdisjoint(described["paths"])
    assert 'keepfit_requests_total{route="/livez",status="200"}' in http.get("/metrics").text


def test_an_artifact_that_was_changed_is_not_served(tmp_path: Path) -> None:
    write_version(tmp_path, "1")
    (tmp_path / "1" / "model.onnx").write_bytes(b"else")
    with pytest.raises(RegistryError, match=r"model\.onnx is not what training wrote"):
        create_ready_app(tmp_path / "1")


def test_it_loads_neither_a_kernel_nor_what_training_needs(folder: Path) -> None:
    heavy = ("numba", "mlflow", "duckdb", "deltalake", "xgboost", "sklearn", "onnx", "sqlite3", "yaml")
    code = f"""
import sys
from pathlib import Path
import keepfit.cli.main, keepfit.cli.serve, keepfit.stages.serving.server
from keepfit.stages.serving.ready import create_ready_app
create_ready_app(Path({str(folder)!r}))
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
