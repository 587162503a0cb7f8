"""The folder, written once for all tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .world import deployed, secrets, shop


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder as a reader of its README has it before `docker compose up`."""
    root = tmp_path_factory.mktemp("deployed")
    deployed(shop(root), root / "out", extras=["lightgbm"])
    secrets(root / "out")
    return root / "out"
