"""As outsiders see the servers: schemathesis reads their document and holds them to it; hypothesis sends what nobody should.

Whatever comes, the answer is never a server's error, and a refusal has always the one shape.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keepfit.spec.serving import Serving
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.ready import create_ready_app
from keepfit.stages.serving.server import bind, server

from .test_many import stump
from .world import port_of, promote, serving, wait_until

JSON = {"content-type": "application/json"}
ROW = {"sales_amount_sum_30d": 49.5, "sales_count_90d": 2, "customers_age": 40}
EVENT = {"table": "sales", "customer_id": 18, "sold_at": "2025-05-31T00:00:00Z", "amount": 7}


@contextmanager
def serving_rows(folder: Path):
    """Serve one artifact on a free port of loopback."""
    running, listener = server(create_ready_app(folder, Protection(Serving(max_rows=5)))), bind("127.0.0.1", 0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port_of(listener)}", timeout=60) as http:
            wait_until(lambda: http.get("/readyz").status_code == 200)
            yield http
    finally:
        running.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a client of a project's server."""
    root = tmp_path_factory.mktemp("outside")
    promote(root, "1", trees=stump())
    with serving(root, protection=Protection(Serving(max_rows=5))) as running:
        running.wait()
        yield running.http


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """Return a client of a server of one artifact."""
    root = tmp_path_factory.mktemp("artifact")
    promote(root, "1")
    with serving_rows(root / "1") as http:
        yield http


def held_to_its_document(http: httpx.Client, folder: Path, *options: str) -> str:
    """Return what schemathesis prints; it sends what the document says, and what it says must be refused."""
    command = [
        Path(sys.executable).with_name("st"),
        "run",
        f"{http.base_url}/openapi.json",
        "--no-color",
        "--seed",
        "7",
        "--request-timeout",
        "60",  # the first explanation may compile
    ]
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_projects_server_is_what_its_document_says(project, tmp_path):
    said = held_to_its_document(project, tmp_path, "--phases", "examples,coverage")
    assert "9 selected / 9 total" in said and "No issues found" in said


def test_requests_made_from_the_document_are_answered_as_it_says(project, tmp_path):
    # which moments can be asked about, no schema can say
    fuzzing = ("--phases", "fuzzing", "-n", "20", "--exclude-checks", "positive_data_acceptance")
    assert "No issues found" in held_to_its_document(project, tmp_path, *fuzzing, "--include-path", "/predict")


def test_events_and_rows_made_from_the_document_are_taken(project, tmp_path):
    paths = ("--include-path", "/events", "--include-path", "/predict/rows")
    assert "2 selected" in held_to_its_document(project, tmp_path, "--phases", "fuzzing", "-n", "15", *paths)


def test_a_server_of_an_artifact_is_what_its_document_says(artifact, tmp_path):
    said = held_to_its_document(artifact, tmp_path, "--phases", "examples,coverage,fuzzing", "-n", "10")
    assert "6 selected / 6 total" in said and "No issues found" in said


numbers = st.one_of(
    st.integers(), st.floats(), st.integers(-(2**70), 2**70), st.just(10**400), st.just(-0.0), st.just(5e-324),
    st.just(float("nan")), st.just(float("inf")), st.just(2**53 + 1),
)  # fmt: skip
texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "17", "\x00", "\U0001f600", "NaN", "2025-05-31", "2025-05-31T24:00:00Z", "0001-01-01T00:00:00+14:00"]
    ),
)
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def spoilt(good: dict) -> st.SearchStrategy:
    """Return bodies near a good one: a value replaced, a name changed or added."""
    names = st.sampled_from([*good, "at", "", "x"])
    changed = st.dictionaries(names, anything, max_size=2).map(lambda change: {**good, **change})
    return st.one_of(changed, st.lists(changed | leaves, max_size=7), anything)


def written(found: object, twice: bool) -> bytes:
    """Return it as JSON, with NaN and Infinity as Python writes them, and, if asked, with each name twice."""
    text = json.dumps(found, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return (
        text.replace(b"{", b'{"customer_id": 1, "rows": [], ', 1)
        if twice and text.startswith(b"{") and len(text) > 2
        else text
    )


def sent(http: httpx.Client, path: str, body: bytes) -> httpx.Response:
    """Return the answer, which is an answer, or a refusal of the one shape."""
    answer = http.post(path, content=body, headers=JSON)
    assert answer.status_code < 500, (body, answer.text)
    found = answer.json()
    if answer.status_code >= 400:
        assert {"error", "what", "where", "fix"} <= set(found), (body, answer.text)
        assert all(isinstance(found[name], str) for name in ("error", "what", "where", "fix"))
        assert "Traceback" not in answer.text
    return answer


HOSTILE = [
    b"", b"null", b"[]", b"{}", b'"', b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"customer_id": 1e999}',
    b'{"customer_id": ' + b"9" * 5000 + b"}", b'{"rows": [{"a": ' + b"9" * 5000 + b"}]}", b'{"customer_id": "\\ud800"}',
    b'[{"customer_id": 17}, [[[]]]]', b'{"rows": {"0": {}}}', b'{"rows": [[]]}', b"[[[{}]]]", b"\xef\xbb\xbf{}",
]  # fmt: skip
bounded = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("path", ["/predict", "/predict?explain=true", "/events", "/predict/rows"])
@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: body[:12].decode("latin-1"))
def test_a_hostile_body_is_refused(project, path, body):
    assert 400 <= sent(project, path, body).status_code < 500


@pytest.mark.parametrize(
    "path", ["/predict?x", "/predict?explain=maybe", "/predict/rows?x=1", "/predict/", "/%00", "/predict%2frows"]
)
def test_a_strange_address_is_refused(project, path):
    assert 400 <= sent(project, path, b'{"customer_id": 17}').status_code < 500


@bounded
@given(spoilt({"customer_id": 17}), st.booleans())
@example([{"customer_id": 17, "at": None}, {"customer_id": True}], False)
def test_no_request_for_a_prediction_breaks_the_server(project, found, twice):
    answer = sent(project, "/predict", written(found, twice))
    if answer.status_code == 200 and isinstance(found, list):
        assert len(answer.json()["answers"]) == len(found)


@bounded
@given(spoilt(EVENT) | spoilt({**EVENT, "sold_at": "2025-05-31"}), st.booleans())
def test_no_event_breaks_the_server(project, found, twice):
    sent(project, "/events", written(found, twice))


@bounded
@given(st.one_of(spoilt({"rows": [ROW]}), spoilt(ROW).map(lambda row: {"rows": [ROW, row]})), st.booleans())
def test_no_row_breaks_either_server(project, artifact, found, twice):
    body = written(found, twice)
    answers = [sent(http, "/predict/rows", body) for http in (project, artifact)]
    assert answers[0].status_code == answers[1].status_code
    if answers[0].status_code == 200:
        project_, artifact_ = ([one["score"] for one in answer.json()["answers"]] for answer in answers)
        assert project_ == artifact_
