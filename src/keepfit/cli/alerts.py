"""Commands about who is told: alerts list, alerts send, alerts test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepfit.cli.options import as_of, common, micros, opened
from keepfit.cli.tables import Words

if TYPE_CHECKING:
    from keepfit.project import Project

UNDELIVERED = 1


@click.group(invoke_without_command=True)
@common
@as_of
@click.pass_context
def alerts(context: click.Context, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Tell people what turns saw: list, send, test. Without a command: help.

    \b
    Example:
      keepfit alerts list
      keepfit alerts test
    """
    if not Words.hand_down(context):
        from keepfit.cli import console

        console.say(context.get_help())


@alerts.command("list")
@common
@as_of
def listing(folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """List the alerts that last, the messages that wait to be sent, and those that were sent last.

    \b
    Example:
      keepfit alerts list
    """
    from keepfit import alerting
    from keepfit.cli import console

    found = alerting.listed(opened(folder, profile), micros(moment))
    console.show(found, as_json=as_json, render=_listed)


@alerts.command()
@common
@as_of
def send(folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Send every message that waits, now; exit code 1 if a channel does not take it.

    \b
    Example:
      keepfit alerts send
    """
    from keepfit import alerting
    from keepfit.cli import console

    _told(alerting.send(opened(folder, profile), micros(moment), at_once=True), console, as_json=as_json)


@alerts.command()
@click.argument("channel", required=False)
@common
@as_of
def test(channel: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Send one message to every channel, or to CHANNEL; exit code 1 if one does not take it.

    \b
    Example:
      keepfit alerts test
      keepfit alerts test slack
    """
    from keepfit import alerting
    from keepfit.cli import console

    _told(alerting.test(opened(folder, profile), micros(moment), channel), console, as_json=as_json)


def deliver(project: Project) -> None:
    """Send what is due after a turn; a channel that is down is a line for the reader, and stops nothing."""
    from keepfit import alerting
    from keepfit.cli import console

    try:
        sent = alerting.send(project, micros(None))
    except Exception as error:  # the turn is done, or its own error is raised
        console.note(f"alerts: nothing could be sent: {error}")
        return
    for one in sent:
        if one.problem:
            rest = f"; {one.waiting} wait for the next run or `keepfit alerts send`" if one.waiting else ""
            console.note(f"alerts: {one.channel}: {one.problem}{rest}")


def _told(found: Sequence[Any], console: Any, *, as_json: bool) -> None:
    rows = [[one.channel, one.sent, one.waiting, one.problem] for one in found]
    console.show(
        {"channels": found},
        as_json=as_json,
        render=lambda _: console.table(["channel", "sent", "waiting", "problem"], rows),
    )
    if any(one.waiting or (one.problem and not one.sent) for one in found):
        raise click.exceptions.Exit(UNDELIVERED)


def _listed(found: dict[str, Any]) -> None:
    from keepfit import clock
    from keepfit.cli import console
    from keepfit.stages.alerting.words import title

    if found["alerts"]:
        heads = ["model", "kind", "severity", "since", "told", "what"]
        rows = [
            [one["model"], one["kind"], one["severity"], clock.show(one["since_at"]), clock.show(one["told_at"]), one["sentence"]]
            for one in found["alerts"]
        ]  # fmt: skip
        console.table(heads, rows)
    else:
        console.say("no alert lasts")
    for one in found["waiting"]:
        tried = f", tried {one.attempts} times: {one.problem}" if one.problem else ""
        console.say(f"waits for {one.channel}: {title(one.message)}{tried}")
    for one in found["sent"]:
        console.say(
            f"sent to {one.channel} on {clock.show(one.sent_at // clock.SECOND * clock.SECOND)}: {title(one.message)}"
        )
    if not found["channels"]:
        console.say("nobody is told: keepfit.yaml has no alerts.channels (docs/alerts.md)")
