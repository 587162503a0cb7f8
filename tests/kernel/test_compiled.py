"""The compiled code that is kept on disk is that of the sources beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from keepfit import kernel
from keepfit.kernel import compiling

ROOM = Path(kernel.__file__).parent


def test_every_compiled_file_and_what_it_reads_is_in_the_digest():
    texts = {path.stem: path.read_text() for path in ROOM.glob("*.py")}
    compiled = {name for name, text in texts.items() if re.search(r"^@(compiled|called|entry)$", text, re.M)}
    read = {used for name in compiled for used in re.findall(r"from keepfit\.kernel\.(\w+) import", texts[name])}
    assert compiled | read <= set(compiling._COMPILED)


def test_kept_code_is_read_without_what_compiling_takes(tmp_path):
    script = tmp_path / "adds.py"
    script.write_text(
        "import sys\n"
        "from numba.core.runtime.nrt import rtsys\n"
        "from keepfit.kernel.compiling import entry\n"
        "@entry\n"
        "def adds(one, other):\n"
        "    return one + other\n"
        "print(adds(1, 2), 'numba.np.arraymath' in sys.modules, rtsys._init)\n"
    )
    told = [subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout for _ in "12"]
    assert told == ["3 True True\n", "3 False False\n"]
