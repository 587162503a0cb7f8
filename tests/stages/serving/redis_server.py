"""A real Redis on loopback, with nothing on disk but what it is asked to keep."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import redis

from keepfit.errors import ServingError
from keepfit.stages.serving.server import bind

from .world import port_of, wait_until


def free_port() -> int:
    """Return a port that nobody listens at, and that no server which asks for a free one is given meanwhile."""
    while True:
        with suppress(ServingError), bind("127.0.0.1", random.randrange(20_000, 30_000)) as listener:
            return port_of(listener)


@contextmanager
def running(port: int, folder: Path) -> Iterator[str]:
    """Run Redis at a port and yield its URL; what it holds is kept in the folder, write by write."""
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed: apt-get install redis-server"
    command = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(folder),
        "--save",
        "",
        "--appendonly",
        "yes",
    ]
    process = subprocess.Popen([*command, "--appendfsync", "no"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), 30)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    time.sleep(0.05)
    with closing(redis.Redis(port=port)) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
