"""The compiled code that is kept on disk is that of the sources beside it."""

from __future__ import annotations

import re
from pathlib import Path

from keepfit import kernel
from keepfit.kernel import exact

ROOM = Path(kernel.__file__).parent


def test_every_compiled_file_and_what_it_reads_is_in_the_digest():
    texts = {path.stem: path.read_text() for path in ROOM.glob("*.py")}
    compiled = {name for name, text in texts.items() if re.search(r"^@(compiled|called|entry)$", text, re.M)}
    read = {used for name in compiled for used in re.findall(r"from keepfit\.kernel\.(\w+) import", texts[name])}
    assert compiled | read <= set(exact._COMPILED)
