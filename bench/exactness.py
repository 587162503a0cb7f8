"""Move a sum over 10**8 values of mixed magnitude and compare its end with `math.fsum` and naive running sums.

Every value enters and leaves once. A running sum in doubles keeps the rounding errors of all that has left; the
kernel's exact sum keeps none, so that it must equal `math.fsum` of the last window to the last bit.

    python bench/exactness.py --steps 100000000 --window 100000
"""

from __future__ import annotations

import argparse
import math
import time
from typing import Any

import numba
import numpy as np

from keepfit.kernel.program import Output, Program, Window
from keepfit.kernel.sweep import sweep

READINGS = 1000


@numba.njit
def running_sum(x: Any, window: int) -> float:
    """Add what enters, subtract what leaves, in doubles."""
    total = 0.0
    for i in range(x.size):
        total += x[i]
        if i >= window:
            total -= x[i - window]
    return total


@numba.njit
def compensated_running_sum(x: Any, window: int) -> float:
    """As `running_sum`, with Neumaier's compensation for the rounding of each step."""
    total, lost = 0.0, 0.0
    for i in range(x.size):
        for term in (x[i], -x[i - window] if i >= window else 0.0):
            moved = total + term
            lost += (total - moved) + term if abs(total) >= abs(term) else (term - moved) + total
            total = moved
    return total + lost


def main() -> None:
    options = _options()
    rng, n, window = np.random.default_rng(1), options.steps, options.window
    x = rng.standard_normal(n) * np.exp2(rng.integers(-40, 40, n))
    x[-window:] /= 2.0**40  # what is left at the end is small beside what has passed
    moments, offsets = np.arange(n), np.array([0, n])
    t = np.linspace(n // READINGS, n, READINGS).astype(np.int64)
    program = Program((Output("sum", 0, Window(-window, 0)),))
    sweep(program, moments[:9], None, x[np.newaxis, :9], np.array([0, 9]), t[:1], np.array([0, 1]))  # compiles
    start = time.perf_counter()
    sums = sweep(program, moments, None, x[np.newaxis], offsets, t, np.array([0, READINGS]))[0]
    took = time.perf_counter() - start
    wrong = sum(got != math.fsum(x[max(0, at - window) : at]) for got, at in zip(sums, t, strict=True))
    truth = math.fsum(x[-window:])
    print(f"{n:,} values in and {n - window:,} out in {took:.2f} s, {(2 * n - window) / took / 1e6:.0f} M steps/s")
    print(f"readings that differ from math.fsum: {wrong} of {READINGS}")
    for name, found in (
        ("math.fsum", truth),
        ("kernel", float(sums[-1])),
        ("naive running sum", running_sum(x, window)),
        ("compensated running sum", compensated_running_sum(x, window)),
    ):
        print(f"{name:24} {found!r:>26}  error {abs(found - truth) / abs(truth):.1e}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000_000)
    parser.add_argument("--window", type=int, default=100_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
