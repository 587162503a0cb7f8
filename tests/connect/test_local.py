"""Files below the data folder."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import pytest

from keepfit.connect import Connection, Place, connect
from keepfit.errors import SourceError
from keepfit.spec.sources import Csv, Files, Format


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def opened(data: Path, pattern: str, form: Format | None = None) -> Connection:
    return connect(Files(pattern, form), Place(data, data.parent / "landing", {}))


def write(data: Path, *names: str) -> None:
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("id\n1\n")


def found(data: Path, pattern: str, form: Format | None = None) -> list[str]:
    return [item.name for item in opened(data, pattern, form).items()]


def zipped(path: Path, **members: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "."), text)


def test_files_come_by_name_with_their_size_and_the_columns_of_their_names(data: Path, tmp_path: Path):
    write(data, "b/2025.csv", "a/2024.csv", "a/x.csv", "a/deep/2025.csv", "c.csv")
    first, second = opened(data, "{site}/{year:%Y}.csv").items()
    assert (first.name, first.size, first.parts) == ("a/2024.csv", 5, {"site": "a", "year": "2024-01-01T00:00:00"})
    assert second.name == "b/2025.csv"
    assert opened(data, "{site}/{year:%Y}.csv").fetch(second, tmp_path / "scratch") == data / "b/2025.csv"


def test_folders_pipes_and_hidden_files_are_no_raw_files(data: Path):
    write(data, "a.csv", ".b.csv")
    (data / "c.csv").mkdir()
    os.mkfifo(data / "d.csv")
    assert found(data, "*.csv") == ["a.csv"]


def test_a_pattern_without_a_star_is_one_file(data: Path):
    write(data, "in/a.csv")
    assert found(data, "in/a.csv") == ["in/a.csv"]
    with pytest.raises(SourceError):
        found(data, "in")


def test_links_are_followed_once_and_one_that_leads_nowhere_is_told_about(data: Path, tmp_path: Path):
    write(data, "a.csv")
    (data / "b.csv").symlink_to(data / "a.csv")
    (data / "c.csv").symlink_to(data / "nothing")
    (data / "d.csv").symlink_to(data / "d.csv")
    (data / "loop").symlink_to(data)
    items = {item.name: item for item in opened(data, "**/*.csv").items()}
    assert set(items) == {"a.csv", "b.csv", "c.csv", "d.csv"} | {f"loop/{name}.csv" for name in "abcd"}
    with pytest.raises(SourceError, match=r"c\.csv cannot be read"):
        opened(data, "**/*.csv").fetch(items["c.csv"], tmp_path)
    assert items["a.csv"].error is None


def test_a_file_that_was_written_again_has_another_identity(data: Path):
    write(data, "a.csv", "b.csv")
    before = {item.name: item.identity for item in opened(data, "*.csv").items()}
    stat = (data / "a.csv").stat()
    (data / "a.csv").write_text("id\n2\n")
    os.utime(data / "a.csv", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = {item.name: item.identity for item in opened(data, "*.csv").items()}
    assert before["a.csv"] != after["a.csv"]
    assert before["b.csv"] == after["b.csv"]


def test_a_file_that_has_gone_says_so(data: Path, tmp_path: Path):
    write(data, "a.csv")
    connection = opened(data, "*.csv")
    (item,) = connection.items()
    (data / "a.csv").unlink()
    with pytest.raises(SourceError, match=r"a\.csv has gone"):
        connection.fetch(item, tmp_path)


def test_nothing_that_matches_shows_what_is_there(data: Path):
    write(data, "in/a.csv", "in/b.csv")
    with pytest.raises(SourceError) as refused:
        found(data, "in/*.parquet")
    assert refused.value.what == "no file matches 'in/*.parquet'"
    assert refused.value.where == str(data / "in")
    assert refused.value.fix.endswith("it holds: a.csv, b.csv")
    with pytest.raises(SourceError) as missing:
        found(data, "out/*.csv")
    assert missing.value.fix.endswith("it holds: in")
    with pytest.raises(SourceError, match="it does not exist"):
        found(data / "none", "*.csv")


def test_dates_that_are_none_are_told_about_only_if_nothing_matches(data: Path):
    write(data, "sales_2025_13.csv")
    with pytest.raises(SourceError, match=r"nearly: sales_2025_13\.csv: '2025_13' is no time of the form %Y_%m"):
        found(data, "sales_{month:%Y_%m}.csv")
    write(data, "sales_2025_12.csv")
    assert found(data, "sales_{month:%Y_%m}.csv") == ["sales_2025_12.csv"]


def test_a_name_that_is_no_utf8_is_told_about_and_the_others_go_on(data: Path):
    write(data, "a.csv")
    Path(os.fsdecode(os.fsencode(data) + b"/b\xff.csv")).write_text("id\n")
    first, second = opened(data, "*.csv").items()
    assert (first.name, first.error) == ("a.csv", None)
    assert second.name == "b\\xff.csv"
    assert "not UTF-8" in str(second.error)


def test_five_thousand_names_are_each_listed_once(data: Path):
    for number in range(5_000):
        (data / f"s{number:05d}.csv").touch()
    assert sorted(found(data, "s{station}.csv")) == [f"s{number:05d}.csv" for number in range(5_000)]


# zip archives


def test_members_of_an_archive_are_files_of_their_own(data: Path, tmp_path: Path):
    zipped(data / "north.zip", a__csv="id\n1\n", notes__txt="hello")
    with zipfile.ZipFile(data / "north.zip", "a") as archive:
        archive.writestr("in/b.csv.gz", gzip.compress(b"id\n2\n"))
        archive.writestr("__MACOSX/a.csv", "junk")
        archive.writestr("in/.hidden.csv", "junk")
    connection = opened(data, "{site}.zip")
    first, second = connection.items()
    assert (first.name, first.parts) == ("north.zip/a.csv", {"site": "north"})
    assert second.name == "north.zip/in/b.csv.gz"
    scratch = tmp_path / "scratch"
    paths = [connection.fetch(item, scratch) for item in (first, second)]
    assert [path.parent for path in paths] == [scratch, scratch]
    assert paths[0].read_text() == "id\n1\n"
    assert gzip.decompress(paths[1].read_bytes()) == b"id\n2\n"
    assert paths[1].name.endswith(".csv.gz")


def test_a_declared_format_takes_every_member(data: Path):
    zipped(data / "a.zip", x__txt="1", y="2")
    assert found(data, "a.zip", Csv()) == ["a.zip/x.txt", "a.zip/y"]
    (item,) = opened(data, "a.zip").items()
    assert "a.zip holds no file to read" in str(item.error)
    assert "it holds: x.txt, y;" in str(item.error)


def test_a_pattern_may_reach_into_an_archive(data: Path):
    zipped(data / "2025.zip", north__csv="1", south__csv="2", notes__json="3")
    items = opened(data, "{year:%Y}.zip/{site}.csv").items()
    assert [item.parts for item in items] == [
        {"year": "2025-01-01T00:00:00", "site": "north"},
        {"year": "2025-01-01T00:00:00", "site": "south"},
    ]


def test_a_member_whose_bytes_changed_has_another_identity(data: Path):
    zipped(data / "a.zip", x__csv="1")
    (before,) = opened(data, "a.zip").items()
    zipped(data / "a.zip", x__csv="2")
    (after,) = opened(data, "a.zip").items()
    assert (before.name, before.size) == (after.name, after.size)
    assert before.identity != after.identity


def test_a_broken_archive_is_told_about_and_the_others_go_on(data: Path, tmp_path: Path):
    zipped(data / "a.zip", x__csv="id\n1\n")
    (data / "b.zip").write_bytes((data / "a.zip").read_bytes()[:-30])
    whole = bytearray((data / "a.zip").read_bytes())
    whole[36] ^= 255
    (data / "c.zip").write_bytes(whole)
    connection = opened(data, "*.zip")
    good, broken, bent = connection.items()
    assert connection.fetch(good, tmp_path / "scratch").read_text() == "id\n1\n"
    with pytest.raises(SourceError, match=r"b\.zip is no whole zip archive"):
        connection.fetch(broken, tmp_path / "scratch")
    with pytest.raises(SourceError, match=r"c\.zip/x\.csv cannot be unpacked"):
        connection.fetch(bent, tmp_path / "scratch")


def test_a_member_cannot_leave_the_scratch_folder(data: Path, tmp_path: Path):
    with zipfile.ZipFile(data / "a.zip", "w") as archive:
        archive.writestr("/evil.csv", "id\n1\n")
        archive.writestr("../../evil.csv", "id\n1\n")
    connection = opened(data, "a.zip")
    (item,) = connection.items()
    assert connection.fetch(item, tmp_path / "scratch").parent == tmp_path / "scratch"
