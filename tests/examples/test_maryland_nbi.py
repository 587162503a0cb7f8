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


def test_an_apostrophe_between_apostrophes_is_part_of_the_value(done: tuple[Copy, list[dict[str, Any]]]) -> None:
    copy, _ = done
    with gzip.open(Path(ROOT or "") / DATA / "MD17.txt.gz", "rt", newline="") as file:
        header, *lines = file.read().splitlines()
    # no value of this file holds a comma, so that this tells what stands between the outer two
    place = header.split(",").index("FEATURES_DESC_006A")
    names = [line.split(",")[place][1:-1].strip() for line in lines]
    rows = copy.rows("inventory").filter("year(year) = 2017 and contains(crosses, chr(39))")
    found = [crosses for (crosses,) in rows.project("crosses").fetchall()]
    assert sorted(found) == sorted(name for name in names if "'" in name)
    assert len(found) == 98


def test_the_tables_are_there_without_a_model(done: tuple[Copy, list[dict[str, Any]]]) -> None:
    copy, _ = done
    assert "11,587" in copy.say("tables")
    assert "no problems" in copy.say("check")
