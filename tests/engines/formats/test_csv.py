"""Delimited text: what is read, what is no record and where, and what is refused."""

from __future__ import annotations

import csv
import gzip
import io
import os
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keepfit.errors import SourceError
from keepfit.spec.sources import Csv

DATA = os.environ.get("KEEPFIT_DATA")
GOOD = [("1", "2"), ("3", "4")]
LINE = b"1234567890,abcdefghij\n"


def refused(read, *arguments, **options) -> SourceError:
    with pytest.raises(SourceError) as found:
        read(*arguments, **options)
    assert found.value.fix
    return found.value


# the same rows in many ways


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("plain.csv", b"a,b\n1,2\n3,4\n", None),
        ("unended.csv", b"a,b\n1,2\n3,4", None),
        ("windows.csv", b"a,b\r\n1,2\r\n3,4\r\n", None),
        ("old mac.csv", b"a,b\r1,2\r3,4\r", None),
        ("twice translated.csv", b"a,b\r\r\n1,2\r\r\n3,4\r\r\n", None),
        ("mixed.csv", b"a,b\r\n1,2\n3,4\r\n", None),
        ("last.csv", b"a,b\r\n1,2\r\n3,4\n", None),
        ("mark.csv", b"\xef\xbb\xbfa,b\n1,2\n3,4\n", None),
        ("quoted mark.csv", b'\xef\xbb\xbf"a",b\n1,2\n3,4\n', None),
        ("spaced.csv", b'a,b\n1, "2"\n3,4\n', None),
        ("text.txt", b"a,b\n1,2\n3,4\n", None),
        ("tabs.tsv", b"a\tb\n1\t2\n3\t4\n", None),
        ("packed.csv.gz", gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0), None),
        ("packed.TXT.GZ", gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0), None),
        ("members.tsv.gz", gzip.compress(b"a\tb\n1\t2\n", mtime=0) + gzip.compress(b"3\t4\n", mtime=0) + b"\0" * 99, None),
        ("semicolons.csv", b"a;b\n1;2\n3;4\n", Csv(delimiter=";")),
        ("apostrophes.csv", b"'a',b\n'1',2\n3,4\n", Csv(quote="'")),
        ("titled.csv", b'A "title\n\n"and more\na,b\n1,2\n3,4\n', Csv(skip=3)),
        ("headless.csv", b"1,2\n3,4\n", Csv(names=("a", "b"))),
        ("other header.csv", b"x,y\n1,2\n3,4\n", Csv(names=("a", "b"), skip=1)),
        ("wide.csv", "a,b\n1,2\n3,4\n".encode("utf-16"), Csv(encoding="utf-16")),
        ("set [1] of *.csv", b"a,b\n1,2\n3,4\n", None),
        ("declared.dat", b"a,b\n1,2\n3,4\n", Csv()),
    ],
)  # fmt: skip
def test_every_way_to_write_the_same_rows_reads_the_same(read, name, content, format):
    found = read(name, content, format)
    assert (found.header, found.rows, found.rejected) == (("a", "b"), GOOD, [])
    assert found.opened.digest == blake3(content).hexdigest()


def test_values_are_texts_as_they_stand_and_empty_ones_are_null(read):
    found = read("a.csv", b'a,b,c\n,"",NULL\n 1 ,007,1e5\n"x""y","p\r\nq",it\'s\nx"y,\xc3\xbc,\xe2\x80\x8b\n')
    assert found.rows == [
        (None, None, "NULL"),
        (" 1 ", "007", "1e5"),
        ('x"y', "p\r\nq", "it's"),
        ('x"y', "ü", "\u200b"),
    ]


def test_columns_that_are_declared_may_be_read_typed_and_what_does_not_fit_is_rejected(read):
    found = read("a.csv", b"a,b\n1.5,x\nnone,y\n2,z\n", types={"a": "DOUBLE"})
    assert found.rows == [(1.5, "x"), (2.0, "z")]
    assert found.rejected == [(3, 1, "cast", "none,y")]


