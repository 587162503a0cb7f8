"""The example over Indian stations: files of 10 to 24 columns become one table, and faults of instruments no value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from tests.examples.conftest import ROOT, Copy, needs

DATA = "india_caaqms"
# what a few stations head otherwise, and what only they have
FILES = ["AS002.csv.gz", "HR005.csv.gz", "MP004.csv.gz", "TN004.csv.gz", "stations_info.csv"]
pytestmark = needs(DATA)


@pytest.fixture(scope="module")
def done(example: Callable[..., Copy]) -> tuple[Copy, list[dict[str, dict[str, Any]]]]:
    copy = example("india_caaqms", DATA, FILES)
    return copy, [copy.ingest() for _ in range(2)]


def published(station: str, header: str) -> list[str]:
    rows = duckdb.read_csv(f"{ROOT}/{DATA}/{station}.csv.gz", all_varchar=True).project(f'"{header}"').fetchall()
    return [value for (value,) in rows if value is not None]


def test_every_row_of_every_station_is_in_the_table_and_a_second_ingest_adds_none(
    done: tuple[Copy, list[dict[str, dict[str, Any]]]],
) -> None:
    copy, (first, second) = done
    rows = copy.rows("air").aggregate("station, count(*)").order("station").fetchall()
    assert rows == [("AS002", 19_764), ("HR005", 56_382), ("MP004", 46_549), ("TN004", 35_146)]
    air = first["air"]
    assert (air["rows_read"], air["appended"], air["quarantined"], air["repeated"]) == (157_841, 157_841, 0, 0)
    # the table of stations ends in .csv, and is no station
    assert first["stations"]["files"] == ["stations_info.csv"]
    assert first["stations"]["appended"] == 18
    assert [(one["files"], one["appended"]) for one in second.values()] == [([], 0), ([], 0)]


def test_a_value_at_the_end_of_an_instruments_range_is_missing(
    done: tuple[Copy, list[dict[str, dict[str, Any]]]],
) -> None:
    copy, _ = done
    values = [float(value) for value in published("MP004", "PM2.5 (ug/m3)")]
    faults = [value for value in values if value in (985, 999.99, 1000)]
    kept = copy.rows("air").filter("station = 'MP004'").aggregate("count(pm25), max(pm25)").fetchall()
    assert kept == [(len(values) - len(faults), max(set(values) - set(faults)))]
    assert faults.count(985) == 63


@pytest.mark.parametrize(
    ("station", "column", "header"), [("HR005", "ozone", "Ozone ()"), ("TN004", "humidity", "RH ()")]
)
def test_a_header_without_its_unit_is_read_as_the_one_with_it(
    done: tuple[Copy, list[dict[str, dict[str, Any]]]], station: str, column: str, header: str
) -> None:
    copy, _ = done
    (count,) = copy.rows("air").filter(f"station = '{station}'").aggregate(f"count({column})").fetchall()
    assert count == (len(published(station, header)),)


def test_a_model_of_a_few_stations_beats_the_trivial_baseline(
    done: tuple[Copy, list[dict[str, dict[str, Any]]]],
) -> None:
    copy, _ = done
    found = copy.turn("tomorrow", "--as-of", "2020-06-01")["evaluation"]
    assert found["metrics"]["mae"] < 0.8 * found["baseline"]["mae"]
    assert found["test_from_at"] > "2020-01-01"


@pytest.mark.slow
def test_dust_a_day_ahead_at_four_of_the_stations_is_15_percent_nearer_than_persistence_over_a_whole_year(
    done: tuple[Copy, list[dict[str, dict[str, Any]]]],
) -> None:
    # all eighteen, of which docs/results.md tells, reach 34.9; the air of these four is worse
    copy, _ = done
    rmse = copy.scores("dust_24h", "2023-04-02", "rmse")
    assert 25 < rmse["value"] < 0.85 * rmse["persistence"]
    assert rmse["value"] < 0.70 * rmse["baseline"]
