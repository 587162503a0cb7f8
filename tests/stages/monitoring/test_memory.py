"""What windows that resemble each other, or are of uneven size, or follow from one another, are worth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepfit.stages.monitoring.contrasts import SPREAD, contrasts
from keepfit.stages.monitoring.memory import independent, inflation, remembering, resemblance
from keepfit.stages.monitoring.moderation import tailed


def autoregression(seed: int, columns: int, windows: int, memory: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(columns, windows + 30))
    for place in range(1, windows + 30):
        found[:, place] = memory * found[:, place - 1] + math.sqrt(1 - memory**2) * found[:, place]
    found = found[:, 30:]
    return found - found.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("count", [1, 2, 5, 40])
@pytest.mark.parametrize("memory", [0.0, 0.3, 0.95])
def test_inflation_is_the_sum_over_all_lags(memory: float, count: int) -> None:
    plain = 1 + 2 * sum((1 - lag / count) * memory**lag for lag in range(1, count))
    assert inflation(memory, count) == pytest.approx(plain)


def test_a_dozen_windows_of_many_columns_tell_their_memory() -> None:
    series = list(autoregression(1, 400, 12, 0.5))
    alike = np.array([resemblance(one) for one in series])
    assert alike.mean() == pytest.approx(0.5, abs=0.06)
    assert (
        np.mean([(one[1:] * one[:-1]).sum() / (one**2).sum() for one in series]) < 0.35
    )  # what it is without correction
    memory, many = remembering(alike, series)
    assert memory.mean() > alike.mean()
    assert many > 200


def test_columns_that_move_together_count_as_one() -> None:
    own = autoregression(2, 20, 24, 0.0)
    shared = np.tile(own[0], (20, 1)) + 0.05 * own
    assert independent(list(own), 0.0) > 15
    assert independent(list(shared), 0.0) < 1.2


def test_long_tails_are_seen_in_many_short_series() -> None:
    rng = np.random.default_rng(3)
    normal, heavy = rng.normal(size=(40, 24)), rng.standard_t(3, size=(40, 24))
    assert tailed(list(normal), 40) > 15
    assert tailed(list(heavy), 40) < 9


def test_a_spread_does_not_grow_because_the_location_moves() -> None:
    rng = np.random.default_rng(4)
    edges = np.quantile(rng.normal(size=50_000), np.linspace(0, 1, 33)[1:-1])

    def counted(values: np.ndarray) -> np.ndarray:
        return np.array([0, *np.bincount(np.searchsorted(edges, values), minlength=32)], np.float64)

    plain = rng.normal(size=50_000)
    windows = np.stack([counted(one) for one in (plain, plain + 0.6, plain - 1.0, plain * 1.1)])
    found = contrasts(counted(rng.normal(size=50_000)), windows, ordered=True)
    spread = found.values[:, found.kinds.index(SPREAD)]
    assert np.abs(spread[:3]).max() < 0.06
    assert found.followed[2, found.kinds.index(SPREAD)] > 0.5  # as much would be taken for a wider distribution
    assert spread[3] > 0.1
