"""Spans reach a collector over OTLP/HTTP: a real one for this purpose, which reads the protobuf."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.tracing import VARIABLE, Tracer

from .world import NOW, promote, serving

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector(ThreadingHTTPServer):
    """Keeps the requests that come to /v1/traces."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiving)
        self.received: list[ExportTraceServiceRequest] = []


class Receiving(BaseHTTPRequestHandler):
    def do_POST(self):
        assert self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
        found = ExportTraceServiceRequest()
        found.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.append(found)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(ExportTraceServiceResponse().SerializeToString())

    def log_message(self, *_):
        pass


@pytest.fixture
def collector(monkeypatch):
    running = Collector()
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{running.server_port}")
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_prediction_is_a_span_with_its_stages_below(tmp_path, collector):
    promote(tmp_path, "1")
    tracer = Tracer("keepfit-churn", lambda: NOW)
    with serving(tmp_path, protection=Protection(tracer=tracer)) as running:
        running.wait()
        answer = running.http.post(
            "/predict", json={"customer_id": 17}, headers={"traceparent": f"00-{TRACE}-{SPAN}-01"}
        )
        begun = running.http.post("/predict", json={"customer_id": 4711})
    tracer.close()
    scopes = [
        scope for sent in collector.received for resource in sent.resource_spans for scope in resource.scope_spans
    ]
    spans = [span for scope in scopes for span in scope.spans]
    ours = {span.name: span for span in spans if span.trace_id.hex() == TRACE}
    assert set(ours) == {"POST /predict", "features", "model", "log"}
    top = ours.pop("POST /predict")
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{top.span_id.hex()}-01"
    assert top.parent_span_id.hex() == SPAN
    assert {span.parent_span_id for span in ours.values()} == {top.span_id}
    said = {one.key: one.value for one in top.attributes}
    assert (said["http.route"].string_value, said["http.response.status_code"].int_value) == ("/predict", 200)
    assert said["keepfit.version"].string_value == "1"
    inner = sorted(ours.values(), key=lambda span: span.start_time_unix_nano)
    assert [span.name for span in inner] == ["features", "model", "log"]
    assert top.start_time_unix_nano <= inner[0].start_time_unix_nano
    assert inner[-1].end_time_unix_nano <= top.end_time_unix_nano == NOW * 1000
    _, trace, span, _ = begun.headers["traceresponse"].split("-")
    (root,) = [one for one in spans if one.span_id.hex() == span]
    assert (root.trace_id.hex(), root.parent_span_id, begun.status_code) == (trace, b"", 404)
    names = {one.key: one.value.string_value for one in collector.received[0].resource_spans[0].resource.attributes}
    assert names["service.name"] == "keepfit-churn"


def test_a_trace_that_its_caller_does_not_record_is_not_sent(collector):
    from keepfit.stages.serving.traces import continued

    tracer = Tracer("keepfit-churn", lambda: NOW)
    told = {"http.response.status_code": 200}
    tracer.ended(continued(f"00-{TRACE}-{SPAN}-00".encode()), "POST /predict", told, [], 0.001)
    tracer.close()
    assert collector.received == []
