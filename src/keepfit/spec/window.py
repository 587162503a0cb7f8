"""Windows of events around an observation's t, half-open, as written in a definition and in microseconds."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit import clock


@dataclass(frozen=True)
class Window:
    """A half-open window relative to t: exactly one of `last` [t-w, t), `next` [t, t+w), `lag`, `at`; or all the past.

    With `lag="24h", tolerance="1h"` it is [t-25h, t-24h); with `at="24h", tolerance="1h"` it is [t+23h, t+24h).
    With `ago="7d"`, a past window lies seven days earlier: `last="7d", ago="7d"` is [t-14d, t-7d).
    """

    last: str | None = None
    next: str | None = None
    lag: str | None = None
    at: str | None = None
    tolerance: str | None = None
    ago: str | None = None

    @property
    def future(self) -> bool:
        """Whether the window lies after t."""
        return self.next is not None or self.at is not None

    def texts(self) -> list[str]:
        """Return the durations as written, for checking."""
        every = (self.last, self.next, self.lag, self.at, self.tolerance, self.ago)
        return [text for text in every if text is not None]

    def offsets(self) -> tuple[int | None, int]:
        """Return (start, end) in microseconds relative to t; start None means since the beginning."""
        tolerance = clock.duration(self.tolerance) if self.tolerance else 0
        ago = clock.duration(self.ago) if self.ago else 0
        if self.last is not None:
            return -clock.duration(self.last) - ago, -ago
        if self.next is not None:
            return 0, clock.duration(self.next)
        if self.lag is not None:
            return -clock.duration(self.lag) - tolerance - ago, -clock.duration(self.lag) - ago
        if self.at is not None:
            return clock.duration(self.at) - tolerance, clock.duration(self.at)
        return None, -ago

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
            ("ago", self.ago),
        ):
            if text is not None:
                words += [prefix, text.replace(" ", "")] if prefix else [text.replace(" ", "")]
        return "_".join(words)

    @property
    def meaning(self) -> str:
        """The window in words: 'in the last 30d'."""
        ago = f", {self.ago} earlier" if self.ago else ""
        if self.last is not None:
            return f"in the last {self.last}{ago}"
        if self.next is not None:
            return f"in the next {self.next}"
        if self.lag is not None:
            return f"{self.lag} before t (at most {self.tolerance} older){ago}"
        if self.at is not None:
            return f"{self.at} after t (at most {self.tolerance} before)"
        return f"until {self.ago} before t" if self.ago else "in all the past"
