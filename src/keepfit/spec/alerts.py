"""The section `alerts` of the settings: who is told of what, and how often."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from keepfit import clock

Severity = Literal["info", "warning", "critical"]


class Channel(BaseModel):
    """One way to be told; what it needs beside these is its own.

    Attributes
    ----------
    kind : str
        slack, webhook, email, alertmanager, or one of the entry point group `keepfit.channels`.
    name : str or None
        What it is called; its kind without one. Two of a kind need names.
    severity : str or None
        The least that this one is told; that of the section without.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    name: str | None = None
    severity: Severity | None = None

    @property
    def called(self) -> str:
        """The name, or the kind."""
        return self.name or self.kind

    @property
    def options(self) -> dict[str, Any]:
        """What is the kind's own."""
        return dict(self.model_extra or {})


class Alerts(BaseModel):
    """Who is told of what a turn saw.

    Attributes
    ----------
    severity : str
        The least that is told.
    cooldown : str
        How long an alert is not told again while it lasts, and how long one that comes back, unless it is critical.
    link : str
        Where to read on; {model}, {version} and {as_of} are filled in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: tuple[Channel, ...] = ()
    severity: Severity = "warning"
    cooldown: str = Field(default="24h")
    link: str = ""

    @field_validator("cooldown")
    @classmethod
    def _is_a_duration(cls, text: str) -> str:
        clock.duration(text)
        return text

    @field_validator("channels")
    @classmethod
    def _have_names_of_their_own(cls, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        names = [one.called for one in channels]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two channels are called {twice[0]!r}; give each a name")
        return channels
