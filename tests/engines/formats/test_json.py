"""JSON: objects by line, in an array, or inside a document."""

from __future__ import annotations

import gzip
import json

import pytest

from keepfit.errors import SourceError
from keepfit.spec.sources import Json


def lines(*records: str) -> bytes:
    return "\n".join(records).encode() + b"\n"


def refused(read, *arguments) -> SourceError:
    with pytest.raises(SourceError) as found:
        read(*arguments)
    assert found.value.fix
    return found.value


PAIR = '[{"a": 1, "b": "x"},\n {"a": 2}]'


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.jsonl", b'{"a": 1, "b": "x"}\n{"a": 2}\n', None),
        ("a.ndjson", b'{"a":1,"b":"x"}\r\n{"a":2}', None),
        ("a.json", b'\xef\xbb\xbf{"a": 1, "b": "x"}\n\n{"a": 2, "b": null}\n', None),
        ("a.jsonl.gz", gzip.compress(b'{"a": 1, "b": "x"}\n{"a": 2}\n', mtime=0), None),
        ("a.json", PAIR.encode(), None),
        ("a.json", b"\xef\xbb\xbf\n " + PAIR.encode(), None),
        ("a.json.gz", gzip.compress(PAIR.encode(), mtime=0), None),
        ("a.json", PAIR.encode("utf-16"), Json(encoding="utf-16")),
        ("a.json", b'{"x": {"rows": [[1, "]"], {}]}, "y": {"rows": ' + PAIR.encode() + b', "n": 2}}', Json(records="y.rows")),
    ],
)  # fmt: skip
def test_every_way_to_write_the_same_objects_reads_the_same(read, name, content, format):
    found = read(name, content, format)
    assert (found.header, found.rows, found.rejected) == (("a", "b"), [("1", "x"), ("2", None)], [])
    assert found.opened.types == {"a": "UBIGINT", "b": "VARCHAR"}


def test_values_are_texts_as_a_csv_would_hold_them(read):
    values = {
        "big": 2**53 + 1,
        "huge": 10**30,
        "negative": -7,
        "real": 1.50,
        "whole": 17850.0,
        "large": 1e300,
        "yes": True,
        "no": False,
        "none": None,
        "empty": "",
        "nan": float("nan"),
        "no number": "NaN",
        "text": 'ü\u00e9 "q"\n\\ \u2028',
        "digits": "1.0",
        "null": "null",
        "object": {"x": [1, 2.5, None], "y": {}},
        "list": [],
        "a/b~c": "p",
        "q\"u'o.te": "q",
        "0": "zero",
        "ключ": "k",
    }
    found = read("a.jsonl", lines(json.dumps(values), json.dumps({"late": 1}), "{}"))
    assert found.header == (*values, "late")
    assert dict(zip(values, found.rows[0], strict=False)) == {
        "big": "9007199254740993",
        "huge": "1000000000000000000000000000000",
        "negative": "-7",
        "real": "1.5",
        "whole": "17850",
        "large": "1e300",
        "yes": "true",
        "no": "false",
        "none": None,
        "empty": None,
        "nan": None,
        "no number": "NaN",
        "text": 'üé "q"\n\\ \u2028',
        "digits": "1.0",
        "null": "null",
        "object": '{"x":[1,2.5,null],"y":{}}',
        "list": "[]",
        "a/b~c": "p",
        "q\"u'o.te": "q",
        "0": "zero",
        "ключ": "k",
    }
    assert [row[-1] for row in found.rows] == [None, "1", None]
    assert found.opened.types["object"] == "OBJECT" and found.opened.types["whole"] == "DOUBLE"


def test_columns_are_those_of_all_objects_in_the_order_in_which_they_come_up(read):
    found = read("a.jsonl", lines('{"b": 1}', '{"c": 1, "a": 2}', '{"a": 1, "b": 3}'))
    assert found.header == ("b", "c", "a")
    assert found.rows == [("1", None, None), (None, "1", "2"), ("3", None, "1")]


