"""A webhook of one's own: the message as JSON, signed if there is a secret for it.

The signature is the HMAC-SHA256 (RFC 2104) of `<X-Keepfit-Timestamp>.<body>`: whoever checks it and refuses old timestamps is safe
from forged messages and from old ones sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from keepfit import clock
from keepfit.evidence import Message, as_data
from keepfit.stages.alerting.channels.posting import post
from keepfit.stages.alerting.channels.protocol import Environment, Options, options_of, secret
from keepfit.stages.alerting.words import see, title

VERSION = 1
"""Of the format; words are added without a new one."""


class WebhookOptions(Options):
    """`url`, or `url_from`, the environment variable that holds it; `secret_from` names the one with the secret to sign with."""

    url: str | None = None
    url_from: str | None = None
    secret_from: str | None = None

    @model_validator(mode="after")
    def _has_an_address(self) -> WebhookOptions:
        if (self.url is None) == (self.url_from is None):
            raise ValueError("give either url or url_from")
        return self


class Webhook:
    """A server that takes JSON."""

    def __init__(self, options: WebhookOptions, environment: Environment) -> None:
        self._options, self._environment = options, environment

    def send(self, message: Message, now: int) -> str:
        """Post a message."""
        body = json.dumps(payload(message, now)).encode()
        headers = {"Idempotency-Key": message.id, "X-Keepfit-Timestamp": str(now // clock.SECOND)}
        if self._options.secret_from:
            key = secret(self._environment, self._options.secret_from)
            headers["X-Keepfit-Signature"] = signature(key, headers["X-Keepfit-Timestamp"], body)
        url = self._options.url or secret(self._environment, self._options.url_from or "")
        post(url, body, headers)
        return ""


def payload(message: Message, now: int) -> dict[str, Any]:
    """Return what is sent: the message, with its title and where to read on."""
    told: dict[str, Any] = as_data(message)
    status = "resolved" if message.resolved else "firing"
    return {
        "format": VERSION,
        "title": title(message),
        "status": status,
        "sent_at": clock.show(now),
        **told,
        "see": see(message),
    }


def signature(key: str, timestamp: str, body: bytes) -> str:
    """Return the header that proves that whoever sent the body knows the key."""
    return "sha256=" + hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def open_channel(said: Mapping[str, Any], environment: Environment) -> Webhook:
    """Return the channel."""
    return Webhook(options_of(WebhookOptions, said, "webhook"), environment)
