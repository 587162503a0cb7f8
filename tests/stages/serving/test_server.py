"""The process: its port, and what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from keepfit.errors import ServingError
from keepfit.stages.serving.server import bind, run_server

from .world import port_of

HEAVY = ("mlflow", "duckdb", "deltalake", "pandas", "xgboost", "sqlglot", "sklearn", "onnx", "matplotlib")
LOADED = f"""
import sys
import keepfit.stages.serving.app, keepfit.stages.serving.server
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_a_taken_port_says_so():
    with bind("127.0.0.1", 0) as listener:
        port = port_of(listener)
        with pytest.raises(ServingError, match=f"port {port} of 127.0.0.1 is taken") as caught:
            run_server(lambda *_: None, "127.0.0.1", port)
    assert caught.value.fix == "keepfit serve --port 0, or stop the other server"


def test_a_foreign_address_says_so():
    with pytest.raises(ServingError, match="is no address of this machine"):
        bind("no.such.host.invalid", 0)


def test_the_server_loads_no_heavy_library():
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_publishing_loads_no_web_framework():
    code = "import sys, keepfit.stages.serving.publish; print([n for n in ('fastapi', 'numba') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
