"""The section `serving` of the settings: where the server listens, what it bears, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keepfit.errors import SettingsError

PREFIX = "KEEPFIT__SERVING__"


class Challenge(BaseModel):
    """What the challenger does on a server.

    Attributes
    ----------
    mode : str
        'shadow' answers after the champion, for the log alone; 'canary' answers requests in its place.
    share : float
        Of the entities, in (0, 1]: which they are depends on the version, and stays.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["shadow", "canary"]
    share: float = Field(default=0.1, gt=0, le=1)


class Serving(BaseModel):
    """Settings of one server.

    Attributes
    ----------
    refresh_s : float
        How often it looks for a new champion.
    tokens : str or None
        File of hashed tokens, relative to the project; those of the environment variable KEEPFIT_TOKENS count too.
    queue : int
        Requests that may be waiting or in work; one more is a 503.
    connections : int
        Connections that are served; a request over one more is a 503.
    rate, burst : float or None, int
        Requests per second and token, or per client address where no token is asked for, and how many at once; 429.
    max_body, max_rows : int
        Bytes of a request's body; 413. Entities, rows or events that one request may hold; 422.
    bodies : int
        Bytes of all requests' bodies together that are here, on their way or in work; a body above 64 KiB that adds to more: 503.
    timeout_s : float
        How long a client may take to send a request; 408.
    store : str or None
        Where the online store is, if not in the file of the project: redis://host:port/database, rediss://, unix://.
    durable : bool
        Whether an answer is on the disk before it is sent, so that a power cut does not lose it either.
    challenger : Challenge or None
        What the registry's challenger does; None leaves it idle.
    drain_s : float
        How long after SIGTERM the server still takes requests, `/readyz` saying 503, before it closes its port.
    log, log_share : str, float
        How requests are logged to stderr, and the share of answers below 400 that is; all others are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    refresh_s: float = Field(default=1.0, gt=0)
    tokens: str | None = None
    queue: int = Field(default=64, ge=1)
    connections: int = Field(default=1000, ge=1)
    rate: float | None = Field(default=None, gt=0)
    burst: int = Field(default=20, ge=1)
    max_body: int = Field(default=1_000_000, ge=1)
    max_rows: int = Field(default=1000, ge=1)
    bodies: int = Field(default=64_000_000, ge=1)
    timeout_s: float = Field(default=10.0, gt=0)
    store: str | None = Field(default=None, pattern="^(redis|rediss|unix)://.")
    durable: bool = False
    challenger: Challenge | None = None
    drain_s: float = Field(default=1.0, ge=0)
    log: Literal["json", "text", "off"] = "text"
    log_share: float = Field(default=0.0, ge=0, le=1)


def from_environment(environment: Mapping[str, str]) -> Serving:
    """Return the settings of a server without a project: KEEPFIT__SERVING__KEY variables over the defaults.

    Raises
    ------
    SettingsError
        If a variable is unknown or does not fit.
    """
    found = {name[len(PREFIX) :].lower(): text for name, text in environment.items() if name.startswith(PREFIX)}
    try:
        return Serving.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(f"{where} does not fit: {first['msg']}", where=where, fix="see docs/serving.md") from None
