"""What the commands do about alerts: list them, send what waits, try every channel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from keepfit import clock, steps
from keepfit.errors import SettingsError
from keepfit.project import Project
from keepfit.stages.alerting import Delivered, Undelivered, open_channels, trial
from keepfit.stages.alerting import send as send_due

SHOWN = 20
"""Messages sent that are listed."""


def channels_of(project: Project) -> tuple[str, ...]:
    """Return the names of the channels.

    Raises
    ------
    SettingsError
        If one of them is not said as its kind wants it.
    """
    return tuple(open_channels(project.settings.alerts.channels, project.environment))


def send(project: Project, now: int, *, at_once: bool = False) -> list[Delivered]:
    """Send what is due, and return what became of it by channel.

    Parameters
    ----------
    now : int
        When it is sent, microseconds UTC.
    at_once : bool
        Whether what failed before is tried now, too, however short ago that was.
    """
    channels = open_channels(project.settings.alerts.channels, project.environment)
    outbox = steps.open_alerts(project)
    if not channels or not outbox.path.exists():
        return [Delivered(name, 0, 0) for name in channels]
    if at_once:
        outbox.make_due()
    return send_due(outbox, channels, now)


def listed(project: Project, now: int) -> dict[str, Any]:
    """Return the alerts that last, the messages that wait, and those that were sent last."""
    outbox = steps.open_alerts(project)
    channels = channels_of(project)
    if not outbox.path.exists():
        return {"as_of": now, "channels": channels, "alerts": [], "waiting": [], "sent": []}
    declared = {model.name for model in project.definitions.models}
    held = [found for model, found in outbox.alerts().items() if model in declared]
    active = [one for found in held for one in found.alerts if one.active]
    return {
        "as_of": now,
        "channels": channels,
        "alerts": [{**vars(one), "fingerprint": one.fingerprint} for one in active],
        "waiting": outbox.waiting(),
        "sent": outbox.taken()[-SHOWN:],
    }


def test(project: Project, now: int, only: str | None = None) -> list[Delivered]:
    """Send one message to every channel, past the outbox, and return what became of it.

    Raises
    ------
    SettingsError
        If there is no channel, or none of that name.
    """
    channels = open_channels(project.settings.alerts.channels, project.environment)
    if not channels or (only is not None and only not in channels):
        what = "there is no channel" if not channels else f"there is no channel {only!r}"
        known = ", ".join(channels)
        fix = f"there are: {known}" if known else "alerts: {channels: [{kind: slack, url_from: SLACK_WEBHOOK}]}"
        raise SettingsError(what, where="keepfit.yaml, alerts.channels", fix=fix)
    models = project.definitions.models
    link = project.settings.alerts.link.replace("{model}", models[0].name if models else "").replace("{version}", "1")
    said = trial(project.folder.name, now, link.replace("{as_of}", clock.show(now)))
    found = []
    for name, channel in channels.items():
        if only in (None, name):
            done = Delivered(name, 1, 0)
            try:
                done = replace(done, problem=channel.send(said, now))
            except Undelivered as error:
                done = Delivered(name, 0, 0, error.what)
            found.append(done)
    return found
