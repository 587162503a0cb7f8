"""W3C Trace Context: the trace that a request belongs to (https://www.w3.org/TR/trace-context-2/)."""

from __future__ import annotations

import random
import re
from typing import NamedTuple

PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
NO_TRACE, NO_SPAN = "0" * 32, "0" * 16


class Trace(NamedTuple):
    """A trace and this server's span in it, as lower-case hexadecimal digits.

    Attributes
    ----------
    trace_id, parent_id, span_id : str
        32, 16 and 16 digits: the trace, the caller's span, and the one of this request.
    flags : str
        2 digits; the last bit says that the caller records it.
    """

    trace_id: str
    parent_id: str
    span_id: str
    flags: str

    def response(self) -> bytes:
        """Return the value of the `traceresponse` header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}".encode("ascii")


def continued(traceparent: bytes) -> Trace | None:
    """Return the trace that a `traceparent` header names, with a span for this request; None if it is malformed."""
    match = PARENT.fullmatch(traceparent.decode("latin-1"))
    if match is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    if version == "ff" or trace_id == NO_TRACE or parent_id == NO_SPAN or (version == "00" and more):
        return None
    return Trace(trace_id, parent_id, random.randbytes(8).hex(), flags)


def fresh() -> Trace:
    """Return a trace that begins with this request."""
    return Trace(f"{random.getrandbits(128) or 1:032x}", "", f"{random.getrandbits(64) or 1:016x}", "01")
