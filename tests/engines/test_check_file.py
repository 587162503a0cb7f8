"""A raw file under its contract: what is let in, what goes to quarantine, and what is refused as a whole."""

from __future__ import annotations

import gzip
import json

import pytest

from keepfit import Boolean, Events, Files, Float, Integer, Records, Text, tables
from keepfit.errors import SourceError

sales = Events("sales", Files("*"), entity="who", time="at", columns={"amount": Float(min=0)})
HEADER = "who,at,amount\n"
NOON = "2025-06-01T12:00:00Z"


def packed(content):
    return gzip.compress(content, mtime=0)


def amounts(good):
    return [row["amount"] for row in good]


def quarantined(bad):
    return [(row["line"], row["reason"]) for row in bad]


def test_a_bad_row_is_kept_with_every_reason_its_line_and_its_text(desk):
    desk.write("a.csv", f"{HEADER}a,{NOON},1\n,never,-3\na,{NOON},x\n")
    good, bad = desk.check(sales, "a.csv")
    assert amounts(good) == [1.0]
    reasons = "amount is below 0; who is missing; at is not a time"
    assert quarantined(bad) == [(3, reasons), (4, "amount is not a number")]
    assert json.loads(bad[0]["raw"]) == {"who": None, "at": "never", "amount": "-3"}
    assert (bad[0]["table"], bad[0]["file"]) == ("sales", "a.csv")


def test_torn_records_are_kept_as_they_stand_and_lines_below_them_are_right(desk):
    desk.write("a.csv", f"{HEADER}a,{NOON},1\na,short\na,{NOON},2\na,{NOON},3,4,5\na,{NOON},x\n")
    good, bad = desk.check(sales, "a.csv")
    assert amounts(good) == [1.0, 2.0]
    few, many, unreadable = bad
    assert (few["line"], few["raw"]) == (3, "a,short")
    assert (many["line"], many["raw"]) == (5, f"a,{NOON},3,4,5")
    assert "is no record" in few["reason"] and "is no record" in many["reason"]
    assert quarantined([unreadable]) == [(6, "amount is not a number")]


def test_lines_below_a_value_that_spans_lines_are_those_of_the_file(desk):
    desk.write("a.csv", f'who,at,amount,note\na,{NOON},1,"x\ny\nz"\na,{NOON},x,"\n"\n\na,{NOON}\na,never,1,"x\n"\n')
    good, bad = desk.check(sales, "a.csv")
    assert [(row["line"], row["record"]) for row in bad] == [(5, 2), (8, None), (9, 3)]
    assert len(good) == 1


def test_a_quote_left_open_at_the_end_costs_that_record(desk):
    desk.write("a.csv", f'{HEADER}a,{NOON},1\na,{NOON},x\na,{NOON},"3')
    good, bad = desk.check(sales, "a.csv")
    assert amounts(good) == [1.0]
    assert [row["line"] for row in bad] == [3, 4]


def test_no_line_is_lost_that_an_open_quote_swallows(desk):
    desk.write("a.csv", f'{HEADER}a,{NOON},1\na,{NOON},"2\na,{NOON},3\na,{NOON},4\n')
    checked = desk.checked(sales, "a.csv")
    assert (checked.files[0].rows, checked.files[0].quarantined) == (4, 3)
    raw = [(row["line"], row["raw"]) for row in desk.check(sales, "a.csv")[1]]
    assert raw == [(3, f'a,{NOON},"2'), (4, f"a,{NOON},3"), (5, f"a,{NOON},4")]


def test_lines_below_a_swallowed_one_are_right(desk):
    desk.write("a.csv", f'{HEADER}a,{NOON},"1\na,{NOON},2\na,{NOON},"3"\na,{NOON},4\na,{NOON},x\na,torn\n')
    good, bad = desk.check(sales, "a.csv")
    assert amounts(good) == [4.0]
    assert [row["line"] for row in bad] == [2, 3, 4, 6, 7]


def test_a_line_that_is_no_utf8_costs_that_record(desk):
    desk.write("a.csv", f"{HEADER}a,{NOON},1\n".encode() + b"\xff,x,2\n" + f"a,{NOON},3\n".encode())
    good, bad = desk.check(sales, "a.csv")
    assert amounts(good) == [1.0, 3.0]
    assert [row["line"] for row in bad] == [3]


