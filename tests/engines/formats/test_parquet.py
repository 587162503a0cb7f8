"""Parquet: every type as a text file would hold it."""

from __future__ import annotations

import pytest

from keepfit.errors import SourceError

VALUES = {
    "tiny": ("(-7)::tinyint", "-7"),
    "big": "9007199254740993::bigint",
    "unsigned": "18446744073709551615::ubigint",
    "single": ("0.1::float", "0.1"),
    "real": ("1.5::double", "1.5"),
    "whole": ("17850::double", "17850"),
    "large": ("1e300::double", "1e+300"),
    "nan": ("'nan'::double", None),
    "price": ("1.50::decimal(9, 2)", "1.5"),
    "round": ("100.00::decimal(9, 2)", "100"),
    "hundred": ("100::decimal(9, 0)", "100"),
    "yes": ("true", "true"),
    "empty": ("''", None),
    "text": ("'ü, \"x\"'", 'ü, "x"'),
    "day": ("date '2020-01-02'", "2020-01-02"),
    "local": ("timestamp '2020-01-02 03:04:05.5'", "2020-01-02T03:04:05.5"),
    "exact": ("timestamptz '2020-01-02 03:04:05+02'", "2020-01-02T01:04:05Z"),
    "nano": ("timestamp_ns '2020-01-02 03:04:05.123456789'", "2020-01-02T03:04:05.123456789"),
    "clock": ("time '03:04:05'", "03:04:05"),
    "bytes": ("'\\xAB\\x00'::blob", "ab00"),
    "list": ("[1, 2]", "[1,2]"),
    "struct": ("{'x': 1, 'y': 'z'}", '{"x":1,"y":"z"}'),
    "id": ("'6e3e6a7c-0000-4000-8000-000000000001'::uuid", "6e3e6a7c-0000-4000-8000-000000000001"),
    "kind": ("'b'::enum('a', 'b')", "b"),
}  # fmt: skip


def as_pair(value):
    return value if isinstance(value, tuple) else (value, value.split("::")[0])


def test_values_of_every_type_are_texts_and_nulls_are_null(read, connection, tmp_path):
    columns = ", ".join(f'{as_pair(value)[0]} as "{name}"' for name, value in VALUES.items())
    nulls = ", ".join("null" for _ in VALUES)
    connection.execute(f"copy (select {columns} union all select {nulls}) to '{tmp_path / 'a.parquet'}'")
    found = read("a.parquet", tmp_path / "a.parquet")
    assert dict(zip(found.header, found.rows[0], strict=True)) == {name: as_pair(v)[1] for name, v in VALUES.items()}
    assert found.rows[1] == (None,) * len(VALUES)
    assert found.opened.types["real"] == "DOUBLE" and found.opened.types["local"] == "TIMESTAMP"
    assert (found.opened.lines, found.opened.first_line, found.rejected) == (2, 1, [])


def test_rows_come_in_the_order_of_the_file(read, connection, tmp_path):
    connection.execute(
        f"copy (select range as n from range(300000)) to '{tmp_path / 'a.pq'}' (format parquet, row_group_size 10000)"
    )
    assert [int(n) for (n,) in read("a.pq", tmp_path / "a.pq").rows] == list(range(300_000))


def test_a_column_that_comes_twice_is_refused(read, connection, tmp_path):
    connection.execute(f"copy (select {{'a': 1}} as s, 1 as a) to '{tmp_path / 'a.parquet'}'")
    assert read("a.parquet", tmp_path / "a.parquet").header == ("s", "a")
    content = (tmp_path / "a.parquet").read_bytes()
    # the name stands in the schema alone
    doubled = content.replace(b"\x18\x01s", b"\x18\x01A")
    assert doubled != content
    with pytest.raises(SourceError, match=r"has column '[aA]' twice"):
        read("b.parquet", doubled)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n", b"PAR1" + b"x" * 99 + b"PAR1"])
def test_a_file_that_is_no_parquet_is_refused_by_name(read, content):
    with pytest.raises(SourceError) as found:
        read("a.parquet", content)
    assert found.value.what.startswith("a.parquet cannot be read")
