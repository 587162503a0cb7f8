"""Prometheus Alertmanager, API v2: it groups, silences and routes what it is told.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. An alert is one set of labels, severity among them, so
one that gets worse is the end of one and the beginning of another. Without an end of its own Alertmanager would end an alert after
five minutes: each gets one far away, and the true one when it has passed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from keepfit import clock
from keepfit.evidence import Message, Notice
from keepfit.evidence.alerts import DECISION, RESOLVED, TEST
from keepfit.stages.alerting.channels.posting import post
from keepfit.stages.alerting.channels.protocol import Environment, Options, options_of, secret
from keepfit.stages.alerting.words import see, title

PATH = "/api/v2/alerts"
LASTS, PASSES = 400 * clock.DAY, clock.HOUR
"""How long an alert stands that nobody ends, and one that passes by itself."""


class AlertmanagerOptions(Options):
    """`url`, such as http://127.0.0.1:9093, or `url_from`, the environment variable that holds it; `labels` go with every alert.

    `token_from` names the variable with a bearer token.
    """

    url: str | None = None
    url_from: str | None = None
    token_from: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_an_address(self) -> AlertmanagerOptions:
        if (self.url is None) == (self.url_from is None):
            raise ValueError("give either url or url_from")
        return self


class Alertmanager:
    """An Alertmanager."""

    def __init__(self, options: AlertmanagerOptions, environment: Environment) -> None:
        self._options, self._environment = options, environment

    def send(self, message: Message, now: int) -> str:
        """Post a message's alerts."""
        url = self._options.url or secret(self._environment, self._options.url_from or "")
        token = self._options.token_from
        headers = {"Authorization": f"Bearer {secret(self._environment, token)}"} if token else {}
        alerts = [one for notice in message.notices for one in _alerts(message, notice, now, self._options.labels)]
        post(url.rstrip("/") + PATH, json.dumps(alerts).encode(), headers)
        return ""


def _alerts(message: Message, notice: Notice, now: int, labels: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the alerts that a notice begins, keeps up or ends."""
    over = notice.status == RESOLVED
    begins = min(notice.since_at, now)
    ends = now if over else now + (PASSES if message.kind in (DECISION, TEST) else LASTS)
    yield _alert(message, notice, notice.severity, begins, ends, labels)
    if notice.before not in (None, notice.severity):
        yield _alert(message, notice, str(notice.before), begins, now, labels)


def _alert(
    message: Message, notice: Notice, severity: str, begins: int, ends: int, labels: Mapping[str, str]
) -> dict[str, Any]:
    own = {
        "alertname": f"KeepfitModel{message.kind.capitalize()}",
        "service": message.model,
        "kind": message.kind,
        "about": notice.about,
        "severity": severity,
    }
    told = {"summary": title(message), "description": notice.sentence, "runbook": see(message)}
    link = {"generatorURL": message.link} if message.link else {}
    moments = {"startsAt": _moment(begins), "endsAt": _moment(ends)}
    return {"labels": {**labels, **own}, "annotations": told, **moments, **link}


def _moment(at: int) -> str:
    return clock.from_micros(at).isoformat().replace("+00:00", "Z")


def open_channel(said: Mapping[str, Any], environment: Environment) -> Alertmanager:
    """Return the channel."""
    return Alertmanager(options_of(AlertmanagerOptions, said, "alertmanager"), environment)
