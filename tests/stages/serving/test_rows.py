"""Ready rows on a project's server: answered by its champion, logged as of no entity."""

from __future__ import annotations

import json

import numpy as np
import pytest

from keepfit import Boolean, Category, Files, Integer, Records, artifact
from keepfit.artifact import Artifact, Pointer, RowEncoder, encode, write_pointer
from keepfit.spec.serving import Serving
from keepfit.stages.serving.outbox import drain, forget
from keepfit.stages.serving.protection import Protection

from .world import NOW, churn, onnx, promote, serving

ROW = {"sales_amount_sum_30d": 49.5, "sales_count_90d": 2, "customers_age": 40}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("rows")
    promote(root, "1")
    with serving(root, protection=Protection(Serving(max_rows=50))) as running:
        running.wait()
        yield running


def test_a_row_of_an_entitys_features_is_answered_as_the_entity(served):
    of_entity = served.predict(customer_id=17).json()
    found = served.http.post("/predict/rows", json={"rows": [of_entity["features"]]}).json()
    assert (found["model"], found["version"]) == ("churn", "1")
    assert {name: found["answers"][0][name] for name in ("score", "positive")} == {
        name: of_entity[name] for name in ("score", "positive")
    }


@pytest.mark.parametrize("count", [1, 3, 50])
def test_every_row_is_logged_as_of_no_entity(served, count):
    rows = [{**ROW, "customers_age": None if place % 2 else place} for place in range(count)]
    answers = served.http.post("/predict/rows", json={"rows": rows}).json()["answers"]
    batch = drain(served.outbox.path)
    forget(served.outbox.path, batch.transaction)
    logged = batch.rows[-count:]
    assert [(row["request_id"], row["score"]) for row in logged] == [
        (one["request_id"], one["score"]) for one in answers
    ]
    assert {(row["entity"], row["t"], row["origin"]) for row in logged} == {(None, NOW, "rows")}
    assert [json.loads(row["features"]) for row in logged] == rows


def test_too_many_rows_are_refused(served):
    found = served.http.post("/predict/rows", json={"rows": [ROW] * 51})
    assert (found.status_code, found.json()["where"]) == (422, "rows") and "a request may hold 50" in found.json()[
        "what"
    ]


def test_rows_are_counted_beside_the_predictions_of_entities(served):
    def counted(name):
        lines = served.http.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{name}_total{{"))

    before = counted("keepfit_rows"), counted("keepfit_predictions")
    served.http.post("/predict/rows", json={"rows": [ROW] * 5})
    assert (counted("keepfit_rows"), counted("keepfit_predictions")) == (before[0] + 5, before[1])


@pytest.mark.parametrize("value", [True, "49.5", [1], {}])
def test_what_is_no_number_is_refused(served, value):
    found = served.http.post("/predict/rows", json={"rows": [ROW, {**ROW, "customers_age": value}]})
    assert (found.status_code, found.json()["where"]) == (422, "rows[1].customers_age")


def test_truth_values_and_labels_are_taken_where_the_definition_has_them(tmp_path):
    people = Records(
        "people", Files("p.csv"), entity="customer_id",
        columns={"customer_id": Integer(), "member": Boolean(), "city": Category(), "age": Integer()},
    )  # fmt: skip
    model = type(churn)("churn", churn.observe, [people.member, people.city.named("town"), people.age], churn.target)
    made = Artifact(model, ("people_member", "town", "people_age"), {"town": ("Bonn", "Ulm")}, 0.5, 0.3, {}, {})
    digest = artifact.write(made, {"model.onnx": onnx(0.0)}, tmp_path / "1")
    write_pointer(Pointer("churn", "1", "1", digest), tmp_path / "churn.json")
    with serving(tmp_path) as served:
        served.wait()

        def score(member, town, age=1):
            row = {"people_member": member, "town": town, "people_age": age}
            found = served.http.post("/predict/rows", json={"rows": [row]})
            return found.json()["answers"][0]["score"] if found.status_code == 200 else found.json()["where"]

        assert score(True, "Ulm") == score(1, "Ulm") != score(False, "Ulm") == score(0, "Ulm")
        assert score(True, "Paris") == score(True, None) == score(True, "Bonn") != score(True, "Ulm")
        assert score(True, 3) == "rows[0].town" and score(True, "Ulm", age=True) == "rows[0].people_age"


def test_rows_are_encoded_as_columns_are():
    values = [0.1, -1e300, 1e39, None, float("inf"), 16777217.0, -0.0]
    names, categories = ("x", "city"), {"city": ("a", "b")}
    labels = ["a", "b", None, "else", "b", "a", ""]
    columns = {"x": np.array(values, float), "city": np.array(labels, object)}
    expected = encode(columns, names, categories)
    found = RowEncoder(names, categories)(list(zip(values, labels, strict=True)))
    assert found.dtype == expected.dtype and found.tobytes() == expected.tobytes()
    alone = RowEncoder(("x",), {})([(value,) for value in values])
    assert alone.tobytes() == np.ascontiguousarray(expected[:, :1]).tobytes()