def test_a_line_that_is_no_object_is_told_and_the_others_go_on(read):
    content = lines('{"a": 1}', "", '{"a": 2', "[3]", '{"a": 4}', '{"a": "\0"}', '{"a": 5}}', '{"a": 6}', '"x"')
    content = content.replace(b"4}\n", b'4}\n{"a": "\xe9"}\n')
    found = read("a.jsonl", content)
    assert found.rows == [("1",), ("4",), ("6",)]
    assert [(line, before, error) for line, before, error, _ in found.rejected] == [
        (3, 1, "malformed json"),
        (4, 1, "no json object"),
        (6, 2, "invalid encoding"),
        (7, 2, "nul byte"),
        (8, 2, "malformed json"),
        (10, 3, "no json object"),
    ]
    assert found.torn()[0] == (3, '{"a": 2')
    assert found.lines() == [1, 5, 9]


def test_an_element_of_an_array_that_is_no_object_is_told_by_its_place(read):
    found = read("a.json", b'[{"a": 1}, 2, {"a": 3}, [4], "x", {"a": 6}]')
    assert found.rows == [("1",), ("3",), ("6",)]
    assert found.rejected == [
        (2, 1, "no json object", "2"),
        (4, 2, "no json object", "[4]"),
        (5, 2, "no json object", '"x"'),
    ]
    assert found.lines() == [1, 3, 6]


def test_an_empty_array_is_a_file_without_records(read):
    for content, format in ((b"[]", None), (b'{"data": [ ]}', Json(records="data"))):
        found = read("a.json", content, format)
        assert (found.header, found.rows, found.opened.lines) == ((), [], 0)


def test_elements_of_a_document_are_kept_as_they_are_written_across_pieces(read):
    records = [{"id": 2**53 + place, "text": "é\n[{" * 40_000, "of": {"x": 1.5}} for place in range(40)]
    document = json.dumps({"before": ["x" * 2_000_000, 12], "data": records}, indent=1, ensure_ascii=False)
    found = read("a.json", document.encode(), Json(records="data"))
    assert [row[0] for row in found.rows] == [str(record["id"]) for record in records]
    assert found.rows[7][1:] == ("é\n[{" * 40_000, '{"x":1.5}')


@pytest.mark.parametrize(
    ("content", "format", "says", "fix"),
    [
        (b"", None, "a.json is empty", "again"),
        (b" \n\n", None, "a.json is empty", "again"),
        (b'[{"a": 1}, {"a": }, {"a": 3}]', None, "a.json is no JSON array of objects: unexpected character at record", "again"),
        (b'[{"a": 1}, {"a": 2}', None, "a.json is no JSON array of objects", "again"),
        (b'[{"a": 1}] [{"a": 2}]', None, "a.json is no JSON array of objects", "again"),
        (b'[{"a": "\xe9"}]', None, "a.json is no JSON array of objects: invalid UTF-8", "again"),
        (b'{"data": {"rows":\n [{"a": 1}]}, "b": [{}]}', None, "a.json holds neither", "Json(records='data.rows')"),
        (b"hello\n", None, "a.json holds neither", "again"),
        (b'{"a": 1, "A": 2}\n', None, "a.json has column 'A' twice", "rename"),
        (b'{"data": {"rows": [1]}}', Json(records="data.row"), "a.json: 'data' has no 'row'", "did you mean 'rows'?"),
        (b'{"data": {"rows": {}}}', Json(records="data.rows"), "a.json: 'rows' is no array", "Json(records"),
        (b'{"data": 3}', Json(records="data.rows"), "a.json: 'data' has no 'rows': it is no object", "Json(records"),
        (b'{"data": [{"a": 1},\n{"a": 2]}', Json(records="data"), "a.json is no JSON document", "again"),
        (b'{"data": [{"a": 1}]\n', Json(records="data"), "a.json is no JSON document: its end is missing at line 2", "again"),
        (b'{"data": [{"a": 1}]} x', Json(records="data"), "a.json is no JSON document: something stands behind", "again"),
        (b'{"data": ["\xe9"]}', Json(records="data"), "a.json is no JSON document", "again"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_refused_with_a_way_out(read, content, format, says, fix):
    error = refused(read, "a.json", content, format)
    assert error.what.startswith(says)
    assert fix in error.fix
