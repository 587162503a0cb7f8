"""Ways to be told: one file of code for each kind, each behind `Channel`.

`open_channels` finds a kind through the entry point group `keepfit.channels`; the built-in ones are named there too. A stranger's
`kind: pager` is one file with `open_channel(options, environment) -> Channel` and one line:

    [project.entry-points."keepfit.channels"]
    pager = "their_package.pager:open_channel"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points

from keepfit.errors import SettingsError, did_you_mean
from keepfit.spec.alerts import Channel as Declared
from keepfit.stages.alerting.channels.protocol import Channel, Opener, Undelivered

__all__ = ["Channel", "Undelivered", "open_channels"]

GROUP = "keepfit.channels"


def open_channels(declared: Iterable[Declared], environment: Mapping[str, str]) -> dict[str, Channel]:
    """Return the channels of the settings by name; nothing is connected to before the first message.

    Raises
    ------
    SettingsError
        If a kind is not installed, or does not know an option or its value.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    found: dict[str, Channel] = {}
    for one in declared:
        if one.kind not in known:
            raise SettingsError(
                f"no channel is installed for {one.kind!r}",
                where="alerts.channels",
                fix=did_you_mean(one.kind, known, of=GROUP),
            )
        opener: Opener = known[one.kind].load()
        found[one.called] = opener(one.options, environment)
    return found
