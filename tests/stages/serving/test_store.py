"""What any online store promises."""

from __future__ import annotations

import math
import threading
from contextlib import closing

import numpy as np
import pytest

from keepfit import Events, Files, Float, Records, Text, col
from keepfit.errors import RequestError
from keepfit.spec.rows import Present
from keepfit.stages.serving import posted
from keepfit.stages.serving.coverage import Coverage
from keepfit.stages.serving.receipts import KEPT, Receipt
from keepfit.stages.serving.store import EVER
from keepfit.stages.serving.stores import open_store

from .redis_server import free_port, running

sales = Events("sales", Files("s"), entity="id", time="at", known="seen", columns={"amount": Float(), "note": Text()})
people = Records("people", Files("p"), entity="id", columns={"age": Float(), "name": Text()})


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    with running(free_port(), tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def open_another(request, tmp_path):
    """Return what opens the store of one model, however often: as several servers do."""
    url, name = request.getfixturevalue("redis_url") if request.param == "redis" else None, tmp_path.name
    return lambda: open_store(url, tmp_path / "online.sqlite", name)


@pytest.fixture
def store(open_another):
    with closing(open_another()) as opened:
        yield opened


def rows(*found):
    """Return (entity, time, known, amount) rows as columns."""
    entity, time, known, amount = zip(*found, strict=True)
    return {
        "entity": np.array(entity, object),
        "time": np.array(time, np.int64),
        "known": np.array(known, np.int64),
        "amount": np.array(amount, np.float64),
    }


def post(store, entity, time, amount, note=None):
    store.append(sales, {"id": entity, "time": time, "known": time, "amount": amount, "note": note})


def amounts(store, entity):
    return store.read(entity).events(sales, {"amount": col("amount")})[2][0].tolist()


def test_events_come_by_time_then_arrival(store):
    store.replace(sales, rows(("a", 1, 1, 1.0), ("a", 5, 6, 2.0), ("a", 5, 5, 3.0), ("b", 2, 2, 9.0)), 6)
    post(store, "a", 7, 5.0)
    post(store, "a", 3, 4.0)
    post(store, "a", 7, 6.0)
    time, known, values = store.read("a").events(sales, {"amount": col("amount")})
    assert time.tolist() == [1, 3, 5, 5, 7, 7]
    assert known.tolist() == [1, 3, 6, 5, 7, 7]
    assert values.tolist() == [[1.0, 4.0, 2.0, 3.0, 5.0, 6.0]]


def test_values_keep_their_bits(store):
    found = [-0.0, math.inf, 5e-324, 0.1, math.nan, 2.0**53]
    store.replace(sales, rows(*(("a", place, place, value) for place, value in enumerate(found))), 9)
    _, _, values = store.read("a").events(sales, {"amount": col("amount")})
    assert values.tobytes() == np.array([found]).tobytes()


def test_times_beyond_doubles_are_exact(store):
    moment = 2**60 + 1
    post(store, "a", moment, 1.0)
    assert store.read("a").events(sales, {})[0].tolist() == [moment]


def test_a_text_can_be_counted(store):
    post(store, "a", 1, None, note="hello")
    post(store, "a", 2, None)
    values = store.read("a").events(sales, {str(one): one for one in (Present("note"), col("amount"))})[2]
    assert np.array_equal(values, [[1.0, math.nan], [math.nan, math.nan]], equal_nan=True)


def test_a_publication_keeps_the_requests_that_the_lake_lacks(store):
    store.replace(sales, rows(("a", 1, 1, 1.0)), 2)
    post(store, "a", 3, 3.0)
    post(store, "a", 9, 9.0)
    store.replace(sales, rows(("a", 1, 1, 1.0), ("a", 3, 3, 3.0)), 4)
    assert amounts(store, "a") == [1.0, 3.0, 9.0]


def test_publishing_twice_changes_nothing(store):
    published = rows(("a", 1, 1, 1.0), ("a", 8, 8, 8.0))
    for _ in range(2):
        store.replace(sales, published, 5)
    assert amounts(store, "a") == [1.0, 8.0]


def test_a_reader_sees_the_rows_before_or_after_a_publication(store, open_another):
    publisher, failed, done = open_another(), [], threading.Event()
    old, new = [1.0] * 50, [2.0] * 80
    publisher.replace(sales, rows(*(("a", place, place, value) for place, value in enumerate(old))), 100)

    def read():
        while not done.is_set():
            seen = amounts(store, "a")
            if seen not in (old, new):
                failed.append(seen)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(30):
        values = (new, old)[turn % 2]
        publisher.replace(sales, rows(*(("a", place, place, value) for place, value in enumerate(values))), 100)
    done.set()
    reader.join()
    publisher.close()
    assert not failed


def test_records_are_replaced_whole(store):
    first = {
        "entity": np.array(["a", "b"], object),
        "age": np.array([3.0, math.nan]),
        "name": np.array(["x", None], object),
    }
    assert store.replace_records(people, first) == 2
    assert store.read("a").record(people, 1) == {"age": 3.0, "name": "x"}
    assert store.read("b").record(people, 1) == {"age": None, "name": None}
    store.replace_records(people, {"entity": np.array(["c"], object), "age": np.array([1.0])})
    assert store.read("a").record(people, 1) is None
    assert store.read("c").record(people, 1) == {"age": 1.0}


def test_an_entity_is_known_from_records_or_events(store):
    either = {"sales", "people"}
    assert not store.read("a").knows(either)
    post(store, "a", 1, 1.0)
    store.replace_records(people, {"entity": np.array(["b"], object)})
    assert store.read("a").knows(either) and store.read("b").knows(either) and not store.read("c").knows(either)
    assert not store.read("a").knows({"weather"})


def test_a_new_column_joins_the_rows_that_are_there(store):
    post(store, "a", 1, 1.0)
    wider = Events("sales", Files("s"), entity="id", time="at", columns={"amount": Float(), "discount": Float()})
    assert np.array_equal(
        store.read("a").events(wider, {"amount": col("amount"), "discount": col("discount")})[2],
        [[1.0], [math.nan]],
        equal_nan=True,
    )


def test_the_store_answers_from_the_latest_start_of_its_tables(store):
    assert store.answers_from() == EVER
    store.replace(sales, rows(("a", 1, 1, 1.0)), 2, answers_from=100)
    store.replace_records(people, {"entity": np.array(["a"], object)}, answers_from=50)
    assert store.answers_from() == 100
    assert store.rows() == {"sales": 1, "people": 1}


def test_names_of_columns_are_only_names(store):
    odd = Events("odd", Files("o"), entity="entity", time="time", columns={'x"; drop table y': Float(), "seq": Float()})
    store.append(odd, {"entity": "a", "time": 1, "known": 1, 'x"; drop table y': 2.0, "seq": 3.0})
    assert store.read("a").events(odd, {str(one): one for one in (col('x"; drop table y'), col("seq"))})[
        2
    ].tolist() == [[2.0], [3.0]]


def test_what_one_server_writes_another_one_reads(store, open_another):
    with closing(open_another()) as other:
        store.replace(sales, rows(("a", 1, 1, 1.0), ("b", 9, 9, 9.0)), 2)
        post(other, "a", 3, 3.0)
        post(store, "a", 4, 4.0)
        assert amounts(store, "a") == amounts(other, "a") == [1.0, 3.0, 4.0]
        assert store.rows() == other.rows() == {"sales": 4}


def test_a_list_is_taken_in_once_by_its_receipt(store, open_another):
    found = [(sales, {"id": "a", "time": at, "known": at, "amount": 1.0, "note": None}) for at in (1, 2)]
    assert store.append_all(found, Receipt("k", "d", 10))
    with closing(open_another()) as other:
        assert not other.append_all(found, Receipt("k", "d", 11))
        with pytest.raises(RequestError, match="another body") as caught:
            other.append_all(found, Receipt("k", "e", 12))
    assert caught.value.http_status == 409
    assert amounts(store, "a") == [1.0, 1.0]
    assert store.append_all(found, Receipt("k", "e", 10 + KEPT + 1))  # a week later nobody remembers the key
    assert len(amounts(store, "a")) == 4


def test_a_reader_sees_all_rows_of_a_list_or_none(store, open_another):
    found = [(sales, {"id": "a", "time": at, "known": at, "amount": 1.0, "note": None}) for at in range(50)]
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(len(amounts(store, "a")))

    reader = threading.Thread(target=read)
    reader.start()
    with closing(open_another()) as other:
        for _ in range(20):
            other.append_all(found)
    done.set()
    reader.join()
    assert {count % 50 for count in seen} <= {0} and len(amounts(store, "a")) == 1000


def test_coverage_is_what_was_published(store):
    held = Coverage(frozenset({"amount"}), 5, frozenset({"x is not null"}))
    assert store.coverage("sales") is None
    store.replace(sales, rows(("a", 1, 1, 1.0)), 2, coverage=held)
    assert store.coverage("sales") == held
    store.replace(sales, rows(("a", 1, 1, 1.0)), 2)
    assert store.coverage("sales") is None


def test_the_newest_event_and_the_last_filling_are_noted(store):
    assert store.filled() is None and store.newest() == {}
    store.replace(sales, rows(("a", 1, 1, 1.0), ("a", 9, 9, 9.0)), 5)
    assert store.newest() == {"sales": 1}  # what is dated ahead has not come
    post(store, "b", 7, 1.0)
    post(store, "b", 2, 1.0)
    store.note_filled(11)
    assert store.newest() == {"sales": 7} and store.filled() == 11


def test_a_table_without_rows_can_be_published(store):
    store.replace(sales, rows(("a", 1, 1, 1.0)), 2)
    none = {name: values[:0] for name, values in rows(("a", 1, 1, 1.0)).items()}
    assert store.replace(sales, none, 2) == 0
    assert amounts(store, "a") == [] and store.rows() == {"sales": 0}


def test_an_entity_may_be_any_text(store):
    for entity in ("", "a b", "\u00e9\n{x}", "b" * 300):
        store.replace_records(people, {"entity": np.array([entity], object), "age": np.array([1.0])})
        post(store, entity, 1, 2.0)
        assert amounts(store, entity) == [2.0] and store.read(entity).record(people, 1) == {"age": 1.0}
    store.replace(sales, rows(("x", 5, 5, 1.0)), 6)
    assert amounts(store, "a b") == [] and store.rows()["sales"] == 1


def test_posted_events_are_decoded_once_and_every_writer_s_are_seen(store, open_another, monkeypatch):
    decoded = []
    original = posted._decoded
    monkeypatch.setattr(
        posted, "_decoded", lambda texts, columns: decoded.append(len(texts)) or original(texts, columns)
    )
    with closing(open_another()) as another:
        post(store, "a", 5, 1.0)
        post(another, "a", 3, 2.0)
        assert amounts(store, "a") == amounts(store, "a") == [2.0, 1.0]
        post(another, "a", 5, 3.0)
        assert amounts(store, "a") == amounts(store, "a") == [2.0, 1.0, 3.0]
        assert decoded == [2, 1]
        others = store.read("a").events(sales, {str(one): one for one in (Present("note"), col("amount"))})[2]
        assert others[1].tolist() == [2.0, 1.0, 3.0], "another version reads other columns of them"
        another.replace(sales, rows(("a", 3, 3, 2.0)), 4)  # the lake has caught up with the second
        assert amounts(store, "a") == [2.0, 1.0, 3.0]
        another.replace(sales, rows(("a", 3, 3, 2.0), ("a", 5, 5, 1.0), ("a", 5, 5, 3.0)), 6)
        post(another, "a", 7, 4.0)  # its id may be that of a row that was taken away
        assert amounts(store, "a") == [2.0, 1.0, 3.0, 4.0]


def test_kept_events_are_bounded():
    kept = posted.Kept(most=3)
    for entity, many in (("a", 2), ("b", 1), ("c", 1), ("d", 9)):
        kept.keep(entity, posted.NONE.extended(0, [(place + 1, "sales", "{}") for place in range(many)]))
        assert len(kept.of(entity)) == many, "who was asked for last is kept, however many there are"
    assert [len(kept.of(entity)) for entity in "abc"] == [0, 0, 0]


def test_what_is_read_says_from_when_on_it_answers(store):
    assert store.read("a").answers_from == EVER
    store.replace(sales, rows(("a", 1, 1, 1.0)), 2, answers_from=7)
    store.replace_records(people, {"entity": np.array(["a"], object), "age": np.array([1.0])}, answers_from=9)
    assert store.read("a").answers_from == store.read("nobody").answers_from == 9
