"""Delta tables of others, in folders and in a real S3 server on loopback."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from tests.connect.conftest import ObjectStore

from keepfit.connect import Connection, Item, Place, connect
from keepfit.errors import SourceError
from keepfit.spec.sources import Delta, Parquet
from keepfit.testing import Row, SourceContract


def rows(query: str, **values: Any) -> Any:
    return duckdb.sql(query, params=values or None)


class TestDelta(SourceContract):
    uri: str
    options: dict[str, str] | None = None

    def prepare(self, request: pytest.FixtureRequest) -> None:
        self.uri = str(self.place.data / "in" / "bookings")

    def source(self) -> Delta:
        return Delta("in/bookings")

    def put(self, name: str, rows: Sequence[Row]) -> None:
        keys, texts = [key for key, _ in rows], [text for _, text in rows]
        table = duckdb.sql("SELECT unnest($k)::BIGINT AS id, unnest($t) AS text", params={"k": keys, "t": texts})
        write_deltalake(self.uri, table, mode="append", storage_options=self.options)


class TestRemoteDelta(TestDelta):
    store: ObjectStore

    def prepare(self, request: pytest.FixtureRequest) -> None:
        self.store = request.getfixturevalue("s3")
        self.store.clear()
        self.uri, self.options = "s3://shop/in/bookings", self.store.environment

    def environment(self) -> Mapping[str, str]:
        return self.store.environment

    def source(self) -> Delta:
        return Delta(self.uri)


@pytest.fixture
def table(tmp_path: Path) -> str:
    return str(tmp_path / "bookings")


def append(table: str, *ids: int, **options: Any) -> None:
    write_deltalake(table, rows("SELECT unnest($ids)::BIGINT AS id", ids=list(ids)), mode="append", **options)


def opened(tmp_path: Path, *, latest: bool = False) -> Connection:
    return connect(Delta("bookings"), Place(tmp_path, tmp_path / "landing", {}, latest=latest))


def ids(connection: Connection, tmp_path: Path, items: list[Item] | None = None) -> list[int]:
    paths = [str(connection.fetch(item, tmp_path / "scratch")) for item in items or connection.items()]
    return [key for (key,) in duckdb.execute("SELECT id FROM read_parquet($p) ORDER BY 1", {"p": paths}).fetchall()]


def test_columns_of_partitions_stand_beside_the_file(tmp_path: Path, table: str):
    days = rows("SELECT 1::BIGINT AS id, DATE '2025-01-01' AS day, 'a b/c' AS site UNION ALL SELECT 2, NULL, NULL")
    write_deltalake(table, days, partition_by=["day", "site"])
    connection = opened(tmp_path)
    known = [{"day": "", "site": ""}, {"day": "2025-01-01", "site": "a b/c"}]
    by_day = itemgetter("day")
    before = connection.items()
    assert sorted((dict(item.parts) for item in before), key=by_day) == known
    write_deltalake(table, days, mode="append")
    both = connection.items()
    assert sorted((dict(item.parts) for item in both if item not in before), key=by_day) == known
    assert all(item.format == Parquet() for item in both)
    assert ids(connection, tmp_path) == [1, 1, 2, 2]


def test_the_same_rows_in_other_files_are_nothing_new(tmp_path: Path, table: str):
    for number in range(3):
        append(table, number)
    before = opened(tmp_path).items()
    DeltaTable(table).optimize.compact()
    append(table, 3)
    after = opened(tmp_path).items()
    assert len(after) == 4
    assert all(item in after for item in before)
    assert ids(opened(tmp_path), tmp_path) == [0, 1, 2, 3]


def test_what_was_vacuumed_before_it_was_fetched_has_gone_and_says_so(tmp_path: Path, table: str):
    append(table, 1)
    append(table, 2)
    items = opened(tmp_path).items()
    DeltaTable(table).optimize.compact()
    DeltaTable(table).vacuum(0, enforce_retention_duration=False, dry_run=False)
    with pytest.raises(SourceError, match="it was vacuumed, or removed"):
        opened(tmp_path).fetch(items[0], tmp_path / "scratch")


def test_a_table_is_taken_as_it_is_when_it_is_listed_first(tmp_path: Path, table: str):
    append(table, 1, 2)
    DeltaTable(table).delete("id = 1")
    DeltaTable(table).optimize.compact()
    DeltaTable(table).create_checkpoint()
    for log in (tmp_path / "bookings" / "_delta_log").glob("*[0-9].json"):
        log.unlink()
    assert ids(opened(tmp_path), tmp_path) == [2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: DeltaTable(table).delete("id = 1"), "version 2 of bookings was DELETE"),
        (lambda table: DeltaTable(table).update({"id": "9"}, predicate="id = 1"), "was UPDATE"),
        (
            lambda table: write_deltalake(table, rows("SELECT 9::BIGINT AS id"), mode="overwrite"),
            r"was WRITE \(Overwrite\)",
        ),
    ],
)
def test_a_version_that_changed_rows_stops_the_reading_there(tmp_path: Path, table: str, change: Any, words: str):
    append(table, 1, 2)
    append(table, 3)
    opened(tmp_path).items()
    change(table)
    append(table, 4)
    connection = opened(tmp_path)
    items = connection.items()
    stopped = [item for item in items if item.error]
    assert [item.name for item in stopped] == ["bookings@2"]
    with pytest.raises(SourceError, match=words):
        connection.fetch(stopped[0], tmp_path / "scratch")
    assert ids(connection, tmp_path, [item for item in items if not item.error]) == [1, 2, 3]
    assert opened(tmp_path).items() == items


def test_versions_that_the_log_has_lost_are_not_guessed(tmp_path: Path, table: str):
    append(table, 1)
    opened(tmp_path).items()
    append(table, 2)
    DeltaTable(table).create_checkpoint()
    (tmp_path / "bookings" / "_delta_log" / f"{1:020d}.json").unlink()
    assert "is not in the log any more" in str(next(item.error for item in opened(tmp_path).items() if item.error))


def test_another_table_at_the_same_path_is_refused(tmp_path: Path, table: str):
    append(table, 1)
    opened(tmp_path).items()
    (tmp_path / "bookings").rename(tmp_path / "old")
    append(table, 1)
    with pytest.raises(SourceError, match="another table stands at this path"):
        opened(tmp_path).items()


def test_a_file_with_deleted_rows_is_told_about(tmp_path: Path, table: str):
    append(table, 1)
    opened(tmp_path).items()
    log = tmp_path / "bookings" / "_delta_log"
    added = json.loads((log / f"{0:020d}.json").read_text().splitlines()[-1])["add"]
    vector = {"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "sizeInBytes": 40, "cardinality": 1}
    lines = [{"commitInfo": {"operation": "DELETE"}}, {"remove": {"path": added["path"], "dataChange": True}}]
    marked = [*lines, {"add": added | {"deletionVector": vector}}]
    (log / f"{1:020d}.json").write_text("\n".join(map(json.dumps, marked)))
    assert "version 1 of bookings was DELETE" in str(opened(tmp_path).items()[-1].error)


def test_a_path_without_a_table_shows_what_is_there(tmp_path: Path, s3: ObjectStore):
    (tmp_path / "bookings").mkdir()
    (tmp_path / "bookings" / "a.parquet").touch()
    with pytest.raises(SourceError, match=r"there is no Delta table[^$]*there is: a\.parquet"):
        opened(tmp_path).items()
    s3.clear()
    s3.put("in/a.parquet", b"1")
    with pytest.raises(SourceError, match=r"there is no Delta table[^$]*there is: in/a\.parquet"):
        connect(Delta("s3://shop/in"), Place(tmp_path, tmp_path / "landing", s3.environment)).items()


# where only the newest state counts


def test_the_newest_state_is_one_file_however_it_came_about(tmp_path: Path, table: str):
    append(table, 1, 2, commit_properties=CommitProperties({"by": "them"}))
    connection = opened(tmp_path, latest=True)
    (before,) = connection.items()
    assert (before.name, before.format, before.size) == ("bookings.parquet", Parquet(), -1)
    DeltaTable(table).delete("id = 1")
    append(table, 3)
    (after,) = connection.items()
    assert before.identity != after.identity
    assert ids(connection, tmp_path) == [2, 3]
    assert ids(connection, tmp_path, [before]) == [1, 2]


def test_the_newest_state_of_a_remote_table_is_read_with_its_partitions(tmp_path: Path, s3: ObjectStore):
    s3.clear()
    write_deltalake(
        "s3://shop/bookings",
        rows("SELECT 1::BIGINT AS id, 'north' AS site"),
        partition_by=["site"],
        storage_options=s3.environment,
    )
    connection = connect(
        Delta("s3://shop/bookings/"), Place(tmp_path, tmp_path / "landing", s3.environment, latest=True)
    )
    path = connection.fetch(connection.items()[0], tmp_path / "scratch")
    assert duckdb.execute("SELECT id, site FROM read_parquet($p)", {"p": str(path)}).fetchall() == [(1, "north")]
