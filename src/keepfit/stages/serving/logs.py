"""Log lines to one stream, as JSON or as text: a line a request, and what the server has to say.

Lines are written together, a tenth of a second after the first: a process that is killed may lose those. Of requests
that were refused or failed at most 100 a second are written, and how many were left out.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from keepfit import clock
from keepfit.stages.serving.wire import encode

WAIT_S = 0.1
MOST_A_SECOND = 100
PLAIN = re.compile(r"[\w.:/@+-]+")
LEVELS = ("info", "info", "info", "info", "warning", "error")  # by the first digit of a status


class Log:
    """Where a server's lines go.

    Parameters
    ----------
    kind : str
        `json`, `text`, or `off`, by which requests are not logged.
    stream : text stream
        Usually stderr.
    now : callable
        Microseconds UTC.
    share : float
        Of the answers below 400, how many are logged: 1 is all.
    """

    def __init__(self, kind: str, stream: TextIO, now: Callable[[], int], share: float = 1.0) -> None:
        self._kind, self._stream, self._now, self._share = kind, stream, now, share
        self._lines: deque[bytes] = deque()
        self._due = False
        self._owed = 0.0
        self._second = self._written = 0
        self._second_at, self._second_text = -1 - clock.SECOND, ""

    def wants(self, status: int) -> bool:
        """Whether an answer of this status is to be logged."""
        if self._kind == "off":
            return False
        if status < 400:
            self._owed += self._share
            if self._owed < 1:
                return False
            self._owed -= 1
            return True
        return self._within(self._now() // clock.SECOND)

    def request(self, status: int, told: Mapping[str, Any]) -> None:
        """Log an answer."""
        self._write(LEVELS[status // 100], "request", told)

    def say(self, level: str, what: str, **said: Any) -> None:
        """Log something else; what is None is not said."""
        self._write(level, what, {name: value for name, value in said.items() if value is not None})

    def flush(self) -> None:
        """Write what waits."""
        self._due = False
        lines = []
        while self._lines:  # other threads may add some meanwhile
            lines.append(self._lines.popleft())
        if lines:
            self._stream.write(b"\n".join([*lines, b""]).decode())
            self._stream.flush()

    def _within(self, second: int) -> bool:
        if second != self._second:
            left_out, self._second, self._written = self._written - MOST_A_SECOND, second, 0
            if left_out > 0:
                self.say("warning", f"{left_out} answers above 399 were not logged")
        self._written += 1
        return self._written <= MOST_A_SECOND

    def _write(self, level: str, what: str, told: Mapping[str, Any]) -> None:
        if self._kind == "json":
            line = encode({"time": self._moment(), "level": level, "message": what, **told})
        else:
            shown = (f"{name}={_shown(value)}" for name, value in told.items())
            line = " ".join([self._moment(), level, what, *shown]).encode()
        self._lines.append(line)
        if not self._due:
            self._due = True
            try:
                asyncio.get_running_loop().call_later(WAIT_S, self.flush)
            except RuntimeError:  # a thread beside the loop, or none runs
                self.flush()

    def _moment(self) -> str:
        now = self._now()
        rest = now - self._second_at
        if not 0 <= rest < clock.SECOND:
            self._second_at, rest = now - now % clock.SECOND, now % clock.SECOND
            self._second_text = clock.from_micros(self._second_at).strftime("%Y-%m-%dT%H:%M:%S.")
        return self._second_text + f"{rest:06d}Z"


def _shown(value: object) -> str:
    """Return a value on one line; what a client sent cannot begin a line of its own."""
    text = str(value)
    return text if PLAIN.fullmatch(text) else encode(text).decode()


class Handler(logging.Handler):
    """Brings what modules log to the stream of a `Log`."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, with its exception."""
        failed = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else None
        self._log.say(record.levelname.lower(), record.getMessage(), logger=record.name, exception=failed)