@pytest.mark.parametrize(
    ("content", "format", "plain"),
    [
        (b"a_1,b+\n1,2\n", Csv(), True),
        (b"a,b\n1_0,2\n", Csv(), False),
        (b"a,b\n1,+2\n", Csv(), False),
        (b"1_0,2\n", Csv(names=("a", "b")), False),
        (b"title\n1_0,2\n", Csv(skip=1), False),
        (b"a,b\r\n1,2\n\0,1_0\n", Csv(), False),
    ],
)
def test_a_file_tells_whether_its_numbers_are_what_they_seem(read, content, format, plain):
    assert read("a.csv", content, format).opened.plain is plain


def test_a_column_without_a_name_is_called_by_its_place(read):
    assert read("a.csv", b",a,\n0,1,2\n").header == ("column 1", "a", "column 3")


def test_ten_thousand_columns_are_read(read):
    header = ",".join(f"c{place}" for place in range(10_000))
    found = read("a.csv", f"{header}\n{','.join('1' * 10_000)}\n1,2\n".encode())
    assert len(found.header) == 10_000
    assert found.rows == [("1",) * 10_000]
    assert found.torn() == [(3, "1,2")]


@pytest.mark.parametrize("content", [b"a,b\n", b"a,b", b"a,b\r\n\r\n"])
def test_a_header_alone_is_a_file_without_records(read, content):
    found = read("a.csv", content)
    assert (found.header, found.rows, found.opened.lines) == (("a", "b"), [], 0)


# lines


def test_what_is_no_record_is_told_by_its_line_and_records_keep_theirs(read):
    found = read("a.csv", b"a,b\n1,2\n\n3\n4,5\n6,7,8\n\xe9,9\n\n\n10,11\n")
    assert found.rows == [("1", "2"), ("4", "5"), ("10", "11")]
    assert [row[:3] for row in found.rejected] == [
        (4, 1, "missing columns"),
        (6, 2, "too many columns"),
        (7, 2, "invalid encoding"),
    ]
    assert found.lines() == [2, 5, 10]


def test_a_blank_line_is_an_empty_record_where_there_is_one_column(read):
    found = read("a.csv", b"a\n1\n\n3\n")
    assert (found.rows, found.lines()) == ([("1",), (None,), ("3",)], [2, 3, 4])


def test_lines_below_what_was_cut_out_are_right(read):
    content = b'skip\n\na,b\n1,2\nx\0y,4\n\n5,6\n7\n8,9\n"\0\nx",3\n4\r,5\n6\n7,8\n'
    found = read("a.csv", content, Csv(skip=1))
    assert found.rows == [("1", "2"), ("5", "6"), ("8", "9"), ("7", "8")]
    assert found.rejected == [
        (5, 1, "nul byte", "x\0y,4"),
        (8, 2, "missing columns", "7"),
        (10, 3, "nul byte", '"\0'),
        (11, 3, "nul byte", 'x",3'),
        (12, 3, "carriage return in a line", "4\r,5"),
        (13, 3, "missing columns", "6"),
    ]
    assert found.lines() == [4, 7, 9, 14]


def test_a_quote_opens_a_value_behind_one_space_and_no_more(read):
    found = read("a.csv", b'a,b\n1, "x\ny"\n2,  "x\n3,  "y"\n4\n')
    assert found.rows == [("1", "x\ny"), ("2", '  "x'), ("3", '  "y"')]
    assert (found.lines(), found.torn()) == ([2, 4, 5], [(6, "4")])


def test_a_quote_that_is_closed_wrongly_costs_the_lines_it_held(read):
    found = read("a.csv", b'a,b\n1,2\n"3,4\n5,6\n7,8"x\n9,10\n11,"x"y,z"\n12,13\n')
    assert found.rows == [("1", "2"), ("9", "10"), ("11", 'x"y,z'), ("12", "13")]
    assert found.torn() == [(3, '"3,4'), (4, "5,6"), (5, '7,8"x')]
    assert {row[2] for row in found.rejected} == {"text after a closing quote"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("1,'RAMP 'A'  '", "RAMP 'A'  "),
        ("'1','JOHN'S, CREEK'", "JOHN'S, CREEK"),
        ("1,''n' ''more'' and 'so'", "'n' 'more' and 'so"),
        ("1,'RAMP 'F(2)'", "RAMP 'F(2)"),
        ("1,'RAMP 'B''", "RAMP 'B'"),
        ("1,'RAMP 'A', EAST'", None),
        ("1,'RAMP 'A'',2", None),
        ("1,'RAMP 'A", None),
    ],
)
def test_quotes_inside_a_quoted_value_belong_to_it_if_the_columns_then_agree(read, line, value):
    found = read("a.csv", f"a,b\n{line}\n3,4\n".encode(), Csv(quote="'"))
    assert found.rows == ([("1", value)] if value else []) + [("3", "4")]