def test_a_line_break_inside_quotes_is_part_of_the_value(desk):
    notes = Events("notes", Files("*"), entity="who", time="at", columns={"text": Text()})
    desk.write("a.csv", f'who,at,text\na,{NOON},"one\ntwo, ""three"""\na,{NOON},four\n')
    good, bad = desk.check(notes, "a.csv")
    assert [row["text"] for row in good] == ['one\ntwo, "three"', "four"]
    assert bad == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", f"{HEADER}a,{NOON},1\n".encode()),
        ("mark.csv", b"\xef\xbb\xbf" + f"{HEADER}a,{NOON},1\n".encode()),
        ("windows.csv", f"{HEADER}a,{NOON},1\n".replace("\n", "\r\n").encode()),
        ("unended.csv", f"{HEADER}a,{NOON},1".encode()),
        ("packed.csv.gz", packed(f"{HEADER}a,{NOON},1\n".encode())),
        ("tabs.tsv", f"{HEADER}a,{NOON},1\n".replace(",", "\t").encode()),
        ("tabs.tsv.gz", packed(f"{HEADER}a,{NOON},1\n".replace(",", "\t").encode())),
        ("more columns.csv", f"at,extra,amount,who\n{NOON},x,1,a\n".encode()),
        ("pandas.csv", f",{HEADER}0,a,{NOON},1\n".encode()),
        ("quotes.csv", f'who,at,amount,"it\'s ""so"""\na,{NOON},1,\n'.encode()),
    ],
)
def test_every_way_to_write_the_same_rows_reads_the_same(desk, name, content):
    desk.write(name, content)
    good, bad = desk.check(sales, name)
    assert [(row["who"], row["amount"], row["_record"]) for row in good] == [("a", 1.0, 1)]
    assert bad == []


