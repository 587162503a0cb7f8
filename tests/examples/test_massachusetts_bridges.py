"""The example over yearly ratings of bridges: padding is no rating, and a label is next year's row."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.examples.conftest import ROOT, Copy, needs

DATA = "massachusetts_bridges"
pytestmark = needs(DATA)


@pytest.fixture(scope="module")
def done(example: Callable[..., Copy]) -> tuple[Copy, list[dict[str, Any]]]:
    copy = example("massachusetts_bridges", DATA)
    return copy, [copy.ingest()["bridges"] for _ in range(2)]


@pytest.fixture(scope="module")
def published() -> list[dict[str, str]]:
    with gzip.open(Path(ROOT or "") / DATA / "ma_bridge_condition_2000_2016.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_without_a_rating_are_quarantined_and_no_others(
    done: tuple[Copy, list[dict[str, Any]]], published: list[dict[str, str]]
) -> None:
    _, (first, second) = done
    padding = sum(row["min_health"] == "" for row in published)
    assert (first["rows_read"], first["appended"]) == (len(published), len(published) - padding) == (61_472, 56_749)
    assert first["reasons"] == {"min_health is missing": padding}
    assert (second["files"], second["appended"]) == ([], 0)


def test_zero_is_no_year_and_no_index_and_no_age_is_negative(
    done: tuple[Copy, list[dict[str, Any]]], published: list[dict[str, str]]
) -> None:
    copy, _ = done
    rated = [row for row in published if row["min_health"]]
    built = sum(row["year_built"] != "0" for row in rated)
    index = sum(float(row["total_health_index"]) not in (0, -1) for row in rated)
    young = sum(row["year_built"] != "0" and int(row["year_built"]) <= int(row["data_year"]) for row in rated)
    found = copy.rows("bridges").aggregate("count(built), count(health_index), count(age), min(age)").fetchall()
    assert found == [(built, index, young, 0)]


def test_the_label_is_a_lower_rating_in_next_years_row(
    done: tuple[Copy, list[dict[str, Any]]], published: list[dict[str, str]]
) -> None:
    copy, _ = done
    rated = {
        (row["bridgeID"], int(row["data_year"])): float(row["min_health"]) for row in published if row["min_health"]
    }
    pairs = [
        (year, rated[bridge, year + 1] < now) for (bridge, year), now in rated.items() if (bridge, year + 1) in rated
    ]
    written = copy.folder / "decay.parquet"
    copy.say("dataset", "decay", "--as-of", "2017-01-01", "--to", str(written))
    kept = duckdb.sql(f"select year(t::timestamp), target = 1 from '{written}'").fetchall()
    assert Counter(kept) == Counter(pairs)
    assert len(kept) == 53_017


@pytest.mark.slow
def test_who_is_rated_lower_next_year_is_ranked_at_more_than_0_70_auc_in_the_last_year_that_can_be_judged(
    done: tuple[Copy, list[dict[str, Any]]],
) -> None:
    copy, _ = done
    found = copy.turn("--as-of", "2017-01-01")["evaluation"]
    assert 0.70 < found["metrics"]["auc"] < 0.85
    assert found["metrics"]["pr_auc"] > 3 * found["baseline"]["pr_auc"]
    assert found["metrics"]["log_loss"] < found["baseline"]["log_loss"]
    assert found["test_from_at"].startswith("2015-04")
