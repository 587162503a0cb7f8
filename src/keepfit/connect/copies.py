"""Where the copy of an item lies: a path of its own below a folder, whatever the item's name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from keepfit.connect.protocol import Item

# a file system's names are at most 255 bytes; the suffixes at the end tell the format
LONGEST = 100


def copy_of(item: Item, folder: Path) -> Path:
    """Return where a copy of an item lies; two items never share a path, and a name cannot lead out of the folder."""
    digest = hashlib.sha256(f"{item.name}\0{item.identity}".encode()).hexdigest()[:16]
    last = item.name.rpartition("/")[2]
    readable = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in last[-LONGEST:])
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{digest}-{readable.encode('ascii', 'replace').decode().replace('?', '_')}"
