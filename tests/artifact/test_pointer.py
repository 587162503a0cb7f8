"""The pointer to a champion: read whole, old or new."""

from __future__ import annotations

import threading

from keepfit.artifact import Pointer, read_pointer, write_pointer

OLD = Pointer("churn", "1", "/models/1", "a" * 64)
NEW = Pointer("churn", "2", "/models/" + "2" * 5000, "b" * 64)


def test_a_pointer_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "serving" / "churn.json"
    write_pointer(OLD, path)
    assert read_pointer(path) == OLD


def test_before_the_first_promotion_there_is_none(tmp_path):
    assert read_pointer(tmp_path / "churn.json") is None


def test_a_swap_leaves_nothing_beside(tmp_path):
    for pointer in (OLD, NEW):
        write_pointer(pointer, tmp_path / "churn.json")
    assert [path.name for path in tmp_path.iterdir()] == ["churn.json"]


def test_a_reader_sees_the_old_or_the_new_and_nothing_between(tmp_path):
    path, seen, done = tmp_path / "churn.json", [], threading.Event()
    write_pointer(OLD, path)

    def read():
        while not done.is_set():
            try:
                seen.append(read_pointer(path))
            except Exception as error:
                seen.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(60):
        write_pointer(NEW, path)
        write_pointer(OLD, path)
    done.set()
    reader.join()
    assert len(seen) > 10
    assert set(seen) <= {OLD, NEW}


def test_writers_in_two_threads_do_not_tear_each_others_pointer(tmp_path):
    path, failures = tmp_path / "churn.json", []

    def write(pointer):
        try:
            for _ in range(60):
                write_pointer(pointer, path)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(pointer,)) for pointer in (OLD, NEW)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert read_pointer(path) in (OLD, NEW)
