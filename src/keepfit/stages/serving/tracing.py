"""Spans of requests to an OpenTelemetry collector over OTLP/HTTP, if OTEL_EXPORTER_OTLP_ENDPOINT says where one is.

A span a request, and below it one for features, model and log each. They are made when the request has been answered, from
what was noted on its way, and sent from a thread of their own. The one home of opentelemetry.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from keepfit.errors import MissingExtra
from keepfit.stages.serving.laps import Lap
from keepfit.stages.serving.traces import Trace

try:
    from opentelemetry import trace as api
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
except ImportError:
    raise MissingExtra("otel", "OTEL_EXPORTER_OTLP_ENDPOINT") from None

VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"


class _Ids(IdGenerator):
    """Ids of the request's span are those that its answer told; others are random."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.told: Trace | None = None

    def generate_trace_id(self) -> int:
        return int(self.told.trace_id, 16) if self.told else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        told, self.told = self.told, None
        return int(told.span_id, 16) if told else self._random.generate_span_id()


class Tracer:
    """Where spans go; to be used by one thread.

    Parameters
    ----------
    service : str
        The service's name, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES have another. OTEL_ variables also say how
        to sample, and how to send.
    now : callable
        Microseconds UTC.
    """

    def __init__(self, service: str, now: Callable[[], int]) -> None:
        self._now, self._ids = now, _Ids()
        resource = Resource.create()
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": service}))
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("keepfit.serving")

    def ended(self, trace: Trace, name: str, said: Mapping[str, str | int], laps: Sequence[Lap], took: float) -> None:
        """Send the spans of a request that has just been answered.

        Parameters
        ----------
        said : mapping
            Attributes, by OpenTelemetry's semantic conventions where they have a name.
        laps : sequence of Lap
            Its stages.
        took : float
            Seconds that the request took.
        """
        until, clock = self._now() * 1000, time.perf_counter()

        def moment(at: float) -> int:
            return until - int((clock - at) * 1e9)

        self._ids.told = trace
        above = api.set_span_in_context(api.NonRecordingSpan(_parent(trace))) if trace.parent_id else None
        span = self._tracer.start_span(
            name, above, api.SpanKind.SERVER, attributes=dict(said), start_time=moment(clock - took)
        )
        if int(said["http.response.status_code"]) >= 500:
            span.set_status(api.StatusCode.ERROR)
        inner = api.set_span_in_context(span)
        for lap in laps:
            child = self._tracer.start_span(lap.stage, inner, start_time=moment(lap.began))
            child.end(moment(lap.ended))
        span.end(until)

    def close(self) -> None:
        """Send what waits, and stop."""
        self._provider.shutdown()


def _parent(trace: Trace) -> api.SpanContext:
    flags = api.TraceFlags(int(trace.flags, 16))
    return api.SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), is_remote=True, trace_flags=flags)
