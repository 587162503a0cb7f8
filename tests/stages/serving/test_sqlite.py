"""What the online store in a file promises beside what any store does: nobody waits long for anybody."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from keepfit.stages.serving.patience import Busy
from keepfit.stages.serving.sqlite import SQLiteStore

from .test_store import post, rows, sales


@pytest.fixture
def store(tmp_path):
    with closing(SQLiteStore(tmp_path / "online.sqlite")) as opened:
        yield opened


def test_the_state_is_told_beside_the_answers(store):
    post(store, "a", 5, 1.0)
    with ThreadPoolExecutor(1) as pool, store._reading:  # an answer is being read
        assert pool.submit(lambda: (store.rows(), store.newest(), store.filled(), store.coverage("sales"))).result(
            timeout=20
        ) == ({"sales": 1}, {"sales": 5}, None, None)


def test_telling_the_rows_costs_the_same_however_many_were_posted(store):
    store.append_all([(sales, {"id": "a", "time": n, "known": n, "amount": 1.0, "note": None}) for n in range(5000)])
    steps = []
    for connection in (store._reader, store._teller):
        connection.set_progress_handler(lambda: steps.append(1), 100)
    assert store.rows() == {"sales": 5000}
    assert len(steps) < 10


def test_posted_rows_are_counted_until_a_publication_takes_their_place(store):
    for time in (1, 2, 3):
        post(store, "a", time, 1.0)
    with pytest.raises(KeyError):
        store.append_all([(sales, {"id": "a", "time": 4}), (sales, {"id": "a"})])
    store.replace(sales, rows(("a", 1, 1, 1.0)), 3)
    assert store.rows() == {"sales": 2}


def test_the_rows_of_an_earlier_keepfit_are_counted(tmp_path):
    path = tmp_path / "online.sqlite"
    with closing(SQLiteStore(path)) as before:
        post(before, "a", 5, 1.0)
        post(before, "b", 6, 1.0)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("drop table posted")
        connection.commit()
    for _ in range(2):
        with closing(SQLiteStore(path)) as again:
            assert again.rows() == {"sales": 2}


@contextmanager
def written_by_another(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        yield
        other.execute("rollback")


def test_events_wait_for_a_publication_but_not_for_long(tmp_path):
    path = tmp_path / "online.sqlite"
    with closing(SQLiteStore(path, post_s=0.05)) as store:
        with written_by_another(path), pytest.raises(Busy, match="written by others"):
            post(store, "a", 5, 1.0)
        with store._writing, pytest.raises(Busy):  # a thread of this process
            post(store, "a", 6, 1.0)
        assert store.rows() == {}
        post(store, "a", 7, 1.0)
        assert store.rows() == {"sales": 1}
