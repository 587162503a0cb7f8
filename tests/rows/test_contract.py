"""A whole row sent to the server is held as the same row in a file is."""

from __future__ import annotations

import csv

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keepfit import Boolean, Category, Events, Files, Float, Integer, Lookup, Records, Text, Time, col
from keepfit.errors import RequestError
from keepfit.rows.contract import check_row, entity_key

COLUMNS = {"amount": Float(min=0), "channel": Category(values=("web", "store"))}
DERIVE = {"twice": col("amount") * 2, "corporate": col("who").startswith("B")}


def events(**options):
    options = {"columns": COLUMNS, "derive": DERIVE, **options}
    return Events("sales", Files("*"), entity="who", time="at", **options)


TABLES = {
    "with offsets": events(),
    "local": events(zone="Europe/London"),
    "late": events(known="noticed"),
    "late and local": events(known="noticed", zone="America/New_York"),
    "delayed": events(known_after="36h"),
    "numbered": events(columns={**COLUMNS, "who": Integer(min=1)}),
    "declared": events(
        columns={**COLUMNS, "at": Time(zone="Asia/Kolkata"), "noticed": Time(sentinels=("now", "x"))},
        known="noticed",
        zone="UTC",
    ),
    "with a time that is kept": events(
        columns={**COLUMNS, "noticed": Time()}, zone="Europe/London", sentinels=("x", "web")
    ),
    "with sentinels": events(
        sentinels=("x", 0, "B1", "web"), zone="UTC", columns={**COLUMNS, "amount": Float(nullable=False)}
    ),
    "in another way": events(
        columns={"at": Time(format="%Y-%m-%d"), "amount": Float(decimal=",")}, derive={}, zone="Asia/Tokyo"
    ),
}
# with times that a clock shows twice or never, and with what only one of Python and DuckDB takes for a time
TIMES = [
    "2025-06-01T12:00:00Z", "2025-06-01 12:00:00+02:00", "2025-06-01T12:00-0930", "2025-06-01", " 2025-06-01T12:00Z ",
    "2025-06-01T12:00:00.123456789Z", "2025-06-01 12:00:00.5", "2025-10-26 01:30", "2025-03-30 01:30:00",
    "2025-11-02T01:59:59", "2025-03-09T02:30", "2025-02-29", "2025-06-31T00:00Z", "2025-06-01 12", "20250601T120000Z",
    "2025-06-01 12:00:00 UTC", "2025-06-01 12:00:00 +02:00", "2025-06-01T24:00Z", "2025-06-01T12:00:60Z",
    "2025-06-01t12:00Z", "2025-06-01T12:00z", "2025-W23-1", "2025/06/01", "01/06/2025", "infinity", "epoch", "now",
    "0000-01-01", "12025-01-01", "1000-01-01T00:00Z", "2999-12-31T23:59:59Z", "2025-06-01T12:00+23:00", "", " ", "x",
    "\xa02025-06-01T12:00Z", "1748779200", "2025-06-01T12:00:00,5Z",
]  # fmt: skip
rows = st.fixed_dictionaries(
    {
        "who": st.sampled_from(["B1", "7", "007", "", " 8 ", "0", "é"]),
        "at": st.sampled_from(TIMES),
        "noticed": st.sampled_from(TIMES),
        "amount": st.sampled_from(["1.5", "0", "-1", "", "x", "1e400"]),
        "channel": st.sampled_from(["web", "store", "Web", ""]),
    }
)
ALL_TIMES = [{"who": "B1", "at": text, "noticed": text, "amount": "1", "channel": "web"} for text in TIMES]
FIELDS = ("who", "at", "noticed", "amount", "channel")


def in_python(table, row):
    """Return the row as a request is held, or its reasons."""
    sent = {name: value for name, value in row.items() if name in table.contract()}
    try:
        return check_row(table, sent)
    except RequestError as error:
        return error.what


def in_sql(desk, table, held):
    """Return the rows as a file is held, or their reasons; None if the file is refused for its zone."""
    with (desk.data / "sheet.csv").open("w", newline="") as file:
        csv.writer(file).writerows([FIELDS, *([row[name] for name in FIELDS] for row in held)])
    good, bad = desk.check(table, "sheet.csv")
    found = {row["line"] - 2: row["reason"] for row in bad}
    for row in good:
        names = {*table.column_names(), "who"} - {*table.time_columns()}
        found[row["_record"] - 1] = {name: row[name] for name in names} | {"time": row["at"], "known": row["_known"]}
    return [found[place] for place in range(len(held))]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@given(held=st.lists(rows, min_size=1, max_size=8))
