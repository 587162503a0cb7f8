"""The shop world keeps its promises: same bytes by seed, one drift, few faults, and who leaves stops buying."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # type: ignore[import-untyped]

from keepfit.simulate import Shop, write
from keepfit.simulate.shop_life import Month, live
from keepfit.simulate.shop_phrases import remark

END = datetime(2025, 3, 1, tzinfo=UTC)
SMALL = Shop(end=END, months=12, customers=300, drift_at=8, seed=3)
HEADERS = {
    "customers": ["customer_id", "age", "segment", "city"],
    "sales": ["customer_id", "sold_at", "amount", "channel"],
    "feedback": ["customer_id", "written_at", "text"],
}


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def is_bad(header: list[str], row: list[str]) -> bool:
    value = dict(zip(header, row, strict=True))
    if not value["customer_id"]:
        return True
    if "age" in value:
        return not 0 <= int(value["age"]) <= 120
    return "amount" in value and not re.fullmatch(r"\d+\.\d\d", value["amount"])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write(SMALL, tmp_path_factory.mktemp("shop"))


def test_same_seed_writes_the_same_bytes(files: list[Path], tmp_path: Path) -> None:
    again = write(SMALL, tmp_path)
    assert [p.name for p in again] == [p.name for p in files]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(again, files, strict=True))


def test_another_seed_writes_other_sales(files: list[Path], tmp_path: Path) -> None:
    other = write(Shop(end=END, months=12, customers=300, drift_at=8, seed=4), tmp_path)
    assert other[1].name == files[1].name
    assert other[1].read_bytes() != files[1].read_bytes()


def test_writes_customers_and_one_sales_and_one_feedback_file_per_month(files: list[Path]) -> None:
    stamps = [f"2024_{m:02d}" for m in range(3, 13)] + ["2025_01", "2025_02"]
    expected = ["customers.csv"] + [f"{kind}_{s}.csv" for s in stamps for kind in ("sales", "feedback_raw")]
    assert [p.name for p in files] == expected


def test_every_file_has_its_header_and_rows(files: list[Path]) -> None:
    for path in files:
        rows = rows_of(path)
        assert rows[0] == HEADERS[re.split(r"[_.]", path.name)[0]]
        assert len(rows) > 20


def test_all_times_lie_in_the_month_of_their_file(files: list[Path]) -> None:
    for path in files[1:]:
        month = "-".join(path.stem.split("_")[-2:])
        stamps = [row[1] for row in rows_of(path)[1:]]
        assert all(re.fullmatch(month + r"-\d\dT\d\d:\d\d:\d\dZ", stamp) for stamp in stamps)
        assert stamps == sorted(stamps)


def test_nothing_happens_at_or_after_the_end(files: list[Path]) -> None:
    latest = max(row[1] for path in files[1:] for row in rows_of(path)[1:])
    assert latest < "2025-03-01T00:00:00Z"


def test_every_sale_belongs_to_a_listed_customer_or_to_nobody(files: list[Path]) -> None:
    known = {row[0] for row in rows_of(files[0])[1:]} | {""}
    assert {row[0] for path in files[1:] for row in rows_of(path)[1:]} <= known


def test_bad_rows_are_there_and_few(tmp_path: Path) -> None:
    files = write(Shop(end=END, customers=500), tmp_path)
    tables = [rows_of(path) for path in files]
    bad = [row for header, *rows in tables for row in rows if is_bad(header, row)]
    assert 10 <= len(bad) <= 20
    assert any("12,5o" in row for row in bad)
    assert any(row[1] == "212" for row in bad)
    assert any(row[0] == "" for row in bad)
    assert any(row[2].startswith("-") for row in bad)


def test_worlds_that_differ_in_drift_are_equal_before_it_and_differ_after(files: list[Path], tmp_path: Path) -> None:
    calm = write(Shop(end=END, months=12, customers=300, drift_at=None, seed=3), tmp_path)
    same = [a.read_bytes() == b.read_bytes() for a, b in zip(calm, files, strict=True)]
    assert same == [True] * (1 + 2 * 8) + [False] * (2 * 4)


def test_without_drift_prices_channels_and_rhythm_stay() -> None:
    months = list(live(Shop(end=END, months=12, customers=1500, drift_at=None)))
    early, late = months[:3], months[-3:]
    assert _mean_amount(late) == pytest.approx(_mean_amount(early), rel=0.1)
    assert _app_share(late) == pytest.approx(_app_share(early), abs=0.03)
    assert _sales_per_buyer(late) == pytest.approx(_sales_per_buyer(early), rel=0.1)


def test_drift_raises_amounts_moves_orders_to_the_app_and_slows_buying() -> None:
    months = list(live(Shop(end=END, months=12, customers=1500, drift_at=6)))
    early, late = months[3:6], months[-3:]
    assert _mean_amount(late) > 1.3 * _mean_amount(early)
    assert _app_share(late) > 2 * _app_share(early)
    assert _sales_per_buyer(late) < 0.8 * _sales_per_buyer(early)


def test_nobody_buys_between_leaving_and_coming_back() -> None:
    left_at = np.full(SMALL.customers, np.nan)
    departures = 0
    for month in live(SMALL):
        left_at = np.where(np.isnan(month.came_at), left_at, np.nan)
        gone_before = ~np.isnan(left_at[month.sales.who])
        assert not gone_before.any()
        left_at = np.where(np.isnan(month.left_at), left_at, month.left_at)
        assert not (month.sales.at > left_at[month.sales.who]).any()
        departures += int((~np.isnan(month.left_at)).sum())
    assert departures > 100


def test_some_customers_come_back() -> None:
    comings = Counter(int(who) for month in live(SMALL) for who in np.flatnonzero(~np.isnan(month.came_at)))
    assert sum(count > 1 for count in comings.values()) > 10


def test_feedback_tone_follows_satisfaction_as_vader_hears_it() -> None:
    vader, draw = SentimentIntensityAnalyzer(), np.random.default_rng(0)
    heard = [np.mean([vader.polarity_scores(remark(s, draw))["compound"] for _ in range(60)]) for s in (-2, 0, 2)]
    assert heard[0] < -0.4
    assert heard[0] < heard[1] < heard[2]
    assert heard[2] > 0.4


def test_feedback_is_varied(files: list[Path]) -> None:
    texts = [row[2] for path in files if path.name.startswith("feedback") for row in rows_of(path)[1:]]
    assert len(set(texts)) > 0.9 * len(texts)


@pytest.mark.parametrize(
    "end",
    [
        datetime(2025, 3, 2, tzinfo=UTC),
        datetime(2025, 3, 1, 1, tzinfo=UTC),
        datetime(2025, 3, 1),
        datetime(2025, 3, 1, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_an_end_that_is_not_the_first_of_a_month_in_utc_is_refused(end: datetime) -> None:
    with pytest.raises(ValueError, match="first of a month"):
        Shop(end=end)


@pytest.mark.parametrize("size", [{"months": 0}, {"customers": 0}])
def test_an_empty_world_is_refused(size: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Shop(end=END, **size)


def test_the_smallest_world_can_be_written(tmp_path: Path) -> None:
    assert len(write(Shop(end=END, months=1, customers=1), tmp_path)) == 3


def _mean_amount(months: list[Month]) -> float:
    return float(np.concatenate([m.sales.amount for m in months]).mean())


def _app_share(months: list[Month]) -> float:
    return float((np.concatenate([m.sales.channel for m in months]) == 2).mean())


def _sales_per_buyer(months: list[Month]) -> float:
    return float(np.mean([m.sales.who.size / np.unique(m.sales.who).size for m in months]))
