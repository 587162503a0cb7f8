"""What runs a model tells nobody of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from keepfit.artifact.predictor import Predictor
from tests.stages.serving.world import onnx
Predictor(onnx(0.0), None, None, [], 0)
"""


def test_loading_a_model_leaves_nothing_in_the_home_folder(tmp_path) -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("ORT_", "XDG_", "KEEPFIT"))}
    (tmp_path / "home").mkdir()
    subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=Path(__file__).parents[2], env={**environment, "HOME": str(tmp_path / "home")}, check=True,
    )  # fmt: skip
    assert list((tmp_path / "home").rglob("*")) == []
