"""W3C trace context."""

from __future__ import annotations

import re

import pytest

from keepfit.stages.serving.traces import continued, fresh

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_trace_goes_on_with_a_span_of_this_server():
    trace = continued(f"00-{TRACE}-{SPAN}-01".encode())
    assert (trace.trace_id, trace.parent_id, trace.flags) == (TRACE, SPAN, "01")
    assert trace.span_id != SPAN
    assert trace.response() == f"00-{TRACE}-{trace.span_id}-01".encode()


def test_a_later_version_may_say_more():
    assert continued(f"01-{TRACE}-{SPAN}-00-what-comes".encode()).trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "", "00", f"00-{TRACE}-{SPAN}", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-more", f"00-{TRACE}-{SPAN}-0x", f"00-{TRACE}-{SPAN}-01\n",
    ],
)  # fmt: skip
def test_what_is_malformed_is_left_alone(header):
    assert continued(header.encode()) is None


def test_a_new_trace_has_no_parent():
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", fresh().response().decode())
    assert fresh().trace_id != fresh().trace_id