def test_no_line_is_lost_that_an_open_quote_swallows(read):
    found = read("a.csv", b'a,b\n1,2\n"3,4\n5,6\n')
    assert (found.rows, found.torn()) == ([("1", "2")], [(3, '"3,4'), (4, "5,6")])


def test_a_quote_left_open_in_a_large_file_costs_a_part_of_it_and_no_line_is_lost(read):
    found = read("a.csv", b"a,b\n" + LINE * 50_000 + b'"' + LINE * 350_000)
    assert len(found.rows) + len(found.rejected) == 400_000
    assert len(found.rejected) < 100_000
    assert found.rejected[0] == (50_002, 50_000, "quote is not closed within 1,900,000 bytes", '"1234567890,abcdefghij')


def test_a_line_of_fifty_megabytes_costs_that_line(read):
    found = read("a.csv", b"a,b\n1,2\n" + b"x" * 50_000_000 + b",2\n3,4\n")
    assert found.rows == GOOD
    ((line, before, error, raw),) = found.rejected
    assert (line, before, error) == (3, 1, "longer than 16,000,000 bytes")
    assert raw.startswith("xxx") and len(raw) < 20_000


def test_a_line_of_ten_megabytes_is_read(read):
    found = read("a.csv", b"a,b\n" + b"x" * 10_000_000 + b",2\n3,4\n" + b'"' + b"y" * 3_000_000 + b'",6\n')
    assert [(len(a), b) for a, b in found.rows] == [(10_000_000, "2"), (1, "4"), (3_000_000, "6")]


def test_lines_that_end_in_several_ways_beside_quotes_keep_what_stands_inside_them(read):
    found = read("a.csv", b'a,b\r\n1,"x\r\ny\rz\n"\n3,4\r\n')
    assert found.rows == [("1", "x\r\ny\rz\n"), ("3", "4")]


# refusals


