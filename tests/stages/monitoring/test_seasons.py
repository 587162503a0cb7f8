"""What comes round is taken off windows only where there is something to come round."""

from __future__ import annotations

import numpy as np

from keepfit.stages.monitoring.seasons import seasonal


def test_windows_of_whole_years_have_no_season() -> None:
    assert seasonal(np.arange(8.0), np.ones(8), np.zeros(8, np.intp), 1) is None
