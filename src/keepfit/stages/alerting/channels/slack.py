"""Slack's incoming webhooks: one message with a line for each alert.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from keepfit.evidence import Message
from keepfit.stages.alerting.channels.posting import post
from keepfit.stages.alerting.channels.protocol import Environment, Options, options_of, secret
from keepfit.stages.alerting.words import lines, see, title

LONGEST_TITLE, LONGEST_TEXT = 150, 3000
"""Characters that Slack takes of a header, and of a section."""
SIGNS = {"critical": ":red_circle:", "warning": ":large_orange_circle:", "info": ":large_blue_circle:"}
OVER = ":large_green_circle:"


class SlackOptions(Options):
    """`url_from` names the environment variable that holds the webhook's address."""

    url_from: str


class Slack:
    """A webhook of Slack."""

    def __init__(self, options: SlackOptions, environment: Environment) -> None:
        self._options, self._environment = options, environment

    def send(self, message: Message, now: int) -> str:
        """Post a message."""
        post(secret(self._environment, self._options.url_from), json.dumps(payload(message)).encode())
        return ""


def payload(message: Message) -> dict[str, Any]:
    """Return what Slack is sent: blocks, and a text for notifications."""
    head = title(message)
    sign = OVER if message.resolved else SIGNS[message.severity]
    body = "\n".join(f"\u2022 {_escaped(line)}" for line in lines(message))
    link = f"<{message.link}|{_escaped(message.link)}>" if message.link else f"`{see(message)}`"
    blocks = [
        {"type": "section", "text": _text(f"{sign} *{_escaped(head)}*", LONGEST_TITLE * 2)},
        {"type": "section", "text": _text(body, LONGEST_TEXT)},
        {"type": "context", "elements": [_text(link, LONGEST_TEXT)]},
    ]
    return {"text": _escaped(head), "blocks": blocks}


def _text(words: str, longest: int) -> dict[str, str]:
    return {"type": "mrkdwn", "text": words if len(words) <= longest else f"{words[: longest - 1]}\u2026"}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def open_channel(said: Mapping[str, Any], environment: Environment) -> Slack:
    """Return the channel."""
    return Slack(options_of(SlackOptions, said, "slack"), environment)
