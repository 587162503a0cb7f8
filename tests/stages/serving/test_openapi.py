"""What the OpenAPI document tells of a table's rows."""

from __future__ import annotations

from keepfit import Category, Events, Files, Float, Integer, Lookup, Records, Time
from keepfit.stages.serving.openapi.columns import READ, row_schema


def test_the_document_tells_times_units_and_what_is_looked_up():
    people = Records(
        "people", Files("p"), entity="who", columns={"order": Integer(), "city": Category(values=["x", "y"])}
    )
    sent = Events(
        "sent", Files("s"), entity="who", time="at", lookup=Lookup(people, on="order", take=["who", "city"]),
        columns={
            "order": Integer(), "weight": Float(unit="kg", nullable=False), "due": Time(zone="UTC"),
            "at": Time(format="%d.%m.%Y %H:%M", zone="UTC"), "post": Category(pattern="[A-Z]{2}"),
        },
    )  # fmt: skip
    row = row_schema(sent)
    assert row["required"] == ["who", "at", "weight"]
    told = {name: {key: one[key] for key in one if key != "example"} for name, one in row["properties"].items()}
    blank = {"pattern": r"[^ \t\r\n\v\f]", "minLength": 1}
    nothing = r"^[ \t\r\n\v\f]*$"
    whole = {"minimum": -(2**53), "maximum": 2**53, "pattern": "^[+-]?[0-9]{1,15}$"}
    assert told == {
        "table": {"type": "string", "const": "sent"},
        "who": {"type": ["string", "number"], **blank},
        "at": {"type": "string", "description": "a time, as %d.%m.%Y %H:%M has it"},
        "order": {"type": ["integer", "string", "null"], **whole, "pattern": f"{nothing}|{whole['pattern']}"},
        "weight": {
            "type": ["number", "string"],
            "description": "in kg",
            "pattern": r"^[+-]?[0-9]{1,15}(\.[0-9]{1,15})?$",
        },
        "due": {"type": ["string", "null"], "format": "date-time", "pattern": f"{nothing}|{READ}"},
        "post": {"type": ["string", "null"], "pattern": f"{nothing}|^(?:[A-Z]{{2}})$"},
        "city": {"type": ["string", "null"], "enum": ["x", "y", None, ""]},
    }