@example(held=ALL_TIMES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_and_a_request_hold_the_same_row_or_refuse_it_for_the_same_reasons(desk, table, held):
    # a file whose times have no zone is refused as a whole; of a request only its row
    held = [row for row in held if "no time zone" not in str(in_python(table, row))]
    if held:
        answers = zip(held, in_sql(desk, table, held), [in_python(table, row) for row in held], strict=True)
        assert [(row, file, request) for row, file, request in answers if file != request] == []


def test_a_column_nobody_declared_is_refused_by_name():
    with pytest.raises(RequestError, match="unknown column 'amonut'") as refused:
        check_row(TABLES["with offsets"], {"who": "B1", "at": "2025-06-01T12:00Z", "amonut": 3})
    assert "did you mean 'amount'" in refused.value.fix


def test_a_time_without_a_zone_is_refused_by_name():
    with pytest.raises(RequestError, match="at has no time zone"):
        check_row(TABLES["with offsets"], {"who": "B1", "at": "2025-06-01 12:00", "amount": 3})


def test_an_hour_that_the_clock_shows_twice_is_the_second_one():
    held = check_row(TABLES["local"], {"who": "B1", "at": "2025-10-26 01:30", "amount": 3})
    second = check_row(TABLES["local"], {"who": "B1", "at": "2025-10-26T01:30Z", "amount": 3})
    assert held["time"] == second["time"]


def test_numbers_and_truths_of_a_json_body_are_read_as_their_texts():
    held = check_row(TABLES["numbered"], {"who": 7.0, "at": "2025-06-01T12:00Z", "amount": 3, "channel": None})
    assert (held["who"], held["amount"], held["channel"]) == ("7", 3.0, None)


def test_an_entity_key_is_read_as_the_table_declares_it():
    assert entity_key(TABLES["numbered"], " 007 ") == "7"
    assert entity_key(TABLES["with offsets"], "007") == "007"
    with pytest.raises(RequestError, match="who is missing"):
        entity_key(TABLES["with offsets"], None)


def test_a_number_of_a_json_body_has_a_point_however_the_files_write_theirs():
    table = events(columns={"amount": Float(decimal=",", thousands=".")}, derive={})
    rows = [
        check_row(table, {"who": "B1", "at": "2025-06-01T12:00Z", "amount": one})
        for one in (1234.5, "1.234,5", "1234,5")
    ]
    assert [row["amount"] for row in rows] == [1234.5] * 3


def test_a_time_under_several_headers_is_sent_as_one_text():
    when = Time(source=("year", "month", "day"), format="%Y %m %d", zone="UTC")
    held = check_row(events(columns={"at": when}, derive={}), {"who": "B1", "at": "2025 6 1"})
    assert held == {"who": "B1", "time": 1748736000000000, "known": 1748736000000000}


def test_what_files_have_in_their_names_or_look_up_is_sent_along():
    people = Records(
        "people", Files("p"), entity="person", columns={"order": Integer(), "since": Time(zone="UTC"), "city": Text()}
    )
    table = Events(
        "sent", Files("{shop}/*.csv"), entity="person", time="at",
        lookup=Lookup(people, on="order", take=["person", "since", "city"]),
        columns={"order": Integer(), "shop": Category(pattern="s[0-9]")}, derive={"new": col("since").is_null()},
    )  # fmt: skip
    row = {"order": 7, "shop": "s1", "at": "2025-06-01T12:00Z", "person": "p7"}
    held = check_row(table, {**row, "since": "2025-06-01"})
    assert (held["person"], held["since"], held["city"], held["new"]) == ("p7", 1748736000000000, None, False)
    with pytest.raises(RequestError, match="shop does not match s\\[0-9\\]; person is missing"):
        check_row(table, {**row, "shop": "x", "person": None})


def test_yes_and_no_may_mean_missing():
    table = events(columns={"paid": Boolean(sentinels=["n"])}, derive={})
    paid = [
        check_row(table, {"who": "B1", "at": "2025-06-01T12:00Z", "paid": one})["paid"]
        for one in ("n", False, "y", None)
    ]
    assert paid == [None, False, True, None]
