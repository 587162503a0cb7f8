"""What several threads make of one snapshot is made once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import pytest

from keepfit.engines.protocol import Engine
from keepfit.lake import Lake
from keepfit.snapshot import Snapshot


def snapshot() -> Snapshot:
    return Snapshot(cast(Engine, "one"), cast(Lake, "one"), {}, 5)


def test_threads_that_ask_at_once_get_the_same_and_it_is_made_once() -> None:
    shared, made, begun = snapshot(), list[int](), threading.Event()

    def make() -> object:
        made.append(1)
        begun.wait(5)
        return object()

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(shared.through(cast(Engine, n), cast(Lake, n)).once, "key", make) for n in range(3)]
        begun.set()
        found = {id(one.result()) for one in asked}
    assert (len(made), len(found)) == (1, 1)


def test_what_is_made_does_not_wait_for_what_else_is_made() -> None:
    shared = snapshot()
    with ThreadPoolExecutor(1) as pool:
        # while one key is being made, another thread makes another one
        assert shared.once("one", lambda: pool.submit(shared.once, "other", lambda: 2).result(timeout=5)) == 2


def test_a_failure_is_not_kept_and_another_moment_shares_nothing() -> None:
    shared = snapshot()
    with pytest.raises(ZeroDivisionError):
        shared.once("key", lambda: 1 // 0)
    assert shared.once("key", lambda: 2) == 2
    assert replace(shared, as_of=6).once("key", lambda: 3) == 3
