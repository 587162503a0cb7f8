"""What footers tell is what a scan finds."""

from __future__ import annotations

import pytest

from keepfit import Events, Files, Float
from keepfit.engines.local.footers import span

TABLE = Events("sales", Files("sales.csv"), entity="who", time="at", columns={"amount": Float()}, known_after="1h")
JANUARY = 1_735_689_600_000_000
HOUR = 3_600_000_000


@pytest.fixture
def part(tmp_path, engine):
    def made(*times):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        listed = ", ".join(f"({time})" for time in times)
        engine.connection.execute(
            f"copy (select 'a' as who, make_timestamptz(t) as at, make_timestamptz(t + {HOUR}) as _known"
            f" from (values {listed}) v(t)) to '{path}'"
        )
        return str(path)

    return made


@pytest.mark.parametrize("as_of", [JANUARY, JANUARY + HOUR, JANUARY + HOUR + 7, JANUARY + HOUR + 8, 2**60])
def test_the_span_of_a_table_is_that_of_the_rows_known(engine, part, as_of):
    files = [part(JANUARY, JANUARY + 7), part(-5)]
    times = [time for time in (-5, JANUARY, JANUARY + 7) if time + HOUR < as_of]
    assert engine.span(TABLE, files, as_of) == (len(times), times[0], times[-1])
    assert (span(engine.connection, files, "at", as_of) is not None) == (len(times) == 3)


def test_a_time_that_no_double_holds_is_scanned(engine, part):
    files = [part(2**53 + 1)]
    assert span(engine.connection, files, "at", 2**60) is None
    assert engine.span(TABLE, files, 2**60) == (1, 2**53 + 1, 2**53 + 1)
