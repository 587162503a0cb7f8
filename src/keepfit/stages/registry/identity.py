"""Which registry this is: an id drawn once, in a file beside its artifacts; a container's name is another one at each run."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

IDENTITY = "registry.id"


def identity_of(folder: Path) -> str:
    """Return the id of the registry in a state folder, 16 hexadecimal digits; the first call draws it.

    Of several processes that come first at once, one draws it for all of them.
    """
    path = folder / IDENTITY
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        drawn = secrets.token_hex(8)
        written = folder / f".{IDENTITY}.{drawn}"
        written.write_text(drawn, encoding="ascii")
        try:
            os.link(written, path)  # whole, or not at all if another one was there first
        except FileExistsError:
            pass
        finally:
            written.unlink()
    return path.read_text(encoding="ascii").strip()
