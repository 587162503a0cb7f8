"""What a channel must do: take a message, or say why it did not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from keepfit.errors import KeepfitError, SettingsError
from keepfit.evidence import Message

Environment = Mapping[str, str]
Own = TypeVar("Own", bound="Options")


class Undelivered(KeepfitError):
    """A channel did not take a message, which is tried again later.

    Parameters
    ----------
    what : str
        Why; without addresses and other secrets.
    of_message : bool
        Whether it is this message that the channel refuses, so that it may take others.
    pause : int
        Microseconds in which the channel does not want to be asked.
    """

    def __init__(self, what: str, *, of_message: bool = False, pause: int = 0) -> None:
        super().__init__(what)
        self.of_message, self.pause = of_message, pause


class Channel(Protocol):
    """An opened channel."""

    def send(self, message: Message, now: int) -> str:
        """Hand a message over and return a remark, or nothing.

        The same message may come twice: its id tells.

        Parameters
        ----------
        now : int
            When it is sent, microseconds UTC.

        Raises
        ------
        Undelivered
            If it was not taken, whatever the reason.
        """


Opener = Callable[[Mapping[str, Any], Environment], Channel]


class Options(BaseModel):
    """What a kind of channel is told by the settings; unknown words are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def options_of(kind: type[Own], said: Mapping[str, Any], name: str) -> Own:
    """Return the options of a channel.

    Raises
    ------
    SettingsError
        If one is unknown, missing or does not fit. Their values are not repeated: one may be a secret in the wrong place.
    """
    try:
        return kind(**said)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        word = ".".join(map(str, first["loc"]))
        known = ", ".join(kind.model_fields)
        raise SettingsError(
            f"the {name} channel's {word!r} does not fit: {first['msg']}",
            where="alerts.channels",
            fix=f"it knows: {known}; secrets are named by their environment variables",
        ) from None


def secret(environment: Environment, variable: str) -> str:
    """Return what an environment variable holds.

    Raises
    ------
    Undelivered
        If it is not set: the message waits until it is.
    """
    found = environment.get(variable, "").strip()
    if not found:
        raise Undelivered(f"the environment has no {variable}")
    return found
