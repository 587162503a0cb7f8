"""A server in a process of its own, which can be killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from .world import NOW, wait_until

SERVER = """
import sys
from pathlib import Path
from keepfit.stages.serving.app import create_app
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.server import run_server
from keepfit.stages.serving.sqlite import SQLiteStore

root, now, outbox = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
store, log = SQLiteStore(root / "online.sqlite"), Outbox(outbox)
app = create_app(root / "churn.json", store, log, now=lambda: now, refresh_s=0.02)
run_server(app, "127.0.0.1", 0, lambda port: print(port, flush=True))
"""


@contextmanager
def process(root: Path, outbox: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve what lies below `root`, logging to `outbox`; yield the process, killed at the end, and its URL once it is ready."""
    command = [sys.executable, "-c", SERVER, str(root), str(NOW), str(outbox)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            url = f"http://127.0.0.1:{int(running.stdout.readline())}"
            with httpx.Client(base_url=url, timeout=60) as http:
                wait_until(lambda: http.get("/readyz").status_code == 200)
            yield running, url
        finally:
            running.kill()
