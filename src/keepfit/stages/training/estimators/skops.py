"""Models as skops writes them, with nothing in the bytes that changes from run to run; its one home. Needs the extra `skops`."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

FIRST = (1980, 1, 1, 0, 0, 0)  # the earliest moment of a zip
SCHEMA = "schema.json"


def written(model: Any) -> tuple[str, bytes] | None:
    """Return the file name and content of a model, None without skops.

    It numbers objects by where they lie in memory and dates the archive: both are written anew, in the order of the schema.
    """
    try:
        import skops.io
    except ImportError:
        return None
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    schema = contents.pop(SCHEMA).decode()
    numbers = dict.fromkeys(re.findall(r'"__id__": (\d+)', schema))
    places = {number: str(place) for place, number in enumerate(numbers)}
    schema = re.sub(r'("__id__": |"file": ")(\d+)', lambda found: found[1] + places.get(found[2], found[2]), schema)
    renamed = {re.sub(r"^\d+", lambda found: places.get(found[0], found[0]), name): name for name in contents}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(SCHEMA, FIRST), schema, zipfile.ZIP_DEFLATED)
        for name in sorted(renamed):
            archive.writestr(zipfile.ZipInfo(name, FIRST), contents[renamed[name]], zipfile.ZIP_DEFLATED)
    return "model.skops", out.getvalue()
