"""Files as they should not be, beside good ones: each is an error or quarantine that names it, and the others go on."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter

import pytest

from keepfit import Events, Files, Float, Text, tables
from keepfit.connect.local import LocalFiles
from keepfit.engines.local import formats
from keepfit.errors import SourceError
from keepfit.project import open_project

DEFINITIONS = """
from keepfit import Events, Files, Float, Text
sales = Events("sales", Files("*"), entity="who", time="at", columns={"note": Text(), "amount": Float(min=0)})
"""
SALES = Events("sales", Files("sales_*"), entity="who", time="at", columns={"note": Text(), "amount": Float(min=0)})
HEADER = "who,at,note,amount\n"


def good(note):
    return f"a,2025-01-01T00:00Z,{note},1\nb,2025-01-02T00:00Z,{note},2\n"


def packed(text):
    return gzip.compress(text.encode(), mtime=0)


def archive(path, torn):
    """Write an archive of a good member and one whose bytes are damaged."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("fine.csv", HEADER + good("zip"))
        members.writestr(torn, HEADER + good("torn") * 100)
    content = bytearray(path.read_bytes())
    begin = content.index(torn.encode()) + len(torn) + 5
    content[begin : begin + 20] = b"\xff" * 20
    path.write_bytes(content)


ODD = "odd 'single' \"double\" ünïcode 数\nnext.csv"
TAKEN = {
    "good_first.csv": HEADER + good("first"),
    "good_last.csv": HEADER + good("last"),
    ODD: HEADER + good("odd"),
    "bom.csv": b"\xef\xbb\xbf" + (HEADER + good("bom")).encode(),
    "mixed_ends.csv": (HEADER + good("mixed")).replace("\n", "\r\n", 2),
    "old_mac.csv": (HEADER + good("mac")).replace("\n", "\r"),
    "header_only.csv": HEADER,
    # with one bad line each
    "latin.csv": HEADER.encode() + "a,2025-01-01T00:00Z,café,3\n".encode("latin-1") + good("latin").encode(),
    "nul.csv": HEADER + "a,2025-01-01T00:00Z,x\0y,3\n" + good("nul"),
    "open_quote.csv": HEADER + good("quote") + 'a,2025-01-01T00:00Z,"open,3\n',
    "long_line.csv": HEADER + "x" * 20_000_000 + "\n" + good("long"),
    "wide.csv": HEADER.strip() + "".join(f",c{n}" for n in range(10_000)) + "\n" + f"a,2025-01-01T00:00Z,w,-1{',1' * 10_000}\n"
    + "".join(f"{line}{',1' * 10_000}\n" for line in good("wide").splitlines()),
}  # fmt: skip
BAD = {
    ("latin.csv", 2): "is no record: invalid encoding",
    ("nul.csv", 2): "is no record: nul byte",
    ("open_quote.csv", 4): "is no record: quote is never closed",
    ("long_line.csv", 2): "is no record: longer than 16,000,000 bytes",
    ("wide.csv", 2): "amount is below 0",
}
REFUSED = {
    "corrupt.csv.gz": (packed(HEADER + good("x") * 9)[:-12] + b"\1" * 12, "corrupt.csv.gz cannot be read"),
    "truncated.csv.gz": (packed(HEADER + good("x") * 9)[:-20], "truncated.csv.gz cannot be read: its end is missing"),
    "not_packed.csv.gz": ("hello", "not_packed.csv.gz cannot be read"),
    "wide_letters.csv": ((HEADER + good("x")).encode("utf-16"), "wide_letters.csv is not UTF-8 but UTF-16"),
    "empty.csv": ("", "empty.csv is empty"),
    "noise.csv": (bytes(range(256)) * 40, "noise.csv has a header that cannot be read"),
    "not.zip": ("hello", "not.zip is no whole zip archive"),
    "broken.parquet": ("PAR1 no", "broken.parquet cannot be read"),
    "broken.json": ('[{"who": "a"', "broken.json is no JSON array of objects"),
}


def keepfit(folder):
    command = [sys.executable, "-m", "keepfit", "ingest", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)["tables"][0]


