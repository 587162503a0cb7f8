"""Files at web addresses, from a real server on loopback that breaks off where it is told to."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.connect.conftest import Web

from keepfit.connect import Connection, Place, connect, downloads
from keepfit.errors import DefinitionError, SourceError
from keepfit.spec.sources import Files
from keepfit.testing import Row, SourceContract

LONG = bytes(range(256)) * 4096


class TestWeb(SourceContract):
    items_per_put = None
    grows = False
    web: Web

    def prepare(self, request: pytest.FixtureRequest) -> None:
        self.web, self.rows = request.getfixturevalue("web"), {}

    def source(self) -> Files:
        return Files(f"{self.web.address}/rows.csv")

    def put(self, name: str, rows: Sequence[Row]) -> None:
        self.rows: dict[str, Sequence[Row]] = {**self.rows, name: rows}
        text = io.StringIO()
        csv.writer(text).writerows([("id", "text"), *(row for rows in self.rows.values() for row in rows)])
        self.web.put("rows.csv", text.getvalue().encode())

    rewrite = put

    def remove(self, name: str) -> None:
        del self.web.files["rows.csv"]
        pytest.skip("one file is gone or not")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAUSE_SECONDS", 0.001)


def opened(address: str, tmp_path: Path, sha256: str | None = None) -> Connection:
    return connect(Files(address, sha256=sha256), Place(tmp_path, tmp_path / "landing", {}))


def fetched(connection: Connection, tmp_path: Path) -> bytes:
    (item,) = connection.items()
    return connection.fetch(item, tmp_path / "scratch").read_bytes()


def ranges(web: Web) -> list[str]:
    return [asked for method, _, asked in web.requests if method == "GET"]


def test_a_file_is_fetched_once_and_again_when_it_changed(web: Web, tmp_path: Path):
    address = web.put("in/a%20b.csv".replace("%20", " "), b"id\n1\n").replace(" ", "%20")
    connection = opened(address, tmp_path)
    assert fetched(connection, tmp_path) == b"id\n1\n"
    assert fetched(opened(address, tmp_path), tmp_path) == b"id\n1\n"
    assert ranges(web) == [""]
    assert (tmp_path / "landing" / "a b.csv").read_bytes() == b"id\n1\n"
    web.put("in/a b.csv", b"id\n2\n")
    assert fetched(connection, tmp_path) == b"id\n2\n"


def test_a_landed_file_that_was_touched_is_fetched_again(web: Web, tmp_path: Path):
    connection = opened(web.put("a.csv", b"id\n1\n"), tmp_path)
    fetched(connection, tmp_path)
    (tmp_path / "landing" / "a.csv").write_bytes(b"id\n9\n")
    assert fetched(connection, tmp_path) == b"id\n1\n"


@pytest.mark.parametrize("told", ["ETag", "Last_Modified"])
def test_a_broken_download_goes_on_where_it_broke(web: Web, tmp_path: Path, told: str):
    address = web.put("a.bin", LONG, **{told: '"v1"' if told == "ETag" else "Wed, 01 Jan 2025 00:00:00 GMT"})
    web.cuts += [300_000, 200_000]
    assert fetched(opened(address, tmp_path), tmp_path) == LONG
    assert ranges(web) == ["", "bytes=300000-", "bytes=500000-"]


def test_what_came_before_the_process_died_is_not_fetched_again(web: Web, tmp_path: Path):
    address = web.put("a.bin", LONG)
    web.cuts += [700_000] + [0] * downloads.TRIES
    with pytest.raises(SourceError, match="breaks off after 700,000 bytes"):
        fetched(opened(address, tmp_path), tmp_path)
    web.cuts.clear()
    web.requests.clear()
    assert fetched(opened(address, tmp_path), tmp_path) == LONG
    assert ranges(web) == ["bytes=700000-"]
    assert sorted(path.name for path in (tmp_path / "landing").glob("[!.]*")) == ["a.bin"]


def test_two_versions_are_never_joined(web: Web, tmp_path: Path):
    address = web.put("a.bin", LONG)
    web.cuts += [700_000] + [0] * downloads.TRIES
    with pytest.raises(SourceError):
        fetched(opened(address, tmp_path), tmp_path)
    web.cuts.clear()
    web.put("a.bin", LONG[::-1])
    assert fetched(opened(address, tmp_path), tmp_path) == LONG[::-1]


def test_a_weak_tag_tells_versions_apart_but_joins_nothing(web: Web, tmp_path: Path):
    address = web.put("a.bin", LONG, ETag='W/"1"')
    web.cuts += [700_000]
    assert fetched(opened(address, tmp_path), tmp_path) == LONG
    assert ranges(web) == ["", ""]


def test_a_server_that_tells_nothing_is_asked_for_the_content(web: Web, tmp_path: Path):
    address = web.put("a.csv", b"id\n1\n", X="")
    (first,) = opened(address, tmp_path).items()
    (again,) = opened(address, tmp_path).items()
    web.put("a.csv", b"id\n2\n", X="")
    (changed,) = opened(address, tmp_path).items()
    assert first.identity == again.identity != changed.identity
    assert fetched(opened(address, tmp_path), tmp_path) == b"id\n2\n"


def test_a_server_that_refuses_head_is_asked_for_one_byte(web: Web, tmp_path: Path):
    web.refuses.add("HEAD")
    (item,) = opened(web.put("a.csv", LONG), tmp_path).items()
    assert item.size == len(LONG)
    assert ranges(web) == ["bytes=0-0"]
    (empty,) = opened(web.put("b.csv", b""), tmp_path).items()
    assert empty.size == 0


def test_a_busy_server_is_asked_again(web: Web, tmp_path: Path):
    address = web.put("a.csv", b"id\n1\n")
    web.statuses += [503, 429]
    assert fetched(opened(address, tmp_path), tmp_path) == b"id\n1\n"
    web.put("a.csv", b"id\n2\n")
    web.statuses += [503] * downloads.TRIES
    with pytest.raises(SourceError, match="503"):
        fetched(opened(address, tmp_path), tmp_path)


def test_a_redirect_is_followed(web: Web, tmp_path: Path):
    web.files["moved"] = web.put("a.csv", b"id\n1\n").encode()
    web.refuses.add("HEAD")
    web.statuses += [302, 302]
    connection = opened(f"{web.address}/old.csv", tmp_path)
    (item,) = connection.items()
    assert item.name == "old.csv"


# what a file must add up to


def test_a_declared_sum_is_held_and_then_nobody_is_asked(web: Web, tmp_path: Path):
    digest = hashlib.sha256(LONG).hexdigest()
    address = web.put("a.bin", LONG)
    assert fetched(opened(address, tmp_path, digest.upper()), tmp_path) == LONG
    web.requests.clear()
    assert fetched(opened(address, tmp_path, digest), tmp_path) == LONG
    assert web.requests == []


def test_a_file_that_does_not_add_up_is_not_kept(web: Web, tmp_path: Path):
    declared, found = "0" * 64, hashlib.sha256(b"id\n1\n").hexdigest()
    with pytest.raises(SourceError) as refused:
        fetched(opened(web.put("a.csv", b"id\n1\n"), tmp_path, declared), tmp_path)
    assert found in refused.value.what
    assert declared in refused.value.fix
    assert not (tmp_path / "landing" / "a.csv").exists()


# what servers do


def test_bytes_that_are_packed_on_the_way_are_unpacked(web: Web, tmp_path: Path):
    packed = gzip.compress(b"id\n1\n")
    plain = web.put("a.csv", packed, ETag='"1"', Content_Encoding="gzip")
    assert fetched(opened(plain, tmp_path), tmp_path) == b"id\n1\n"
    kept = web.put("b.csv.gz", packed, ETag='"1"', Content_Encoding="gzip")
    assert fetched(opened(kept, tmp_path), tmp_path) == packed


def test_members_of_an_archive_are_listed_from_the_landed_file(web: Web, tmp_path: Path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("in/2024.csv", "id\n1\n")
        archive.writestr("in/2025.csv", "id\n2\n")
        archive.writestr("readme.md", "")
    address = web.put("years.zip", content.getvalue())
    assert [item.name for item in opened(address, tmp_path).items()] == [
        "years.zip/in/2024.csv",
        "years.zip/in/2025.csv",
    ]
    connection = opened(f"{address}/in/{{year:%Y}}.csv", tmp_path)
    items = connection.items()
    assert [item.parts["year"] for item in items] == ["2024-01-01T00:00:00", "2025-01-01T00:00:00"]
    assert connection.fetch(items[1], tmp_path / "scratch").read_text() == "id\n2\n"
    assert ranges(web) == [""]


def test_what_is_no_file_is_told_apart(web: Web, tmp_path: Path):
    page = web.put("a.csv", b"<html>log in</html>", ETag='"1"', Content_Type="text/html; charset=utf-8")
    with pytest.raises(SourceError, match="answers with a page"):
        fetched(opened(page, tmp_path), tmp_path)
    with pytest.raises(SourceError, match="answers 404") as missing:
        opened(f"{web.address}/none.csv?key=secret", tmp_path).items()
    assert missing.value.where == f"{web.address}/none.csv"
    with pytest.raises(SourceError, match=r"the host nowhere\.invalid is unknown"):
        opened("http://nowhere.invalid/a.csv", tmp_path).items()
    with pytest.raises(SourceError, match="cannot be reached"):
        opened("http://127.0.0.1:9/a.csv", tmp_path).items()


@pytest.mark.parametrize("path", ["sales_{month:%Y}.csv", "*.csv"])
def test_a_web_address_is_one_file(tmp_path: Path, path: str):
    with pytest.raises(DefinitionError, match="a web address is one file"):
        opened(f"https://host/{path}", tmp_path)
    with pytest.raises(DefinitionError, match="a password") as refused:
        opened("https://user:word@host/a.csv", tmp_path)
    assert "word@" not in str(refused.value)
