"""Whatever a team calls its columns, an engine brings the right ones back."""

from __future__ import annotations

import numpy as np
import pytest

from keepfit import Events, Files, Float, Records, clock, col
from keepfit.engines.protocol import Observations


def at(text):
    return clock.to_micros(clock.parse_moment(text))


NAMES = ["key", "code", "t", "place", "rank", "n0", "c0", "r", "o", "c1", 'a"b', "it's", "select"]
MAY, JUNE = "2025-05-01", at("2025-06-01")


@pytest.mark.parametrize("entity", ["key", "code", "t", 'a"b', "entity", "group"])
def test_columns_of_any_name_come_back(desk, entity):
    names = [name for name in NAMES if name != entity]
    columns = {name: Float(source=f"h{place}") for place, name in enumerate(names)}
    head = ",".join(['"' + entity.replace('"', '""') + '"', "time", *(f"h{place}" for place in range(len(names)))])
    desk.write("a.csv", f"{head}\nx,{MAY}T00:00Z,{','.join(map(str, range(len(names))))}\n")
    events = Events("events", Files("a.csv"), entity=entity, time="time", columns=columns)
    records = Records("records", Files("a.csv"), entity=entity, columns=columns)
    history = Records("history", Files("a.csv"), entity=entity, columns=columns, time="time")
    desk.ingest(events, records, history)
    snapshot = desk.snapshot(events, records, history, as_of="2025-06-01")
    engine, files, wanted = desk.engine, snapshot.files, list(map(float, range(len(names))))
    seen = Observations(np.array(["x"], object), np.array([0, 1]), np.array([JUNE]))
    (run,) = engine.events(events, files(events), list(map(col, names)), seen, JUNE)
    assert (run.values[:, 0].tolist(), run.time.tolist()) == (wanted, [at(MAY)])
    for table in (records, history):
        found = engine.attributes(table, files(table), names, seen)
        assert [found[name][0] for name in names] == wanted
        found = engine.current_records(table, files(table), names, JUNE)
        assert [found[name][0] for name in names] == wanted
        assert found["entity"].tolist() == ["x"]
    recent = engine.recent(events, files(events), list(map(col, names)), [], JUNE, JUNE)
    assert [recent[str(col(name))][0] for name in names] == wanted
    assert (recent["entity"].tolist(), recent["time"].tolist()) == (["x"], [at(MAY)])
    assert engine.span(events, files(events), JUNE) == (1, at(MAY), at(MAY))
    assert engine.entities(events, files(events), JUNE)[0].tolist() == ["x"]
    assert engine.each_row(events, files(events), JUNE).t.tolist() == [at(MAY) + 1]


def test_recent_rows_are_those_since_and_of_each_entity_the_newest_of_each_column(desk):
    table = Events("events", Files("a.csv"), entity="who", time="at", columns={"p": Float(), "q": Float()})
    lines = [
        "a,2025-01-01T00:00Z,1,1", "a,2025-01-02T00:00Z,2,", "a,2025-01-03T00:00Z,,", "a,2025-01-03T00:00Z,,",
        "b,2025-05-01T00:00Z,6,6", "b,2025-05-02T00:00Z,5,5", "b,2025-01-01T00:00Z,4,4",
        "c,2025-01-02T00:00Z,8,", "c,2025-01-02T00:00Z,9,", "c,2025-01-01T00:00Z,7,", "c,2025-07-01T00:00Z,0,0",
    ]  # fmt: skip
    desk.write("a.csv", "\n".join(["who,at,p,q", *lines]) + "\n")
    desk.ingest(table)
    files = desk.snapshot(table, as_of="2025-06-01").files(table)
    p_and_q = [col("p"), col("q")]
    found = desk.engine.recent(table, files, p_and_q, [[one.not_null()] for one in p_and_q], at("2025-04-01"), JUNE)
    # the last row of c will be known in July
    assert found["entity"].tolist() == ["a", "a", "a", "b", "b", "c", "c"]
    assert found["p"].tolist()[:2] == [1, 2] and np.isnan(found["p"][2])
    assert found["p"].tolist()[3:] == [6, 5, 9, 0]
    none = desk.engine.recent(table, files, [], [], at("2025-04-01"), JUNE)
    assert none["entity"].tolist() == ["a", "b", "b", "c", "c"]
    assert len(desk.engine.recent(table, files, [col("p")], [], None, JUNE)["time"]) == 11
