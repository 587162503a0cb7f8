"""Records that span lines: those below them keep the line that they have in the file."""

from __future__ import annotations

import csv
import gzip

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keepfit.engines.local.formats import folds
from keepfit.spec.sources import Csv


@pytest.mark.parametrize(
    ("name", "content", "format", "lines", "torn"),
    [
        ("plain.csv", b'a,b\n1,"x\ny\nz"\n2,x\nshort\n3,x\n', None, [2, 5, 7], [6]),
        ("windows.csv", b'a,b\r\n1,"x\r\ny"\r\n2,x\r\nshort\r\n3,x\r\n', None, [2, 4, 6], [5]),
        ("old mac.csv", b'a,b\r1,"x\ry"\r2,x\rshort\r3,x\r', None, [2, 4, 6], [5]),
        ("two ends.csv", b'a,b\r\n1,"x\ny"\r\n2,x\r\nshort\n3,x\n', None, [2, 4, 6], [5]),
        ("folded torn.csv", b'a,b\n"x\ny"\n1,x\nshort\n2,"x\n"\n"\n",x,y\nshort\n', None, [4, 6], [2, 5, 8, 10]),
        ("packed.csv.gz", gzip.compress(b'a,b\n1,"x\ny"\n2,x\n'), None, [2, 4], []),
        ("wide.csv", 'a,b\n1,"x\ny"\n2,x\n'.encode("utf-16"), Csv(encoding="utf-16"), [2, 4], []),
        ("blank.csv", b'\na,b\n\n1,"x\n\ny"\n\n\n2,"x\n"\n\n3,x\n', None, [4, 9, 12], []),
        ("one column.csv", b'a\n"x\ny"\n\n"z"\n', None, [2, 4, 5], []),
        ("folded header.csv", b'"a\n\na",b\n1,"x\ny"\n2,x\nshort\n', None, [4, 6], [7]),
        ("titled.csv", b'made by X\n\na,b\n1,"x\ny"\n2,x\nshort\n', Csv(skip=1), [4, 6], [7]),
        ("quoted title.csv", b'A "title\n\nand more\na,b\n1,"x\ny"\n2,x\n', Csv(skip=3), [5, 7], []),
        ("headless.csv", b'1,"x\ny"\n2,x\nshort\n', Csv(names=("a", "b")), [1, 3], [4]),
        ("other header.csv", b'x,y\n1,"x\ny"\n2,x\n', Csv(names=("a", "b"), skip=1), [2, 4], []),
        ("cut.csv", b'a,b\n1,"x\ny"\n\0,5\n2,"x\n\ny"\n3,x\n"4"x,\n5,"x\n"\n6,x\n', None, [2, 5, 8, 10, 12], [4, 9]),
        ("repaired.csv", b'a,b\n1,"x\ny"\n2,"in "the" box"\n3,x\nshort\n4,x\n', None, [2, 4, 5, 7], [6]),
        ("inches.csv", b'a,b\n1,5" pipe\n2,"x\ny"\n3,5" pipe\n4,x\n', None, [2, 3, 5, 6], []),
        ("open at the end.csv", b'a,b\n1,"x\ny"\n2,x\n3,"x\n4,y\n', None, [2, 4], [5, 6]),
        ("apostrophes.csv", b"a;b\n1;'x\ny'\n2;x\n", Csv(delimiter=";", quote="'"), [2, 4], []),
        ("no quotes.csv", b'a,b\n1,"x\ny\n2,x\n', Csv(quote=""), [2, 4], [3]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_is_where_a_record_begins_in_the_file(read, name, content, format, lines, torn):
    found = read(name, content, format)
    assert found.lines() == lines
    assert [line for line, _ in found.torn()] == torn


def test_a_file_without_line_feeds_inside_quotes_is_not_gone_through_again(read):
    assert read("a.csv", b'a,b\n1,"x"\n\nshort\n').opened.folds is None


VALUES = st.text(st.sampled_from('a,"\n '), max_size=6)


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.one_of(st.tuples(VALUES, VALUES), st.tuples(VALUES), st.just(()), st.just(("torn",))), max_size=10
    ),
    ends=st.sampled_from(["\n", "\r\n"]),
    inches=st.booleans(),
    block=st.integers(1, 40),
)
@example([("\n", "\n\n"), (), ("torn",), ("a", "b")], "\r\n", True, 1)
@example([("\n",), ("", ""), ("torn",)], "\n", False, 1)
def test_lines_are_those_that_python_counts(read, monkeypatch, rows, ends, inches, block):
    monkeypatch.setattr(folds, "BLOCK", block)
    records = [",".join(map(quoted, row)) if row != ("torn",) else "torn" for row in rows]
    text = "".join(record + ends for record in ['a,"b\nb"', *(['5" pipe,x'] if inches else []), *records])
    reader = csv.reader(text.splitlines(keepends=True))
    lines: dict[int, list[int]] = {}
    begin = 1
    for row in reader:
        lines.setdefault(len(row), []).append(begin)
        begin = reader.line_num + 1
    found = read("a.csv", text.encode())
    assert found.lines() == lines.get(2, [])[1:]
    assert [line for line, _ in found.torn()] == lines.get(1, [])
