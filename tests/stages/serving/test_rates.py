"""The rate limit."""

from __future__ import annotations

from keepfit.stages.serving.rates import MOST, Rates


def test_a_burst_passes_and_then_the_rate():
    rates = Rates(2.0, burst=3)
    assert [rates.take("a", 0.0) for _ in range(5)] == [0, 0, 0, 1, 1]
    assert [rates.take("a", 1.0) for _ in range(3)] == [0, 0, 1]


def test_how_long_to_wait_is_said():
    rates = Rates(0.1, burst=1)
    assert [rates.take("a", at) for at in (0.0, 2.5, 9.9, 10.0)] == [0, 8, 1, 0]


def test_callers_do_not_share():
    rates = Rates(1.0, burst=1)
    assert [rates.take(who, 0.0) for who in ("a", "b", "a")] == [0, 0, 1]


def test_what_is_kept_is_bounded():
    rates = Rates(1.0, burst=1)
    for place in range(MOST + 50):
        rates.take(f"caller {place}", 0.0)
    assert len(rates._buckets) == MOST