@pytest.mark.parametrize(
    ("name", "content", "format", "says", "where"),
    [
        ("a.csv", b"", None, "a.csv is empty", ""),
        ("a.csv", b"\n\r\n\n", None, "a.csv is empty", ""),
        ("a.csv", b"a,b,a\n", None, "a.csv has column 'a' twice", ""),
        ("a.csv", b"a,b,A\n", None, "a.csv has column 'A' twice", ""),
        ("a.csv", b"a\0,b\n1,2\n", None, "a.csv has a header that cannot be read: nul byte", "line 1"),
        ("a.csv", b'"a,b\n1,2\n', None, "a.csv has a header that cannot be read: quote is never closed", "line 1"),
        ("a.csv", b"\xe9,b\n1,2\n", None, "a.csv has a header that cannot be read", "line 1"),
        ("a.csv", b"x" * 50_000_000, None, "a.csv has a header that cannot be read: longer than", "line 1"),
        ("a.csv", "a,ü\n1,2\n".encode("utf-16"), None, "a.csv is not UTF-8 but UTF-16", ""),
        ("a.csv", "a,ü\n1,2\n".encode("utf-16-le"), None, "a.csv is not UTF-8 but UTF-16", ""),
        ("a.csv", b"a,b\n1,2\n\x81", Csv(encoding="cp932"), "a.csv is not in cp932: line 3", "line 3"),
        ("a.csv", b"a,b\n", Csv(encoding="klingon"), "there is no encoding 'klingon'", ""),
        ("a.csv.gz", b"", None, "a.csv.gz cannot be read: its end is missing", ""),
        ("a.csv.gz", b"a,b\n", None, "a.csv.gz cannot be read", ""),
        ("a.csv.gz", gzip.compress(LINE * 99, mtime=0)[:-3], None, "a.csv.gz cannot be read: its end is missing", ""),
        ("a.csv.gz", gzip.compress(LINE * 99, mtime=0)[:-8] + b"x" * 8, None, "a.csv.gz cannot be read", ""),
        ("a.csv.gz", gzip.compress(LINE * 99, mtime=0) + b"junk", None, "a.csv.gz cannot be read", ""),
        ("a.doc", b"a,b\n", None, "a.doc is of no known format", ""),
        ("a.parquet.gz", b"", None, "a.parquet.gz is of no known format", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(read, name, content, format, says, where):
    error = refused(read, name, content, format)
    assert error.what.startswith(says)
    assert where in error.where


def test_a_file_in_another_encoding_is_told_how_to_declare_it(read):
    assert refused(read, "a.csv", "a,ü\n1,2\n".encode("utf-16")).fix == "declare encoding='utf-16'"


def test_an_unknown_suffix_is_told_what_is_known(read):
    fix = refused(read, "a.doc", b"").fix
    assert ".csv" in fix and ".parquet" in fix and ".jsonl.gz" in fix and "Csv()" in fix


# any table


NAMES = ["a", "b", "c"]
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8),
    ends=st.sampled_from(["\n", "\r\n"]),
    everywhere=st.booleans(),
    quote=st.sampled_from(['"', "'"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
@example([("", "", "")], "\n", False, '"', ",")
@example([("x\n\ny", "\n", "\r"), ("a", "b", "\ufeff")], "\r\n", False, '"', ",")
def test_any_table_that_python_writes_is_read_back(read, rows, ends, everywhere, quote, delimiter):
    text = io.StringIO(newline="")
    # Python leaves a carriage return without quotes where lines end in another way
    quoting = csv.QUOTE_ALL if everywhere or "\r" in "".join(map("".join, rows)) else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, quotechar=quote, lineterminator=ends, quoting=quoting)
    writer.writerows([NAMES, *rows])
    found = read("a.csv", text.getvalue().encode(), Csv(delimiter=delimiter, quote=quote))
    assert found.rejected == []
    assert found.rows == [tuple(value or None for value in row) for row in rows]


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b"\r", b"\0", b" ", b"\xe9"]), max_size=30))
@example([b'"', b'"', b"a", b"\n", b"a", b","])
@example([b"a", b'"', b",", b'"', b"\n", b"a", b",", b"a", b"\n"])
@example([b'"', b"\n", b'"', b"\n", b",", b"\n", b"a"])
@example([b" ", b" ", b'"', b"\n", b'"'])
@example([b" ", b" ", b'"', b"\r\n", b'"'])
def test_of_any_bytes_each_line_is_a_record_or_told(read, pieces):
    found = read("a.csv", b"a,b\n" + b"".join(pieces), Csv())
    told = sorted([*found.lines(), *(line for line, _ in found.torn())])
    assert told == sorted(set(told))


# what agencies send


@pytest.mark.data
@pytest.mark.skipif(DATA is None, reason="KEEPFIT_DATA is not set")
def test_the_bridges_of_maryland_are_read_with_their_apostrophes(read):
    path = Path(DATA or "", "maryland_nbi", "MD07.txt.gz")
    found = read("MD07.txt.gz", path, Csv(quote="'"))
    assert (len(found.header), len(found.rows), found.rejected) == (134, 6_255, [])
    assert found.rows[0][10] == "Creek                   "


@pytest.mark.data
@pytest.mark.skipif(DATA is None, reason="KEEPFIT_DATA is not set")
def test_a_file_in_latin_1_is_read_when_it_is_declared(read):
    (path, *_) = sorted(Path(DATA or "", "munich_test_bridge").glob("Temperature*.csv"))
    assert "header that cannot be read" in refused(read, path.name, path).what
    found = read(path.name, path, Csv(encoding="latin-1", skip=1, names=("time", "temperature")))
    assert found.rows[0] == ("11.04.2022 08:36:25.984", "1.60000002384186")
    assert found.rejected == []
    assert read(path.name, path, Csv(encoding="latin-1")).header == ("Time (-)", "Air Temperature (°C)", "column 3")
