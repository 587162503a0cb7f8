"""What plug-ins must pass: each contract is a test class that a plug-in's own test file inherits.

`class TestSftp(SourceContract): ...` with its hooks filled in is all the test that a source needs to begin with.
"""

from __future__ import annotations

import pytest

# a failed assertion of a contract shows its values
pytest.register_assert_rewrite("keepfit.testing.sources", "keepfit.testing.estimators")

from keepfit.testing.estimators import EstimatorContract  # noqa: E402
from keepfit.testing.sources import Row, SourceContract  # noqa: E402

__all__ = ["EstimatorContract", "Row", "SourceContract"]
