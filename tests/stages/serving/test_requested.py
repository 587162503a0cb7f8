"""Reading what a request asks for holds up nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from .test_challenger import challenge, challenges, counted, protection
from .world import Far, promote, serving, wait_until


@pytest.mark.parametrize("body", [{"customer_id": 17}, [{"customer_id": 17}, {"customer_id": 18}]])
def test_others_are_answered_while_a_read_waits_for_the_network(tmp_path, body):
    promote(tmp_path, "1")
    with (
        closing(Far(tmp_path / "far.sqlite")) as store,
        serving(tmp_path, store=store) as served,
        ThreadPoolExecutor(1) as pool,
    ):
        served.wait()
        with store.away():
            waiting = pool.submit(served.http.post, "/predict", json=body)
            assert store.asked.wait(20)
            assert served.http.get("/livez").status_code == 200
            assert not waiting.done()
        assert waiting.result().status_code == 200


def test_a_shadow_that_waits_for_the_network_holds_up_no_answer(tmp_path):
    promote(tmp_path, "1", -5.0)
    challenge(tmp_path, "2")
    with (
        closing(Far(tmp_path / "far.sqlite")) as store,
        serving(tmp_path, store=store, protection=protection("shadow")) as served,
    ):
        challenges(served, "2")
        served.predict(customer_id=17)
        wait_until(lambda: counted(served, "shadow") == 1)
        store.slow_from = 2  # the answer's own read is done, its shadow's waits
        with store.away():
            assert served.predict(customer_id=17).json()["version"] == "1"
            assert store.asked.wait(20)
            assert served.http.get("/livez").status_code == 200
            assert counted(served, "shadow") == 1
        wait_until(lambda: counted(served, "shadow") == 2)
