"""The command line: each command parses, calls, shows. Only `console.py` prints; only here is the clock read."""

from keepfit.cli.main import main

__all__ = ["main"]
