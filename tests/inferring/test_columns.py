"""What a sample tells of a header, of values and of times."""

from __future__ import annotations

import pytest

from keepfit.inferring import naming, times
from keepfit.inferring.dialect import dialect_of, encoding_of
from keepfit.inferring.values import look, outward
from keepfit.spec.sources import Csv


@pytest.mark.parametrize(
    ("text", "name", "unit"),
    [
        ("PM2.5 (ug/m3)", "pm25", "ug/m3"),
        ("Eth-Benzene [ug/m3]", "eth_benzene", "ug/m3"),
        ("From Date", "from_date", None),
        ("CustomerID", "customer_id", None),
        ("NOx (ppb)", "nox", "ppb"),
        ("RECORD_TYPE_005A", "record_type_005a", None),
        ("Temp ()", "temp", None),
        ("Année", "annee", None),
        ("class", "column_class", None),
        ("1st", "column_1st", None),
        ("ключ", "column", None),
    ],
)
def test_a_header_becomes_an_identifier_and_a_unit(text, name, unit):
    header = naming.header(text)
    assert (header.name, header.unit) == (name, unit)
    assert header.name.isidentifier()


@pytest.mark.parametrize(
    ("texts", "format"),
    [
        (["2024-01-01 00:00:00", "2024-01-01T01:00"], None),
        (["21/02/2024 10:30", "02/03/2024 9:05"], "%d/%m/%Y %H:%M"),
        (["02/21/2024", "03/02/2024"], "%m/%d/%Y"),
        (["11.04.2022 08:36:25.984"], "%d.%m.%Y %H:%M:%S.%f"),
        (["1-Feb-2024 1:05 PM"], "%d-%b-%Y %I:%M %p"),
        (["20240101", "20240131"], "%Y%m%d"),
        (["10/03/2024 10:00 +0100"], "%d/%m/%Y %H:%M %z"),
    ],
)
def test_the_format_of_times_is_found(texts, format):
    found = times.written(texts)
    assert found is not None and found.format == format


@pytest.mark.parametrize("texts", [["12", "13"], ["1.5"], ["99999999"], ["abc"], ["12:30"], ["ISO 9001"]])
def test_what_is_no_time_is_not_taken_for_one(texts):
    assert times.written(texts) is None


def test_a_doubt_about_day_and_month_is_told():
    found = times.written(["01/02/2024", "03/04/2024"])
    assert found is not None and "'%m/%d/%Y'" in found.doubt
    assert times.written(["13/02/2024", "03/04/2024"]).doubt == ""


def test_offsets_are_noticed():
    assert times.written(["2024-01-01T00:00Z", "2024-01-01T00:00+01:00"]).zoned
    assert not times.written(["2024-01-01T00:00Z", "2024-01-01T00:00"]).zoned


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (["1", "2", None, "3.0"], "integer"),
        (["1", "2.5", "-3e2"], "float"),
        (["007", "012"], "category"),
        (["9007199254740993", "1"], "category"),
        (["true", "False", ""], "boolean"),
        (["Y", "n"], "boolean"),
        (["0", "1"], "integer"),
        (["red", "blue"], "category"),
        ([f"a long comment that says number {place} of many things" for place in range(99)], "text"),
        (["2024-01-01"], "time"),
        (["NA", None], ""),
        (["C123", *map(str, range(9))], "category"),
    ],
)
def test_the_type_of_values_is_found(raw, kind):
    assert look(raw).kind == kind


def test_marks_of_missing_values_are_found_and_count_as_empty():
    found = look(["NA", "-999", "-999", "-999", None, *(str(place / 2) for place in range(95))])
    assert (found.kind, found.sentinels) == ("float", ("NA", -999))
    assert (found.least, found.most, found.empty, found.share_empty) == (0.0, 47.0, 5, 0.05)
    assert look([*["9999"] * 5, *map(str, range(100, 200))]).sentinels == (9999,)
    assert look([*["99"] * 5, *map(str, range(100))]).sentinels == ()
    assert look(["N/A", "red", "blue"]).sentinels == ("N/A",)


def test_decimal_commas_are_found():
    found = look(["1,5", "2.000,25", "-0,5"])
    assert (found.kind, found.decimal, found.thousands, found.most) == ("float", ",", ".", 2000.25)
    assert look(["1,234.5", "12"]).thousands == ","


@pytest.mark.parametrize(
    ("low", "high", "heavy", "bounds"),
    [
        (0.3, 412, False, (0, 1000)),
        (-18.8, 38, False, (-100, 100)),
        (0, 3, True, (0, 50)),
        (-6.6, 0.25, False, (-20, 10)),
    ],
)
def test_bounds_leave_room_and_are_round(low, high, heavy, bounds):
    assert outward(low, high, whole=False, heavy=heavy) == bounds


ROWS = "".join(f"{place},x{place},{place / 2}\n" for place in range(30))


@pytest.mark.parametrize(
    ("text", "format", "header"),
    [
        ("a,b,c\n" + ROWS, Csv(","), ("a", "b", "c")),
        ("a;b;c\n" + ROWS.replace(",", ";").replace(".", ","), Csv(";"), ("a", "b", "c")),
        ("Report of May\n\na,b,c\n" + ROWS, Csv(",", skip=2), ("a", "b", "c")),
        ("Report of May,,\na,b,c\n" + ROWS, Csv(",", skip=1), ("a", "b", "c")),
        ("a,b,c,\n" + ROWS, Csv(",", skip=1, names=("a", "b", "c")), ("a", "b", "c")),
        (ROWS, Csv(",", names=("column_1", "column_2", "column_3")), ("column_1", "column_2", "column_3")),
        ("a,b\n" + "1,'x, y'\n" * 9, Csv(",", quote="'"), ("a", "b")),
        ("a,b\n" + '1,"x, y\nz"\n' * 9, Csv(","), ("a", "b")),
        ("a\n1\n2\n", Csv(","), ("a",)),
    ],
)
def test_the_way_a_text_is_written_is_found(text, format, header):
    found = dialect_of(text, "utf-8", tab=False)
    assert found is not None
    assert (found.format, found.header) == (format, header)


def test_the_encoding_of_a_text_is_found():
    assert encoding_of("aü".encode()) == "utf-8"
    assert encoding_of("aü".encode()[:-1]) == "utf-8"  # cut within a letter
    assert encoding_of("aü".encode("utf-16")) == "utf-16"
    assert encoding_of("Temp (°C)".encode("latin-1")) == "latin-1"
    assert encoding_of("a–b".encode("cp1252")) == "cp1252"
