"""Other places that versions are copied to and from: one file of code for each kind, each behind `Remote`.

`open_remote` finds a kind by the scheme of its address through the entry point group `keepfit.remotes`; the built-in ones are
named there too. A stranger's `sftp://host/models` is one file with `open_remote` and one line:

    [project.entry-points."keepfit.remotes"]
    sftp = "their_package.sftp:open_remote"
"""

from __future__ import annotations

import re
from importlib.metadata import entry_points

from keepfit.errors import RegistryError, did_you_mean
from keepfit.stages.registry.remotes.parcel import Parcel, Told, merged
from keepfit.stages.registry.remotes.protocol import Remote, Site

__all__ = ["Parcel", "Remote", "Site", "Told", "connect", "merged"]

GROUP, FOLDER = "keepfit.remotes", "file"


def connect(address: str, site: Site) -> Remote:
    """Return what lies at an address: a folder, or whatever its scheme names.

    Raises
    ------
    RegistryError
        If nothing is installed for its scheme.
    MissingExtra
        If the library it needs is not installed.
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", address)
    kind = found[1].lower().partition("+")[0] if found else FOLDER
    known = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in known:
        raise RegistryError(
            f"no remote is installed for {kind}://", where=address, fix=did_you_mean(kind, known, of=GROUP)
        )
    opened: Remote = known[kind].load()(address, site)
    return opened
