"""Rows of ready features: what in a file is no row is told with its line in the file."""

from __future__ import annotations

import duckdb
import pytest

from keepfit.engines.local.ready import LocalReady


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("plain.csv", "a,b\n1,2\nshort\n3,4\nshort\n", [3, 5]),
        ("folded.csv", 'a,b\n1,"x\ny"\nshort\n"\n"\n2,"x\n"\n3,4\nshort\n', [4, 5, 10]),
        ("whole.csv", 'a,b\n1,"x\ny"\n', []),
    ],
)
def test_what_is_no_row_is_told_with_its_line_in_the_file(tmp_path, name, content, lines):
    (tmp_path / name).write_text(content)
    with duckdb.connect() as connection:
        read = LocalReady(connection, tmp_path / name, name, tmp_path / "read")
        assert [one.place for one in read.unread()] == [f"line {line}" for line in lines]