@pytest.mark.slow
def test_hostile_files_are_named_and_the_good_ones_beside_them_are_taken(project):
    folder = project(DEFINITIONS, {})
    data = folder / "data"
    for name, content in {**TAKEN, **{name: content for name, (content, _) in REFUSED.items()}}.items():
        (data / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    archive(data / "members.zip", "torn.csv")
    (data / "folder.csv").mkdir()
    (data / "link.csv").symlink_to("nowhere.csv")
    code, done = keepfit(folder)
    assert code == 4
    said = [error["what"] if isinstance(error, dict) else str(error) for error in done["errors"]]
    expected = [what for _, what in REFUSED.values()]
    expected += ["members.zip/torn.csv cannot be unpacked", "link.csv cannot be read"]
    assert len(said) == len(expected)
    assert all(any(one.startswith(what) for one in said) for what in expected)

    opened = open_project(folder, None, {})
    rows = opened.engine.rows(opened.lake.parquet_files("source/sales"))
    names = {*TAKEN, "members.zip/fine.csv"} - {"header_only.csv"}
    assert Counter(row["_file"] for row in rows) == dict.fromkeys(names, 2)
    held = opened.engine.rows(opened.lake.parquet_files("quarantine"))
    assert {(row["file"], row["line"]): row["reason"] for row in held} == BAD
    code, done = keepfit(folder)
    assert (code, done["files"], len(done["errors"])) == (4, [], len(expected))


MEASURED = """
import sys
from pathlib import Path
from keepfit import Events, Files, Float, Text
from keepfit.connect import Place
from keepfit.engines.local import LocalEngine
from keepfit.lake import Lake
from keepfit.stages.ingest import ingest
sales = Events("sales", Files("sales_*"), entity="who", time="at", columns={"note": Text(), "amount": Float(min=0)})
data, root = Path(sys.argv[1]), Path(sys.argv[2])
(done,) = ingest(LocalEngine(threads=1), Lake(root), Place(data, root / "landing", {}), [sales], 4102444800000000)
# not ru_maxrss, which begins with what the process that started this one held
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(done.appended, done.quarantined, len(done.errors), int(peak.split()[1]) >> 10)
"""
MEGABYTE = b"a" * (1 << 20)


def a_line(path):
    with path.with_suffix(".csv").open("wb") as content:
        content.write(HEADER.encode() + b"a,2025-01-01T00:00Z,")
        for _ in range(300):
            content.write(MEGABYTE)
        content.write(b",1\n" + good("x").encode())


def a_packed_line(path):
    with gzip.open(path.with_suffix(".csv.gz"), "wb", 1) as content:
        content.write(HEADER.encode() + good("x").encode())
        for _ in range(300):
            content.write(MEGABYTE)


def a_member(path):
    """Write an archive of 300 kB that unpacks to 300 MB."""
    with (
        zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as members,
        members.open("bomb.csv", "w") as content,
    ):
        content.write(HEADER.encode() + good("x").encode())
        for _ in range(300):
            content.write(MEGABYTE)


@pytest.mark.slow
@pytest.mark.parametrize("write", [a_line, a_packed_line, a_member])
def test_a_line_of_300_megabytes_is_one_bad_row_and_takes_little_memory(tmp_path, write):
    data = tmp_path / "data"
    data.mkdir()
    write(data / "sales_1")
    command = [sys.executable, "-c", MEASURED, str(data), str(tmp_path / "lake")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    *counts, megabytes = map(int, done.stdout.split())
    assert counts == [2, 1, 0]
    assert megabytes < 400


def refusal(desk, **options):
    with pytest.raises(SourceError) as refused:
        desk.ingest(SALES, **options)
    return refused.value


def notes(desk):
    return sorted(row["note"] for row in desk.rows(SALES))


def three(desk):
    for number in (1, 2, 3):
        desk.write(f"sales_{number}.csv", HEADER + good(f"n{number}"))


def meanwhile(monkeypatch, act):
    """Have something happen to the second file between its first bytes and its rows."""
    true = formats.opened

    def opened(connection, path, format_, name, folder):
        found = true(connection, path, format_, name, folder)
        if name == "sales_2.csv":
            act(path)
        return found

    monkeypatch.setattr(formats, "opened", opened)


def grow(path):
    with path.open("a") as content:
        content.write(good("more"))


@pytest.mark.parametrize(("act", "says"), [(grow, "was written to"), (os.unlink, "vanished")])
def test_a_file_that_changes_while_it_is_read_is_refused_as_a_whole(desk, monkeypatch, act, says):
    three(desk)
    with monkeypatch.context() as patch:
        meanwhile(patch, act)
        refused = refusal(desk)
    assert "sales_2.csv" in refused.what and (says in refused.what or "cannot be read" in refused.what)
    assert notes(desk) == ["n1", "n1", "n3", "n3"]
    desk.write("sales_2.csv", HEADER + good("whole"))
    desk.ingest(SALES)
    assert notes(desk) == ["n1", "n1", "n3", "n3", "whole", "whole"]


@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_vanishes_before_it_is_read_is_named_and_the_others_go_on(desk, monkeypatch, known):
    if known:
        desk.write("sales_2.csv", HEADER + good("old"))
        desk.ingest(SALES)
    three(desk)
    true = LocalFiles.fetch

    def fetch(self, item, folder):
        path = true(self, item, folder)
        if item.name == "sales_2.csv":
            path.unlink()
        return path

    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "fetch", fetch)
        assert "sales_2.csv" in refusal(desk).what
    assert notes(desk) == ["n1", "n1", "n3", "n3", *(["old", "old"] if known else [])]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named_and_the_others_go_on(desk):
    three(desk)
    (desk.data / "sales_2.csv").chmod(0)
    assert "sales_2.csv cannot be read" in refusal(desk).what
    assert notes(desk) == ["n1", "n1", "n3", "n3"]


def test_a_file_full_of_bad_rows_leaves_no_rows_and_no_table_behind(desk):
    desk.write("sales_1.csv", HEADER + "a,never,x,-1\n" * 9)
    refusal(desk)
    assert not desk.lake.exists("source/sales") and desk.rows(tables.QUARANTINE) == []
