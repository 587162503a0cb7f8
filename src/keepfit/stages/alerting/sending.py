"""Messages leave the outbox: each channel is given its own, in order, and what it does not take waits longer each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keepfit.evidence import INFO, Message, Notice
from keepfit.evidence.alerts import NEW, TEST, fingerprint
from keepfit.stages.alerting.channels import Channel, Undelivered
from keepfit.stages.alerting.follow import message
from keepfit.stages.alerting.outbox import Outbox


@dataclass(frozen=True)
class Delivered:
    """What became of one channel's messages.

    Attributes
    ----------
    sent, waiting : int
        Messages that it took now, and those that it is still to take.
    problem : str
        Why it did not take the last one that it did not.
    """

    channel: str
    sent: int
    waiting: int
    problem: str = ""


def send(outbox: Outbox, channels: Mapping[str, Channel], now: int) -> list[Delivered]:
    """Send what is due and return what became of it, by channel; a channel that fails is a value.

    A channel that cannot be reached is asked once, so that none holds up the others for long.

    Parameters
    ----------
    now : int
        When it is sent, microseconds UTC.
    """
    return [_sent(outbox, name, channel, now) for name, channel in channels.items()]


def _sent(outbox: Outbox, name: str, channel: Channel, now: int) -> Delivered:
    taken, problem = 0, ""
    while (one := outbox.claim(name, now)) is not None:
        try:
            remark = channel.send(one.message, now)
        except Exception as raised:  # whatever a channel raises: the turn is done, and the message is not lost
            # what strangers say may hold an address
            error = raised if isinstance(raised, Undelivered) else Undelivered(f"it failed: {type(raised).__name__}")
            problem = error.what
            outbox.put_off(one, now, problem, pause=error.pause, all_of_it=not error.of_message)
            if not error.of_message:
                break
        else:
            outbox.sent(one, now, remark)
            taken, problem = taken + 1, problem or remark
    left = sum(one.channel == name for one in outbox.waiting())
    return Delivered(name, taken, left, problem)


def trial(project: str, now: int, link: str = "") -> Message:
    """Return a message that only shows that it comes."""
    mark = fingerprint(project, TEST, str(now))
    said = Notice(mark, NEW, "test", INFO, f"keepfit can tell you of {project} in this way; nothing is wrong", now)
    return message(project, TEST, now, None, [said], link)