def test_a_file_with_a_header_alone_is_a_file_without_rows(desk):
    desk.write("a.csv", HEADER)
    (found,) = desk.checked(sales, "a.csv").files
    assert (found.rows, found.quarantined, found.first_time) == (0, 0, None)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"who,at,amonut\n", "a.csv has no column 'amount', which sales declares"),
        ("a.csv", b"who,at,amount,amount\n", "a.csv has column 'amount' twice"),
        ("a.csv", b"who,at,amount,Amount\n", "a.csv has column 'Amount' twice"),
        ("a.docx", b"PK", "a.docx is of no known format"),
        ("a.csv.gz", b"who,at,amount\n", "a.csv.gz cannot be read"),
        ("a.csv.gz", packed(HEADER.encode() * 99_999)[:200], "a.csv.gz cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_as_declared_is_refused_by_name(desk, name, content, says):
    desk.write(name, content)
    with pytest.raises(SourceError) as refused:
        desk.check(sales, name)
    assert refused.value.what.startswith(says)
    assert refused.value.fix


def test_a_missing_column_is_named_with_the_nearest_there_is(desk):
    desk.write("a.csv", "who,at,amonut\n")
    with pytest.raises(SourceError) as refused:
        desk.check(sales, "a.csv")
    assert (
        refused.value.fix
        == "did you mean 'amonut'? the file has: amonut, at, who; or declare evolution=Evolution(vanish='ignore')"
    )


@pytest.mark.parametrize("text", ["2025-06-01 12:00:00", "2025-06-01T12:00", "2025-06-01"])
@pytest.mark.parametrize("column", ["at", "noticed"])
def test_times_without_a_zone_are_refused_by_column(desk, column, text):
    late = Events("sales", Files("*"), entity="who", time="at", known="noticed")
    times = {"at": NOON, "noticed": NOON, column: text}
    desk.write("a.csv", f"who,at,noticed\na,{times['at']},{times['noticed']}\n")
    with pytest.raises(SourceError) as refused:
        desk.check(late, "a.csv")
    assert f"column {column!r}" in refused.value.what and text in refused.value.what
    assert "declare zone=" in refused.value.fix


def test_local_times_are_read_in_their_zone_across_summer_time(desk):
    local = Events("sales", Files("*"), entity="who", time="at", zone="Europe/London")
    written = ["2025-03-30 00:30", "2025-03-30 02:30", "2025-10-26 00:30", "2025-10-26 01:30", "2025-10-26 02:30"]
    offsets = ["00:30Z", "01:30Z", "23:30Z", "01:30Z", "02:30Z"]
    days = ["2025-03-30", "2025-03-30", "2025-10-25", "2025-10-26", "2025-10-26"]
    desk.write("local.csv", "who,at\n" + "".join(f"a,{text}\n" for text in written))
    desk.write("utc.csv", "who,at\n" + "".join(f"a,{day}T{text}\n" for day, text in zip(days, offsets, strict=True)))
    assert [row["at"] for row in desk.check(local, "local.csv")[0]] == [
        row["at"] for row in desk.check(local, "utc.csv")[0]
    ]


def test_a_row_is_known_when_it_happened_or_was_noticed_or_after_its_delay(desk):
    noticed = Events("a", Files("*"), entity="who", time="at", known="noticed")
    delayed = Events("b", Files("*"), entity="who", time="at", known_after="2d")
    desk.write(
        "a.csv", "who,at,noticed\na,2025-06-02T00:00Z,2025-06-05T00:00Z\na,2025-06-02T00:00Z,2025-06-01T00:00Z\n"
    )
    days = [[(row["_known"] - row["at"]) / 86_400e6 for row in desk.check(t, "a.csv")[0]] for t in (noticed, delayed)]
    assert days == [[3.0, 0.0], [2.0, 2.0]]


def test_a_header_of_another_name_and_a_declared_key_are_read(desk):
    people = Records("people", Files("*"), entity="id", columns={"id": Integer(source="Customer ID"), "age": Integer()})
    desk.write("a.csv", "Customer ID,age\n17850.0,30\n,31\n")
    good, bad = desk.check(people, "a.csv")
    assert [(row["id"], row["age"]) for row in good] == [("17850", 30)]
    assert quarantined(bad) == [(3, "id is missing")]


@pytest.mark.parametrize("pack", [bytes, packed], ids=["plain", "packed"])
def test_lines_that_end_in_two_ways_are_all_read(desk, pack):
    name = "a.csv" if pack is bytes else "a.csv.gz"
    desk.write(name, pack(f'{HEADER}a,{NOON},1\r\na,{NOON},2\na,torn\r\n"a,{NOON},3\n'.encode()))
    good, bad = desk.check(sales, name)
    assert amounts(good) == [1.0, 2.0]
    assert [row["line"] for row in bad] == [4, 5]


def test_a_line_break_inside_quotes_may_be_another_than_between_records(desk):
    notes = Events("notes", Files("*"), entity="who", time="at", columns={"text": Text()})
    desk.write("a.csv", f'who,at,text\r\na,{NOON},"one\ntwo"\r\na,{NOON},three\r\n'.encode())
    good, bad = desk.check(notes, "a.csv")
    assert ([row["text"] for row in good], bad) == (["one\ntwo", "three"], [])


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_quote_in_a_name_is_part_of_it(desk, quote):
    who, at, amount, head = (f"{name}{quote}s" for name in ("who", "at", "amount", "head"))
    odd = Events("odd", Files("*"), entity=who, time=at, columns={amount: Float(source=head)})
    fields = (",".join('"' + name.replace('"', '""') + '"' for name in (who, at, head)), f"a,{NOON},1", ",,x")
    desk.write("a.csv", "\n".join(fields) + "\n")
    desk.ingest(odd)
    assert [(row[who], row[amount]) for row in desk.rows(odd)] == [("a", 1.0)]
    (bad,) = desk.rows(tables.QUARANTINE)
    assert bad["reason"] == f"{amount} is not a number; {who} is missing; {at} is missing"


def test_a_number_that_needs_a_closer_look_gets_it_beside_columns_of_every_type(desk):
    columns = {"amount": Float(), "ok": Boolean(), "n": Integer()}
    table = Events("sales", Files("*"), entity="who", time="at", columns=columns)
    desk.write("a.csv", f"who,at,amount,ok,n\na,{NOON},1e+16,,\na,{NOON},+5,yes,+7\n")
    good, bad = desk.check(table, "a.csv")
    assert [(row["amount"], row["ok"], row["n"]) for row in good] == [(1e16, None, None), (5.0, True, 7)]
    assert bad == []


def test_a_text_that_is_no_number_is_one_bad_row_in_json_lines_too(desk):
    rows = [{"who": "a", "at": NOON, "amount": amount} for amount in ("1.5", "x", 2)]
    desk.write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    good, bad = desk.check(sales, "a.jsonl")
    assert amounts(good) == [1.5, 2]
    assert quarantined(bad) == [(2, "amount is not a number")]
