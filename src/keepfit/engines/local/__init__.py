"""DuckDB in this process: reads raw files, sorts events, hands Arrow to the lake and NumPy to the kernel."""

from keepfit.engines.local.engine import LocalEngine

__all__ = ["LocalEngine", "open_engine"]


def open_engine(threads: int | None, memory: str | None) -> LocalEngine:
    """Return the engine for settings `engine: {kind: local}`; the entry point of the plug-in."""
    return LocalEngine(threads, memory)
