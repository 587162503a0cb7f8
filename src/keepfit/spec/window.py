"""Windows of events around an observation's t, half-open, as written in a definition and in microseconds."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit import clock


@dataclass(frozen=True)
class Window:
    """A half-open window relative to t: exactly one of `last` [t-w, t), `next` [t, t+w), `lag`, `at`; or all the past.

    With `lag="24h", tolerance="1h"` it is [t-25h, t-24h); with `at="24h", tolerance="1h"` it is [t+23h, t+24h).
    """

    last: str | None = None
    next: str | None = None
    lag: str | None = None
    at: str | None = None
    tolerance: str | None = None

    @property
    def future(self) -> bool:
        """Whether the window lies after t."""
        return self.next is not None or self.at is not None

    def texts(self) -> list[str]:
        """Return the durations as written, for checking."""
        return [text for text in (self.last, self.next, self.lag, self.at, self.tolerance) if text is not None]

    def offsets(self) -> tuple[int | None, int]:
        """Return (start, end) in microseconds relative to t; start None means since the beginning."""
        tolerance = clock.duration(self.tolerance) if self.tolerance else 0
        if self.last is not None:
            return -clock.duration(self.last), 0
        if self.next is not None:
            return 0, clock.duration(self.next)
        if self.lag is not None:
            return -clock.duration(self.lag) - tolerance, -clock.duration(self.lag)
        if self.at is not None:
            return clock.duration(self.at) - tolerance, clock.duration(self.at)
        return None, 0

    @property
    def label(self) -> str:
        """The window's part of a feature name."""
        words = []
        for prefix, text in (
            ("", self.last),
            ("next", self.next),
            ("lag", self.lag),
            ("at", self.at),
            ("within", self.tolerance),
        ):
            if text is not None:
                words += [prefix, text.replace(" ", "")] if prefix else [text.replace(" ", "")]
        return "_".join(words)
