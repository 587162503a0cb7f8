"""Rows of SQL databases: real PostgreSQL and MariaDB servers on loopback, and SQLite."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from tests.connect.servers import Server

from keepfit.connect import Connection, Place, batches, connect, database
from keepfit.connect.copies import whole
from keepfit.errors import DefinitionError, MissingExtra, SourceError
from keepfit.spec.sources import Csv, Database
from keepfit.testing import Row, SourceContract


class Rows(SourceContract):
    """A table of rows; each put inserts some."""

    items_per_put = None
    remembers = True
    kind: ClassVar[str]
    cursor: ClassVar[str | None]
    server: Server

    def prepare(self, request: pytest.FixtureRequest) -> None:
        self.server, self.ids = request.getfixturevalue(self.kind), {}
        self.server.run("DROP TABLE IF EXISTS rows_of_a_test", "CREATE TABLE rows_of_a_test (id BIGINT, text TEXT)")

    def environment(self) -> Mapping[str, str]:
        return {"SHOP": self.server.address}

    def source(self) -> Database:
        return Database("env:SHOP", "rows_of_a_test", cursor=self.cursor)

    def put(self, name: str, rows: Sequence[Row]) -> None:
        self.ids: dict[str, list[int]] = {**self.ids, name: [key for key, _ in rows]}
        for key, text in rows:
            self.server.run("INSERT INTO rows_of_a_test VALUES (:key, :text)", key=key, text=text)

    def remove(self, name: str) -> None:
        for key in self.ids[name]:
            self.server.run("DELETE FROM rows_of_a_test WHERE id = :key", key=key)


class Whole(Rows):
    """Rows read without a cursor: one file, another one if any of them changed."""

    cursor = None
    grows = False

    def rewrite(self, name: str, rows: Sequence[Row]) -> None:
        self.remove(name)
        self.put(name, rows)


class TestPostgresql(Rows):
    kind, cursor = "postgresql", "id"


class TestMariadb(Rows):
    kind, cursor = "mariadb", "id"


class TestSqlite(Rows):
    kind, cursor = "sqlite", "id"


class TestSqliteWhole(Whole):
    kind = "sqlite"


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    found.run("DROP TABLE IF EXISTS sales")
    return found


def opened(server: Server, tmp_path: Path, cursor: str | None, query: str | None = None) -> Connection:
    source = Database("env:SHOP", None if query else "sales", query, cursor)
    return connect(source, Place(tmp_path, tmp_path / "landing", {"SHOP": server.address}))


def lines(connection: Connection, tmp_path: Path) -> list[list[str]]:
    paths = [connection.fetch(item, tmp_path / "scratch") for item in connection.items()]
    return [gzip.decompress(path.read_bytes()).decode().splitlines() for path in paths]


def test_each_ingest_reads_what_lies_beyond_the_last_value(server: Server, tmp_path: Path):
    server.run("CREATE TABLE sales (id INT, amount INT)", "INSERT INTO sales VALUES (2, 20), (1, 10)")
    assert lines(opened(server, tmp_path, "id"), tmp_path) == [["id,amount", "1,10", "2,20"]]
    server.run("INSERT INTO sales VALUES (3, 30)")
    (landed, pending) = opened(server, tmp_path, "id").items()
    assert (landed.name, landed.format, pending.size) == ("sales/000000.csv.gz", Csv(), -1)
    assert landed.size > 0
    assert lines(opened(server, tmp_path, "id"), tmp_path)[1] == ["id,amount", "3,30"]
    assert len(opened(server, tmp_path, "id").items()) == 2


def test_rows_of_one_value_are_never_parted(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "BATCH", 2)
    server.run(
        "CREATE TABLE sales (id INT, day INT)", "INSERT INTO sales VALUES (1, 1), (2, 1), (3, 1), (4, 2), (5, 3)"
    )
    found = lines(opened(server, tmp_path, "day"), tmp_path)
    assert [sorted(rows[1:]) for rows in found] == [["1,1", "2,1", "3,1"], ["4,2"], ["5,3"]]


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("BIGINT", "9007199254740993", "9007199254740994"),
        ("VARCHAR(20)", "'a''b'", "'a:c%'"),
        ("TIMESTAMP(6)", "'2025-03-30 01:30:00.000001'", "'2025-03-30 01:30:00.000002'"),
        ("DATE", "'2025-03-30'", "'2025-03-31'"),
        ("DECIMAL(38,18)", "1234567890.123456789012345678", "1234567890.123456789012345679"),
    ],
)
def test_a_cursor_is_kept_to_its_last_digit(server: Server, tmp_path: Path, kind: str, first: str, second: str):
    if kind.startswith("DECIMAL") and server.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no decimals")
    server.run(f"CREATE TABLE sales (at {kind})", f"INSERT INTO sales VALUES ({first.replace(':', chr(92) + ':')})")
    lines(opened(server, tmp_path, "at"), tmp_path)
    server.run(f"INSERT INTO sales VALUES ({second.replace(':', chr(92) + ':')})")
    assert [len(rows) for rows in lines(opened(server, tmp_path, "at"), tmp_path)] == [2, 2]
    assert [len(rows) for rows in lines(opened(server, tmp_path, "at"), tmp_path)] == [2, 2]


def test_a_query_is_read_as_a_table_is(server: Server, tmp_path: Path):
    server.run(
        "CREATE TABLE sales (id INT, note VARCHAR(9))", "INSERT INTO sales VALUES (1, 'a:b'), (2, '5%'), (3, '')"
    )
    query = "SELECT id, note AS said FROM sales WHERE note LIKE '%:%' OR note LIKE '5%' -- both :x\n;"
    assert lines(opened(server, tmp_path, "id", query), tmp_path) == [["id,said", "1,a:b", "2,5%"]]
    assert lines(opened(server, tmp_path, None, query), tmp_path) == [["id,said", "1,a:b", "2,5%"]]


def test_without_a_cursor_the_order_of_rows_is_no_change(server: Server, tmp_path: Path):
    server.run("CREATE TABLE sales (id INT, n INT)", "INSERT INTO sales VALUES (1, 1), (2, 2), (2, 2)")
    (before,) = opened(server, tmp_path, None).items()
    server.run("DELETE FROM sales", "INSERT INTO sales VALUES (2, 2), (1, 1), (2, 2)")
    assert opened(server, tmp_path, None).items() == [before]
    server.run("UPDATE sales SET n = 3 WHERE id = 1")
    (after,) = opened(server, tmp_path, None).items()
    assert before.identity != after.identity


def test_values_are_written_as_the_contract_reads_them(postgresql: Server, tmp_path: Path):
    postgresql.run(
        "DROP TABLE IF EXISTS sales",
        "CREATE TABLE sales (yes BOOLEAN, at TIMESTAMPTZ, local TIMESTAMP, day DATE, price NUMERIC, x FLOAT8)",
        "ALTER TABLE sales ADD raw BYTEA, ADD many INT[], ADD doc JSONB, ADD none TEXT",
        "INSERT INTO sales VALUES (true, '2025-01-01T02:00:00.5+02', '2025-01-01 02:00:00', '2025-01-01', 1.50, 0.1)",
        """UPDATE sales SET raw = '\\x00ff', many = '{1,2}', doc = '{"a"\\: "b"}'""",
        "INSERT INTO sales (yes, price, x, none) VALUES (false, 'NaN', 'NaN', E'two\\nlines')",
    )
    ((header, first, second, rest),) = lines(opened(postgresql, tmp_path, None), tmp_path)
    assert header == "yes,at,local,day,price,x,raw,many,doc,none"
    assert first == (
        'true,2025-01-01T00:00:00.500000+00:00,2025-01-01T02:00:00,2025-01-01,1.50,0.1,00ff,"[1, 2]","{""a"": ""b""}",'
    )
    assert (second, rest) == ('false,,,,,,,,,"two', 'lines"')


# nothing lost, nothing twice


def test_a_kill_at_any_moment_of_landing_loses_and_doubles_nothing(
    sqlite: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sqlite.run("CREATE TABLE sales (id INT)", "INSERT INTO sales VALUES (1), (2), (3)")

    class Killed(BaseException):
        pass

    for moment in ("write", "note"):
        with monkeypatch.context() as patched:

            def killed(path: Path, *_: object) -> None:
                (path if path.is_dir() else path.parent).joinpath(".left.1-1.part").write_bytes(b"half")
                raise Killed

            patched.setattr(batches, moment, killed)
            with pytest.raises(Killed):
                lines(opened(sqlite, tmp_path, "id"), tmp_path)
        sqlite.run("INSERT INTO sales SELECT max(id) + 1 FROM sales")
    assert lines(opened(sqlite, tmp_path, "id"), tmp_path) == [["id", "1", "2", "3", "4", "5"]]
    assert list((tmp_path / "landing" / "sales").glob(".*.part")) == []


def test_a_batch_that_was_overtaken_by_a_later_one_is_still_read(
    sqlite: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "BATCH", 2)
    sqlite.run("CREATE TABLE sales (id INT)", "INSERT INTO sales VALUES (1), (2), (3), (4), (5)")
    connection = opened(sqlite, tmp_path, "id")
    connection.fetch(connection.items()[2], tmp_path / "scratch")
    sqlite.run("INSERT INTO sales VALUES (6)")
    assert [rows[1:] for rows in lines(opened(sqlite, tmp_path, "id"), tmp_path)] == [
        ["1", "2", "3", "4"],
        ["5"],
        ["6"],
    ]


def test_a_half_written_file_never_has_the_name_of_a_whole_one(tmp_path: Path):
    with pytest.raises(RuntimeError), whole(tmp_path / "a.csv") as content:
        content.write(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


# what is refused


def test_rows_without_a_cursor_are_refused(server: Server, tmp_path: Path):
    server.run("CREATE TABLE sales (id INT)", "INSERT INTO sales VALUES (1), (NULL)")
    with pytest.raises(SourceError, match="the cursor id is null in some rows"):
        opened(server, tmp_path, "id").items()


def test_names_that_are_not_there_show_what_is(server: Server, tmp_path: Path):
    server.run("CREATE TABLE sales (id INT)", "INSERT INTO sales VALUES (1)")
    with pytest.raises(SourceError, match="did you mean 'id'"):
        opened(server, tmp_path, "idd").items()
    place = Place(tmp_path, tmp_path / "landing", {"SHOP": server.address})
    with pytest.raises(SourceError, match="did you mean 'sales'"):
        connect(Database("env:SHOP", "sale"), place).items()


def test_another_cursor_than_the_landed_one_is_refused(sqlite: Server, tmp_path: Path):
    sqlite.run("CREATE TABLE sales (id INT, at INT)", "INSERT INTO sales VALUES (1, 2)")
    lines(opened(sqlite, tmp_path, "id"), tmp_path)
    with pytest.raises(SourceError, match="was landed by the cursor id, not at"):
        opened(sqlite, tmp_path, "at").items()


def test_a_session_cannot_write(server: Server, tmp_path: Path):
    server.run("CREATE TABLE sales (id INT)", "INSERT INTO sales VALUES (1)")
    connection = opened(server, tmp_path, None)
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        connection.queries.engine.connect().exec_driver_sql("DELETE FROM sales")  # type: ignore[attr-defined]


def test_a_password_is_in_no_definition_and_no_error(tmp_path: Path, postgresql: Server):
    place = Place(tmp_path, tmp_path / "landing", {"SHOP": "postgresql://team:secret@127.0.0.1:9/shop"})
    for url in ("postgresql://team:secret@host/shop", "postgresql://team@host/shop?password=secret"):
        with pytest.raises(DefinitionError, match="a password stands in a definition") as refused:
            connect(Database(url, "sales"), place)
        assert "secret" not in str(refused.value)
    with pytest.raises(SourceError, match="the database refuses") as unreached:
        connect(Database("env:SHOP", "sales"), place).items()
    assert "secret" not in str(unreached.value)
    with pytest.raises(SourceError, match="NONE is not set"):
        connect(Database("env:NONE", "sales"), place)


def test_addresses_that_lead_nowhere_say_so(tmp_path: Path):
    place = Place(tmp_path, tmp_path / "landing", {})
    with pytest.raises(SourceError, match=r"there is no SQLite file none\.db"):
        connect(Database("sqlite:///none.db", "sales"), place)
    with pytest.raises(SourceError, match="no kind of database is named postgre"):
        connect(Database("postgre://host/shop", "sales"), place)
    with pytest.raises(SourceError, match="no address of a database"):
        connect(Database("shop", "sales"), place)
    with pytest.raises(MissingExtra):
        connect(Database("oracle+oracledb://host/shop", "sales"), place)


def test_values_that_a_note_keeps_come_back_equal():
    for value in (2**70, 0.1, "1", datetime(2025, 1, 1, 0, 0, 0, 1, UTC), datetime(2025, 1, 1).date(), b"\0\xff"):
        assert batches.kept(batches.keep(value, "")) == value
    with pytest.raises(SourceError, match="a cursor cannot be a list"):
        batches.keep([1], "")


LANDING = """
import sys
from pathlib import Path
from keepfit.connect import Place, connect, database
from keepfit.spec.sources import Database

database.BATCH = 400
folder = Path(sys.argv[1])
connection = connect(Database("sqlite:///shop.db", "sales", cursor="id"), Place(folder, folder / "landing", {}))
print("began", flush=True)
for item in connection.items():
    connection.fetch(item, folder / "scratch")
"""


@pytest.mark.slow
def test_a_landing_that_is_killed_again_and_again_ends_with_each_row_once(sqlite: Server, tmp_path: Path):
    rows = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 20000) SELECT id FROM n"
    sqlite.run(f"CREATE TABLE sales AS {rows}")
    for milliseconds in random.Random(7).sample(range(5, 150), 4):
        with subprocess.Popen([sys.executable, "-c", LANDING, tmp_path], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(milliseconds / 1000)
            process.kill()
    found = [key for rows in lines(opened(sqlite, tmp_path, "id"), tmp_path) for key in rows[1:]]
    assert found == [str(key) for key in range(1, 20001)]
