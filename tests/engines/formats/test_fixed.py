"""Text whose columns stand at fixed places."""

from __future__ import annotations

import gzip

import pytest

from keepfit.errors import SourceError
from keepfit.spec.sources import FixedWidth

BRIDGES = FixedWidth({"id": (1, 4), "road": (5, 10), "year": (13, 16)}, skip=1)


def test_values_stand_at_their_places_without_the_blanks_behind_them(read):
    content = b'TITLE "\n0001A 12    1990\n\n 2  \xc3\x9cber----91 \n0003\n0\n'
    for name, packed in (("a.txt", content), ("a.txt.gz", gzip.compress(content, mtime=0))):
        found = read(name, packed, BRIDGES)
        assert found.header == ("id", "road", "year")
        assert found.rows == [
            ("0001", "A 12", "1990"),
            (" 2", "Über--", "91"),
            ("0003", None, None),
            ("0", None, None),
        ]
        assert found.lines() == [2, 4, 5, 6]


def test_a_line_with_bytes_that_are_no_text_is_told(read):
    found = read("a.dat", b"t\n0001A 12    1990\n0002\0\n0003\xe9\n0004,\"'\t; 1|1994\n", BRIDGES)
    assert [row[0] for row in found.rows] == ["0001", "0004"]
    assert [(line, error) for line, _, error, _ in found.rejected] == [(3, "nul byte"), (4, "invalid encoding")]


def test_another_encoding_is_read_when_it_is_declared(read):
    found = read("a.txt", "Ü1\nÄ2\n".encode("cp1252"), FixedWidth({"a": (1, 1), "b": (2, 2)}, encoding="cp1252"))
    assert found.rows == [("Ü", "1"), ("Ä", "2")]


def test_a_column_that_comes_twice_is_refused(read):
    with pytest.raises(SourceError, match="has column 'A' twice"):
        read("a.txt", b"12\n", FixedWidth({"a": (1, 1), "A": (2, 2)}))
