"""Requests on many threads at once, each with its own kept scratch, and large entities between small ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from keepfit.kernel.program import FUNCTIONS, Output, Program, Window
from keepfit.kernel.sweep import sweep


def everything(width):
    parameter = {"quantile": 0.3, "ewm": 50.0}
    window = Window(-width, 0)
    return Program(tuple(Output(f, 0, window, parameter=parameter.get(f, 0.0)) for f in FUNCTIONS))


def request(seed, rows):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 1000, rows))
    values = rng.standard_normal((1, rows)) * 10.0 ** rng.integers(-99, 99, rows)
    offsets = np.array([0, rows]), np.array([0, 3])
    return time, time + rng.integers(0, 9, rows), values, offsets[0], np.array([400, 700, 1001]), offsets[1]


def answers(seeds, rows):
    return [sweep(everything(20 + seed * 40), *request(seed, rows)).tobytes() for seed in seeds]


def test_requests_at_the_same_time_do_not_mix():
    alone = answers(range(40), 300)
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(lambda _: answers(range(40), 300), range(12)):
            assert found == alone


def test_a_large_entity_and_a_small_one_leave_each_other_alone():
    small, large = answers(range(5), 50), answers(range(5), 6000)
    assert answers(range(5), 50) == small
    assert answers(range(5), 6000) == large
    together = [sweep(everything(300), *request(1, 4000)).tobytes() for _ in range(2)]
    assert together[0] == together[1]
