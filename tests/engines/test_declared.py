"""What a contract declares, in a file: times in any form, several headers, sentinels, aliases."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit import Category, Events, Every, Files, Float, Model, Time, clock, col
from keepfit.engines.protocol import Observations
from keepfit.errors import SourceError
from keepfit.rows.contract import check_row
from keepfit.spec.check import check
from keepfit.stages.features.compute import compute

parcels = Events(
    "parcels", Files("*.csv"), entity="customer", time="at", known="noticed", zone="Asia/Kolkata", sentinels=["NA", -1],
    columns={
        "at": Time(source=["day", "hour"], format="%d.%m.%Y %H"),
        "noticed": Time(source="seen"),
        "delivered": Time(format="%d/%m/%y", zone="UTC"),
        "weight": Float(decimal=",", aliases=["Weight (kg)"], min=0),
        "depot": Category(pattern="[A-Z]{2}[0-9]"),
    },
    derive={"open": col("delivered").is_null()},
)  # fmt: skip
HEADER = "customer,day,hour,seen,delivered,Weight (kg),depot\n"


def moment(text):
    return clock.to_micros(clock.parse_moment(text))


def test_a_file_is_read_as_it_was_declared(desk):
    desk.write(
        "a.csv", f'{HEADER}a,1.6.2025,7,2025-06-01T09:00,3/6/25,"1,5",AB1\na,1.6.2025,8,2025-06-02T00:00Z,NA,-1,NA\n'
    )
    assert check([parcels], []) == []
    (first, second), bad = desk.check(parcels, "a.csv")
    assert bad == []
    assert [row["at"] for row in (first, second)] == [moment("2025-06-01T01:30Z"), moment("2025-06-01T02:30Z")]
    assert [row["_known"] for row in (first, second)] == [moment("2025-06-01T03:30Z"), moment("2025-06-02")]
    assert (first["delivered"], first["weight"], first["depot"], first["open"]) == (
        moment("2025-06-03"),
        1.5,
        "AB1",
        False,
    )
    assert (second["delivered"], second["weight"], second["depot"], second["open"]) == (None, None, None, True)


def test_each_broken_rule_is_named(desk):
    desk.write("a.csv", f'{HEADER}a,1.6.2025, ,2025-06-01,31/6/25,"1.5",ab1\na,x,8,NA,NA,"-2,5",AB1\n')
    _, bad = desk.check(parcels, "a.csv")
    assert [row["reason"] for row in bad] == [
        "at is missing; delivered is not a time; weight is not a number; depot does not match [A-Z]{2}[0-9]",
        "at is not a time; noticed is missing; weight is below 0",
    ]


def test_a_kept_time_without_a_zone_is_never_taken_for_one_of_utc(desk):
    table = Events("parcels", Files("*.csv"), entity="customer", time="at", columns={"sent": Time()})
    desk.write("a.csv", "customer,at,sent\na,2025-06-01T00:00Z,2025-06-01\n")
    with pytest.raises(SourceError, match="column 'sent' has times without a zone, such as '2025-06-01'"):
        desk.check(table, "a.csv")


def test_a_missing_column_is_called_by_its_own_header(desk):
    desk.write("a.csv", "customer,day,seen,delivered,weight,depot\n")
    with pytest.raises(SourceError, match=r"a\.csv has no column 'hour', which parcels declares"):
        desk.check(parcels, "a.csv")


def test_a_condition_may_ask_whether_a_time_is_there(desk):
    desk.write("a.csv", f"{HEADER}a,1.6.2025,7,2025-06-01T09:00,3/6/25,1,AB1\na,1.6.2025,8,2025-06-01T09:00,,1,AB1\n")
    desk.ingest(parcels)
    late = parcels.count(last="7d", where=parcels.delivered.is_null()).named("late")
    model = Model("m", Every("1 day", of=parcels), [late, parcels.open.sum(last="7d")], parcels.count(next="1d"))
    assert check([parcels], [model]) == []
    t = Observations(np.array(["a"], object), np.array([0, 1]), np.array([moment("2025-06-02")]))
    found = compute(model.inputs(), desk.snapshot(parcels, as_of="2026-01-01"), t)
    assert {name: values.tolist() for name, values in found.items()} == {"late": [1.0], "parcels_open_sum_7d": [1.0]}
    row = {"customer": "a", "at": "1.6.2025 8", "noticed": "2025-06-01T09:00", "weight": 1, "depot": "AB1"}
    assert check_row(parcels, row)["open"] is True
