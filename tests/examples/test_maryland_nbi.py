"""The example over two vintages of a bridge inventory: quoted by apostrophes, of 134 and 137 columns, and without a model."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.examples.conftest import ROOT, Copy, needs

DATA = "maryland_nbi"
pytestmark = needs(DATA)


@pytest.fixture(scope="module")
def done(example: Callable[..., Copy]) -> tuple[Copy, list[dict[str, Any]]]:
    copy = example("maryland_nbi", DATA)
    return copy, [copy.ingest()["inventory"] for _ in range(2)]


def published(year: str) -> list[dict[str, str]]:
    with gzip.open(Path(ROOT or "") / DATA / f"MD{year}.txt.gz", "rt", newline="") as file:
        return list(csv.DictReader(file, quotechar="'"))


def test_every_record_is_in_the_table_but_three_that_repeat_a_bridge(done: tuple[Copy, list[dict[str, Any]]]) -> None:
    copy, (first, second) = done
    keys = [
        (year, row["STRUCTURE_NUMBER_008"].strip(), row["RECORD_TYPE_005A"])
        for year in ("07", "17")
        for row in published(year)
    ]
    assert (first["rows_read"], first["appended"]) == (len(keys), len(set(keys))) == (11_590, 11_587)
    assert first["quarantined"] == len(keys) - len(set(keys)) == 3
    assert (second["files"], second["appended"]) == ([], 0)
    years = copy.rows("inventory").aggregate("year(year), count(*)").order("all").fetchall()
    assert years == [(2007, 6_252), (2017, 5_335)]


def test_a_rating_that_does_not_apply_is_missing_and_a_column_of_the_newer_file_is_read(
    done: tuple[Copy, list[dict[str, Any]]],
) -> None:
    copy, _ = done
    deck = sum(row["DECK_COND_058"] not in ("N", "") for row in published("17"))
    poor = sum(row["CAT10"] == "P" for row in published("17"))
    rows = copy.rows("inventory")
    assert rows.filter("year(year) = 2017").aggregate("count(deck), count(*) filter (class = 'P')").fetchall() == [
        (deck, poor)
    ]
    assert rows.filter("year(year) = 2007").aggregate("count(class)").fetchall() == [(0,)]


def test_a_comma_between_apostrophes_ends_no_value(done: tuple[Copy, list[dict[str, Any]]]) -> None:
    copy, _ = done
    commas = {row["FEATURES_DESC_006A"].strip() for row in published("07") if "," in row["FEATURES_DESC_006A"]}
    found = copy.rows("inventory").filter("contains(crosses, ',') and year(year) = 2007").project("crosses").fetchall()
    assert {crosses for (crosses,) in found} == commas
    assert commas


def test_the_tables_are_there_without_a_model(done: tuple[Copy, list[dict[str, Any]]]) -> None:
    copy, _ = done
    assert "11,587" in copy.say("tables")
    assert "no problems" in copy.say("check")
