"""Who is told: symptoms of a turn become alerts, alerts become messages, and messages wait on disk until each channel took them.

`follow` is pure: a turn and what was held before give what is held now and what is to be said. `Outbox` commits both at once, and
`send` hands them over.
"""

from keepfit.stages.alerting.channels import Channel, Undelivered, open_channels
from keepfit.stages.alerting.follow import Held, follow
from keepfit.stages.alerting.outbox import Outbox, Waiting
from keepfit.stages.alerting.rules import Rules, rules_of
from keepfit.stages.alerting.sending import Delivered, send, trial

__all__ = [
    "Channel",
    "Delivered",
    "Held",
    "Outbox",
    "Rules",
    "Undelivered",
    "Waiting",
    "follow",
    "open_channels",
    "rules_of",
    "send",
    "trial",
]
