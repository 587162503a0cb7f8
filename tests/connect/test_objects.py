"""Objects of a store, read from a real S3 server on loopback."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.connect.conftest import PAGE, ObjectStore

from keepfit.connect import Connection, Place, connect
from keepfit.errors import SourceError
from keepfit.spec.sources import Files
from keepfit.testing import Row, SourceContract


class TestObjects(SourceContract):
    store: ObjectStore

    def prepare(self, request: pytest.FixtureRequest) -> None:
        self.store = request.getfixturevalue("s3")
        self.store.clear()

    def environment(self) -> Mapping[str, str]:
        return self.store.environment

    def source(self) -> Files:
        return Files("s3://shop/in/{part}.csv")

    def put(self, name: str, rows: Sequence[Row]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows([("id", "text"), *rows])
        self.store.put(f"in/{name}.csv", text.getvalue().encode())

    rewrite = put

    def remove(self, name: str) -> None:
        self.store.client.delete_object(Bucket="shop", Key=f"in/{name}.csv")


@pytest.fixture
def shop(s3: ObjectStore) -> ObjectStore:
    s3.clear()
    return s3


def opened(store: ObjectStore, tmp_path: Path, pattern: str, **environment: str) -> Connection:
    return connect(Files(pattern), Place(tmp_path, tmp_path / "landing", store.environment | environment))


def test_keys_are_matched_as_names_below_a_folder_are(shop: ObjectStore, tmp_path: Path):
    for key in ("in/", "in/day=2025-01-02/a.csv", "in/day=2025-01-03/ü b+%41.csv", "in/day=2025-01-04/", "top.csv"):
        shop.put(key, b"" if key.endswith("/") else b"id\n1\n")
    first, second = opened(shop, tmp_path, "s3://shop/in/day={day:%Y-%m-%d}/*").items()
    assert (first.name, first.size, first.parts) == ("in/day=2025-01-02/a.csv", 5, {"day": "2025-01-02T00:00:00"})
    assert second.name == "in/day=2025-01-03/ü b+%41.csv"
    assert [item.name for item in opened(shop, tmp_path, "s3://shop/*").items()] == ["top.csv"]
    assert [item.name for item in opened(shop, tmp_path, "s3://shop/**/*.csv").items()] == [
        first.name,
        second.name,
        "top.csv",
    ]


def test_more_objects_than_one_answer_holds_are_all_listed(shop: ObjectStore, tmp_path: Path):
    for number in range(PAGE + 1):
        shop.put(f"many/{number}.csv", b"")
    assert len(opened(shop, tmp_path, "s3://shop/many/*.csv").items()) == PAGE + 1
    assert len(opened(shop, tmp_path, "s3://shop/**/{number}.csv").items()) == PAGE + 1


def test_of_an_archive_only_the_members_asked_for_are_read(shop: ObjectStore, tmp_path: Path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("north.csv", "id\n1\n")
        archive.writestr("rest.bin", b"\0" * (20 << 20))
    shop.put("2025.zip", content.getvalue())
    shop.put("2024.zip", content.getvalue()[:-40])
    connection = opened(shop, tmp_path, "s3://shop/{year:%Y}.zip")
    broken, member = connection.items()
    assert (member.name, member.parts) == ("2025.zip/north.csv", {"year": "2025-01-01T00:00:00"})
    assert connection.fetch(member, tmp_path / "scratch").read_text() == "id\n1\n"
    assert "2024.zip is no whole zip archive" in str(broken.error)


def test_an_object_that_was_exchanged_after_it_was_found_is_not_mistaken_for_it(shop: ObjectStore, tmp_path: Path):
    shop.put("a.csv", b"id\n1\n")
    connection = opened(shop, tmp_path, "s3://shop/*.csv")
    (item,) = connection.items()
    shop.put("a.csv", b"id\n2\n")
    with pytest.raises(SourceError, match=r"a\.csv has changed since it was found"):
        connection.fetch(item, tmp_path / "scratch")
    assert list((tmp_path / "scratch").glob("*")) == []


def test_nothing_that_matches_shows_what_the_prefix_holds(shop: ObjectStore, tmp_path: Path):
    shop.put("in/a.csv", b"1")
    shop.put("in/old/b.csv", b"1")
    with pytest.raises(SourceError) as refused:
        opened(shop, tmp_path, "s3://shop/in/*.parquet").items()
    assert refused.value.what == "no object matches 's3://shop/in/*.parquet'"
    assert refused.value.where == "s3://shop/in/"
    assert refused.value.fix.endswith("there is: in/a.csv, in/old/")
    shop.put("in/2025-13.csv", b"1")
    with pytest.raises(SourceError, match=r"nearly: in/2025-13\.csv: '2025-13' is no time"):
        opened(shop, tmp_path, "s3://shop/in/{month:%Y-%m}.csv").items()


def test_a_bucket_that_is_not_there_is_named(shop: ObjectStore, tmp_path: Path):
    with pytest.raises(SourceError) as refused:
        opened(shop, tmp_path, "s3://ship/*.csv").items()
    assert "NoSuchBucket" in refused.value.what
    assert refused.value.where == "s3://ship/"


def test_an_endpoint_without_tls_has_to_be_allowed(shop: ObjectStore, tmp_path: Path):
    with pytest.raises(SourceError, match="AWS_ALLOW_HTTP=true"):
        opened(shop, tmp_path, "s3://shop/*.csv", AWS_ALLOW_HTTP="").items()


def test_an_account_that_is_not_named_is_asked_for(shop: ObjectStore, tmp_path: Path):
    with pytest.raises(SourceError, match="AZURE_STORAGE_ACCOUNT_NAME"):
        opened(shop, tmp_path, "az://container/*.csv").items()


def test_google_and_azure_stores_are_opened_by_their_schemes(shop: ObjectStore, tmp_path: Path):
    shop.put("in/a.csv", b"id\n1\n")
    said = {"gcs_base_url": shop.environment["AWS_ENDPOINT_URL"], "disable_oauth": True}
    key = json.dumps({**said, "client_email": "", "private_key": "", "private_key_id": ""})
    google = opened(shop, tmp_path, "gs://shop/in/*.csv", GOOGLE_SERVICE_ACCOUNT_KEY=key)
    assert [item.name for item in google.items()] == ["in/a.csv"]
    opened(shop, tmp_path, "abfss://box@shop.dfs.core.windows.net/in/*.csv")
